// Sockets: events, acks, buffers, errors, recovery.
import assert from "node:assert/strict";
import { test } from "node:test";
import { capture, connect, manage, next, uncaught } from "./client.mjs";
import { connects, start } from "./server.mjs";

const websocket = { transports: ["websocket"] };

/** Connects sockets, and acknowledges every event with its arguments. */
function echoes(frame, session) {
  const [, nsp, id, args] = /^42(\/[^,]*,)?(\d+)\["[^"]*",?(.*)\]$/.exec(frame) ?? [];
  return id === undefined ? connects(frame, session) : [`43${nsp ?? ""}${id}[${args}]`];
}

/** A connected socket and its session on the server. */
async function pair(t, { reply, nsp = "", ...options } = {}) {
  const server = await start(t, { reply });
  const socket = connect(t, server.url + nsp, { ...websocket, ...options });
  await next(socket, "connect");
  return { server, socket, session: await server.session() };
}

test("acks go both ways, once", async (t) => {
  const { socket, session } = await pair(t, { reply: echoes, nsp: "/custom" });
  const answer = await new Promise((resolve) => socket.emit("ask", 1, "two", (...args) => resolve(args)));
  assert.deepEqual(answer, [1, "two"]);
  assert.equal(await socket.emitWithAck("ask", { deep: [null] }).then(JSON.stringify), '{"deep":[null]}');

  socket.once("question", (text, ack) => {
    ack(text.length, Uint8Array.of(7));
    ack("again");
  });
  session.send('42/custom,12["question","why"]');
  const bytes = await session.until((frame) => Buffer.isBuffer(frame));
  assert.deepEqual(session.received.slice(-2), ['461-/custom,12[3,{"_placeholder":true,"num":0}]', bytes]);

  session.send('461-/custom,99[{"_placeholder":true,"num":0}]', Buffer.of(1), "43/custom,98[]", '42/custom,["still"]');
  await next(socket, "still");
});

test("an ack of a session that is over stays unsent", async (t) => {
  const { server, socket, session } = await pair(t, { reconnectionDelay: 1 });
  const question = next(socket, "question");
  session.send('421["question"]');
  const [ack] = await question;
  session.cut();
  await next(socket, "connect");
  ack("late");
  socket.emit("marker");
  const second = await server.session(1);
  await second.until('42["marker"]');
  assert.deepEqual(second.received, ["40", '42["marker"]']);
});

test("timeouts and disconnections reach the acks that take an error", async (t) => {
  const { socket } = await pair(t, { ackTimeout: 1 });
  const byOption = await new Promise((resolve) => socket.emit("a", resolve));
  const byCall = await new Promise((resolve) => socket.timeout(1).emit("b", resolve));
  assert.deepEqual([byOption.message, byCall.message], ["operation has timed out", "operation has timed out"]);
  await assert.rejects(socket.timeout(1).emitWithAck("c"), /timed out/);

  const gone = assert.rejects(socket.timeout(10_000).emitWithAck("d"), /disconnected/);
  socket.disconnect();
  await gone;
  const buffered = await new Promise((resolve) => socket.timeout(1).emit("e", resolve));
  assert.match(buffered.message, /timed out/);
  assert.deepEqual(socket.sendBuffer, []);
});

test("events wait for the connection and keep their order", async (t) => {
  const server = await start(t, { reply: echoes });
  const socket = connect(t, server.url, { ...websocket, autoConnect: false });
  assert.deepEqual([socket.active, socket.connected, socket.io.engine], [false, false, undefined]);
  const outgoing = [];
  socket.onAnyOutgoing((...event) => outgoing.push(event));
  socket.emit("first", 1).emit("second").volatile.emit("dropped");
  const third = socket.emitWithAck("third", 3);
  assert.equal(socket.sendBuffer.length, 3);
  socket.on("connect", () => socket.emit("fourth"));
  socket.connect().connect();
  assert.equal(await third, 3);
  const session = await server.session();
  await session.until('42["fourth"]');
  assert.deepEqual(session.received, ["40", '42["first",1]', '42["second"]', '420["third",3]', '42["fourth"]']);
  assert.deepEqual(outgoing.map(([name]) => name), ["first", "second", "third", "fourth"]);
});

