// Managers: sharing, reconnection, plugs.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import * as client from "../dist/socket.io.esm.js";
import { capture, connect, hurry, manage, next } from "./client.mjs";
import { start } from "./server.mjs";

const { io, Manager } = client;
const websocket = { transports: ["websocket"] };

/** A port where nobody listens. */
async function nowhere(t) {
  const server = await start(t);
  await server.stop();
  return server.url;
}

test("the module exports what socket.io-client does", async () => {
  assert.deepEqual(Object.keys(client).sort(), ["Manager", "Socket", "connect", "default", "io", "protocol"]);
  assert.equal(client.default, io);
  assert.equal(client.connect, io);
  assert.equal(client.protocol, 5);
  await import("../dist/socket.io.min.js");
  assert.equal(typeof globalThis.io, "function");
  assert.deepEqual(Object.keys(globalThis.io).sort(), ["Manager", "Socket", "connect", "io", "protocol"]);
});

test("namespaces share a connection unless told otherwise", async (t) => {
  const server = await start(t);
  const open = (nsp, options) => {
    const socket = io(server.url + nsp, { autoConnect: false, ...options });
    t.after(() => socket.close());
    return socket;
  };
  const root = open("/");
  assert.equal(open("/one").io, root.io);
  assert.equal(open("/two?query=own").io, root.io);
  assert.notEqual(open("/").io, root.io);
  assert.notEqual(open("/three", { forceNew: true }).io, root.io);
  assert.notEqual(open("/four", { multiplex: false }).io, root.io);
  assert.notEqual(open("/five", { path: "/other" }).io, root.io);
  assert.equal(root.io.socket("/one"), root.io.socket("/one"));
  assert.equal(open("/six").nsp, "/six");
});

test("the connection ends with its last socket", async (t) => {
  const server = await start(t);
  const manager = manage(t, server.url, websocket);
  const [one, two] = [manager.socket("/one"), manager.socket("/two")];
  await Promise.all([next(one, "connect"), next(two, "connect")]);
  assert.equal(server.sessions.length, 1);
  one.disconnect();
  two.emit("still here");
  await server.sessions[0].until('42/two,["still here"]');
  const closed = next(manager, "close");
  two.disconnect();
  assert.deepEqual(await closed, ["forced close", undefined]);
});

test("delays double up to the longest, and attempts end", async (t) => {
  const url = await nowhere(t);
  const delays = hurry(t, 100);
  const log = [];
  const manager = manage(t, url, {
    timeout: false,
    reconnectionAttempts: 5,
    reconnectionDelay: 100,
    reconnectionDelayMax: 500,
    randomizationFactor: 0,
  });
  for (const event of ["error", "reconnect_attempt", "reconnect_error", "reconnect"]) {
    manager.on(event, (value) => log.push(value instanceof Error ? event : [event, value]));
  }
  const socket = manager.socket("/");
  const errors = [];
  socket.on("connect_error", (error) => errors.push(error.message));
  await next(manager, "reconnect_failed");
  assert.deepEqual(delays, [100, 200, 400, 500, 500]);
  assert.deepEqual(log.slice(0, 4), ["error", ["reconnect_attempt", 1], "error", "reconnect_error"]);
  assert.deepEqual(errors, Array(6).fill("fetch read error"));
  assert.deepEqual([socket.active, socket.connected], [true, false]);
});

test("chance spreads the delays", async (t) => {
  const url = await nowhere(t);
  const delays = hurry(t, 50);
  const chances = [0, 1, 0.5];
  t.mock.method(Math, "random", () => chances[delays.length] ?? 0);
  const manager = manage(t, url, {
    timeout: false,
    timestampRequests: false,
    reconnectionAttempts: 3,
    reconnectionDelay: 100,
    randomizationFactor: 0.5,
  });
  await next(manager, "reconnect_failed");
  assert.deepEqual(delays, [50, 300, 400]);
});

test("a server that comes back finds its client again", async (t) => {
  const server = await start(t);
  for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
    const socket = connect(t, server.url, { transports, reconnectionDelay: 1, reconnectionDelayMax: 5 });
    await next(socket, "connect");
    const lost = next(socket, "disconnect");
    const failed = next(socket.io, "reconnect_error");
    await server.stop();
    await lost;
    socket.emit("written", "meanwhile");
    await failed;
    const back = next(socket.io, "reconnect");
    const count = server.sessions.length;
    await server.listen(server.port);
    assert.ok((await back)[0] >= 1);
    await (await server.session(count)).until('42["written","meanwhile"]');
    socket.disconnect();
  }
});

