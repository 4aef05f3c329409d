import { type Binary, isBinary } from "./binary";
import { Emitter } from "./emitter";
import { type Packet, PacketType, valid } from "./parser";

interface Placeholder {
  _placeholder: true;
  num: number;
}

/** The default codec: JSON, with binary data in frames of its own behind it. */
export class Encoder {
  encode(packet: Packet): (string | Binary)[] {
    const attachments: Binary[] = [];
    const json = JSON.stringify(packet.data, function (this: any, key, value) {
      // The raw property: a Buffer of Node has become a plain object in value.
      const raw = this[key];
      return isBinary(raw) ? { _placeholder: true, num: attachments.push(raw) - 1 } satisfies Placeholder : value;
    });
    let head = String(packet.type);
    if (attachments.length) {
      head = (packet.type === PacketType.EVENT ? PacketType.BINARY_EVENT : PacketType.BINARY_ACK) + `${attachments.length}-`;
    }
    if (packet.nsp !== "/") {
      head += packet.nsp + ",";
    }
    return [head + (packet.id ?? "") + (json ?? ""), ...attachments];
  }
}

/** type, count of attachments, namespace, id, JSON */
const shape = /^([0-6])(?:(\d+)-)?(?:(\/[^,]*),?)?(\d+)?([^]*)$/;

export class Decoder extends Emitter<{}, { decoded: (packet: Packet) => void }> {
  private partial: { packet: Packet; json: string; count: number; attachments: unknown[] } | undefined;

  add(frame: unknown): void {
    if (typeof frame === "string") {
      this.addText(frame);
    } else {
      this.addAttachment(frame);
    }
  }

  destroy(): void {
    this.partial = undefined;
  }

  private addText(frame: string): void {
    const match = shape.exec(frame);
    if (!match || this.partial) {
      throw new Error(match ? "an attachment is missing" : "invalid packet");
    }
    const [, type, count, nsp = "/", id, json = ""] = match;
    const packet: Packet = { type: Number(type), nsp };
    if (id !== undefined) {
      packet.id = Number(id);
    }
    const binary = packet.type >= PacketType.BINARY_EVENT;
    if (binary !== (count !== undefined)) {
      throw new Error("invalid packet");
    }
    if (binary && Number(count) > 0) {
      this.partial = { packet, json, count: Number(count), attachments: [] };
    } else {
      this.complete(packet, json, binary ? [] : undefined);
    }
  }

  private addAttachment(frame: unknown): void {
    const { partial } = this;
    if (!partial) {
      throw new Error("an attachment of no packet");
    }
    if (partial.attachments.push(frame) === partial.count) {
      this.partial = undefined;
      this.complete(partial.packet, partial.json, partial.attachments);
    }
  }

  private complete(packet: Packet, json: string, attachments: unknown[] | undefined): void {
    if (json) {
      packet.data = JSON.parse(json, attachments && ((_, value) => attach(value, attachments)));
    }
    if (attachments) {
      packet.type = packet.type === PacketType.BINARY_EVENT ? PacketType.EVENT : PacketType.ACK;
    }
    if (!valid(packet)) {
      throw new Error("invalid payload");
    }
    this.emit("decoded", packet);
  }
}

function attach(value: unknown, attachments: unknown[]): unknown {
  const num = (value as Partial<Placeholder> | null)?._placeholder === true && (value as Placeholder).num;
  if (num === false) {
    return value;
  }
  if (!Number.isInteger(num) || num < 0 || num >= attachments.length) {
    throw new Error("illegal attachments");
  }
  return attachments[num];
}