test("a volatile event leaves only when it can leave now", async (t) => {
  const { socket, session } = await pair(t);
  socket.volatile.emit("now");
  socket.volatile.emit("busy");
  socket.emit("end");
  await session.until('42["end"]');
  assert.deepEqual(session.received.slice(1), ['42["now"]', '42["end"]']);
});

test("reserved names are refused", async (t) => {
  const { socket } = await pair(t);
  for (const name of ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]) {
    assert.throws(() => socket.emit(name), new Error(`"${name}" is a reserved event name`));
  }
});

test("catch-all listeners see events before the others", async (t) => {
  const { socket, session } = await pair(t);
  const seen = [];
  const removed = () => seen.push("removed");
  socket.onAny((...event) => seen.push(event)).prependAny(() => seen.push("first")).onAny(removed).offAny(removed);
  socket.on("news", () => seen.push("listener"));
  session.send('42["news",1,null]', '42["end"]');
  await next(socket, "end");
  assert.deepEqual(seen, ["first", ["news", 1, null], "listener", "first", ["end"]]);
  assert.equal(socket.listenersAny().length, 2);
  assert.deepEqual(socket.offAny().listenersAny(), []);
  const outgoing = () => seen.push("out");
  socket.onAnyOutgoing(outgoing).prependAnyOutgoing(outgoing).offAnyOutgoing(outgoing);
  assert.equal(socket.listenersAnyOutgoing().length, 1);
});

test("listeners can be removed, and one that throws harms nobody", async (t) => {
  const { socket, session } = await pair(t);
  const seen = [];
  const gone = () => seen.push("gone");
  const errors = uncaught(t);
  socket.on("e", () => {
    throw new Error("listener failed");
  });
  socket.on("e", gone).off("e", gone);
  socket.once("e", () => seen.push("once"));
  socket.on("e", (n) => seen.push(n));
  session.send('42["e",1]', '42["e",2]', '42["end"]');
  await next(socket, "end");
  assert.deepEqual(seen, ["once", 1, 2]);
  assert.deepEqual(errors.map(({ message }) => message), ["listener failed", "listener failed"]);
  assert.equal(socket.listeners("e").length, 2);
  assert.equal(socket.off("e").hasListeners("e"), false);
});

test("what the server refuses comes as connect_error with its data", async (t) => {
  const reply = () => ['44{"message":"no entry","data":{"code":7}}'];
  const server = await start(t, { reply });
  const socket = connect(t, server.url, websocket);
  const [error] = await next(socket, "connect_error");
  assert.ok(error instanceof Error);
  assert.deepEqual([error.message, error.data, socket.active], ["no entry", { code: 7 }, false]);

  const old = connect(t, (await start(t, { reply: () => ["40"] })).url, websocket);
  assert.match((await next(old, "connect_error"))[0].message, /Socket.IO v2/);
});

test("auth is an object, or a function asked at each connection", async (t) => {
  const server = await start(t);
  connect(t, server.url, { ...websocket, auth: { token: "é" } });
  await (await server.session()).until('40{"token":"é"}');

  let count = 0;
  const socket = connect(t, server.url, { ...websocket, reconnectionDelay: 1, auth: (send) => send({ count: ++count }) });
  await next(socket, "connect");
  await (await server.session(1)).until('40{"count":1}');
  server.sessions[1].cut();
  await next(socket, "connect");
  await (await server.session(2)).until('40{"count":2}');
});

test("a socket left before the server answered does not linger there", async (t) => {
  const server = await start(t, { reply: (frame, session) => (frame.includes("slow") ? [] : connects(frame, session)) });
  const manager = manage(t, server.url, websocket);
  await next(manager.socket("/"), "connect");
  const slow = manager.socket("/slow");
  const session = await server.session();
  await session.until("40/slow,");
  slow.disconnect();
  session.send('40/slow,{"sid":"late"}');
  await session.until("41/slow,");
  slow.connect();
  await session.until("40/slow,", session.received.length);
  slow.disconnect().connect();
  session.send('40/slow,{"sid":"in time"}');
  await next(slow, "connect");
  assert.deepEqual(session.received.slice(1), ["40/slow,", "41/slow,", "40/slow,"]);
});

