// Engine.IO: transports, upgrade, heartbeat, packing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { capture, connect, next } from "./client.mjs";
import { start, writeFrame } from "./server.mjs";

const polling = { transports: ["polling"] };
const websocket = { transports: ["websocket"] };

test("polling carries text and binary, and says goodbye", async (t) => {
  const server = await start(t);
  const socket = connect(t, server.url, polling);
  await next(socket, "connect");
  const session = await server.session();

  const bytes = Uint8Array.of(0, 1, 255);
  socket.emit("pictures", { first: bytes.buffer, second: bytes.subarray(1) });
  await session.until((frame) => Buffer.isBuffer(frame) && frame.length === 2);
  assert.equal(
    session.posts.at(-1),
    '452-["pictures",{"first":{"_placeholder":true,"num":0},"second":{"_placeholder":true,"num":1}}]\x1ebAAH/\x1ebAf8=',
  );

  session.send('452-["pictures",{"_placeholder":true,"num":1},[{"_placeholder":true,"num":0}]]', Buffer.of(1), Buffer.of(2, 3));
  const [second, [first]] = await next(socket, "pictures");
  assert.ok(second instanceof ArrayBuffer);
  assert.deepEqual([...new Uint8Array(second), ...new Uint8Array(first)], [2, 3, 1]);

  socket.disconnect();
  await session.until("1");
  assert.deepEqual(session.received.slice(-2), ["41", "1"]);
});

test("the URL carries query, version and transport, polling a time stamp, too", async (t) => {
  const server = await start(t);
  for (const [options, stamped] of [
    [{ ...polling, query: { a: "&=?", none: undefined } }, true],
    [{ ...polling, timestampRequests: false }, false],
    [websocket, false],
    [{ ...websocket, timestampRequests: true, timestampParam: "ts", forceBase64: true }, true],
  ]) {
    const count = server.sessions.length;
    connect(t, server.url + "/?b=c", { ...options, path: "/sub/", extraHeaders: { "x-name": "value" } });
    const { url, headers } = await server.session(count);
    const query = Object.fromEntries(url.searchParams);
    assert.equal(url.pathname, "/sub/");
    assert.deepEqual(
      [query.EIO, query.transport, query.b, query.a, "none" in query, query.b64],
      ["4", options.transports[0], "c", options.query?.a, false, options.forceBase64 && "1"],
    );
    assert.equal((options.timestampParam ?? "t") in query, stamped);
    assert.equal(headers["x-name"], options.transports[0] === "polling" ? "value" : undefined);
  }
  connect(t, server.url, { ...polling, path: "/plain", addTrailingSlash: false });
  assert.equal((await server.session(4)).url.pathname, "/plain");
});

test("events of one turn share a POST, up to the server's limit", async (t) => {
  const server = await start(t, { handshake: { maxPayload: 60 } });
  const socket = connect(t, server.url, polling);
  await next(socket, "connect");
  const session = await server.session();
  const texts = ["a".repeat(12), "ж".repeat(6), "€".repeat(8), "\u{1f600}".repeat(30), Uint8Array.of(1, 2, 3, 4), "end"];
  for (const text of texts) {
    socket.emit("e", text);
  }
  await session.until((frame) => typeof frame === "string" && frame.includes("end"));
  const posts = session.posts.slice(1);
  assert.deepEqual(
    posts.map((post) => [Buffer.byteLength(post) <= 60, post.split("\x1e").length]),
    [[true, 2], [true, 1], [false, 1], [true, 2], [true, 1]],
  );
});

test("a Blob keeps its place", async (t) => {
  const server = await start(t);
  for (const options of [polling, websocket, { ...websocket, forceBase64: true }]) {
    const count = server.sessions.length;
    const socket = connect(t, server.url, options);
    await next(socket, "connect");
    const session = await server.session(count);
    socket.emit("before").emit("blob", new Blob(["hello"])).emit("after");
    await session.until('42["after"]');
    const frames = session.received.slice(1).map((frame) => (options.forceBase64 && frame[0] === "b" ? atob(frame.slice(1)) : String(frame)));
    assert.deepEqual(frames, ['42["before"]', '451-["blob",{"_placeholder":true,"num":0}]', "hello", '42["after"]']);
  }
});

