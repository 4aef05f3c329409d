// What a cluster of a server of Go and one of Node.js has to do, whichever of the two does it.

import assert from "node:assert/strict";
import { Emitter as PostgresEmitter } from "@socket.io/postgres-emitter";
import { Emitter } from "@socket.io/redis-emitter";
import { collect, eventually, next, perform } from "./city.mjs";
import { connect, database } from "./peer.mjs";

const values = ["Zócalo ☕ \u2028", 0, -1.5, 2 ** 40, true, null, [], {}, { a: [{ b: "ü" }] }, "<&>"];

// Without the offset that a server which keeps packets adds.
const plain = (args, length) => args.slice(0, length);

const recovering = ({ kind }) => kind.toLowerCase().includes("streams");

export const scenarios = {
  async broadcast(city) {
    const [a, b] = await city.clients();
    const got = [next(a, "values"), next(b, "values")];
    await perform(a, "emit", { event: "values", args: values });
    for (const args of await Promise.all(got)) assert.deepEqual(plain(args, values.length), values);
  },

  async binary(city) {
    const [a, b] = await city.clients();
    const bytes = Buffer.from([0, 1, 254, 255]);
    const got = [next(a, "bytes"), next(b, "bytes")];
    await perform(a, "emit", { event: "bytes", args: [bytes, { deep: [bytes, "text"] }] });
    for (const [first, second] of await Promise.all(got)) {
      assert.deepEqual(Buffer.from(first), bytes);
      assert.deepEqual(Buffer.from(second.deep[0]), bytes);
      assert.equal(second.deep[1], "text");
    }
  },

  // More than any engine takes as it is.
  async "much at once"(city) {
    const [a, b] = await city.clients();
    for (const length of [7000, 7990, 8000, 8010, 100_000]) {
      const text = "ö".repeat(length / 2);
      const got = next(b, "much");
      await perform(a, "emit", { event: "much", args: [text] });
      assert.deepEqual(plain(await got, 1), [text]);
    }
  },

  async order(city) {
    const [a, b] = await city.clients();
    const got = collect(b, "number");
    await perform(a, "count");
    await eventually(() => assert.equal(got.length, 500));
    assert.deepEqual(got.map(([n]) => n), Array.from({ length: 500 }, (_, i) => i + 1));
  },

  async rooms(city) {
    const [a, b] = await city.clients();
    const other = await city.client(city.there);
    for (const room of ["plaza", "a*b?[c]", "42", "x#y"]) {
      await perform(b, "join", { rooms: [room] });
      const [seen, end] = [collect(other, "inside"), next(other, "end")];
      const got = next(b, "inside");
      await eventually(async () => {
        await perform(a, "emit", { to: [room], event: "probe" });
        await Promise.race([next(b, "probe"), new Promise((_, no) => setTimeout(no, 200, new Error("no probe")))]);
      });
      await perform(a, "emit", { to: [room], event: "inside", args: [room] });
      await perform(a, "emit", { to: [room, other.id], event: "end" });
      assert.deepEqual(plain(await got, 1), [room]);
      await end;
      assert.deepEqual(seen, []);
    }
  },

  async except(city) {
    const [a, b] = await city.clients();
    const other = await city.client(city.there);
    await perform(b, "join", { rooms: ["away"] });
    const seen = collect(b, "outside");
    const [got, end] = [next(other, "outside"), next(b, "end")];
    await perform(a, "emit", { except: ["away"], event: "outside", args: [1] });
    await perform(a, "emit", { event: "end" });
    await got;
    await end;
    assert.deepEqual(seen, []);
  },

  async "a socket's id"(city) {
    const [a, b] = await city.clients();
    const got = next(b, "direct");
    await perform(a, "emit", { to: [b.id], event: "direct", args: ["you"] });
    assert.deepEqual(plain(await got, 1), ["you"]);
  },

  async acknowledgements(city) {
    const [a, b] = await city.clients();
    const c = await city.client(city.there);
    for (const socket of [a, b, c]) socket.on("question", (x, answer) => answer({ id: socket.id, x }));
    const { error, answers } = await perform(a, "ask", { event: "question", args: [7], timeout: 8000 });
    assert.equal(error, false);
    assert.deepEqual(
      answers.sort((x, y) => (x.id < y.id ? -1 : 1)),
      [a, b, c].map(({ id }) => ({ id, x: 7 })).sort((x, y) => (x.id < y.id ? -1 : 1)),
    );
  },

  async "acknowledgements with binary"(city) {
    const [a, b] = await city.clients();
    for (const socket of [a, b]) socket.on("question", (x, answer) => answer(x));
    const { error, answers } = await perform(a, "ask", { event: "question", args: [Buffer.from([9])], timeout: 8000 });
    assert.equal(error, false);
    assert.deepEqual(answers.map((x) => [...Buffer.from(x)]), [[9], [9]]);
  },

  async "an acknowledgement that is missing"(city) {
    const [a, b] = await city.clients();
    a.on("question", (answer) => answer("here"));
    b.on("question", () => {});
    const { error, answers } = await perform(a, "ask", { event: "question", timeout: 500 });
    assert.equal(error, true);
    assert.deepEqual(answers, ["here"]);
  },

  async fetchSockets(city) {
    const [a, b] = await city.clients();
    await perform(b, "join", { rooms: ["plaza"] });
    await perform(b, "data", { data: { name: "b", n: 1 } });
    const sockets = await perform(a, "fetch");
    assert.deepEqual(sockets.map(({ id }) => id).sort(), [a.id, b.id].sort());
    const [got] = await perform(a, "fetch", { to: ["plaza"] });
    assert.deepEqual(got, { id: b.id, rooms: [b.id, "plaza"].sort(), data: { name: "b", n: 1 }, town: city.there });
  },

  async socketsJoin(city) {
    const [a, b] = await city.clients();
    await perform(a, "socketsJoin", { to: [b.id], rooms: ["one", "two"] });
    await eventually(async () => {
      const [got] = await perform(a, "fetch", { to: ["one"] });
      assert.deepEqual(got?.rooms, [b.id, "one", "two"].sort());
    });
    await perform(a, "socketsLeave", { to: ["two"], rooms: ["one"] });
    await eventually(async () => assert.deepEqual(await perform(a, "fetch", { to: ["one"] }), []));
  },

  async disconnectSockets(city) {
    const [a, b] = await city.clients();
    const got = next(b, "disconnect");
    await perform(a, "disconnect", { to: [b.id] });
    assert.equal((await got)[0], "io server disconnect");
  },

  async serverSideEmit(city) {
    const [a, b] = await city.clients();
    const got = next(b, "told");
    await perform(a, "tell", { event: "told", args: ["x", { y: 1 }] });
    assert.deepEqual(plain(await got, 2), ["x", { y: 1 }]);
  },

  async serverSideEmitWithAck(city) {
    const [a] = await city.clients();
    assert.deepEqual(await perform(a, "inquire", { event: "asked", args: [5] }), [{ by: city.there, x: 5 }]);
  },

  async allRooms(city) {
    const [a, b] = await city.clients();
    await perform(b, "join", { rooms: ["far"] });
    await perform(a, "join", { rooms: ["near"] });
    assert.deepEqual(await perform(a, "allRooms"), [a.id, b.id, "far", "near"].sort());
  },

  // A client that was gone gets what the other server has said meanwhile.
  async recovery(city) {
    const [a, b] = await city.clients();
    await perform(b, "join", { rooms: ["plaza"] });
    const got = next(b, "first");
    await perform(a, "emit", { to: ["plaza"], event: "first" });
    await got;
    await missing(b, a, async () => {});
  },

  // A client comes back to the other server.
  async "recovery elsewhere"(city) {
    const [a, b] = await city.clients();
    await perform(a, "join", { rooms: ["plaza"] });
    const got = next(a, "first");
    await perform(b, "emit", { event: "first" });
    await got;
    const { id } = a;
    await missing(a, b, async () => {
      while ((await perform(b, "fetch")).some((socket) => socket.id === id)); // until its server knows
      if (city.here === "go") await fetch(`${city.urls.go}/flush`); // and has saved it, about which Node asks nobody
      a.io.uri = city.urls[city.there];
    });
  },
};