test("recovery offers the session and the last offset", async (t) => {
  let recover = true;
  const reply = (frame, session) => {
    const asked = frame.startsWith("40{") && recover;
    return frame.startsWith("40") && [`40{"sid":"${asked ? "same" : session.sid}","pid":"${asked ? "p" : "p" + session.sid}"}`];
  };
  const { server, socket } = await pair(t, { reply, reconnectionDelay: 1 });
  assert.equal(socket.recovered, false);
  server.sessions[0].send('42["news","offset-1"]');
  await next(socket, "news");
  server.sessions[0].cut();
  await next(socket, "connect");
  await (await server.session(1)).until('40{"pid":"pengine-0","offset":"offset-1"}');
  assert.equal(socket.recovered, false);

  server.sessions[1].send('42["news","offset-2"]');
  await next(socket, "news");
  server.sessions[1].cut();
  await next(socket, "connect");
  await (await server.session(2)).until('40{"pid":"p","offset":"offset-2"}');
  assert.deepEqual([socket.recovered, socket.id], [true, "same"]);

  recover = false;
  server.sessions[2].cut();
  await next(socket, "connect");
  assert.equal(socket.recovered, false);
});

test("retries send one event at a time until it is acknowledged", async (t) => {
  const timeouts = capture(t, 777);
  const unanswered = new Set(["420", "423", "424", "425"]);
  const reply = (frame, session) => {
    if (unanswered.has(frame.slice(0, 3))) {
      return timeouts.at(-1)();
    }
    return echoes(frame, session);
  };
  const { socket, session } = await pair(t, { reply, retries: 2, ackTimeout: 777 });
  const first = new Promise((resolve) => socket.emit("a", 1, (...args) => resolve(args)));
  const second = socket.emitWithAck("b", 2);
  const third = new Promise((resolve) => socket.emit("c", (...args) => resolve(args)));
  assert.deepEqual(await first, [null, 1]);
  assert.equal(await second, 2);
  assert.match((await third)[0].message, /timed out/);
  assert.deepEqual(session.received.slice(1), ['420["a",1]', '421["a",1]', '422["b",2]', '423["c"]', '424["c"]', '425["c"]']);
});

test("retries survive a lost connection", async (t) => {
  const server = await start(t, { reply: (frame, session) => (session.sid === "engine-0" ? connects : echoes)(frame, session) });
  const socket = connect(t, server.url, { ...websocket, retries: 3, reconnectionDelay: 1 });
  const answer = socket.emitWithAck("keep", "this");
  const session = await server.session();
  await session.until('420["keep","this"]');
  session.cut();
  assert.equal(await answer, "this");
  assert.deepEqual(server.sessions[1].received, ["40", '421["keep","this"]']);
});

test("values travel as JSON has them", async (t) => {
  const { socket, session } = await pair(t, { nsp: "/é" });
  const date = new Date(0);
  socket.emit("v", undefined, null, NaN, "\u2028<é>\x1e", date, { toJSON: () => ({ bytes: Uint8Array.of(1) }) }, Buffer.of(2));
  await session.until((frame) => Buffer.isBuffer(frame) && frame[0] === 2);
  assert.equal(
    session.received.at(-3),
    '452-/é,["v",null,null,null,"\u2028<é>\\u001e","1970-01-01T00:00:00.000Z",{"bytes":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]',
  );
  const received = Promise.all([next(socket, "none"), next(socket, 7)]);
  session.send('450-/é,["none"]', '42/é,[7,{"_placeholder":true,"num":0},{"__proto__":{"x":1}}]');
  const [, [placeholder, object]] = await received;
  assert.deepEqual(placeholder, { _placeholder: true, num: 0 });
  assert.equal({}.x, undefined);
  assert.deepEqual(Object.keys(object), ["__proto__"]);
  assert.throws(() => socket.emit("big", 1n), TypeError);
});