test("polling gives way to WebSocket without losing a packet", async (t) => {
  // The server leaves the poll alone until it has an answer to send.
  const probe = async (session, socket) => {
    await session.until("40");
    await session.polled();
    writeFrame(socket, "3probe");
  };
  const server = await start(t, { probe });
  const socket = connect(t, server.url);
  const { engine } = socket.io;
  const numbers = [];
  socket.on("n", (n) => numbers.push(n));
  engine.once("upgrading", () => socket.emit("by polling"));
  const session = await server.session();
  await session.until('42["by polling"]');
  assert.deepEqual([engine.upgrading, engine.transport.name], [true, "polling"]);
  engine.once("upgrade", () => socket.emit("by websocket"));
  session.send('42["n",1]');
  await session.until('42["by websocket"]');
  session.send('42["n",2]');
  while (numbers.length < 2) {
    await next(socket, "n");
  }
  assert.deepEqual(numbers, [1, 2]);
  assert.deepEqual(session.received, ["40", '42["by polling"]', "5", '42["by websocket"]']);
  assert.deepEqual([engine.upgrading, engine.transport.name, session.posts.length], [false, "websocket", 2]);
});

test("a stream of events keeps its order across the upgrade", async (t) => {
  const server = await start(t);
  const socket = connect(t, server.url);
  const session = await server.session();
  let count = 0;
  for (let after = 0; after < 10; after += socket.io.engine.transport.name === "websocket") {
    socket.emit("n", count++);
    await new Promise(setImmediate);
  }
  await session.until(`42["n",${count - 1}]`);
  const events = session.received.filter((frame) => frame.startsWith("42"));
  assert.deepEqual(events, Array.from({ length: count }, (_, i) => `42["n",${i}]`));
  assert.ok(session.received.indexOf("5") > 0);
});

test("polling goes on when the upgrade fails", async (t) => {
  const failures = {
    "wrong answer": (_, socket) => writeFrame(socket, "3wrong"),
    "lost at once": (_, socket) => socket.destroy(),
    "lost after the probe": async (session, socket) => {
      await session.until("40");
      await session.polled();
      writeFrame(socket, "3probe");
      socket.end();
      // The client, which waits for its poll to end, sees the loss first.
      socket.on("close", () => session.release());
    },
  };
  for (const [name, probe] of Object.entries(failures)) {
    const server = await start(t, { probe });
    const socket = connect(t, server.url);
    const connected = next(socket, "connect");
    await next(socket.io.engine, "upgradeError");
    await connected;
    const session = await server.session();
    socket.emit("still", "here");
    await session.until('42["still","here"]');
    session.send('42["answer"]');
    await next(socket, "answer");
    assert.equal(socket.io.engine.transport.name, "polling", name);
    assert.equal(server.sessions.length, 1, name);
  }
});

test("no upgrade when the options forbid it or the server offers none", async (t) => {
  for (const [handshake, options] of [
    [{}, { upgrade: false }],
    [{ upgrades: [] }, {}],
    [{}, { transports: ["polling"] }],
  ]) {
    const server = await start(t, { handshake, probe: () => assert.fail("probed") });
    const socket = connect(t, server.url, options);
    await next(socket, "connect");
    assert.equal(socket.io.engine.upgrading, false);
    assert.equal(socket.io.engine.transport.name, "polling");
  }
});

test("rememberUpgrade begins with the WebSocket that worked", async (t) => {
  const server = await start(t);
  const socket = connect(t, server.url);
  await next(socket.io.engine, "upgrade");
  connect(t, server.url, { rememberUpgrade: true });
  assert.equal((await server.session(1)).url.searchParams.get("transport"), "websocket");
});

test("tryAllTransports goes on to the next one", async (t) => {
  const server = await start(t);
  class Broken {
    constructor() {
      throw new Error("blocked");
    }
  }
  const options = { transports: ["websocket", "polling"], WebSocket: Broken, reconnection: false };
  await next(connect(t, server.url, { ...options, tryAllTransports: true }), "connect");
  const [error] = await next(connect(t, server.url, options), "connect_error");
  assert.deepEqual([error.message, error.type, error.description.message], ["websocket error", "TransportError", "blocked"]);
  const [none] = await next(connect(t, server.url, { transports: ["pigeon"], reconnection: false }), "connect_error");
  assert.equal(none.message, "No transports available");
});

