import { bytesOf, isBlob } from "../binary";

const utf8 = new TextEncoder();

/**
 * Writes a value as MessagePack: https://github.com/msgpack/msgpack/blob/master/spec.md.
 * What JSON.stringify leaves out is left out, and toJSON is asked, but bytes are
 * bytes and dates are dates.
 */
export function pack(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.value(value);
  return writer.bytes();
}

class Writer {
  private buffer = new Uint8Array(256);
  private view = new DataView(this.buffer.buffer);
  private length = 0;

  bytes(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  value(value: any): void {
    switch (typeof value) {
      case "string": {
        const bytes = utf8.encode(value);
        this.head(bytes.length, 0xa0, 32, 0xd9);
        this.append(bytes);
        break;
      }
      case "number":
        this.number(value);
        break;
      case "boolean":
        this.byte(value ? 0xc3 : 0xc2);
        break;
      case "object":
        this.object(value);
        break;
      case "bigint":
        throw new TypeError("a BigInt cannot be sent");
      default: // undefined, a function, a symbol
        this.byte(0xc0);
    }
  }

  private number(value: number): void {
    if (!Number.isSafeInteger(value)) {
      this.view.setFloat64(this.room(9, 0xcb), value);
    } else if (value >= -0x20 && value < 0x80) {
      this.byte(value & 0xff);
    } else if (value >= 0 && value < 0x100) {
      this.view.setUint8(this.room(2, 0xcc), value);
    } else if (value >= 0 && value < 0x1_0000) {
      this.view.setUint16(this.room(3, 0xcd), value);
    } else if (value >= 0 && value < 0x1_0000_0000) {
      this.view.setUint32(this.room(5, 0xce), value);
    } else if (value >= -0x80 && value < 0) {
      this.view.setInt8(this.room(2, 0xd0), value);
    } else if (value >= -0x8000 && value < 0) {
      this.view.setInt16(this.room(3, 0xd1), value);
    } else if (value >= -0x8000_0000 && value < 0) {
      this.view.setInt32(this.room(5, 0xd2), value);
    } else {
      this.view.setBigInt64(this.room(9, 0xd3), BigInt(value));
    }
  }

  private object(value: any): void {
    if (value === null) {
      this.byte(0xc0);
    } else if (value instanceof Date) {
      this.date(value.getTime());
    } else if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      const bytes = bytesOf(value);
      this.head(bytes.length, 0, 0, 0xc4);
      this.append(bytes);
    } else if (isBlob(value)) {
      throw new TypeError("a Blob cannot be sent as MessagePack; send what its arrayBuffer() resolves with");
    } else if (typeof value.toJSON === "function") {
      this.value(value.toJSON());
    } else if (Array.isArray(value)) {
      this.head(value.length, 0x90, 16, 0xdb);
      // By index: a hole is null, too.
      for (let i = 0; i < value.length; i++) {
        this.value(value[i]);
      }
    } else {
      const keys = Object.keys(value).filter((key) => !/^(undefined|function|symbol)$/.test(typeof value[key]));
      this.head(keys.length, 0x80, 16, 0xdd);
      for (const key of keys) {
        this.value(key);
        this.value(value[key]);
      }
    }
  }

  /** fixext 8 of type 0, as socket.io-msgpack-parser has it. */
  private date(time: number): void {
    if (Number.isNaN(time)) {
      this.byte(0xc0);
      return;
    }
    this.byte(0xd7);
    this.view.setBigInt64(this.room(9, 0), BigInt(time));
  }

  /**
   * The head of something long: its length is in the byte short when it is less
   * than limit, else behind the byte long, in 1, 2 or 4 bytes. Lists and maps
   * have no form of 1: their long is the one before that of 2.
   */
  private head(length: number, short: number, limit: number, long: number): void {
    if (length < limit) {
      this.byte(short | length);
    } else if (length < 0x100 && long < 0xdb) {
      this.view.setUint8(this.room(2, long), length);
    } else if (length < 0x1_0000) {
      this.view.setUint16(this.room(3, long + 1), length);
    } else {
      this.view.setUint32(this.room(5, long + 2), length);
    }
  }

  private byte(value: number): void {
    this.room(1, value);
  }

  private append(bytes: Uint8Array): void {
    this.grow(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Takes size bytes, the first of which is given, and returns where the second is. */
  private room(size: number, first: number): number {
    this.grow(size);
    const start = this.length;
    this.buffer[start] = first;
    this.length += size;
    return start + 1;
  }

  private grow(size: number): void {
    if (this.length + size > this.buffer.length) {
      const { buffer } = this;
      this.buffer = new Uint8Array(2 * (this.length + size));
      this.buffer.set(buffer);
      this.view = new DataView(this.buffer.buffer);
    }
  }
}
