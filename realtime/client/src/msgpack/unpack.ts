import { bytesOf } from "../binary";

const utf8 = new TextDecoder();

/** Reads one value of MessagePack. It throws when there is less, or more. */
export function unpack(data: ArrayBuffer | ArrayBufferView): unknown {
  const reader = new Reader(bytesOf(data));
  const value = reader.value();
  reader.end();
  return value;
}

class Reader {
  private readonly view: DataView;
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  end(): void {
    if (this.at !== this.bytes.length) {
      throw new RangeError("trailing bytes");
    }
  }

  value(): unknown {
    const head = this.uint(1);
    if (head < 0x80) {
      return head;
    }
    if (head < 0x90) {
      return this.map(head & 0x0f);
    }
    if (head < 0xa0) {
      return this.list(head & 0x0f);
    }
    if (head < 0xc0) {
      return this.text(head & 0x1f);
    }
    if (head >= 0xe0) {
      return head - 0x100;
    }
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return head === 0xc3;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.buffer(this.uint(1 << (head - 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.extension(this.uint(1 << (head - 0xc7)), false);
      case 0xca:
        return this.view.getFloat32(this.take(4));
      case 0xcb:
        return this.view.getFloat64(this.take(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return this.uint(1 << (head - 0xcc));
      case 0xd0:
        return this.view.getInt8(this.take(1));
      case 0xd1:
        return this.view.getInt16(this.take(2));
      case 0xd2:
        return this.view.getInt32(this.take(4));
      case 0xd3:
        return Number(this.view.getBigInt64(this.take(8)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.extension(1 << (head - 0xd4), true);
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.text(this.uint(1 << (head - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.list(this.uint(2 << (head - 0xdc)));
      case 0xde:
      case 0xdf:
        return this.map(this.uint(2 << (head - 0xde)));
    }
    throw new RangeError("no MessagePack");
  }

  /** Takes size bytes and returns where they start. */
  private take(size: number): number {
    const start = this.at;
    this.at += size;
    if (this.at > this.bytes.length) {
      throw new RangeError("cut off");
    }
    return start;
  }

  /** A number of 1, 2, 4 or 8 bytes. */
  private uint(size: number): number {
    const start = this.take(size);
    switch (size) {
      case 1:
        return this.view.getUint8(start);
      case 2:
        return this.view.getUint16(start);
      case 4:
        return this.view.getUint32(start);
    }
    return Number(this.view.getBigUint64(start));
  }

  private buffer(length: number): ArrayBuffer {
    const start = this.take(length);
    return this.bytes.slice(start, start + length).buffer;
  }

  private text(length: number): string {
    const start = this.take(length);
    return utf8.decode(this.bytes.subarray(start, start + length));
  }

  private list(length: number): unknown[] {
    const list: unknown[] = [];
    for (let i = 0; i < length; i++) {
      list.push(this.value());
    }
    return list;
  }

  private map(length: number): object {
    const members: [any, unknown][] = [];
    for (let i = 0; i < length; i++) {
      members.push([this.value(), this.value()]);
    }
    return Object.fromEntries(members); // to which __proto__ is a name as any other
  }

  /**
   * Of type 0 are, by their format: undefined (fixext 1), a Date (fixext 8) and
   * bytes (ext). Type -1 is MessagePack's own timestamp, in three lengths.
   */
  private extension(length: number, fixed: boolean): unknown {
    const type = this.view.getInt8(this.take(1));
    const data = this.buffer(length);
    const view = new DataView(data);
    if (type === 0 && !fixed) {
      return data;
    }
    if (type === 0 && length === 1) {
      return undefined;
    }
    if (type === 0 && length === 8) {
      return new Date(Number(view.getBigInt64(0)));
    }
    if (type === -1 && length === 4) {
      return new Date(view.getUint32(0) * 1e3);
    }
    if (type === -1 && length === 8) {
      const both = view.getBigUint64(0);
      return new Date(Number(both & 0x3_ffff_ffffn) * 1e3 + Number(both >> 34n) / 1e6);
    }
    if (type === -1 && length === 12) {
      return new Date(Number(view.getBigInt64(4)) * 1e3 + view.getUint32(0) / 1e6);
    }
    return [type, data];
  }
}
