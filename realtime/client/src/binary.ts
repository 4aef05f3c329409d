/** What travels as bytes. A view stands for its own range of its buffer. */
export type Binary = ArrayBuffer | ArrayBufferView | Blob;

export function isBlob(value: unknown): value is Blob {
  return typeof Blob === "function" && value instanceof Blob;
}

export function isBinary(value: unknown): value is Binary {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value) || isBlob(value);
}

export function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/** The longest run of bytes given to String.fromCharCode as arguments. */
const run = 8192;

/** Encodes as RFC 4648 section 4, with padding. */
export function toBase64(data: ArrayBuffer | ArrayBufferView): string {
  const bytes = bytesOf(data);
  let text = "";
  for (let i = 0; i < bytes.length; i += run) {
    text += String.fromCharCode(...bytes.subarray(i, i + run));
  }
  return btoa(text);
}

/** Throws when the text is not base64. */
export function fromBase64(text: string): ArrayBuffer {
  const decoded = atob(text);
  const bytes = new Uint8Array(decoded.length);
  for (let i = 0; i < decoded.length; i++) {
    bytes[i] = decoded.charCodeAt(i);
  }
  return bytes.buffer;
}

/** The length of a text in UTF-8, or of binary data once it is base64. */
export function textLength(data: string | Binary): number {
  if (typeof data === "string") {
    let length = data.length;
    for (let i = 0; i < data.length; i++) {
      const unit = data.charCodeAt(i);
      // A surrogate is half of a character that takes four bytes.
      length += unit < 0x80 ? 0 : unit < 0x800 || (unit & 0xf800) === 0xd800 ? 1 : 2;
    }
    return length;
  }
  return Math.ceil((isBlob(data) ? data.size : data.byteLength) / 3) * 4;
}
