import type { Target } from "../url";
import type { EngineOptions } from "./options";
import type { Packet } from "./packet";

/** Why a connection was lost, as far as the platform tells. */
export interface CloseDetails {
  description: string;
  /** The CloseEvent or Response behind it. */
  context?: unknown;
}

export class TransportError extends Error {
  readonly type = "TransportError";

  constructor(
    message: string,
    /** The HTTP status, or the error of the platform. */
    readonly description: unknown,
    /** The Response or Event behind it. */
    readonly context?: unknown,
  ) {
    super(message);
  }
}

/** What a transport reports to. After onClose or onError it reports nothing more. */
export interface TransportListener {
  /** Packets may be sent. */
  onOpen(): void;
  onPacket(packet: Packet): void;
  /** What was sent has left; the next packets may be sent. */
  onDrain(): void;
  onClose(details: CloseDetails): void;
  onError(error: TransportError): void;
}

/** One way to carry packets. It connects when it is opened, once in its life. */
export abstract class Transport {
  abstract readonly name: string;

  /** Whether send may be called: it is open, and nothing is on its way. */
  writable = false;

  constructor(
    protected readonly target: Target,
    protected readonly options: EngineOptions,
    /** The session to join; none to begin one. */
    protected sid: string | undefined,
    public listener: TransportListener,
  ) {}

  abstract open(): void;

  /** Sends the packets in order, then reports the drain. */
  abstract send(packets: Packet[]): void;

  /** Ends the connection, telling the server if it can; reports nothing. */
  abstract close(): void;

  /** Resolves once nothing is on its way in either direction and nothing more will be. */
  async pause(): Promise<void> {}

  /** Takes back a pause. */
  resume(): void {}

  protected url(scheme: "http" | "ws", stamp: boolean): string {
    const { target, options } = this;
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...target.query, ...options.query })) {
      if (value !== undefined) {
        query.set(name, String(value));
      }
    }
    query.set("EIO", "4");
    query.set("transport", this.name);
    if (this.sid !== undefined) {
      query.set("sid", this.sid);
    } else if (options.forceBase64) {
      query.set("b64", "1");
    }
    if (stamp) {
      query.set(options.timestampParam ?? "t", Date.now().toString(36) + Math.random().toString(36).slice(2, 5));
    }
    const port = target.port === (target.secure ? "443" : "80") ? "" : ":" + target.port;
    const path = (options.path ?? "/socket.io").replace(/\/$/, "") + (options.addTrailingSlash === false ? "" : "/");
    return `${scheme}${target.secure ? "s" : ""}://${target.host}${port}${path}?${query}`;
  }
}
