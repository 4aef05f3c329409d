import type { Binary } from "./binary";
import type { PacketOptions } from "./engine/packet";

/** The version of the Socket.IO protocol. */
export const protocol = 5;

/** The packet types of Socket.IO 5. */
export const PacketType = {
  CONNECT: 0,
  DISCONNECT: 1,
  EVENT: 2,
  ACK: 3,
  CONNECT_ERROR: 4,
  BINARY_EVENT: 5,
  BINARY_ACK: 6,
} as const;

export interface Packet {
  type: number;
  nsp: string;
  data?: any;
  id?: number;
  options?: PacketOptions;
}

/** Events that the client makes itself; nobody may send them. */
export const reserved: ReadonlySet<unknown> = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

/**
 * A codec: what the parser option takes. One encoder and one decoder are made
 * for each manager.
 */
export interface Parser {
  Encoder: new () => {
    /** The frames of a packet, in order. */
    encode(packet: Packet): (string | Binary)[];
  };
  Decoder: new () => {
    /** Takes a frame; emits "decoded" when it completes a packet; throws when it is none. */
    add(frame: any): void;
    /** Forgets a packet that is not complete. */
    destroy(): void;
    on(event: "decoded", listener: (packet: Packet) => void): unknown;
  };
}

/** Whether a packet may have come from a server. */
export function valid({ type, data, id }: Packet): boolean {
  const object = typeof data === "object" && data !== null && !Array.isArray(data);
  switch (type) {
    case PacketType.CONNECT:
      return data === undefined || object;
    case PacketType.DISCONNECT:
      return data === undefined;
    case PacketType.CONNECT_ERROR:
      return object || typeof data === "string";
    case PacketType.EVENT:
      return (
        Array.isArray(data) &&
        (typeof data[0] === "number" || (typeof data[0] === "string" && !reserved.has(data[0])))
      );
    default:
      return Array.isArray(data) && id !== undefined;
  }
}
