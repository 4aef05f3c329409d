import { call, check, connected, equal, next, take, within } from "../harness.mjs";

// heard collects what the sockets hear until the last words that each of them then says to its whole namespace have
// arrived everywhere: what the same server sent before has arrived by then, on whichever server the listener is.
async function heard(sockets, event, act) {
  const lists = sockets.map(() => []);
  const listeners = sockets.map((socket, i) => (what) => what?.end || lists[i].push(what));
  sockets.forEach((socket, i) => socket.on(event, listeners[i]));
  await act();
  const ends = sockets.map((socket) => {
    let missing = sockets.filter((other) => other.nsp === socket.nsp).length;
    return within("the last words", (resolve) => {
      const listener = (what) => {
        if (!what?.end || --missing > 0) return;
        socket.off("broadcasted", listener);
        resolve();
      };
      socket.on("broadcasted", listener);
    });
  });
  sockets.forEach((socket) => socket.emit("everyone", { end: true }));
  await Promise.all(ends);
  sockets.forEach((socket, i) => socket.off(event, listeners[i]));
  return lists;
}

async function crowd(town, n, namespace) {
  return Promise.all(Array.from({ length: n }, () => town.open(namespace)));
}

export default {
  async "joins, leaves and lists rooms"(town) {
    const socket = await town.open();
    equal(await call(socket, "rooms"), [socket.id], "each socket has a room of its own");
    await call(socket, "join", ["red", "blue"]);
    await call(socket, "join", ["red"]);
    equal((await call(socket, "rooms")).sort(), [socket.id, "blue", "red"].sort());
    await call(socket, "leave", "red");
    await call(socket, "leave", "never joined");
    equal((await call(socket, "rooms")).sort(), [socket.id, "blue"].sort());
  },

  async "says it to a room, not to the one who speaks"(town) {
    const [a, b, c] = await crowd(town, 3);
    await Promise.all([call(a, "join", ["red"]), call(b, "join", ["red"])]);
    const lists = await heard([a, b, c], "said", () => call(a, "say", ["red"], "hello"));
    equal(lists, [[], ["hello"], []]);
  },

  async "announces to rooms, once to whoever is in several, not to the excepted"(town) {
    const [a, b, c, d] = await crowd(town, 4);
    await Promise.all([
      call(a, "join", ["red", "blue"]),
      call(b, "join", ["red", "quiet"]),
      call(c, "join", ["blue"]),
    ]);
    const all = [a, b, c, d];
    equal(await heard(all, "said", () => call(a, "announce", ["red", "blue"], [], 1)), [[1], [1], [1], []]);
    equal(await heard(all, "said", () => call(a, "announce", ["red", "blue"], ["quiet"], 2)), [[2], [], [2], []]);
    equal(await heard(all, "said", () => call(d, "announce", [c.id], [], 3)), [[], [], [3], []], "a socket's own room");
    equal(await heard(all, "said", () => call(a, "announce", ["nowhere"], [], 4)), [[], [], [], []]);
  },

  async "broadcasts to all the others, and to everyone"(town) {
    const [a, b, c] = await crowd(town, 3);
    equal(await heard([a, b, c], "broadcasted", () => call(a, "broadcast", 1)), [[], [1], [1]]);
    equal(await heard([a, b, c], "broadcasted", () => call(b, "everyone", 2)), [[2], [2], [2]]);
  },

  async "forgets the rooms of who left"(town) {
    const [a, b] = await crowd(town, 2);
    await Promise.all([call(a, "join", ["red"]), call(b, "join", ["red"])]);
    equal((await call(a, "members", "red")).sort(), [a.id, b.id].sort());
    const id = b.id;
    b.disconnect();
    await call(a, "gone", id);
    equal(await call(a, "members", "red"), [a.id]);
    equal(await heard([a], "said", () => call(a, "announce", ["red"], [], "x")), [["x"]]);
  },

  async "keeps namespaces apart on one connection"(town) {
    const root = await town.open();
    const chat = root.io.socket("/chat");
    await connected(chat);
    check(chat.id !== root.id, "each namespace has its own socket id");
    equal(await call(chat, "whoami"), chat.id);
    await Promise.all([call(root, "join", ["red"]), call(chat, "join", ["red"])]);
    equal(await heard([root, chat], "said", () => call(root, "announce", ["red"], [], "root")), [["root"], []]);
    equal(await heard([root, chat], "said", () => call(chat, "announce", ["red"], [], "chat")), [[], ["chat"]]);
    equal(await heard([root, chat], "broadcasted", () => call(chat, "everyone", "here")), [[], ["here"]]);

    const binary = take(chat, "bounced", 1);
    chat.emit("bounce", new Uint8Array([1, 2]), { x: new Uint8Array([3]) });
    equal(await binary, [[new Uint8Array([1, 2]), { x: new Uint8Array([3]) }]], "binary in a namespace");

    const left = next(chat, "disconnect");
    chat.disconnect();
    equal((await left)[0], "io client disconnect");
    equal(await call(root, "add", 1, 2), 3, "leaving one leaves the other alone");
    chat.connect();
    await connected(chat);
    equal(await call(chat, "rooms"), [chat.id], "coming back is a new socket");
  },

  async "refuses whoever the middleware refuses"(town) {
    const root = await town.open();
    const denied = town.dial("/staff", { auth: { token: "wrong" } });
    const [error] = await next(denied, "connect_error");
    check(error instanceof Error, "connect_error carries an Error");
    equal([error.message, error.data, denied.connected], ["not allowed", { code: 401, tried: "wrong" }, false]);
    denied.auth = { token: "sesame" };
    denied.connect();
    await connected(denied);
    equal(await call(denied, "role"), "staff", "what the middleware stored is there for the handlers");
    equal(await call(root, "add", 1, 2), 3);
  },

  async "knows no namespace that nobody opened"(town) {
    const socket = town.dial("/nowhere");
    const [error] = await next(socket, "connect_error");
    equal(error.message, "Invalid namespace");
    equal(socket.connected, false);
  },
};
