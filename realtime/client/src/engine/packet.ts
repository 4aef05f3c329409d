import { type Binary, fromBase64, isBinary, isBlob, textLength, toBase64 } from "../binary";

/** The packet types of Engine.IO 4: the place in the list is the type on the wire. */
const types = ["open", "close", "ping", "pong", "message", "upgrade", "noop"] as const;

/** "error" never travels: it is what an unreadable frame decodes to. */
export type PacketType = (typeof types)[number] | "error";

export interface PacketOptions {
  /** Whether the transport may compress the packet. */
  compress?: boolean;
}

export interface Packet {
  type: PacketType;
  data?: string | Binary;
  options?: PacketOptions;
}

/** Between the packets of a payload: the ASCII record separator. */
const separator = "\x1e";

/**
 * Encodes a packet whose Blob, if it had one, was read. Binary data stays as it
 * is on a transport that carries bytes and becomes base64 text elsewhere.
 */
export function encodePacket(packet: Packet, bytes: boolean): string | ArrayBuffer | ArrayBufferView {
  const data = packet.data as string | ArrayBuffer | ArrayBufferView | undefined;
  if (isBinary(data)) {
    return bytes ? data : "b" + toBase64(data);
  }
  return types.indexOf(packet.type as (typeof types)[number]) + (data ?? "");
}

export function decodePacket(frame: string | ArrayBuffer): Packet {
  if (typeof frame !== "string") {
    return { type: "message", data: frame };
  }
  if (frame.startsWith("b")) {
    try {
      return { type: "message", data: fromBase64(frame.slice(1)) };
    } catch {
      return { type: "error", data: "parser error" };
    }
  }
  const type = types[frame.charCodeAt(0) - 48];
  return type ? { type, data: frame.slice(1) } : { type: "error", data: "parser error" };
}

export function encodePayload(packets: Packet[]): string {
  return packets.map((packet) => encodePacket(packet, false)).join(separator);
}

export function decodePayload(payload: string): Packet[] {
  return payload.split(separator).map(decodePacket);
}

/** How many of the packets fit in one payload of at most max bytes; never none. */
export function fitting(packets: Packet[], max: number): number {
  let size = 0;
  for (const [count, { data }] of packets.entries()) {
    size += 1 + (count && separator.length) + (data === undefined ? 0 : textLength(data));
    if (count > 0 && size > max) {
      return count;
    }
  }
  return packets.length;
}

/** The packets with every Blob read: at once when there is none. */
export function readBlobs(packets: Packet[]): Packet[] | Promise<Packet[]> {
  if (!packets.some((packet) => isBlob(packet.data))) {
    return packets;
  }
  return Promise.all(
    packets.map(async (packet) =>
      isBlob(packet.data) ? { ...packet, data: await packet.data.arrayBuffer() } : packet,
    ),
  );
}
