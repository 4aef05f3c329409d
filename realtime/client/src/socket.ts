import { type DefaultEventsMap, Emitter, type EventNames, type EventsMap, isolate } from "./emitter";
import type { Engine } from "./engine/engine";
import type { CloseDetails } from "./engine/transport";
import type { Manager } from "./manager";
import { type Packet, PacketType, reserved } from "./parser";
import { RetryQueue } from "./retry";
import type { AckValue, EventParams, ParamsWithoutAck, WithAckErrors } from "./types";

/** Sent with the CONNECT packet: an object, or a function that is asked for it at each connection. */
export type Auth = Record<string, any> | AuthFunction;

export type AuthFunction = (send: (data: Record<string, any>) => void) => void;

export interface SocketOptions {
  auth?: Auth;
  /** How many times an event is sent again until it is acknowledged. Default: events are sent once. */
  retries?: number;
  /** How long to wait for an acknowledgement, in milliseconds. Default: for ever. */
  ackTimeout?: number;
}

/** The error of a connection that the server refused. */
export interface ConnectError extends Error {
  /** What the server's middleware sent along. */
  data?: any;
  /** The HTTP status, or the error of the platform, when no connection came about. */
  description?: any;
  /** The Response or Event behind that. */
  context?: any;
}

export interface SocketEvents {
  connect: () => void;
  connect_error: (error: ConnectError) => void;
  disconnect: (reason: Socket.DisconnectReason, details?: CloseDetails | Error) => void;
}

/** What socket.timeout, socket.volatile and their like hold for the next emit. */
export interface Flags {
  compress?: boolean;
  volatile?: boolean;
  timeout?: number;
  /** The ack takes an error, or null, as its first argument. */
  withError?: boolean;
}

type AnyListener = (...args: any[]) => void;

interface Ack {
  call: (...args: any[]) => void;
  withError: boolean;
  timer: number | undefined;
}

