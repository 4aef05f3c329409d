// A server of Engine.IO 4 that does what a test tells it: it records every frame
// that comes in, and sends what it is given.
import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";

const separator = "\x1e";

/** Starts a server; the test's end stops it. */
export async function start(t, options = {}) {
  const server = new Server(options);
  await server.listen(0);
  t.after(() => server.stop());
  return server;
}

export class Server {
  sessions = [];
  #events = new EventEmitter();
  #http;
  #sockets = new Set();

  /**
   * handshake overrides fields of the handshake; reply(frame, session) gives the
   * frames to answer a message with; probe(session, socket) takes over an upgrade
   * at "2probe".
   */
  constructor({ handshake = {}, reply = connects, probe } = {}) {
    Object.assign(this, { handshake, reply, probe });
  }

  async listen(port) {
    this.#http = createServer((req, res) => this.#handle(req, res));
    this.#http.on("upgrade", (req, socket) => this.#upgrade(req, socket));
    this.#http.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    this.#http.listen(port, "127.0.0.1");
    await once(this.#http, "listening");
    this.port = this.#http.address().port;
    this.url = `http://127.0.0.1:${this.port}`;
  }

  /** Stops listening and cuts every connection. */
  async stop() {
    if (!this.#http.listening) {
      return;
    }
    this.#http.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await once(this.#http, "close");
  }

  /** The nth session, counted from 0, as soon as there is one. */
  async session(n = 0) {
    while (!this.sessions[n]) {
      await once(this.#events, "session");
    }
    return this.sessions[n];
  }

  #open(url, headers) {
    const session = new Session(this, `engine-${this.sessions.length}`, url.searchParams.get("transport"), url, headers);
    this.sessions.push(session);
    const upgrades = session.transport === "polling" ? ["websocket"] : [];
    const limits = { pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000 };
    session.send("0" + JSON.stringify({ sid: session.sid, upgrades, ...limits, ...this.handshake }));
    this.#events.emit("session");
    return session;
  }

  #find(url) {
    return this.sessions.find(({ sid, closed }) => !closed && sid === url.searchParams.get("sid"));
  }

  async #handle(req, res) {
    const url = new URL(req.url, this.url);
    let body = "";
    for await (const chunk of req.setEncoding("utf8")) {
      body += chunk;
    }
    const session = url.searchParams.has("sid") ? this.#find(url) : this.#open(url, req.headers);
    if (!session) {
      res.writeHead(400, { "content-type": "application/json" }).end('{"code":1,"message":"Session ID unknown"}');
    } else if (req.method === "GET") {
      session.poll(res);
    } else {
      session.posts.push(body);
      for (const frame of body.split(separator)) {
        session.receive(frame.startsWith("b") ? Buffer.from(frame.slice(1), "base64") : frame);
      }
      res.end("ok");
    }
  }

  #upgrade(req, socket) {
    const url = new URL(req.url, this.url);
    const accept = createHash("sha1")
      .update(req.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
      .digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on("error", () => {});
    const sid = url.searchParams.get("sid");
    const session = sid ? this.#find(url) : undefined;
    if (session) {
      return this.#serveProbe(session, socket);
    }
    const opened = this.#open(url, req.headers);
    opened.attach(socket);
    readFrames(socket, (frame) => opened.receive(frame));
  }

  #serveProbe(session, socket) {
    readFrames(socket, (frame) => {
      if (frame === "2probe" && this.probe) {
        this.probe(session, socket);
      } else if (frame === "2probe") {
        writeFrame(socket, "3probe");
        session.upgrading = true;
        session.release();
      } else if (frame === "5") {
        session.receive(frame);
        session.attach(socket);
      } else {
        session.receive(frame);
      }
    });
  }
}

class Session {
  /** Every frame that came in, in order: texts, and Buffers for binary. */
  received = [];
  /** The bodies of the POSTs. */
  posts = [];
  /** How many polls came in. */
  polls = 0;
  closed = false;
  /** Whether polls are answered at once, for the client to rest them. */
  upgrading = false;
  #events = new EventEmitter();
  #waiting = [];
  #held;
  #socket;