// A client in the plaza is cut off, misses what the speaker says there once it is away, and has it all when it is back.
async function missing(client, speaker, away) {
  const { id } = client;
  const seen = collect(client, "missed");
  const gone = next(client, "disconnect");
  client.io.reconnection(false);
  client.io.engine.close();
  await gone;
  await away();
  for (let i = 1; i <= 20; i++) await perform(speaker, "emit", { to: ["plaza"], event: "missed", args: [i] });
  const back = next(client, "connect");
  client.io.reconnection(true);
  client.connect();
  await back;
  assert.equal(client.recovered, true);
  assert.equal(client.id, id);
  await eventually(() => assert.equal(seen.length, 20));
  assert.deepEqual(seen.map(([n]) => n), Array.from({ length: 20 }, (_, i) => i + 1));
}

scenarios.allRooms.needs = ({ kind, here }) => here === "node" && (kind === "pubsub" || kind === "specific");
scenarios.recovery.needs = recovering;
scenarios["recovery elsewhere"].needs = recovering;

// What a program that is no server has to say, by npm's emitter.
const redisEmitter = {
  async emit(city) {
    const [a, b] = await city.clients();
    const emitter = new Emitter(await connect(city.place.engine)).of(city.namespace);
    await perform(b, "join", { rooms: ["plaza"] });
    await perform(a, "join", { rooms: ["plaza", "away"] });
    const [inA, seen] = [next(a, "values"), collect(a, "not")];
    const got = [next(b, "values"), next(b, "inside")];
    emitter.emit("values", ...values);
    emitter.to("plaza").except("away").emit("not");
    emitter.to("plaza").emit("inside", Buffer.from([1]));
    assert.deepEqual(await inA, values);
    assert.deepEqual(await got[0], values);
    assert.deepEqual((await got[1]).map((x) => [...Buffer.from(x)]), [[1]]);
    assert.deepEqual(seen, []);
  },

  async rooms(city) {
    const [a, b] = await city.clients();
    const emitter = new Emitter(await connect(city.place.engine)).of(city.namespace);
    emitter.in([a.id, b.id]).socketsJoin("new");
    await eventually(async () => assert.equal((await perform(a, "fetch", { to: ["new"] })).length, 2));
    emitter.socketsLeave("new");
    await eventually(async () => assert.equal((await perform(a, "fetch", { to: ["new"] })).length, 0));
    const told = [next(a, "told"), next(b, "told")];
    emitter.serverSideEmit("told", "all");
    for (const args of await Promise.all(told)) assert.deepEqual(args, ["all"]);
    const gone = [next(a, "disconnect"), next(b, "disconnect")];
    emitter.disconnectSockets();
    await Promise.all(gone);
  },
};

