import { Decoder, Encoder } from "codec";
import { Backoff } from "./backoff";
import { type DefaultEventsMap, Emitter, type EventNames, type EventsMap, type ListenerOf } from "./emitter";
import { Engine, type EngineEvents } from "./engine/engine";
import type { EngineOptions } from "./engine/options";
import type { CloseDetails } from "./engine/transport";
import type { Packet, Parser } from "./parser";
import { Socket, type SocketOptions } from "./socket";
import { type Timers, timersFor } from "./timers";
import { resolve, type Target } from "./url";

export interface ManagerOptions extends EngineOptions {
  /** Whether to connect again when the connection is lost. Default true. */
  reconnection?: boolean;
  /** How many attempts in a row may fail before it gives up. Default Infinity. */
  reconnectionAttempts?: number;
  /** The delay before the first attempt, in milliseconds; each later one doubles it. Default 1000. */
  reconnectionDelay?: number;
  /** The longest delay, in milliseconds. Default 5000. */
  reconnectionDelayMax?: number;
  /** The share of a delay, 0 to 1, that chance adds or takes. Default 0.5. */
  randomizationFactor?: number;
  /** How long a connection may take to come about, in milliseconds; false: any time. Default 20000. */
  timeout?: number | false;
  /** Whether to connect at once. Default true. */
  autoConnect?: boolean;
  /** The codec, that of the bundle by default; both ends must use the same one. */
  parser?: Parser;
}

export interface ManagerEvents {
  open: () => void;
  error: (error: Error) => void;
  /** The server's heartbeat came. */
  ping: () => void;
  packet: (packet: Packet) => void;
  close: (reason: Socket.DisconnectReason, details?: CloseDetails | Error) => void;
  reconnect: (attempt: number) => void;
  reconnect_attempt: (attempt: number) => void;
  reconnect_error: (error: Error) => void;
  reconnect_failed: () => void;
}

/** The options of a manager, which fills in the path. They are read anew for each connection. */
export type ManagerSettings = ManagerOptions & { path: string };

/** A connection that its sockets share, and that comes back when it is lost. */
export class Manager extends Emitter<{}, ManagerEvents> {
  readonly opts: ManagerSettings;
  /** The session in use, or the last one; none before the first. */
  engine: Engine | undefined;
  /** @internal */
  readonly timers: Timers;

  private readonly target: Target;
  private readonly sockets = new Map<string, Socket<any, any>>();
  private readonly encoder: InstanceType<Parser["Encoder"]>;
  private readonly decoder: InstanceType<Parser["Decoder"]>;
  private readonly backoff: Backoff;
  private state: "closed" | "opening" | "open" = "closed";
  private willReconnect: boolean;
  private maxAttempts: number;
  private openTimeout: number | false;
  private reconnecting = false;
  /** Whether the connection was closed on purpose. */
  private stopped = false;
  /** Undoes what belongs to the connection in use: its listeners and timers. */
  private undo: (() => void)[] = [];

  constructor(options?: ManagerOptions);
  constructor(uri?: string, options?: ManagerOptions);
  constructor(uri?: string | ManagerOptions, options?: ManagerOptions) {
    super();
    if (typeof uri === "object") {
      options = uri;
      uri = undefined;
    }
    this.opts = { ...options, path: options?.path ?? "/socket.io" };
    this.target = resolve(uri, this.opts.path);
    this.timers = timersFor(this.opts);
    const { opts } = this;
    this.willReconnect = opts.reconnection !== false;
    this.maxAttempts = opts.reconnectionAttempts ?? Infinity;
    this.openTimeout = opts.timeout ?? 20_000;
    this.backoff = new Backoff(
      opts.reconnectionDelay ?? 1000,
      opts.reconnectionDelayMax ?? 5000,
      opts.randomizationFactor ?? 0.5,
    );
    const parser: Parser = opts.parser ?? { Encoder, Decoder };
    this.encoder = new parser.Encoder();
    this.decoder = new parser.Decoder();
    this.decoder.on("decoded", (packet) => this.onPacket(packet));
    if (opts.autoConnect !== false) {
      this.open();
    }
  }

  reconnection(): boolean;
  reconnection(value: boolean): this;
  reconnection(value?: boolean): boolean | this {
    if (value === undefined) {
      return this.willReconnect;
    }
    this.willReconnect = value;
    return this;
  }

  reconnectionAttempts(): number;
  reconnectionAttempts(value: number): this;
  reconnectionAttempts(value?: number): number | this {
    if (value === undefined) {
      return this.maxAttempts;
    }
    this.maxAttempts = value;
    return this;
  }

  reconnectionDelay(): number;
  reconnectionDelay(value: number): this;
  reconnectionDelay(value?: number): number | this {
    if (value === undefined) {
      return this.backoff.min;
    }
    this.backoff.min = value;
    return this;
  }

  reconnectionDelayMax(): number;
  reconnectionDelayMax(value: number): this;
  reconnectionDelayMax(value?: number): number | this {
    if (value === undefined) {
      return this.backoff.max;
    }
    this.backoff.max = value;
    return this;
  }

  randomizationFactor(): number;
  randomizationFactor(value: number): this;
  randomizationFactor(value?: number): number | this {
    if (value === undefined) {
      return this.backoff.jitter;
    }
    this.backoff.jitter = value;
    return this;
  }

  timeout(): number | false;
  timeout(value: number | false): this;
  timeout(value?: number | false): number | false | this {
    if (value === undefined) {
      return this.openTimeout;
    }
    this.openTimeout = value;
    return this;
  }

