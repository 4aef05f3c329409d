import type { Binary } from "../binary";
import { Emitter } from "../emitter";
import { type Packet, valid } from "../parser";
import { pack } from "./pack";
import { unpack } from "./unpack";

/** The codec of socket.io-msgpack-parser: a packet is one binary frame of MessagePack. */
export class Encoder {
  encode({ type, nsp, data, id }: Packet): (string | Binary)[] {
    return [pack({ type, nsp, data, id })];
  }
}

export class Decoder extends Emitter<{}, { decoded: (packet: Packet) => void }> {
  add(frame: unknown): void {
    if (!(frame instanceof ArrayBuffer || ArrayBuffer.isView(frame))) {
      throw new Error("MessagePack is binary; the server uses another codec");
    }
    const packet = unpack(frame) as Packet;
    if (typeof packet !== "object" || typeof packet?.nsp !== "string" || !valid(packet)) {
      throw new Error("invalid packet");
    }
    this.emit("decoded", packet);
  }

  destroy(): void {}
}