/** One namespace of the server, as seen from here. */
export class Socket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
> extends Emitter<ListenEvents, SocketEvents> {
  /** The id of the session on the server; none while disconnected. */
  id: string | undefined;
  connected = false;
  /** Whether the last connection took up the session before it: nothing was missed. */
  recovered = false;
  /** Whether the socket connects again by itself once the manager has a connection. */
  active = false;
  auth: Auth | undefined;
  /** Events that came before the connection was complete. */
  receiveBuffer: unknown[][] = [];
  /** Events that wait for a connection. */
  sendBuffer: Packet[] = [];

  /** The connection on which an answer to CONNECT is awaited. */
  private asked: Engine | undefined;
  private flags: Flags = {};
  private nextId = 0;
  private readonly acks = new Map<number, Ack>();
  private readonly queue: RetryQueue | undefined;
  private anyListeners: AnyListener[] = [];
  private anyOutgoingListeners: AnyListener[] = [];
  /** For recovery: the private id of the session, and the last event that came. */
  private pid: string | undefined;
  private lastOffset: string | undefined;

  /** Made by Manager.socket. */
  constructor(
    readonly io: Manager,
    /** The namespace. */
    readonly nsp: string,
    private readonly options: SocketOptions = {},
  ) {
    super();
    this.auth = options.auth;
    if (options.retries) {
      this.queue = new RetryQueue(
        options.retries,
        () => this.ready,
        (data, flags) => this.post(data, flags),
      );
    }
  }

  get disconnected(): boolean {
    return !this.connected;
  }

  /** Connects; a socket of a manager with autoConnect has done so. */
  connect(): this {
    if (!this.connected) {
      this.active = true;
      this.io.join(this);
    }
    return this;
  }

  open(): this {
    return this.connect();
  }

  /** Disconnects for good: only connect brings the socket back. */
  disconnect(): this {
    const wasConnected = this.connected;
    if (wasConnected) {
      this.transmit({ type: PacketType.DISCONNECT, nsp: this.nsp });
    }
    this.leave();
    if (wasConnected) {
      this.onclose("io client disconnect");
    }
    return this;
  }

  close(): this {
    return this.disconnect();
  }

  /**
   * Sends an event; while there is no connection it waits for one. A function
   * as the last argument is the ack: it is called with the server's answer.
   * Throws when the name is one of the client's own events.
   */
  override emit<Name extends EventNames<EmitEvents>>(event: Name, ...args: EventParams<EmitEvents, Name>): this {
    if (reserved.has(event)) {
      throw new Error(`"${String(event)}" is a reserved event name`);
    }
    const { flags } = this;
    this.flags = {};
    if (this.queue && !flags.volatile) {
      this.queue.add([event, ...args], flags);
    } else {
      this.post([event, ...args], flags);
    }
    return this;
  }

  /** Like emit; resolves with the first argument of the answer, and rejects on a timeout or a disconnection. */
  emitWithAck<Name extends EventNames<EmitEvents>>(
    event: Name,
    ...args: ParamsWithoutAck<EmitEvents, Name>
  ): Promise<AckValue<EmitEvents, Name>> {
    return new Promise((resolve, reject) => {
      this.flags.withError = true;
      const ack = (error: Error | null, value: AckValue<EmitEvents, Name>) => (error ? reject(error) : resolve(value));
      this.emit(event, ...([...args, ack] as unknown as EventParams<EmitEvents, Name>));
    });
  }

  /** Emits the event "message". */
  send(...args: any[]): this {
    return this.emit("message", ...(args as EventParams<EmitEvents, "message">));
  }

  /** Whether the transport may compress the next event. */
  compress(compress: boolean): this {
    this.flags.compress = compress;
    return this;
  }

  /** The next event is dropped when it cannot leave at once. */
  get volatile(): this {
    this.flags.volatile = true;
    return this;
  }

  /** The ack of the next event takes an error first: none came within ms milliseconds. */
  timeout(ms: number): Socket<ListenEvents, WithAckErrors<EmitEvents>> {
    this.flags.timeout = ms;
    return this as unknown as Socket<ListenEvents, WithAckErrors<EmitEvents>>;
  }

  /** Calls the listener with the name and the arguments of every event that comes in. */
  onAny(listener: AnyListener): this {
    this.anyListeners.push(listener);
    return this;
  }

  prependAny(listener: AnyListener): this {
    this.anyListeners.unshift(listener);
    return this;
  }

  /** Removes one such listener, or all. */
  offAny(listener?: AnyListener): this {
    this.anyListeners = without(this.anyListeners, listener);
    return this;
  }

  listenersAny(): AnyListener[] {
    return this.anyListeners;
  }

  /** Calls the listener with the name and the arguments of every event that is sent. */
  onAnyOutgoing(listener: AnyListener): this {
    this.anyOutgoingListeners.push(listener);
    return this;
  }

  prependAnyOutgoing(listener: AnyListener): this {
    this.anyOutgoingListeners.unshift(listener);
    return this;
  }

  /** Removes one such listener, or all. */
  offAnyOutgoing(listener?: AnyListener): this {
    this.anyOutgoingListeners = without(this.anyOutgoingListeners, listener);
    return this;
  }

  listenersAnyOutgoing(): AnyListener[] {
    return this.anyOutgoingListeners;
  }

  /** The manager has a connection: ask for the namespace. @internal */
  onopen(): void {
    const { engine } = this.io;
    const connect = (data?: Record<string, any>) => {
      // The function may answer late, when the connection is no more. And the
      // server takes a second CONNECT for an offence, even after a disconnect.
      if (this.active && !this.connected && this.io.engine === engine && this.asked !== engine) {
        this.asked = engine;
        const session = this.pid === undefined ? undefined : { pid: this.pid, offset: this.lastOffset };
        this.io.transmit({ type: PacketType.CONNECT, nsp: this.nsp, data: session ? { ...session, ...data } : data });
      }
    };
    const { auth } = this;
    if (typeof auth === "function") {
      isolate(() => (auth as AuthFunction).call(this, connect));
    } else {
      connect(auth);
    }
  }

  /** The manager could not connect. @internal */
  onerror(error: Error): void {
    if (!this.connected) {
      super.emit("connect_error", error);
    }
  }

  /** The connection is gone. @internal */
  onclose(reason: Socket.DisconnectReason, details?: CloseDetails | Error): void {
    if (!this.connected) {
      return;
    }
    this.connected = false;
    this.id = undefined;
    super.emit("disconnect", reason, details);
    this.abandonAcks();
  }

  /** @internal */
  onpacket(packet: Packet): void {
    const { data, id } = packet;
    if (packet.type === PacketType.CONNECT || packet.type === PacketType.CONNECT_ERROR) {
      this.asked = undefined;
    }
    if (!this.active && packet.type !== PacketType.CONNECT) {
      return;
    }
    switch (packet.type) {
      case PacketType.CONNECT:
        if (data?.sid) {
          return this.onconnect(data.sid, data.pid);
        }
        super.emit(
          "connect_error",
          new Error("The server speaks the protocol of Socket.IO v2; this client needs a server of v3 or later"),
        );
        return;
      case PacketType.EVENT: {
        const args = id === undefined ? data : [...data, this.answer(id)];
        if (this.connected) {
          this.receive(args);
        } else {
          this.receiveBuffer.push(args);
        }
        return;
      }
      case PacketType.ACK:
        return this.settle(id!, null, data);
      case PacketType.DISCONNECT:
        this.leave();
        return this.onclose("io server disconnect");
      case PacketType.CONNECT_ERROR: {
        this.leave();
        const error: ConnectError = new Error(typeof data === "string" ? data : data.message);
        error.data = data.data;
        super.emit("connect_error", error);
        return;
      }
    }
  }

  private get ready(): boolean {
    return this.connected && !this.io.engine!.expired;
  }

  private leave(): void {
    this.active = false;
    this.io.release();
  }

  private onconnect(id: string, pid: string | undefined): void {
    if (!this.active) {
      // The socket was disconnected before the server's answer came.
      return this.io.transmit({ type: PacketType.DISCONNECT, nsp: this.nsp });
    }
    this.id = id;
    this.recovered = pid !== undefined && this.pid === pid;
    if (!this.recovered) {
      this.pid = pid;
      this.lastOffset = undefined;
    }
    this.connected = true;
    for (const args of this.receiveBuffer.splice(0)) {
      this.receive(args);
    }
    for (const packet of this.sendBuffer.splice(0)) {
      isolate(() => this.transmit(packet));
    }
    this.queue?.drain(true);
    super.emit("connect");
  }

  private receive(args: unknown[]): void {
    for (const listener of [...this.anyListeners]) {
      isolate(() => listener.apply(this, args));
    }
    super.emit(...(args as [string, ...unknown[]]));
    const last = args.at(-1);
    if (this.pid !== undefined && typeof last === "string") {
      this.lastOffset = last;
    }
  }

  /** The function that acknowledges an event, once and only in the session that it belongs to. */
  private answer(id: number): (...args: unknown[]) => void {
    const session = this.id;
    let sent = false;
    return (...data) => {
      if (!sent && this.connected && this.id === session) {
        sent = true;
        this.transmit({ type: PacketType.ACK, nsp: this.nsp, id, data });
      }
    };
  }

  private post(data: unknown[], flags: Flags): void {
    const packet: Packet = {
      type: PacketType.EVENT,
      nsp: this.nsp,
      data,
      options: { compress: flags.compress !== false },
    };
    if (typeof data.at(-1) === "function") {
      packet.id = this.nextId++;
      this.expect(packet.id, data.pop() as Ack["call"], flags);
    }
    const { ready } = this;
    if (flags.volatile && !(ready && this.io.engine!.writable)) {
      return;
    }
    if (ready) {
      this.transmit(packet);
    } else {
      this.sendBuffer.push(packet);
    }
  }

  private transmit(packet: Packet): void {
    if (packet.type === PacketType.EVENT) {
      for (const listener of [...this.anyOutgoingListeners]) {
        isolate(() => listener.apply(this, packet.data));
      }
    }
    this.io.transmit(packet);
  }

  private expect(id: number, call: Ack["call"], flags: Flags): void {
    const wait = flags.timeout ?? this.options.ackTimeout;
    let timer;
    if (wait !== undefined) {
      timer = this.io.timers.set(() => {
        this.sendBuffer = this.sendBuffer.filter((packet) => packet.id !== id);
        this.settle(id, new Error("operation has timed out"));
      }, wait);
    }
    this.acks.set(id, { call, withError: flags.withError || wait !== undefined, timer });
  }

  /** Calls an ack that is still awaited; one that takes no error is not called with one. */
  private settle(id: number, error: Error | null, args: unknown[] = []): void {
    const ack = this.acks.get(id);
    if (!ack) {
      return;
    }
    this.acks.delete(id);
    this.io.timers.clear(ack.timer);
    if (ack.withError) {
      isolate(() => ack.call.call(this, error, ...args));
    } else if (!error) {
      isolate(() => ack.call.apply(this, args));
    }
  }

  /** Gives up the acks of what was sent; what waits in sendBuffer may still be answered. */
  private abandonAcks(): void {
    const waiting = new Set(this.sendBuffer.map((packet) => packet.id));
    for (const id of [...this.acks.keys()]) {
      if (!waiting.has(id)) {
        this.settle(id, new Error("socket has been disconnected"));
      }
    }
  }
}

export namespace Socket {
  /** Why a socket was disconnected. */
  export type DisconnectReason =
    | "io server disconnect"
    | "io client disconnect"
    | "forced close"
    | "ping timeout"
    | "transport close"
    | "transport error"
    | "parse error";
}

function without(listeners: AnyListener[], listener: AnyListener | undefined): AnyListener[] {
  const index = listener ? listeners.indexOf(listener) : -1;
  if (listener && index < 0) {
    return listeners;
  }
  return listener ? listeners.filter((_, i) => i !== index) : [];
}
