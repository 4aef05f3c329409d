/*! Zócalo's Socket.IO client | MIT licence */

// src/binary.ts
function isBlob(value) {
  return typeof Blob === "function" && value instanceof Blob;
}
function isBinary(value) {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value) || isBlob(value);
}
function bytesOf(data) {
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}
var run = 8192;
function toBase64(data) {
  const bytes = bytesOf(data);
  let text = "";
  for (let i = 0; i < bytes.length; i += run) {
    text += String.fromCharCode(...bytes.subarray(i, i + run));
  }
  return btoa(text);
}
function fromBase64(text) {
  const decoded = atob(text);
  const bytes = new Uint8Array(decoded.length);
  for (let i = 0; i < decoded.length; i++) {
    bytes[i] = decoded.charCodeAt(i);
  }
  return bytes.buffer;
}
function textLength(data) {
  if (typeof data === "string") {
    let length = data.length;
    for (let i = 0; i < data.length; i++) {
      const unit = data.charCodeAt(i);
      length += unit < 128 ? 0 : unit < 2048 || (unit & 63488) === 55296 ? 1 : 2;
    }
    return length;
  }
  return Math.ceil((isBlob(data) ? data.size : data.byteLength) / 3) * 4;
}

// src/emitter.ts
function isolate(fn) {
  try {
    fn();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
var Emitter = class {
  entries = /* @__PURE__ */ new Map();
  on(event, listener) {
    return this.register(event, listener, false);
  }
  /** Like on, for the next time only. */
  once(event, listener) {
    return this.register(event, listener, true);
  }
  /** Removes one listener, or those of one event, or all. */
  off(event, listener) {
    if (event === void 0) {
      this.entries.clear();
    } else if (listener === void 0) {
      this.entries.delete(event);
    } else {
      const entry = this.entries.get(event)?.find((entry2) => entry2.listener === listener);
      if (entry) {
        this.unregister(event, entry);
      }
    }
    return this;
  }
  addEventListener(event, listener) {
    return this.on(event, listener);
  }
  removeEventListener(event, listener) {
    return this.off(event, listener);
  }
  removeListener(event, listener) {
    return this.off(event, listener);
  }
  removeAllListeners(event) {
    return this.off(event);
  }
  listeners(event) {
    return (this.entries.get(event) ?? []).map((entry) => entry.listener);
  }
  hasListeners(event) {
    return this.entries.has(event);
  }
  emit(event, ...args) {
    for (const entry of [...this.entries.get(event) ?? []]) {
      if (!entry.once || this.unregister(event, entry)) {
        isolate(() => entry.listener.apply(this, args));
      }
    }
    return this;
  }
  register(event, listener, once) {
    const list = this.entries.get(event);
    if (list) {
      list.push({ listener, once });
    } else {
      this.entries.set(event, [{ listener, once }]);
    }
    return this;
  }
  /** Tells whether the entry was still there. */
  unregister(event, entry) {
    const list = this.entries.get(event);
    const index = list?.indexOf(entry) ?? -1;
    if (!list || index < 0) {
      return false;
    }
    list.splice(index, 1);
    if (list.length === 0) {
      this.entries.delete(event);
    }
    return true;
  }
};

// src/parser.ts
var protocol = 5;
var PacketType = {
  CONNECT: 0,
  DISCONNECT: 1,
  EVENT: 2,
  ACK: 3,
  CONNECT_ERROR: 4,
  BINARY_EVENT: 5,
  BINARY_ACK: 6
};
var reserved = /* @__PURE__ */ new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener"
]);
function valid({ type, data, id }) {
  const object = typeof data === "object" && data !== null && !Array.isArray(data);
  switch (type) {
    case PacketType.CONNECT:
      return data === void 0 || object;
    case PacketType.DISCONNECT:
      return data === void 0;
    case PacketType.CONNECT_ERROR:
      return object || typeof data === "string";
    case PacketType.EVENT:
      return Array.isArray(data) && (typeof data[0] === "number" || typeof data[0] === "string" && !reserved.has(data[0]));
    default:
      return Array.isArray(data) && id !== void 0;
  }
}

