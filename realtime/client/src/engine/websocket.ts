import { decodePacket, encodePacket, type Packet, readBlobs } from "./packet";
import { Transport, TransportError } from "./transport";

export class WebSocketTransport extends Transport {
  readonly name = "websocket";

  private socket: WebSocket | undefined;
  private closed = false;

  open(): void {
    const { options } = this;
    const Socket = options.WebSocket ?? globalThis.WebSocket;
    try {
      this.socket = new Socket(this.url("ws", !!options.timestampRequests), options.protocols ?? []);
    } catch (error) {
      // The caller hears of it as of any other failure: later.
      queueMicrotask(() => this.fail(error));
      return;
    }
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      if (!this.closed) {
        this.writable = true;
        this.listener.onOpen();
      }
    };
    this.socket.onmessage = (event) => {
      if (!this.closed) {
        this.listener.onPacket(decodePacket(event.data));
      }
    };
    this.socket.onerror = (event) => this.fail(event, event);
    this.socket.onclose = (event) => {
      if (this.end()) {
        this.listener.onClose({ description: "websocket connection closed", context: event });
      }
    };
  }

  send(packets: Packet[]): void {
    this.writable = false;
    const ready = readBlobs(packets);
    if (ready instanceof Promise) {
      ready.then((packets) => this.write(packets)).catch((error) => this.fail(error));
    } else {
      this.write(ready);
    }
  }

  close(): void {
    this.end();
    this.socket?.close();
  }

  private write(packets: Packet[]): void {
    if (this.closed) {
      return;
    }
    try {
      for (const packet of packets) {
        this.socket!.send(encodePacket(packet, !this.options.forceBase64));
      }
    } catch (error) {
      return this.fail(error);
    }
    queueMicrotask(() => {
      if (!this.closed) {
        this.writable = true;
        this.listener.onDrain();
      }
    });
  }

  /** Tells whether this is the end: there is one. */
  private end(): boolean {
    const first = !this.closed;
    this.closed = true;
    this.writable = false;
    return first;
  }

  private fail(description: unknown, context?: unknown): void {
    if (this.end()) {
      this.socket?.close();
      this.listener.onError(new TransportError("websocket error", description, context));
    }
  }
}