test("a connection that takes too long is given up", async (t) => {
  const silent = createServer().listen(0, "127.0.0.1");
  t.after(() => silent.close());
  await once(silent, "listening");
  const url = `http://127.0.0.1:${silent.address().port}`;
  for (const transports of [["polling"], ["websocket"]]) {
    const accepted = once(silent, "connection");
    const alarms = capture(t, 777);
    const socket = connect(t, url, { transports, timeout: 777, reconnection: false });
    const [connection] = await accepted;
    const failed = next(socket, "connect_error");
    alarms[0]();
    assert.equal((await failed)[0].message, "timeout");
    connection.destroy();
    t.mock.restoreAll();
  }
});

test("a connection that comes too late is not taken, though the timer is late, too", async (t) => {
  const server = await start(t);
  const alarms = capture(t, 777);
  const now = Date.now();
  const socket = connect(t, server.url, { ...websocket, timeout: 777, reconnection: false });
  t.mock.method(Date, "now", () => now + 60_000);
  assert.equal((await next(socket, "connect_error"))[0].message, "timeout");
  assert.equal(alarms.length, 1);
});

test("disconnect ends the attempts, connect begins anew", async (t) => {
  const server = await start(t);
  const socket = connect(t, server.url, { ...websocket, reconnectionDelay: 1 });
  await next(socket, "connect");
  socket.io.on("reconnect_attempt", () => socket.disconnect());
  const attempted = next(socket.io, "reconnect_attempt");
  server.sessions[0].cut();
  await attempted;
  assert.equal(socket.active, false);
  socket.connect();
  await next(socket, "connect");
  assert.equal(server.sessions.length, 2);
});

test("options are read anew for each connection", async (t) => {
  const server = await start(t);
  const socket = connect(t, server.url, { ...websocket, reconnectionDelay: 1, query: { n: 1 } });
  await next(socket, "connect");
  socket.io.opts.query.n = 2;
  socket.io.opts.transports = ["polling"];
  server.sessions[0].cut();
  const { url } = await server.session(1);
  assert.deepEqual([url.searchParams.get("n"), url.searchParams.get("transport")], ["2", "polling"]);
});

test("settings can be read and changed", () => {
  const manager = new Manager("http://localhost", { autoConnect: false });
  const read = () => [
    manager.reconnection(),
    manager.reconnectionAttempts(),
    manager.reconnectionDelay(),
    manager.reconnectionDelayMax(),
    manager.randomizationFactor(),
    manager.timeout(),
  ];
  assert.deepEqual(read(), [true, Infinity, 1000, 5000, 0.5, 20_000]);
  manager.reconnection(false).reconnectionAttempts(1).reconnectionDelay(2).reconnectionDelayMax(3);
  manager.randomizationFactor(0).timeout(false);
  assert.deepEqual(read(), [false, 1, 2, 3, 0, false]);
});

test("a parser can be plugged in", async (t) => {
  class Encoder {
    encode = (packet) => [JSON.stringify(packet)];
  }
  class Decoder {
    on = (_, listener) => (this.listener = listener);
    add = (frame) => this.listener(JSON.parse(frame));
    destroy() {}
  }
  const server = await start(t, { reply: () => ['4{"type":0,"nsp":"/","data":{"sid":"s"}}'] });
  const socket = connect(t, server.url, { ...websocket, parser: { Encoder, Decoder } });
  await next(socket, "connect");
  assert.deepEqual((await server.session()).received, ['4{"type":0,"nsp":"/"}']);
});

test("useNativeTimers keeps to the timers there were at the start", async (t) => {
  const server = await start(t);
  const delays = [];
  const { setTimeout } = globalThis;
  t.mock.method(globalThis, "setTimeout", (fn, ms) => {
    delays.push(ms);
    return setTimeout(fn, ms);
  });
  for (const useNativeTimers of [false, true]) {
    delays.length = 0;
    await next(connect(t, server.url, { ...websocket, useNativeTimers, timeout: 7777 }), "connect");
    assert.equal(delays.includes(7777), !useNativeTimers);
  }
});