test("the heartbeat is answered, and its absence noticed", async (t) => {
  const server = await start(t, { handshake: { pingInterval: 1000, pingTimeout: 777 } });
  const alarms = capture(t, 1777);
  for (const options of [polling, websocket]) {
    const count = server.sessions.length;
    alarms.length = 0;
    const socket = connect(t, server.url, { ...options, reconnection: false });
    await next(socket, "connect");
    const session = await server.session(count);
    session.send("2");
    await next(socket.io, "ping");
    await session.until("3");
    assert.equal(alarms.length, 2);
    const closed = next(socket, "disconnect");
    alarms[1]();
    assert.deepEqual(await closed, ["ping timeout", undefined]);
  }
});

test("a session that expired while timers slept is noticed by the next event", async (t) => {
  const server = await start(t);
  const socket = connect(t, server.url, { ...websocket, reconnectionDelay: 1 });
  await next(socket, "connect");
  const now = Date.now();
  t.mock.method(Date, "now", () => now + 60_000);
  const lost = next(socket, "disconnect");
  socket.emit("late");
  assert.deepEqual(await lost, ["ping timeout", undefined]);
  const session = await server.session(1);
  await session.until('42["late"]');
  assert.ok(!server.sessions[0].received.includes('42["late"]'));
});

test("the ways to be disconnected", async (t) => {
  for (const [options, act, reason, description] of [
    [polling, (session) => session.send("1"), "transport close", "transport closed by the server"],
    [polling, (session) => session.send("x"), "transport error", "parser error"],
    [polling, (session) => session.server.stop(), "transport error"],
    [websocket, (session) => session.cut(), "transport close", "websocket connection closed"],
    [websocket, (session) => session.send("b***"), "transport error", "parser error"],
    [websocket, (session) => session.send("41"), "io server disconnect"],
    [websocket, (_, socket) => socket.disconnect(), "io client disconnect"],
    [websocket, (session) => session.send("4{"), "parse error"],
    [websocket, (session) => session.send('42["disconnect"]'), "parse error"],
    [websocket, (session) => session.send("42{}"), "parse error"],
    [websocket, (session) => session.send('43["no id"]'), "parse error"],
    [websocket, (session) => session.send("45-[]"), "parse error"],
    [websocket, (session) => session.send('451-["x"]', '42["text between"]'), "parse error"],
    [websocket, (session) => session.send(Buffer.of(1)), "parse error"],
    [websocket, (session) => session.send('451-["x",{"_placeholder":true,"num":1}]', Buffer.of(1)), "parse error"],
    [websocket, (session) => session.send('451-["x",{"_placeholder":true,"num":"length"}]', Buffer.of(1)), "parse error"],
  ]) {
    const server = await start(t);
    const socket = connect(t, server.url, { ...options, reconnection: false });
    await next(socket, "connect");
    const gone = next(socket, "disconnect");
    await act(await server.session(), socket);
    const [got, details] = await gone;
    assert.equal(got, reason, String(act));
    if (description) {
      assert.equal(details.description, description);
    }
    assert.deepEqual([socket.connected, socket.disconnected, socket.id], [false, true, undefined]);
  }
});

test("a session closed while it opens says goodbye once it can", async (t) => {
  const server = await start(t);
  const socket = connect(t, server.url, polling);
  socket.disconnect();
  const session = await server.session();
  await session.until("1");
  assert.deepEqual(session.received, ["1"]);
});

test("a broken handshake is an error", async (t) => {
  for (const handshake of [{ sid: 1 }, { upgrades: null }]) {
    const server = await start(t, { handshake });
    const [error] = await next(connect(t, server.url, { ...websocket, reconnection: false }), "connect_error");
    assert.equal(error.message, "invalid handshake");
  }
});

test("the loss of the network and the end of the page are noticed", async (t) => {
  const page = new EventTarget();
  for (const method of ["addEventListener", "removeEventListener"]) {
    globalThis[method] = page[method].bind(page);
    t.after(() => delete globalThis[method]);
  }
  const server = await start(t);
  const socket = connect(t, server.url, { ...websocket, reconnectionDelay: 1 });
  await next(socket, "connect");
  const lost = next(socket, "disconnect");
  page.dispatchEvent(new Event("offline"));
  assert.deepEqual(await lost, ["transport close", { description: "network connection lost" }]);
  await next(socket, "connect");
  socket.disconnect();

  const leaving = connect(t, server.url, { ...polling, closeOnBeforeunload: true });
  await next(leaving, "connect");
  page.dispatchEvent(new Event("beforeunload"));
  const session = await server.session(2);
  await session.until("1");
  assert.equal(leaving.connected, true);
});
