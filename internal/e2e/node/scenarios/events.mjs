import { call, callAll, check, connected, equal, next, take } from "../harness.mjs";

export default {
  async "connects over the transport it asked for"(town) {
    const socket = town.dial();
    const welcome = next(socket, "welcome");
    await connected(socket);
    equal(socket.connected, true);
    equal(await welcome, [{ id: socket.id }], "the server greets at once");
    equal(await call(socket, "whoami"), socket.id);
    const last = town.transports.at(-1);
    for (let tries = 0; (await call(socket, "transport")) !== last; tries++) {
      check(tries < 500, `never moved to ${last}`);
    }
  },

  async "sends credentials and query with the handshake"(town) {
    const socket = await town.open("/", { auth: { token: "sesame", list: [1, "é"] }, query: { page: "plaza" } });
    const handshake = await call(socket, "handshake");
    equal(handshake.auth, { token: "sesame", list: [1, "é"] });
    equal(handshake.query.page, "plaza");
    const bare = await town.open();
    equal((await call(bare, "handshake")).auth, {});
    const late = await town.open("/", { auth: (reply) => reply({ late: true }) });
    equal((await call(late, "handshake")).auth, { late: true });
  },

  async "carries every kind of argument"(town) {
    const socket = await town.open();
    const huge = town.client === "npm msgpack" ? 1e15 : 1e21; // npm's codec writes another number for 1e21
    const lists = [
      [],
      [1],
      ["a", 2, null, true, false, 0.5, -1e-7, huge],
      [{ nested: { deep: [[], {}, [null]] } }, [[["x"]]]],
      ["", "\"quoted\" \\ / \u0000 \u001e \u2028 \u2029 \ufeff", "<script>&amp;"],
      ["żółć ñ 漢字 العربية עברית 👩‍👩‍👧‍👦 𝒵", { "ключ": "значение", "": "empty key" }],
      [{ _placeholder: true }, { _placeholder: false, num: 0 }],
      [9007199254740991, -9007199254740991],
    ];
    for (const list of lists) {
      const back = next(socket, "bounced");
      socket.emit("bounce", ...list);
      equal(await back, list, "as an event");
      equal(await callAll(socket, "echo", ...list), list, "as an acknowledgement");
    }
  },

  async "takes any name for an event that is not reserved"(town) {
    const socket = await town.open();
    for (const name of ["", "0", "message", "__proto__", "constructor", "with space", "ünïcödé 🎉", "a,b", "[1]", "open", "close"]) {
      const back = next(socket, name);
      socket.emit("mirror", name, "x");
      equal(await back, ["x"], `event ${JSON.stringify(name)} from the server`);
    }
    for (const name of ["", "__proto__", "toString", "any other"]) {
      const back = next(socket, "unhandled");
      socket.emit(name, 1);
      equal(await back, [name], `event ${JSON.stringify(name)} from the client`);
    }
  },

  async "answers with a result or with an error"(town) {
    const socket = await town.open();
    equal(await call(socket, "add", 20, 22), 42);
    equal(await call(socket, "refuse"), { error: "not today" });
    equal(await socket.emitWithAck("add", 1, 2), 3);
    equal(await socket.timeout(10_000).emitWithAck("add", 3, 4), 7);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => call(socket, "add", i, i)));
    equal(answers, Array.from({ length: 100 }, (_, i) => 2 * i));
  },

  async "gives up on an answer that never comes"(town) {
    const socket = await town.open();
    let error;
    await socket.timeout(50).emitWithAck("silent").catch((reason) => (error = reason));
    check(error instanceof Error, "emitWithAck rejects");
    const [first] = await new Promise((resolve) => socket.timeout(50).emit("silent", (...args) => resolve(args)));
    check(first instanceof Error, "the callback gets an error first");
    equal(await call(socket, "add", 1, 1), 2, "and the socket goes on");
  },

  async "answers the server's questions"(town) {
    const socket = await town.open();
    socket.on("question", (subject, n, answer) => answer(`about ${subject}`, n + 1));
    const answered = next(socket, "answered");
    socket.emit("ask", "life", 41);
    equal(await answered, ["about life", 42]);
    equal(await call(socket, "ask and wait", "tea", 1), ["about tea", 2], "a handler may wait for an answer");
  },

  async "keeps the order of everything, also while it upgrades"(town) {
    const socket = town.dial();
    const n = 300;
    const bounced = take(socket, "bounced", n);
    const ticks = take(socket, "tick", n);
    socket.emit("stream", n);
    for (let i = 0; i < n; i++) {
      socket.emit("bounce", i, i % 3 === 0 ? new Uint8Array([i & 255, i >> 8]) : "text");
      if (i % 10 === 0) await call(socket, "whoami");
    }
    equal((await bounced).map(([i]) => i), Array.from({ length: n }, (_, i) => i));
    equal((await ticks).map(([i]) => i), Array.from({ length: n }, (_, i) => i));
  },

  async "listens once, again and no more"(town) {
    const socket = await town.open();
    let once = 0;
    let on = 0;
    const count = () => on++;
    socket.once("bounced", () => once++);
    socket.on("bounced", count);
    for (let i = 0; i < 3; i++) {
      const back = next(socket, "bounced");
      socket.emit("bounce");
      await back;
    }
    socket.off("bounced", count);
    const back = next(socket, "bounced");
    socket.emit("bounce");
    await back;
    equal([once, on], [1, 3]);
  },

  async "sends what was said before it was connected"(town) {
    const socket = town.dial("/", { autoConnect: false });
    const back = take(socket, "bounced", 3);
    for (const i of [1, 2, 3]) socket.emit("bounce", i);
    equal(socket.connected, false);
    socket.connect();
    equal(await back, [[1], [2], [3]]);
  },
};