  /** The socket of a namespace: always the same one. */
  socket<ListenEvents extends EventsMap = DefaultEventsMap, EmitEvents extends EventsMap = ListenEvents>(
    nsp: string,
    options?: SocketOptions,
  ): Socket<ListenEvents, EmitEvents> {
    let socket: Socket<any, any> | undefined = this.sockets.get(nsp);
    if (!socket) {
      socket = new Socket(this, nsp, options);
      this.sockets.set(nsp, socket);
    }
    if (this.opts.autoConnect !== false && !socket.active) {
      socket.connect();
    }
    return socket;
  }

  /** Whether somebody asked for the socket of the namespace. @internal */
  has(nsp: string): boolean {
    return this.sockets.has(nsp);
  }

  /** Connects, unless it has or does already. Done hears how it went, and then nobody tries again. */
  open(done?: (error?: Error) => void): this {
    if (this.state !== "closed") {
      return this;
    }
    this.state = "opening";
    this.stopped = false;
    const engine = new Engine(this.target, this.opts);
    this.engine = engine;
    const fail = (error: Error) => {
      this.cleanUp();
      this.state = "closed";
      this.eachActive((socket) => socket.onerror(error));
      this.emit("error", error);
      if (done) {
        done(error);
      } else if (this.backoff.attempts === 0) {
        this.reconnect();
      }
    };
    const expire = () => {
      fail(new Error("timeout"));
      engine.close();
    };
    const deadline = this.openTimeout === false ? Infinity : Date.now() + this.openTimeout;
    this.listen(engine, "error", fail);
    this.listen(engine, "open", () => {
      // On a busy page the timer may be later than a connection that is too late.
      if (Date.now() > deadline) {
        return expire();
      }
      this.onOpen(engine);
      done?.();
    });
    if (this.openTimeout !== false) {
      const timer = this.timers.set(expire, this.openTimeout);
      this.undo.push(() => this.timers.clear(timer));
    }
    return this;
  }

  connect(done?: (error?: Error) => void): this {
    return this.open(done);
  }

  /** Closes the connection for good. @internal */
  _close(): void {
    this.stopped = true;
    this.reconnecting = false;
    this.onClose("forced close");
  }

  /** Brings a socket to the server, connecting first if need be. @internal */
  join(socket: Socket<any, any>): void {
    this.sockets.set(socket.nsp, socket);
    if (!this.reconnecting) {
      this.open();
    }
    if (this.state === "open") {
      socket.onopen();
    }
  }

  /** Closes the connection when no socket needs it any more. @internal */
  release(): void {
    for (const socket of this.sockets.values()) {
      if (socket.active) {
        return;
      }
    }
    this._close();
  }

  /** @internal */
  transmit(packet: Packet): void {
    for (const frame of this.encoder.encode(packet)) {
      this.engine?.send(frame, packet.options);
    }
  }

  private onOpen(engine: Engine): void {
    this.cleanUp();
    this.state = "open";
    this.listen(engine, "ping", () => this.emit("ping"));
    this.listen(engine, "data", (data) => this.onData(data));
    this.listen(engine, "error", (error) => this.emit("error", error));
    this.listen(engine, "close", (reason, details) => this.onClose(reason as Socket.DisconnectReason, details));
    this.eachActive((socket) => socket.onopen());
    this.emit("open");
  }

  private onData(data: string | ArrayBuffer): void {
    try {
      this.decoder.add(data);
    } catch (error) {
      this.onClose("parse error", error as Error);
    }
  }

  private onPacket(packet: Packet): void {
    this.emit("packet", packet);
    this.sockets.get(packet.nsp)?.onpacket(packet);
  }

  private onClose(reason: Socket.DisconnectReason, details?: CloseDetails | Error): void {
    this.cleanUp();
    this.engine?.close();
    this.backoff.reset();
    this.state = "closed";
    this.eachActive((socket) => socket.onclose(reason, details));
    this.emit("close", reason, details);
    this.reconnect();
  }

  private get wanted(): boolean {
    return this.willReconnect && !this.stopped;
  }

  private reconnect(): void {
    if (this.reconnecting || !this.wanted) {
      return;
    }
    if (this.backoff.attempts >= this.maxAttempts) {
      this.backoff.reset();
      this.emit("reconnect_failed");
      return;
    }
    this.reconnecting = true;
    const timer = this.timers.set(() => {
      const attempt = this.backoff.attempts;
      if (this.wanted) {
        this.emit("reconnect_attempt", attempt);
      }
      // A listener may have had enough, too.
      if (!this.wanted) {
        this.reconnecting = false;
        return;
      }
      this.open((error) => {
        this.reconnecting = false;
        if (error) {
          this.reconnect();
          this.emit("reconnect_error", error);
        } else {
          this.backoff.reset();
          this.emit("reconnect", attempt);
        }
      });
    }, this.backoff.next());
    this.undo.push(() => this.timers.clear(timer));
  }

  private listen<Name extends EventNames<EngineEvents>>(
    engine: Engine,
    event: Name,
    listener: ListenerOf<{}, EngineEvents, Name>,
  ): void {
    engine.on(event, listener);
    this.undo.push(() => engine.off(event, listener));
  }

  private cleanUp(): void {
    for (const undo of this.undo.splice(0)) {
      undo();
    }
    this.decoder.destroy();
  }

  private eachActive(visit: (socket: Socket<any, any>) => void): void {
    for (const socket of [...this.sockets.values()]) {
      if (socket.active) {
        visit(socket);
      }
    }
  }
}
