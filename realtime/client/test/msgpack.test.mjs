// The bundle that speaks MessagePack.
import assert from "node:assert/strict";
import { test } from "node:test";
import { closeManager, next } from "./client.mjs";
import { start } from "./server.mjs";

await import("../dist/socket.io.msgpack.min.js");
const { io } = globalThis;

/** Bytes from hexadecimal digits and 'text' in quotes. */
function packed(text) {
  return Buffer.concat(
    text.split("'").map((part, i) => (i % 2 ? Buffer.from(part) : Buffer.from(part.replaceAll(" ", ""), "hex"))),
  );
}

const welcome = packed("83 a4'type'00 a4'data'81a3'sid'a1's' a3'nsp'a1'/'");

/** A connected socket and its session on the server. */
async function pair(t, options) {
  const server = await start(t, { reply: () => [] });
  const socket = io(server.url, { forceNew: true, transports: ["websocket"], ...options });
  t.after(() => closeManager(socket.io));
  const session = await server.session();
  const connect = await session.until((frame) => Buffer.isBuffer(frame));
  session.send(welcome);
  await next(socket, "connect");
  return { server, socket, session, connect };
}

/** The bytes of an event's only argument, as the client sends it. */
async function sent(socket, session, value) {
  const count = session.received.length;
  socket.emit("e", value);
  const frame = await session.until((frame) => Buffer.isBuffer(frame), count);
  const head = packed("83 a4'type'02 a3'nsp'a1'/' a4'data'92a1'e'");
  assert.deepEqual(frame.subarray(0, head.length), head);
  return frame.subarray(head.length);
}

/** What the client makes of the bytes of an event's argument. */
async function received(socket, session, bytes) {
  session.send(Buffer.concat([packed("83 a4'type'02 a3'nsp'a1'/' a4'data'92a1'e'"), bytes]));
  return (await next(socket, "e"))[0];
}

test("packets travel in one binary frame", async (t) => {
  for (const transports of [["websocket"], ["polling"]]) {
    const { socket, session, connect } = await pair(t, { transports, auth: { token: "x" } });
    assert.deepEqual(connect, packed("83 a4'type'00 a3'nsp'a1'/' a4'data'81a5'token'a1'x'"));
    const answer = new Promise((resolve) => socket.emit("ask", resolve));
    await session.until((frame) => Buffer.isBuffer(frame) && frame.equals(packed("84 a4'type'02 a3'nsp'a1'/' a4'data'91a3'ask' a2'id'00")));
    session.send(packed("84 a4'type'03 a4'data'91d70000000000000003e8 a2'id'00 a3'nsp'a1'/'"));
    assert.deepEqual(await answer, new Date(1000));
    socket.disconnect();
    await session.until((frame) => Buffer.isBuffer(frame) && frame.equals(packed("82 a4'type'01 a3'nsp'a1'/'")));
  }
});

test("values are written in their shortest form", async (t) => {
  const { socket, session } = await pair(t);
  const long = (n) => "x".repeat(n);
  for (const [value, want] of [
    [null, "c0"], [undefined, "c0"], [Symbol("s"), "c0"], [true, "c3"], [false, "c2"],
    [0, "00"], [-0, "00"], [127, "7f"], [128, "cc80"], [255, "ccff"], [256, "cd0100"], [65535, "cdffff"], [65536, "ce00010000"], [2 ** 32 - 1, "ceffffffff"],
    [2 ** 32, "d30000000100000000"], [2 ** 53 - 1, "d3001fffffffffffff"], [2 ** 53, "cb4340000000000000"],
    [-1, "ff"], [-32, "e0"], [-33, "d0df"], [-128, "d080"], [-129, "d1ff7f"], [-32768, "d18000"], [-32769, "d2ffff7fff"], [-(2 ** 31), "d280000000"], [-(2 ** 31) - 1, "d3ffffffff7fffffff"],
    [1.5, "cb3ff8000000000000"], [NaN, "cb7ff8000000000000"], [Infinity, "cb7ff0000000000000"],
    ["", "a0"], ["é", "a2c3a9"], ["\ud800", "a3efbfbd"], [long(31), `bf'${long(31)}'`], [long(32), `d920'${long(32)}'`],
    [long(256), `da0100'${long(256)}'`], [long(65536), `db00010000'${long(65536)}'`],
    [new ArrayBuffer(1), "c40100"], [Uint8Array.of(1, 2, 3).subarray(1), "c4020203"], [new Uint8Array(256), "c50100" + "00".repeat(256)],
    [new Uint8Array(65536), "c600010000" + "00".repeat(65536)], [new Uint16Array([1]), "c4020100"],
    [new Date(-1), "d700ffffffffffffffff"], [new Date(NaN), "c0"],
    [[], "90"], [[, 1, [2]], "93c0019102"], [Array(16).fill(0), "dc0010" + "00".repeat(16)], [Array(65536).fill(0), "dd00010000" + "00".repeat(65536)],
    [{}, "80"], [{ a: undefined, b: () => {}, c: Symbol("s"), d: null }, "81a1'd'c0"], [{ toJSON: () => [1] }, "9101"], [new Map([[1, 2]]), "80"],
    [JSON.parse('{"__proto__":1}'), "81a9'__proto__'01"],
    [Object.fromEntries(Array.from({ length: 16 }, (_, i) => ["k" + String.fromCharCode(97 + i), i])),
      "de0010" + Array.from({ length: 16 }, (_, i) => `a2'k${String.fromCharCode(97 + i)}'0${i.toString(16)}`).join("")],
  ]) {
    assert.deepEqual(await sent(socket, session, value), packed(want), String(want).slice(0, 50));
  }
  assert.throws(() => socket.emit("e", 1n), /BigInt/);
  assert.throws(() => socket.emit("e", new Blob([])), /arrayBuffer/);
});

