// What the scenarios stand on. They run in Node and in a page alike, with the official client and with ours,
// so nothing here belongs to one of them.

// It is for what never comes. A machine that is busy with other tests may take long for what does.
const patience = 60_000;

// A Town is one scenario's view of the server under test: it opens sockets and closes them all at the end.
export class Town {
  // io: the client library's entry; url: the server; rough: the same handlers with a short heartbeat, behind a
  // proxy that can stall and cut; heartbeat: the interval of that, in ms; control: the harness; mode: polling,
  // websocket or upgrade; crowd: how many clients this runtime can open at once; options: of every socket;
  // client: the client's name; nodes: how many servers there are.
  constructor({ io, url, rough, heartbeat, control, mode, crowd, options, client, nodes }) {
    Object.assign(this, { io, url, rough, heartbeat, control, mode, crowd, options, client, nodes, opened: [] });
  }

  get transports() {
    return this.mode === "upgrade" ? ["polling", "websocket"] : [this.mode];
  }

  // dial returns a socket that may not be connected yet.
  dial(namespace = "/", { via = this.url, ...options } = {}) {
    const socket = this.io(via + namespace, {
      transports: this.transports,
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 200,
      ...this.options,
      ...options,
    });
    this.opened.push(socket);
    return socket;
  }

  // open returns a socket that is connected.
  async open(namespace, options) {
    const socket = this.dial(namespace, options);
    const refused = next(socket, "connect_error").then(([error]) => Promise.reject(error));
    refused.catch(() => {});
    await Promise.race([connected(socket), refused]);
    return socket;
  }

  async command(path) {
    const response = await fetch(`${this.control}/${path}`, { method: "POST" });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
  }

  close() {
    for (const socket of this.opened) socket.disconnect();
    this.opened = [];
  }
}

// next resolves to the arguments of the socket's next event of that name.
export function next(socket, event) {
  return within(`"${event}"`, (resolve) => socket.once(event, (...args) => resolve(args)));
}

// connected resolves when the socket is connected, which it may be already.
export async function connected(socket) {
  if (!socket.connected) await next(socket, "connect");
}

// take resolves to the arguments of the next n events of that name, in order of arrival.
export function take(socket, event, n) {
  const seen = [];
  return within(() => `${n} "${event}", only ${seen.length} came`, (resolve) => {
    const add = (...args) => {
      seen.push(args);
      if (seen.length < n) return;
      socket.off(event, add);
      resolve(seen);
    };
    socket.on(event, add);
  });
}

// call emits and resolves to what is acknowledged: the only argument.
export function call(socket, event, ...args) {
  return within(`the answer to "${event}"`, (resolve) => socket.emit(event, ...args, resolve));
}

// callAll is call for acknowledgements of any number of arguments.
export function callAll(socket, event, ...args) {
  return within(`the answer to "${event}"`, (resolve) => socket.emit(event, ...args, (...answer) => resolve(answer)));
}

export function within(what, start) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`waited ${patience} ms for ${typeof what === "function" ? what() : what}`));
    }, patience);
    start((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}

// Binary arrives as a Buffer in Node and as an ArrayBuffer in a page.
export function isBytes(value) {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

export function bytesOf(value) {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw new Error(`not binary: ${show(value)}`);
}

export function check(truth, what) {
  if (!truth) throw new Error(what);
}

export function equal(actual, expected, what = "") {
  if (show(actual) !== show(expected)) {
    throw new Error(`${what}\n  got  ${clip(show(actual))}\n  want ${clip(show(expected))}`);
  }
}

function clip(text) {
  return text.length > 600 ? `${text.slice(0, 600)}… (${text.length} characters)` : text;
}

// show writes a value with its keys in order and its binary parts visible: equal values, equal texts.
function show(value) {
  if (isBytes(value)) {
    const bytes = bytesOf(value);
    let sum = 0;
    for (const byte of bytes) sum = (sum * 31 + byte) >>> 0;
    return `bytes(${bytes.length}: ${Array.from(bytes.slice(0, 32))} ~${sum})`;
  }
  if (Array.isArray(value)) return `[${value.map(show).join(",")}]`;
  if (value && typeof value === "object") {
    const fields = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${show(value[key])}`);
    return `{${fields.join(",")}}`;
  }
  return JSON.stringify(value) ?? "undefined";
}
