import type { Binary } from "../binary";
import { Emitter } from "../emitter";
import { type Timers, timersFor } from "../timers";
import type { Target } from "../url";
import type { EngineOptions } from "./options";
import { fitting, type Packet, type PacketOptions } from "./packet";
import { Polling } from "./polling";
import { type CloseDetails, type Transport, TransportError, type TransportListener } from "./transport";
import { WebSocketTransport } from "./websocket";

export interface Handshake {
  sid: string;
  upgrades: string[];
  /** Milliseconds between two pings of the server. */
  pingInterval: number;
  /** Milliseconds that a ping may be late. */
  pingTimeout: number;
  /** The longest POST that the server takes, in bytes. */
  maxPayload?: number;
}

export interface EngineEvents {
  open: () => void;
  handshake: (handshake: Handshake) => void;
  /** A packet came in; upgrade probes are not told. */
  packet: (packet: Packet) => void;
  /** A packet of ours was accepted for sending. */
  packetCreate: (packet: Packet) => void;
  data: (data: string | ArrayBuffer) => void;
  ping: () => void;
  flush: () => void;
  /** Nothing is left to send. */
  drain: () => void;
  upgrading: (transport: Transport) => void;
  upgrade: (transport: Transport) => void;
  upgradeError: (error: Error) => void;
  error: (error: Error) => void;
  close: (reason: string, details?: CloseDetails | Error) => void;
}

const silent: TransportListener = {
  onOpen() {},
  onPacket() {},
  onDrain() {},
  onClose() {},
  onError() {},
};

/**
 * One Engine.IO session, protocol 4: it begins to connect when it is made, and
 * once closed it stays closed.
 */
export class Engine extends Emitter<{}, EngineEvents> {
  static readonly protocol = 4;

  /** Whether WebSocket has worked on this page; for rememberUpgrade. */
  private static websocketWorked = false;

  /** The id of the session; no socket has this id. */
  id: string | undefined;
  readyState: "opening" | "open" | "closing" | "closed" = "opening";
  /** The transport in use; none when no transport of the options exists here. */
  transport: Transport | undefined;
  /** Packets that have not left. */
  readonly writeBuffer: Packet[] = [];
  upgrading = false;

  private readonly timers: Timers;
  /** The transports that are left to try. */
  private candidates: string[];
  private probe: Transport | undefined;
  private handshake: Handshake | undefined;
  /** When the server counts as gone, on the clock of Date.now; none before the handshake. */
  private pingDeadline = Infinity;
  private pingTimer: number | undefined;
  /** How many packets at the head of writeBuffer the transport holds. */
  private inFlight = 0;
  private flushScheduled = false;
  private readonly listener: TransportListener = {
    onOpen() {},
    onPacket: (packet) => this.onPacket(packet),
    onDrain: () => this.onDrain(),
    onClose: (details) => this.end("transport close", details),
    onError: (error) => this.fail(error),
  };

  constructor(
    private readonly target: Target,
    private readonly options: EngineOptions,
  ) {
    super();
    this.timers = timersFor(options);
    this.candidates = (options.transports ?? ["polling", "websocket"]).filter(
      (name) => name === "polling" || (name === "websocket" && (options.WebSocket ?? globalThis.WebSocket)),
    );
    if (options.rememberUpgrade && Engine.websocketWorked && this.candidates.includes("websocket")) {
      this.candidates = ["websocket", ...this.candidates.filter((name) => name !== "websocket")];
    }
    globalThis.addEventListener?.("offline", this.onOffline);
    if (options.closeOnBeforeunload) {
      globalThis.addEventListener?.("beforeunload", this.onBeforeunload);
    }
    this.connect();
  }

  /** Whether a packet sent now would leave now. */
  get writable(): boolean {
    return this.readyState === "open" && this.writeBuffer.length === 0 && !!this.transport?.writable;
  }

  /**
   * Whether the server has been silent for too long. Browsers delay the timers
   * of pages in the background, so the timer alone does not tell; asking ends a
   * session that is over.
   */
  get expired(): boolean {
    if (Date.now() <= this.pingDeadline) {
      return false;
    }
    this.pingDeadline = Infinity;
    queueMicrotask(() => this.end("ping timeout"));
    return true;
  }

  /** Sends a message. Those of one turn of the event loop leave together. */
  send(data: string | Binary, options?: PacketOptions): this {
    this.enqueue({ type: "message", data, options });
    return this;
  }

  /** Closes once what was sent has left. */
  close(): this {
    if (this.readyState !== "opening" && this.readyState !== "open") {
      return this;
    }
    this.readyState = "closing";
    const finish = () => this.end("forced close");
    const settle = () => {
      if (this.upgrading) {
        this.once("upgrade", finish).once("upgradeError", finish);
      } else {
        finish();
      }
    };
    if (this.writeBuffer.length) {
      this.once("drain", settle);
    } else {
      settle();
    }
    return this;
  }

  private connect(): void {
    const [name] = this.candidates;
    if (name === undefined) {
      queueMicrotask(() => this.fail(new TransportError("No transports available", this.options.transports)));
      return;
    }
    this.transport = this.create(name, this.listener);
    this.transport.open();
  }

  private create(name: string, listener: TransportListener): Transport {
    const Class = name === "websocket" ? WebSocketTransport : Polling;
    return new Class(this.target, this.options, this.id, listener);
  }

