import { decodePayload, encodePayload, type Packet, readBlobs } from "./packet";
import { Transport, TransportError } from "./transport";

/**
 * HTTP long-polling: one GET is always waiting for the server's packets, and a
 * POST carries ours, one at a time.
 */
export class Polling extends Transport {
  readonly name = "polling";

  private state: "opening" | "open" | "closing" | "closed" = "opening";
  private paused = false;
  private resting = false;
  private reading: Promise<void> | undefined;
  private writing: Promise<void> | undefined;
  private readonly aborter = new AbortController();

  open(): void {
    this.reading = this.read();
  }

  send(packets: Packet[]): void {
    this.writable = false;
    this.writing = this.write(packets);
  }

  close(): void {
    if (this.state === "open") {
      this.sayGoodbye();
    } else if (this.state === "opening") {
      // The session has no id yet: goodbye follows the handshake.
      this.state = "closing";
    }
  }

  /** Packets may be sent while the last GET waits; their answers may be what ends it. */
  override async pause(): Promise<void> {
    this.paused = true;
    await this.reading;
    this.resting = true;
    this.writable = false;
    await this.writing;
  }

  override resume(): void {
    this.paused = this.resting = false;
    this.writable = this.state === "open";
    this.reading = this.read();
  }

  private get ended(): boolean {
    return this.state === "closed";
  }

  private async read(): Promise<void> {
    while (!this.paused && !this.ended) {
      const payload = await this.request("GET", "fetch read error");
      if (payload === undefined) {
        return;
      }
      for (const packet of decodePayload(payload)) {
        if (!this.ended) {
          this.receive(packet);
        }
      }
    }
  }

  private receive(packet: Packet): void {
    if (packet.type === "open" && this.sid === undefined) {
      this.sid = sidOf(packet);
      if (this.state === "closing") {
        this.sayGoodbye();
        return;
      }
      this.state = "open";
      this.writable = true;
      this.listener.onOpen();
    }
    if (packet.type === "close") {
      this.state = "closed";
      return this.listener.onClose({ description: "transport closed by the server" });
    }
    if (this.state === "open") {
      this.listener.onPacket(packet);
    }
  }

  private async write(packets: Packet[]): Promise<void> {
    let body;
    try {
      body = encodePayload(await readBlobs(packets));
    } catch (error) {
      return this.fail("fetch write error", error);
    }
    if ((await this.request("POST", "fetch write error", body)) !== undefined && this.state === "open") {
      this.writable = !this.resting;
      this.listener.onDrain();
    }
  }

  /** Lets a POST under way arrive first; keepalive lets the last one outlive the page. */
  private async sayGoodbye(): Promise<void> {
    this.state = "closed";
    this.writable = false;
    if (this.writing) {
      await this.writing;
    }
    await this.request("POST", "", encodePayload([{ type: "close" }]), true);
    this.aborter.abort();
  }

  /** The body of the answer; none, and the failure reported, when there is no good one. */
  private async request(method: string, what: string, body?: string, keepalive = false): Promise<string | undefined> {
    const { extraHeaders, timestampRequests, withCredentials } = this.options;
    try {
      const headers = new Headers(extraHeaders);
      if (body !== undefined && !headers.has("content-type")) {
        headers.set("content-type", "text/plain;charset=UTF-8");
      }
      const response = await fetch(this.url("http", timestampRequests !== false), {
        method,
        body,
        headers,
        keepalive,
        cache: "no-store",
        credentials: withCredentials ? "include" : "same-origin",
        signal: this.aborter.signal,
      });
      if (response.ok) {
        return await response.text();
      }
      this.fail(what, response.status, response);
    } catch (error) {
      this.fail(what, error);
    }
    return undefined;
  }

  private fail(message: string, description: unknown, context?: unknown): void {
    if (this.ended) {
      return;
    }
    this.state = "closed";
    this.writable = false;
    this.aborter.abort();
    this.listener.onError(new TransportError(message, description, context));
  }
}

function sidOf(packet: Packet): string | undefined {
  try {
    return JSON.parse(packet.data as string).sid;
  } catch {
    return undefined;
  }
}