// @socket.io/postgres-emitter 0.1.1 does not say which namespace it means, and so @socket.io/postgres-adapter 0.5 does
// not know: both clients are Go's.
const postgresEmitter = {
  async emit(city) {
    const [a, b] = [await city.client("go"), await city.client("go")];
    const emitter = new PostgresEmitter(database(city.place.engine)).of(city.namespace);
    await perform(b, "join", { rooms: ["plaza"] });
    await perform(a, "join", { rooms: ["plaza", "away"] });
    const [inA, seen] = [next(a, "values"), collect(a, "not")];
    const got = [next(b, "values"), next(b, "inside"), next(b, "much")];
    emitter.emit("values", ...values);
    emitter.to("plaza").except("away").emit("not");
    emitter.to("plaza").emit("inside", Buffer.from([1]));
    emitter.emit("much", "ö".repeat(5000));
    assert.deepEqual(plain(await inA, values.length), values);
    assert.deepEqual(plain(await got[0], values.length), values);
    assert.deepEqual([...Buffer.from((await got[1])[0])], [1]);
    assert.equal((await got[2])[0].length, 5000);
    assert.deepEqual(seen, []);
  },

  async rooms(city) {
    const [a, b] = [await city.client("go"), await city.client("go")];
    const emitter = new PostgresEmitter(database(city.place.engine)).of(city.namespace);
    emitter.in([a.id, b.id]).socketsJoin("new");
    await eventually(async () => assert.equal((await perform(a, "fetch", { to: ["new"] })).length, 2));
    emitter.socketsLeave("new");
    await eventually(async () => assert.equal((await perform(a, "fetch", { to: ["new"] })).length, 0));
    const told = [next(a, "told"), next(b, "told")];
    emitter.serverSideEmit("told", "all");
    for (const args of await Promise.all(told)) assert.equal(args[0], "all");
    const gone = [next(a, "disconnect"), next(b, "disconnect")];
    emitter.disconnectSockets();
    await Promise.all(gone);
  },
};

// By kind of Node's adapter.
export const emitters = { pubsub: redisEmitter, postgres: postgresEmitter };