  private onPacket(packet: Packet): void {
    if (this.readyState === "closed") {
      return;
    }
    this.emit("packet", packet);
    switch (packet.type) {
      case "open":
        return this.onHandshake(packet.data as string);
      case "ping":
        this.watchPings();
        this.enqueue({ type: "pong" });
        this.emit("ping");
        return;
      case "message":
        this.emit("data", packet.data);
        return;
      case "error":
        return this.fail(new TransportError("server error", packet.data));
      default:
        return;
    }
  }

  private onHandshake(json: string): void {
    let handshake: Handshake;
    try {
      handshake = JSON.parse(json);
      if (typeof handshake.sid !== "string" || !Array.isArray(handshake.upgrades)) {
        throw new TypeError("no session in " + json);
      }
    } catch (error) {
      return this.fail(new TransportError("invalid handshake", error));
    }
    this.handshake = handshake;
    this.id = handshake.sid;
    this.watchPings();
    this.emit("handshake", handshake);
    if (this.readyState !== "opening") {
      return;
    }
    this.readyState = "open";
    Engine.websocketWorked = this.transport!.name === "websocket";
    this.emit("open");
    const better = this.candidates.slice(1).find((name) => handshake.upgrades.includes(name));
    if (this.isOpen() && this.options.upgrade !== false && better !== undefined) {
      this.upgrade(better);
    }
  }

  private isOpen(): boolean {
    return this.readyState === "open";
  }

  /**
   * Moves to a better transport: probe it, let the old one come to rest, tell
   * the server. When the new one fails on the way the old one goes on.
   */
  private upgrade(name: string): void {
    let failed = false;
    const fail = (error: Error) => {
      failed = true;
      this.probe = undefined;
      probe.listener = silent;
      probe.close();
      if (!this.upgrading) {
        this.emit("upgradeError", error);
      }
    };
    const probe = this.create(name, {
      onOpen: () => probe.send([{ type: "ping", data: "probe" }]),
      onPacket: async ({ type, data }) => {
        if (type !== "pong" || data !== "probe") {
          return fail(new TransportError("probe error", data));
        }
        const old = this.transport!;
        this.upgrading = true;
        this.emit("upgrading", probe);
        await old.pause();
        if (this.readyState === "closed") {
          return;
        }
        this.upgrading = false;
        if (failed) {
          old.resume();
          this.emit("upgradeError", new TransportError("probe error", "transport closed"));
        } else {
          Engine.websocketWorked = true;
          old.listener = silent;
          this.probe = undefined;
          this.transport = probe;
          probe.listener = this.listener;
          probe.send([{ type: "upgrade" }]);
          this.emit("upgrade", probe);
        }
        this.flush();
      },
      onDrain() {},
      onClose: ({ description }) => fail(new TransportError("probe error", description)),
      onError: fail,
    });
    this.probe = probe;
    probe.open();
  }

  private watchPings(): void {
    const { pingInterval, pingTimeout } = this.handshake!;
    const wait = pingInterval + pingTimeout;
    this.pingDeadline = Date.now() + wait;
    this.timers.clear(this.pingTimer);
    this.pingTimer = this.timers.set(() => this.end("ping timeout"), wait);
  }

  private enqueue(packet: Packet): void {
    if (this.readyState === "closing" || this.readyState === "closed") {
      return;
    }
    this.emit("packetCreate", packet);
    this.writeBuffer.push(packet);
    if (!this.flushScheduled) {
      this.flushScheduled = true;
      queueMicrotask(() => {
        this.flushScheduled = false;
        this.flush();
      });
    }
  }

  private flush(): void {
    const { transport, writeBuffer, handshake } = this;
    if (this.readyState === "closed" || !transport?.writable || writeBuffer.length === 0) {
      return;
    }
    const max = transport.name === "polling" ? handshake?.maxPayload : undefined;
    this.inFlight = max ? fitting(writeBuffer, max) : writeBuffer.length;
    transport.send(writeBuffer.slice(0, this.inFlight));
    this.emit("flush");
  }

  private onDrain(): void {
    this.writeBuffer.splice(0, this.inFlight);
    this.inFlight = 0;
    if (this.writeBuffer.length === 0) {
      this.emit("drain");
    } else {
      this.flush();
    }
  }

  private fail(error: Error): void {
    Engine.websocketWorked = false;
    if (this.options.tryAllTransports && this.readyState === "opening" && this.candidates.length > 1) {
      this.candidates.shift();
      return this.connect();
    }
    if (this.readyState !== "closed") {
      this.emit("error", error);
      this.end("transport error", error);
    }
  }

  private end(reason: string, details?: CloseDetails | Error): void {
    if (this.readyState === "closed") {
      return;
    }
    this.readyState = "closed";
    this.timers.clear(this.pingTimer);
    this.pingDeadline = Infinity;
    globalThis.removeEventListener?.("offline", this.onOffline);
    globalThis.removeEventListener?.("beforeunload", this.onBeforeunload);
    this.hangUp();
    this.id = undefined;
    this.emit("close", reason, details);
  }

  private hangUp(): void {
    for (const transport of [this.probe, this.transport]) {
      if (transport) {
        transport.listener = silent;
        transport.close();
      }
    }
    this.writeBuffer.length = 0;
    this.inFlight = 0;
  }

  private readonly onOffline = () => this.end("transport close", { description: "network connection lost" });

  private readonly onBeforeunload = () => this.hangUp();
}
