// What every version of the client since 2.5 can do. Version 2 has no auth, so that what a test says of itself is in the
// query; it finds binary only in Buffers and ArrayBuffers; it tells a refusal with "error", and only what the error carries.
import { call, callAll, check, connected, equal, next, take } from "../harness.mjs";

let tags = 0;
const tag = () => `${process.pid}-${tags++}`;

const picture = () => Buffer.from([0, 255, 128, 10, 13, 30]);

// refusal resolves to the data of the error that refuses the namespace, or to its message when it has none.
async function refusal(socket) {
  const [error] = await Promise.race([next(socket, "connect_error"), next(socket, "error")]);
  return error instanceof Error ? (error.data ?? error.message) : error;
}

export default {
  async "connects, by the transports it may use"(town) {
    const socket = town.dial();
    const upgraded = new Promise((resolve) => socket.io.engine.on("upgrade", resolve));
    await connected(socket);
    equal(await call(socket, "whoami"), socket.id);
    if (town.mode === "upgrade") await upgraded;
    equal(await call(socket, "transport"), town.transports.at(-1));
    equal(await call(socket, "add", 20, 22), 42);
  },

  async "carries events in order, while it upgrades too"(town) {
    const socket = town.dial();
    const sent = [["zócalo 🎉", "\u2028\u0000"], [{ a: [1, null, true, { b: "" }] }, -1.5], [], [[[]], {}, 2 ** 40], [picture(), "after"]];
    for (let i = 0; i < 40; i++) sent.push([i, i % 4 ? `text ${i}` : Buffer.from([i])]);
    const back = take(socket, "bounced", sent.length);
    for (const args of sent) socket.emit("bounce", ...args);
    equal(await back, sent);
  },

  async "carries binary both ways"(town) {
    const socket = await town.open();
    for (const args of [[picture()], [Buffer.alloc(0), "between", picture()], [{ deep: [{ in: picture() }, 1] }]]) {
      const back = next(socket, "bounced");
      socket.emit("bounce", ...args);
      equal(await back, args, "as an event");
      equal(await callAll(socket, "echo", ...args), args, "as an acknowledgement");
    }
    const large = Buffer.alloc(300_000, "plaza");
    equal(await call(socket, "echo", large), large);
  },

  async "acknowledges, and is acknowledged"(town) {
    const socket = await town.open();
    equal(await callAll(socket, "echo", 1, { two: 2 }, null), [1, { two: 2 }, null]);
    socket.on("question", (what, answer) => answer(what, picture(), "answer"));
    const answered = next(socket, "answered");
    socket.emit("ask", "how?");
    equal(await answered, ["how?", picture(), "answer"]);
    socket.emit("silent", () => check(false, "nobody answers that"));
  },

  async "hears of its rooms, and of broadcasts"(town) {
    const [a, b, c] = await Promise.all([town.open(), town.open(), town.open()]);
    const room = tag();
    await Promise.all([call(a, "join", [room]), call(b, "join", [room])]);
    const said = [a, b, c].map((socket) => {
      const list = [];
      socket.on("said", (what) => list.push(what));
      return list;
    });
    await call(a, "say", [room], "from a");
    await call(c, "announce", [room], [b.id], { picture: picture() });
    await call(b, "leave", room);
    await call(c, "announce", [room], [], "last");
    await Promise.all([a, b, c].map((socket) => call(socket, "whoami")));
    equal(said, [[{ picture: picture() }, "last"], ["from a"], []]);

    const mine = tag();
    const heard = (socket) => new Promise((resolve) => {
      socket.on("broadcasted", (what) => what === mine && resolve());
    });
    const all = [heard(b), heard(c)];
    a.on("broadcasted", (what) => check(what !== mine, "a broadcast is for the others"));
    await call(a, "broadcast", mine);
    await Promise.all(all);
  },

  async "has several namespaces on one connection"(town) {
    const root = await town.open();
    const chat = root.io.socket("/chat");
    await connected(chat);
    equal(await call(chat, "whoami"), chat.id);
    equal(await callAll(chat, "echo", picture(), "in a namespace"), [picture(), "in a namespace"]);
    const nowhere = root.io.socket("/nowhere");
    equal(await refusal(nowhere), "Invalid namespace");
    const staff = root.io.socket("/staff");
    equal(await refusal(staff), { code: 401, tried: "" });
    const left = next(chat, "disconnect");
    chat.disconnect();
    equal((await left)[0], "io client disconnect");
    equal(await call(root, "add", 1, 2), 3, "leaving one leaves the others alone");
  },

  async "says and is told why it ends, and comes back"(town) {
    const observer = await town.open();
    const lost = ["transport close", "transport error"];

    const leaver = tag();
    const leaving = await town.open("/", { query: { tag: leaver } });
    leaving.disconnect();
    equal(await call(observer, "reason", leaver), "client namespace disconnect");

    for (const close of [false, true]) {
      const kicked = tag();
      const socket = await town.open("/", { query: { tag: kicked } });
      const last = next(socket, "last words");
      const gone = next(socket, "disconnect");
      socket.emit("kick", close);
      equal(await last, [close]);
      equal((await gone)[0], "io server disconnect");
      equal(await call(observer, "reason", kicked), "server namespace disconnect");
    }

    const dropped = tag();
    const socket = await town.open("/", { query: { tag: dropped } });
    const before = socket.id;
    const gone = next(socket, "disconnect");
    const back = next(socket, "connect");
    socket.io.engine.close();
    equal((await gone)[0], "forced close");
    socket.emit("bounce", "said while away");
    const bounced = next(socket, "bounced");
    check(lost.includes(await call(observer, "reason", dropped)), "the server sees the transport go");
    await back;
    check(socket.id !== before, "it is a new socket");
    equal(await bounced, ["said while away"]);
  },
};