test("values are read in every form", async (t) => {
  const { socket, session } = await pair(t);
  const bytes = (...list) => Uint8Array.from(list).buffer;
  for (const [from, want] of [
    ["c0", null], ["c2", false], ["cc80", 128], ["cd0100", 256], ["ce00010000", 65536], ["cf0000000100000000", 2 ** 32],
    ["d0ff", -1], ["d1ff00", -256], ["d2ffff0000", -65536], ["d3ffffffff00000000", -(2 ** 32)], ["e0", -32], ["ca3fc00000", 1.5], ["cb3ff8000000000000", 1.5],
    ["a1'x'", "x"], ["d901'x'", "x"], ["da0001'x'", "x"], ["db00000001'x'", "x"], ["a1ff", "\ufffd"],
    ["c40101", bytes(1)], ["c5000101", bytes(1)], ["c60000000101", bytes(1)], ["c7010001", bytes(1)], ["c800010001", bytes(1)], ["c9000000010001", bytes(1)],
    ["c7080000 01020304050607", bytes(0, 1, 2, 3, 4, 5, 6, 7)], ["d70000000000000003e8", new Date(1000)], ["d40000", undefined],
    ["d6ff00000001", new Date(1000)], ["d7ff003d090000000001", new Date(1001)], ["c70cff000f4240fffffffffffffffe", new Date(-1999)],
    ["d4050 1".replace(" ", ""), [5, bytes(1)]], ["d5050102", [5, bytes(1, 2)]], ["d805" + "01".repeat(16), [5, bytes(...Array(16).fill(1))]],
    ["9101", [1]], ["dc000101", [1]], ["dd0000000101", [1]], ["81a1'a'01", { a: 1 }], ["de0001a1'a'01", { a: 1 }], ["df00000001a1'a'01", { a: 1 }],
    ["8101c3", { 1: true }], ["81a9'__proto__'81a1'x'01", JSON.parse('{"__proto__":{"x":1}}')],
  ]) {
    assert.deepEqual(await received(socket, session, packed(from)), want, from);
  }
});

test("what is no packet ends the connection", async (t) => {
  for (const frame of [
    '2["text"]', packed(""), packed("c1"), packed("00"), packed("c0"), packed("d40000"), packed("81a4'type'02"), packed("82a4'type'02a3'nsp'01"), packed("82a4'type'05a3'nsp'a1'/'"),
    packed("83a4'type'02a3'nsp'a1'/'a4'data'91ad'connect_error'"), packed("83a4'type'02a3'nsp'a1'/'a4'data'ddffffffff"),
    packed("83a4'type'02a3'nsp'a1'/'a4'data'91dfffffffff"), packed("83a4'type'02a3'nsp'a1'/'a4'data'92a1'e'c6ffffffff"),
    packed("83a4'type'02a3'nsp'a1'/'a4'data'91a1'e'c0"), packed("83a4'type'03a3'nsp'a1'/'a4'data'90"), Buffer.alloc(100_000, 0x91),
  ]) {
    const { socket, session } = await pair(t, { reconnection: false });
    session.send(typeof frame === "string" ? "4" + frame : frame);
    assert.equal((await next(socket, "disconnect"))[0], "parse error", String(frame.toString("hex")).slice(0, 80));
  }
});