  constructor(server, sid, transport, url, headers) {
    Object.assign(this, { server, sid, transport, url, headers });
  }

  /** Sends frames: texts, or Buffers for binary. */
  send(...frames) {
    this.#waiting.push(...frames);
    this.#flush();
  }

  receive(frame) {
    this.received.push(frame);
    if (typeof frame === "string" && frame.startsWith("4")) {
      this.send(...(this.server.reply(frame, this) ?? []));
    } else if (frame === "1") {
      this.release();
      this.closed = true;
    }
    this.#events.emit("frame");
  }

  /** Resolves with the first frame received, from the nth on, for which test holds. */
  async until(test, from = 0) {
    for (;;) {
      const frame = this.received.slice(from).find((frame) => (typeof test === "string" ? frame === test : test(frame)));
      if (frame !== undefined) {
        return frame;
      }
      await once(this.#events, "frame");
    }
  }

  /** Resolves while a poll is held. */
  async polled() {
    while (!this.#held) {
      await once(this.#events, "poll");
    }
  }

  poll(res) {
    this.polls++;
    this.#held = res;
    res.on("close", () => {
      if (this.#held === res) {
        this.#held = undefined;
      }
    });
    this.#flush();
    if (this.upgrading) {
      this.release();
    }
    this.#events.emit("poll");
  }

  /** Ends a held poll with a noop. */
  release() {
    this.#held?.end("6");
    this.#held = undefined;
  }

  attach(socket) {
    this.transport = "websocket";
    this.#socket = socket;
    this.#flush();
  }

  /** Cuts the WebSocket. */
  cut() {
    this.closed = true;
    this.#socket.destroy();
  }

  #flush() {
    if (this.#waiting.length === 0) {
      return;
    }
    if (this.#socket) {
      for (const frame of this.#waiting.splice(0)) {
        writeFrame(this.#socket, frame);
      }
    } else if (this.#held) {
      const frames = this.#waiting.splice(0);
      const held = this.#held;
      this.#held = undefined;
      held.end(
        frames.map((frame) => (typeof frame === "string" ? frame : "b" + frame.toString("base64"))).join(separator),
      );
    }
  }
}

/** Lets every socket into every namespace. */
export function connects(frame, session) {
  const match = /^40(\/[^,]*,)?/.exec(frame);
  return match && [`40${match[1] ?? ""}{"sid":"socket-of-${session.sid}"}`];
}

/** Writes one unmasked WebSocket frame (RFC 6455, section 5.2). */
export function writeFrame(socket, data) {
  const payload = Buffer.from(data);
  const size = payload.length < 126 ? 0 : payload.length < 0x10000 ? 2 : 8;
  const head = Buffer.from([typeof data === "string" ? 0x81 : 0x82, size === 8 ? 127 : size === 2 ? 126 : payload.length]);
  const length = Buffer.alloc(size);
  if (size) {
    length.writeUIntBE(payload.length, Math.max(size - 6, 0), Math.min(size, 6));
  }
  socket.write(Buffer.concat([head, length, payload]));
}

/** Reads masked frames, each a whole message. */
function readFrames(socket, onFrame) {
  let buffer = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= 6) {
      const short = buffer[1] & 0x7f;
      const head = short === 127 ? 14 : short === 126 ? 8 : 6;
      if (buffer.length < head) {
        return;
      }
      const length = short === 127 ? buffer.readUIntBE(4, 6) : short === 126 ? buffer.readUInt16BE(2) : short;
      if (buffer.length < head + length) {
        return;
      }
      const mask = buffer.subarray(head - 4, head);
      const payload = Buffer.from(buffer.subarray(head, head + length)).map((byte, i) => byte ^ mask[i % 4]);
      const opcode = buffer[0] & 0x0f;
      buffer = buffer.subarray(head + length);
      if (opcode === 8) {
        socket.end();
      } else {
        onFrame(opcode === 1 ? Buffer.from(payload).toString() : Buffer.from(payload));
      }
    }
  });
}