// src/json.ts
var Encoder = class {
  encode(packet) {
    const attachments = [];
    const json = JSON.stringify(packet.data, function(key, value) {
      const raw = this[key];
      return isBinary(raw) ? { _placeholder: true, num: attachments.push(raw) - 1 } : value;
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
};
var shape = /^([0-6])(?:(\d+)-)?(?:(\/[^,]*),?)?(\d+)?([^]*)$/;
var Decoder = class extends Emitter {
  partial;
  add(frame) {
    if (typeof frame === "string") {
      this.addText(frame);
    } else {
      this.addAttachment(frame);
    }
  }
  destroy() {
    this.partial = void 0;
  }
  addText(frame) {
    const match = shape.exec(frame);
    if (!match || this.partial) {
      throw new Error(match ? "an attachment is missing" : "invalid packet");
    }
    const [, type, count, nsp = "/", id, json = ""] = match;
    const packet = { type: Number(type), nsp };
    if (id !== void 0) {
      packet.id = Number(id);
    }
    const binary = packet.type >= PacketType.BINARY_EVENT;
    if (binary !== (count !== void 0)) {
      throw new Error("invalid packet");
    }
    if (binary && Number(count) > 0) {
      this.partial = { packet, json, count: Number(count), attachments: [] };
    } else {
      this.complete(packet, json, binary ? [] : void 0);
    }
  }
  addAttachment(frame) {
    const { partial } = this;
    if (!partial) {
      throw new Error("an attachment of no packet");
    }
    if (partial.attachments.push(frame) === partial.count) {
      this.partial = void 0;
      this.complete(partial.packet, partial.json, partial.attachments);
    }
  }
  complete(packet, json, attachments) {
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
};
function attach(value, attachments) {
  const num = value?._placeholder === true && value.num;
  if (num === false) {
    return value;
  }
  if (!Number.isInteger(num) || num < 0 || num >= attachments.length) {
    throw new Error("illegal attachments");
  }
  return attachments[num];
}

// src/backoff.ts
var Backoff = class {
  constructor(min, max, jitter) {
    this.min = min;
    this.max = max;
    this.jitter = jitter;
  }
  min;
  max;
  jitter;
  /** How many delays were handed out since the last reset. */
  attempts = 0;
  next() {
    const delay = this.min * 2 ** Math.min(this.attempts++, 30);
    return Math.min(Math.floor(delay * (1 + this.jitter * (2 * Math.random() - 1))), this.max);
  }
  reset() {
    this.attempts = 0;
  }
};

// src/timers.ts
var native = {
  set: globalThis.setTimeout.bind(globalThis),
  clear: globalThis.clearTimeout.bind(globalThis)
};
var current = {
  set: (fn, ms) => globalThis.setTimeout(fn, ms),
  clear: (timer) => globalThis.clearTimeout(timer)
};
function timersFor(options) {
  return options.useNativeTimers ? native : current;
}

// src/engine/packet.ts
var types = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];
var separator = "";
function encodePacket(packet, bytes) {
  const data = packet.data;
  if (isBinary(data)) {
    return bytes ? data : "b" + toBase64(data);
  }
  return types.indexOf(packet.type) + (data ?? "");
}
function decodePacket(frame) {
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
function encodePayload(packets) {
  return packets.map((packet) => encodePacket(packet, false)).join(separator);
}
function decodePayload(payload) {
  return payload.split(separator).map(decodePacket);
}
function fitting(packets, max) {
  let size = 0;
  for (const [count, { data }] of packets.entries()) {
    size += 1 + (count && separator.length) + (data === void 0 ? 0 : textLength(data));
    if (count > 0 && size > max) {
      return count;
    }
  }
  return packets.length;
}
function readBlobs(packets) {
  if (!packets.some((packet) => isBlob(packet.data))) {
    return packets;
  }
  return Promise.all(
    packets.map(
      async (packet) => isBlob(packet.data) ? { ...packet, data: await packet.data.arrayBuffer() } : packet
    )
  );
}

// src/engine/transport.ts
var TransportError = class extends Error {
  constructor(message, description, context) {
    super(message);
    this.description = description;
    this.context = context;
  }
  description;
  context;
  type = "TransportError";
};
var Transport = class {
  constructor(target, options, sid, listener) {
    this.target = target;
    this.options = options;
    this.sid = sid;
    this.listener = listener;
  }
  target;
  options;
  sid;
  listener;
  /** Whether send may be called: it is open, and nothing is on its way. */
  writable = false;
  /** Resolves once nothing is on its way in either direction and nothing more will be. */
  async pause() {
  }
  /** Takes back a pause. */
  resume() {
  }
  url(scheme, stamp) {
    const { target, options } = this;
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...target.query, ...options.query })) {
      if (value !== void 0) {
        query.set(name, String(value));
      }
    }
    query.set("EIO", "4");
    query.set("transport", this.name);
    if (this.sid !== void 0) {
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
};

// src/engine/polling.ts
var Polling = class extends Transport {
  name = "polling";
  state = "opening";
  paused = false;
  resting = false;
  reading;
  writing;
  aborter = new AbortController();
  open() {
    this.reading = this.read();
  }
  send(packets) {
    this.writable = false;
    this.writing = this.write(packets);
  }
  close() {
    if (this.state === "open") {
      this.sayGoodbye();
    } else if (this.state === "opening") {
      this.state = "closing";
    }
  }
  /** Packets may be sent while the last GET waits; their answers may be what ends it. */
  async pause() {
    this.paused = true;
    await this.reading;
    this.resting = true;
    this.writable = false;
    await this.writing;
  }
  resume() {
    this.paused = this.resting = false;
    this.writable = this.state === "open";
    this.reading = this.read();
  }
  get ended() {
    return this.state === "closed";
  }
  async read() {
    while (!this.paused && !this.ended) {
      const payload = await this.request("GET", "fetch read error");
      if (payload === void 0) {
        return;
      }
      for (const packet of decodePayload(payload)) {
        if (!this.ended) {
          this.receive(packet);
        }
      }
    }
  }
  receive(packet) {
    if (packet.type === "open" && this.sid === void 0) {
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
  async write(packets) {
    let body;
    try {
      body = encodePayload(await readBlobs(packets));
    } catch (error) {
      return this.fail("fetch write error", error);
    }
    if (await this.request("POST", "fetch write error", body) !== void 0 && this.state === "open") {
      this.writable = !this.resting;
      this.listener.onDrain();
    }
  }
  /** Lets a POST under way arrive first; keepalive lets the last one outlive the page. */
  async sayGoodbye() {
    this.state = "closed";
    this.writable = false;
    if (this.writing) {
      await this.writing;
    }
    await this.request("POST", "", encodePayload([{ type: "close" }]), true);
    this.aborter.abort();
  }
  /** The body of the answer; none, and the failure reported, when there is no good one. */
  async request(method, what, body, keepalive = false) {
    const { extraHeaders, timestampRequests, withCredentials } = this.options;
    try {
      const headers = new Headers(extraHeaders);
      if (body !== void 0 && !headers.has("content-type")) {
        headers.set("content-type", "text/plain;charset=UTF-8");
      }
      const response = await fetch(this.url("http", timestampRequests !== false), {
        method,
        body,
        headers,
        keepalive,
        cache: "no-store",
        credentials: withCredentials ? "include" : "same-origin",
        signal: this.aborter.signal
      });
      if (response.ok) {
        return await response.text();
      }
      this.fail(what, response.status, response);
    } catch (error) {
      this.fail(what, error);
    }
    return void 0;
  }
  fail(message, description, context) {
    if (this.ended) {
      return;
    }
    this.state = "closed";
    this.writable = false;
    this.aborter.abort();
    this.listener.onError(new TransportError(message, description, context));
  }
};
function sidOf(packet) {
  try {
    return JSON.parse(packet.data).sid;
  } catch {
    return void 0;
  }
}

// src/engine/websocket.ts
var WebSocketTransport = class extends Transport {
  name = "websocket";
  socket;
  closed = false;
  open() {
    const { options } = this;
    const Socket2 = options.WebSocket ?? globalThis.WebSocket;
    try {
      this.socket = new Socket2(this.url("ws", !!options.timestampRequests), options.protocols ?? []);
    } catch (error) {
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
  send(packets) {
    this.writable = false;
    const ready = readBlobs(packets);
    if (ready instanceof Promise) {
      ready.then((packets2) => this.write(packets2)).catch((error) => this.fail(error));
    } else {
      this.write(ready);
    }
  }
  close() {
    this.end();
    this.socket?.close();
  }
  write(packets) {
    if (this.closed) {
      return;
    }
    try {
      for (const packet of packets) {
        this.socket.send(encodePacket(packet, !this.options.forceBase64));
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
  end() {
    const first = !this.closed;
    this.closed = true;
    this.writable = false;
    return first;
  }
  fail(description, context) {
    if (this.end()) {
      this.socket?.close();
      this.listener.onError(new TransportError("websocket error", description, context));
    }
  }
};

// src/engine/engine.ts
var silent = {
  onOpen() {
  },
  onPacket() {
  },
  onDrain() {
  },
  onClose() {
  },
  onError() {
  }
};
var Engine = class _Engine extends Emitter {
  constructor(target, options) {
    super();
    this.target = target;
    this.options = options;
    this.timers = timersFor(options);
    this.candidates = (options.transports ?? ["polling", "websocket"]).filter(
      (name) => name === "polling" || name === "websocket" && (options.WebSocket ?? globalThis.WebSocket)
    );
    if (options.rememberUpgrade && _Engine.websocketWorked && this.candidates.includes("websocket")) {
      this.candidates = ["websocket", ...this.candidates.filter((name) => name !== "websocket")];
    }
    globalThis.addEventListener?.("offline", this.onOffline);
    if (options.closeOnBeforeunload) {
      globalThis.addEventListener?.("beforeunload", this.onBeforeunload);
    }
    this.connect();
  }
  target;
  options;
  static protocol = 4;
  /** Whether WebSocket has worked on this page; for rememberUpgrade. */
  static websocketWorked = false;
  /** The id of the session; no socket has this id. */
  id;
  readyState = "opening";
  /** The transport in use; none when no transport of the options exists here. */
  transport;
  /** Packets that have not left. */
  writeBuffer = [];
  upgrading = false;
  timers;
  /** The transports that are left to try. */
  candidates;
  probe;
  handshake;
  /** When the server counts as gone, on the clock of Date.now; none before the handshake. */
  pingDeadline = Infinity;
  pingTimer;
  /** How many packets at the head of writeBuffer the transport holds. */
  inFlight = 0;
  flushScheduled = false;
  listener = {
    onOpen() {
    },
    onPacket: (packet) => this.onPacket(packet),
    onDrain: () => this.onDrain(),
    onClose: (details) => this.end("transport close", details),
    onError: (error) => this.fail(error)
  };
  /** Whether a packet sent now would leave now. */
  get writable() {
    return this.readyState === "open" && this.writeBuffer.length === 0 && !!this.transport?.writable;
  }
  /**
   * Whether the server has been silent for too long. Browsers delay the timers
   * of pages in the background, so the timer alone does not tell; asking ends a
   * session that is over.
   */
  get expired() {
    if (Date.now() <= this.pingDeadline) {
      return false;
    }
    this.pingDeadline = Infinity;
    queueMicrotask(() => this.end("ping timeout"));
    return true;
  }
  /** Sends a message. Those of one turn of the event loop leave together. */
  send(data, options) {
    this.enqueue({ type: "message", data, options });
    return this;
  }
  /** Closes once what was sent has left. */
  close() {
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
  connect() {
    const [name] = this.candidates;
    if (name === void 0) {
      queueMicrotask(() => this.fail(new TransportError("No transports available", this.options.transports)));
      return;
    }
    this.transport = this.create(name, this.listener);
    this.transport.open();
  }
  create(name, listener) {
    const Class = name === "websocket" ? WebSocketTransport : Polling;
    return new Class(this.target, this.options, this.id, listener);
  }
  onPacket(packet) {
    if (this.readyState === "closed") {
      return;
    }
    this.emit("packet", packet);
    switch (packet.type) {
      case "open":
        return this.onHandshake(packet.data);
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
  onHandshake(json) {
    let handshake;
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
    _Engine.websocketWorked = this.transport.name === "websocket";
    this.emit("open");
    const better = this.candidates.slice(1).find((name) => handshake.upgrades.includes(name));
    if (this.isOpen() && this.options.upgrade !== false && better !== void 0) {
      this.upgrade(better);
    }
  }
  isOpen() {
    return this.readyState === "open";
  }
  /**
   * Moves to a better transport: probe it, let the old one come to rest, tell
   * the server. When the new one fails on the way the old one goes on.
   */
  upgrade(name) {
    let failed = false;
    const fail = (error) => {
      failed = true;
      this.probe = void 0;
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
        const old = this.transport;
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
          _Engine.websocketWorked = true;
          old.listener = silent;
          this.probe = void 0;
          this.transport = probe;
          probe.listener = this.listener;
          probe.send([{ type: "upgrade" }]);
          this.emit("upgrade", probe);
        }
        this.flush();
      },
      onDrain() {
      },
      onClose: ({ description }) => fail(new TransportError("probe error", description)),
      onError: fail
    });
    this.probe = probe;
    probe.open();
  }
  watchPings() {
    const { pingInterval, pingTimeout } = this.handshake;
    const wait = pingInterval + pingTimeout;
    this.pingDeadline = Date.now() + wait;
    this.timers.clear(this.pingTimer);
    this.pingTimer = this.timers.set(() => this.end("ping timeout"), wait);
  }
  enqueue(packet) {
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
  flush() {
    const { transport, writeBuffer, handshake } = this;
    if (this.readyState === "closed" || !transport?.writable || writeBuffer.length === 0) {
      return;
    }
    const max = transport.name === "polling" ? handshake?.maxPayload : void 0;
    this.inFlight = max ? fitting(writeBuffer, max) : writeBuffer.length;
    transport.send(writeBuffer.slice(0, this.inFlight));
    this.emit("flush");
  }
  onDrain() {
    this.writeBuffer.splice(0, this.inFlight);
    this.inFlight = 0;
    if (this.writeBuffer.length === 0) {
      this.emit("drain");
    } else {
      this.flush();
    }
  }
  fail(error) {
    _Engine.websocketWorked = false;
    if (this.options.tryAllTransports && this.readyState === "opening" && this.candidates.length > 1) {
      this.candidates.shift();
      return this.connect();
    }
    if (this.readyState !== "closed") {
      this.emit("error", error);
      this.end("transport error", error);
    }
  }
  end(reason, details) {
    if (this.readyState === "closed") {
      return;
    }
    this.readyState = "closed";
    this.timers.clear(this.pingTimer);
    this.pingDeadline = Infinity;
    globalThis.removeEventListener?.("offline", this.onOffline);
    globalThis.removeEventListener?.("beforeunload", this.onBeforeunload);
    this.hangUp();
    this.id = void 0;
    this.emit("close", reason, details);
  }
  hangUp() {
    for (const transport of [this.probe, this.transport]) {
      if (transport) {
        transport.listener = silent;
        transport.close();
      }
    }
    this.writeBuffer.length = 0;
    this.inFlight = 0;
  }
  onOffline = () => this.end("transport close", { description: "network connection lost" });
  onBeforeunload = () => this.hangUp();
};

// src/retry.ts
var RetryQueue = class {
  constructor(retries, connected, post) {
    this.retries = retries;
    this.connected = connected;
    this.post = post;
  }
  retries;
  connected;
  post;
  entries = [];
  get length() {
    return this.entries.length;
  }
  /** Adds an event; its last item may be the ack, called with an error or null first. */
  add(data, flags) {
    const ack = typeof data.at(-1) === "function" ? data.pop() : void 0;
    const settle = (error, ...answers) => {
      if (this.entries[0] !== entry) {
        return;
      }
      entry.pending = false;
      if (error === null || entry.tries > this.retries) {
        this.entries.shift();
        ack?.(error, ...answers);
      }
      this.drain();
    };
    const entry = { data: [...data, settle], flags: { ...flags, withError: true }, tries: 0, pending: false };
    this.entries.push(entry);
    this.drain();
  }
  /** Sends the first event unless it is on its way; a new connection sends it in any case. */
  drain(resend = false) {
    const [entry] = this.entries;
    if (entry && this.connected() && (resend || !entry.pending)) {
      entry.pending = true;
      entry.tries++;
      this.post([...entry.data], entry.flags);
    }
  }
};

// src/socket.ts
var Socket = class extends Emitter {
  /** Made by Manager.socket. */
  constructor(io2, nsp, options = {}) {
    super();
    this.io = io2;
    this.nsp = nsp;
    this.options = options;
    this.auth = options.auth;
    if (options.retries) {
      this.queue = new RetryQueue(
        options.retries,
        () => this.ready,
        (data, flags) => this.post(data, flags)
      );
    }
  }
  io;
  nsp;
  options;
  /** The id of the session on the server; none while disconnected. */
  id;
  connected = false;
  /** Whether the last connection took up the session before it: nothing was missed. */
  recovered = false;
  /** Whether the socket connects again by itself once the manager has a connection. */
  active = false;
  auth;
  /** Events that came before the connection was complete. */
  receiveBuffer = [];
  /** Events that wait for a connection. */
  sendBuffer = [];
  /** The connection on which an answer to CONNECT is awaited. */
  asked;
  flags = {};
  nextId = 0;
  acks = /* @__PURE__ */ new Map();
  queue;
  anyListeners = [];
  anyOutgoingListeners = [];
  /** For recovery: the private id of the session, and the last event that came. */
  pid;
  lastOffset;
  get disconnected() {
    return !this.connected;
  }
  /** Connects; a socket of a manager with autoConnect has done so. */
  connect() {
    if (!this.connected) {
      this.active = true;
      this.io.join(this);
    }
    return this;
  }
  open() {
    return this.connect();
  }
  /** Disconnects for good: only connect brings the socket back. */
  disconnect() {
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
  close() {
    return this.disconnect();
  }
  /**
   * Sends an event; while there is no connection it waits for one. A function
   * as the last argument is the ack: it is called with the server's answer.
   * Throws when the name is one of the client's own events.
   */
  emit(event, ...args) {
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
  emitWithAck(event, ...args) {
    return new Promise((resolve2, reject) => {
      this.flags.withError = true;
      const ack = (error, value) => error ? reject(error) : resolve2(value);
      this.emit(event, ...[...args, ack]);
    });
  }
  /** Emits the event "message". */
  send(...args) {
    return this.emit("message", ...args);
  }
  /** Whether the transport may compress the next event. */
  compress(compress) {
    this.flags.compress = compress;
    return this;
  }
  /** The next event is dropped when it cannot leave at once. */
  get volatile() {
    this.flags.volatile = true;
    return this;
  }
  /** The ack of the next event takes an error first: none came within ms milliseconds. */
  timeout(ms) {
    this.flags.timeout = ms;
    return this;
  }
  /** Calls the listener with the name and the arguments of every event that comes in. */
  onAny(listener) {
    this.anyListeners.push(listener);
    return this;
  }
  prependAny(listener) {
    this.anyListeners.unshift(listener);
    return this;
  }
  /** Removes one such listener, or all. */
  offAny(listener) {
    this.anyListeners = without(this.anyListeners, listener);
    return this;
  }
  listenersAny() {
    return this.anyListeners;
  }
  /** Calls the listener with the name and the arguments of every event that is sent. */
  onAnyOutgoing(listener) {
    this.anyOutgoingListeners.push(listener);
    return this;
  }
  prependAnyOutgoing(listener) {
    this.anyOutgoingListeners.unshift(listener);
    return this;
  }
  /** Removes one such listener, or all. */
  offAnyOutgoing(listener) {
    this.anyOutgoingListeners = without(this.anyOutgoingListeners, listener);
    return this;
  }
  listenersAnyOutgoing() {
    return this.anyOutgoingListeners;
  }
  /** The manager has a connection: ask for the namespace. @internal */
  onopen() {
    const { engine } = this.io;
    const connect = (data) => {
      if (this.active && !this.connected && this.io.engine === engine && this.asked !== engine) {
        this.asked = engine;
        const session = this.pid === void 0 ? void 0 : { pid: this.pid, offset: this.lastOffset };
        this.io.transmit({ type: PacketType.CONNECT, nsp: this.nsp, data: session ? { ...session, ...data } : data });
      }
    };
    const { auth } = this;
    if (typeof auth === "function") {
      isolate(() => auth.call(this, connect));
    } else {
      connect(auth);
    }
  }
  /** The manager could not connect. @internal */
  onerror(error) {
    if (!this.connected) {
      super.emit("connect_error", error);
    }
  }
  /** The connection is gone. @internal */
  onclose(reason, details) {
    if (!this.connected) {
      return;
    }
    this.connected = false;
    this.id = void 0;
    super.emit("disconnect", reason, details);
    this.abandonAcks();
  }
  /** @internal */
  onpacket(packet) {
    const { data, id } = packet;
    if (packet.type === PacketType.CONNECT || packet.type === PacketType.CONNECT_ERROR) {
      this.asked = void 0;
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
          new Error("The server speaks the protocol of Socket.IO v2; this client needs a server of v3 or later")
        );
        return;
      case PacketType.EVENT: {
        const args = id === void 0 ? data : [...data, this.answer(id)];
        if (this.connected) {
          this.receive(args);
        } else {
          this.receiveBuffer.push(args);
        }
        return;
      }
      case PacketType.ACK:
        return this.settle(id, null, data);
      case PacketType.DISCONNECT:
        this.leave();
        return this.onclose("io server disconnect");
      case PacketType.CONNECT_ERROR: {
        this.leave();
        const error = new Error(typeof data === "string" ? data : data.message);
        error.data = data.data;
        super.emit("connect_error", error);
        return;
      }
    }
  }
  get ready() {
    return this.connected && !this.io.engine.expired;
  }
  leave() {
    this.active = false;
    this.io.release();
  }
  onconnect(id, pid) {
    if (!this.active) {
      return this.io.transmit({ type: PacketType.DISCONNECT, nsp: this.nsp });
    }
    this.id = id;
    this.recovered = pid !== void 0 && this.pid === pid;
    if (!this.recovered) {
      this.pid = pid;
      this.lastOffset = void 0;
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
  receive(args) {
    for (const listener of [...this.anyListeners]) {
      isolate(() => listener.apply(this, args));
    }
    super.emit(...args);
    const last = args.at(-1);
    if (this.pid !== void 0 && typeof last === "string") {
      this.lastOffset = last;
    }
  }
  /** The function that acknowledges an event, once and only in the session that it belongs to. */
  answer(id) {
    const session = this.id;
    let sent = false;
    return (...data) => {
      if (!sent && this.connected && this.id === session) {
        sent = true;
        this.transmit({ type: PacketType.ACK, nsp: this.nsp, id, data });
      }
    };
  }
  post(data, flags) {
    const packet = {
      type: PacketType.EVENT,
      nsp: this.nsp,
      data,
      options: { compress: flags.compress !== false }
    };
    if (typeof data.at(-1) === "function") {
      packet.id = this.nextId++;
      this.expect(packet.id, data.pop(), flags);
    }
    const { ready } = this;
    if (flags.volatile && !(ready && this.io.engine.writable)) {
      return;
    }
    if (ready) {
      this.transmit(packet);
    } else {
      this.sendBuffer.push(packet);
    }
  }
  transmit(packet) {
    if (packet.type === PacketType.EVENT) {
      for (const listener of [...this.anyOutgoingListeners]) {
        isolate(() => listener.apply(this, packet.data));
      }
    }
    this.io.transmit(packet);
  }
  expect(id, call, flags) {
    const wait = flags.timeout ?? this.options.ackTimeout;
    let timer;
    if (wait !== void 0) {
      timer = this.io.timers.set(() => {
        this.sendBuffer = this.sendBuffer.filter((packet) => packet.id !== id);
        this.settle(id, new Error("operation has timed out"));
      }, wait);
    }
    this.acks.set(id, { call, withError: flags.withError || wait !== void 0, timer });
  }
  /** Calls an ack that is still awaited; one that takes no error is not called with one. */
  settle(id, error, args = []) {
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
  abandonAcks() {
    const waiting = new Set(this.sendBuffer.map((packet) => packet.id));
    for (const id of [...this.acks.keys()]) {
      if (!waiting.has(id)) {
        this.settle(id, new Error("socket has been disconnected"));
      }
    }
  }
};
function without(listeners, listener) {
  const index = listener ? listeners.indexOf(listener) : -1;
  if (listener && index < 0) {
    return listeners;
  }
  return listener ? listeners.filter((_, i) => i !== index) : [];
}

// src/url.ts
function resolve(uri = "/", path = "", page = globalThis.location) {
  const scheme = page && /^https?:$/.test(page.protocol) ? page.protocol : void 0;
  if (uri.startsWith("//")) {
    uri = (scheme ?? "https:") + uri;
  } else if (uri.startsWith("/")) {
    uri = `${scheme ?? "http:"}//${page?.host || "localhost"}${uri}`;
  } else if (!/^(https?|wss?):\/\//.test(uri)) {
    uri = `${scheme ?? "https:"}//${uri}`;
  }
  const url = new URL(uri);
  const secure = url.protocol === "https:" || url.protocol === "wss:";
  const port = url.port || (secure ? "443" : "80");
  return {
    secure,
    host: url.hostname,
    port,
    query: Object.fromEntries(url.searchParams),
    // As it was written: URL would escape a name that is not ASCII.
    namespace: /^\w+:\/\/[^/?#]*([^?#]*)/.exec(uri)?.[1] || "/",
    id: `${secure ? "https" : "http"}://${url.hostname}:${port}${path}`
  };
}

// src/manager.ts
var Manager = class extends Emitter {
  opts;
  /** The session in use, or the last one; none before the first. */
  engine;
  /** @internal */
  timers;
  target;
  sockets = /* @__PURE__ */ new Map();
  encoder;
  decoder;
  backoff;
  state = "closed";
  willReconnect;
  maxAttempts;
  openTimeout;
  reconnecting = false;
  /** Whether the connection was closed on purpose. */
  stopped = false;
  /** Undoes what belongs to the connection in use: its listeners and timers. */
  undo = [];
  constructor(uri, options) {
    super();
    if (typeof uri === "object") {
      options = uri;
      uri = void 0;
    }
    this.opts = { ...options, path: options?.path ?? "/socket.io" };
    this.target = resolve(uri, this.opts.path);
    this.timers = timersFor(this.opts);
    const { opts } = this;
    this.willReconnect = opts.reconnection !== false;
    this.maxAttempts = opts.reconnectionAttempts ?? Infinity;
    this.openTimeout = opts.timeout ?? 2e4;
    this.backoff = new Backoff(
      opts.reconnectionDelay ?? 1e3,
      opts.reconnectionDelayMax ?? 5e3,
      opts.randomizationFactor ?? 0.5
    );
    const parser = opts.parser ?? { Encoder, Decoder };
    this.encoder = new parser.Encoder();
    this.decoder = new parser.Decoder();
    this.decoder.on("decoded", (packet) => this.onPacket(packet));
    if (opts.autoConnect !== false) {
      this.open();
    }
  }
  reconnection(value) {
    if (value === void 0) {
      return this.willReconnect;
    }
    this.willReconnect = value;
    return this;
  }
  reconnectionAttempts(value) {
    if (value === void 0) {
      return this.maxAttempts;
    }
    this.maxAttempts = value;
    return this;
  }
  reconnectionDelay(value) {
    if (value === void 0) {
      return this.backoff.min;
    }
    this.backoff.min = value;
    return this;
  }
  reconnectionDelayMax(value) {
    if (value === void 0) {
      return this.backoff.max;
    }
    this.backoff.max = value;
    return this;
  }
  randomizationFactor(value) {
    if (value === void 0) {
      return this.backoff.jitter;
    }
    this.backoff.jitter = value;
    return this;
  }
  timeout(value) {
    if (value === void 0) {
      return this.openTimeout;
    }
    this.openTimeout = value;
    return this;
  }
  /** The socket of a namespace: always the same one. */
  socket(nsp, options) {
    let socket = this.sockets.get(nsp);
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
  has(nsp) {
    return this.sockets.has(nsp);
  }
  /** Connects, unless it has or does already. Done hears how it went, and then nobody tries again. */
  open(done) {
    if (this.state !== "closed") {
      return this;
    }
    this.state = "opening";
    this.stopped = false;
    const engine = new Engine(this.target, this.opts);
    this.engine = engine;
    const fail = (error) => {
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
  connect(done) {
    return this.open(done);
  }
  /** Closes the connection for good. @internal */
  _close() {
    this.stopped = true;
    this.reconnecting = false;
    this.onClose("forced close");
  }
  /** Brings a socket to the server, connecting first if need be. @internal */
  join(socket) {
    this.sockets.set(socket.nsp, socket);
    if (!this.reconnecting) {
      this.open();
    }
    if (this.state === "open") {
      socket.onopen();
    }
  }
  /** Closes the connection when no socket needs it any more. @internal */
  release() {
    for (const socket of this.sockets.values()) {
      if (socket.active) {
        return;
      }
    }
    this._close();
  }
  /** @internal */
  transmit(packet) {
    for (const frame of this.encoder.encode(packet)) {
      this.engine?.send(frame, packet.options);
    }
  }
  onOpen(engine) {
    this.cleanUp();
    this.state = "open";
    this.listen(engine, "ping", () => this.emit("ping"));
    this.listen(engine, "data", (data) => this.onData(data));
    this.listen(engine, "error", (error) => this.emit("error", error));
    this.listen(engine, "close", (reason, details) => this.onClose(reason, details));
    this.eachActive((socket) => socket.onopen());
    this.emit("open");
  }
  onData(data) {
    try {
      this.decoder.add(data);
    } catch (error) {
      this.onClose("parse error", error);
    }
  }
  onPacket(packet) {
    this.emit("packet", packet);
    this.sockets.get(packet.nsp)?.onpacket(packet);
  }
  onClose(reason, details) {
    this.cleanUp();
    this.engine?.close();
    this.backoff.reset();
    this.state = "closed";
    this.eachActive((socket) => socket.onclose(reason, details));
    this.emit("close", reason, details);
    this.reconnect();
  }
  get wanted() {
    return this.willReconnect && !this.stopped;
  }
  reconnect() {
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
  listen(engine, event, listener) {
    engine.on(event, listener);
    this.undo.push(() => engine.off(event, listener));
  }
  cleanUp() {
    for (const undo of this.undo.splice(0)) {
      undo();
    }
    this.decoder.destroy();
  }
  eachActive(visit) {
    for (const socket of [...this.sockets.values()]) {
      if (socket.active) {
        visit(socket);
      }
    }
  }
};

// src/index.ts
var managers = /* @__PURE__ */ new Map();
function io(uri, options) {
  if (typeof uri === "object") {
    options = uri;
    uri = void 0;
  }
  const { id, namespace } = resolve(uri, options?.path ?? "/socket.io");
  const shared = managers.get(id);
  let manager;
  if (options?.forceNew || options?.multiplex === false || shared?.has(namespace)) {
    manager = new Manager(uri, options);
  } else {
    manager = shared ?? new Manager(uri, options);
    managers.set(id, manager);
  }
  return manager.socket(namespace, options);
}
export {
  Manager,
  Socket,
  io as connect,
  io as default,
  io,
  protocol
};
//# sourceMappingURL=socket.io.esm.js.map
