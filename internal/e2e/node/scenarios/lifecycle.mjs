import { call, check, connected, equal, next, take, within } from "../harness.mjs";

// The server remembers with which reason the socket that carried a tag in its auth ended; seen waits for that.
function tag() {
  return `${Date.now()}-${Math.random()}`;
}

const lost = ["transport close", "transport error"];

export default {
  async "leaves by itself"(town) {
    const observer = await town.open();
    const name = tag();
    const socket = await town.open("/", { auth: { tag: name } });
    const gone = next(socket, "disconnect");
    socket.disconnect();
    equal((await gone)[0], "io client disconnect");
    equal([socket.connected, socket.id], [false, undefined]);
    equal(await call(observer, "reason", name), "client namespace disconnect");
    socket.connect();
    await connected(socket);
    equal(await call(socket, "whoami"), socket.id, "and may come back");
  },

  async "is sent away by the server"(town) {
    const observer = await town.open();
    for (const close of [false, true]) {
      const name = tag();
      const socket = await town.open("/", { auth: { tag: name } });
      const gone = next(socket, "disconnect");
      const last = next(socket, "last words");
      socket.emit("kick", close);
      equal(await last, [close], "what was said before still arrives");
      equal((await gone)[0], "io server disconnect");
      equal(await call(observer, "reason", name), "server namespace disconnect");
      equal(socket.active, false, "it does not come back by itself");
    }
  },

  async "closes its connection"(town) {
    const observer = await town.open();
    const name = tag();
    const socket = await town.open("/", { auth: { tag: name } });
    const gone = next(socket, "disconnect");
    socket.io.engine.close();
    equal((await gone)[0], "forced close");
    check(lost.includes(await call(observer, "reason", name)), "the server sees the transport go");
    await connected(socket);
  },

  async "is refused before it is a session"(town) {
    const socket = town.dial("/", { query: { refuse: "1" }, reconnection: false });
    const [error] = await next(socket, "connect_error");
    check(error instanceof Error, "connect_error carries an Error");
    equal(socket.connected, false);
  },

  async "stays through many heartbeats"(town) {
    const socket = await town.open("/", { via: town.rough });
    let drops = 0;
    socket.on("disconnect", () => drops++);
    const { id } = socket;
    await new Promise((resolve) => setTimeout(resolve, 6 * town.heartbeat));
    equal([await call(socket, "whoami"), drops], [id, 0]);
  },

  async "is missed when the network goes silent"(town) {
    const observer = await town.open();
    const name = tag();
    const socket = await town.open("/", { via: town.rough, auth: { tag: name } });
    const gone = next(socket, "disconnect");
    await town.command("stall");
    try {
      equal((await gone)[0], "ping timeout");
      equal(await call(observer, "reason", name), "ping timeout");
    } finally {
      await town.command("resume");
    }
    await connected(socket);
    equal(await call(socket, "add", 1, 1), 2);
  },

  async "comes back after the network was cut"(town) {
    const observer = await town.open();
    const name = tag();
    const socket = await town.open("/", { via: town.rough, auth: { tag: name } });
    const { id } = socket;
    const gone = next(socket, "disconnect");
    while (socket.connected) await town.command("cut"); // a cut between two polls harms nobody
    const [why] = await gone;
    check(lost.includes(why), `the client sees the transport go: ${why}`);
    socket.emit("bounce", "said while away");
    const back = next(socket, "bounced");
    const reason = await call(observer, "reason", name);
    check([...lost, "ping timeout"].includes(reason), `the server sees it too: ${reason}`);
    await connected(socket);
    equal(await back, ["said while away"]);
    check(socket.id !== id, "it is a new socket");
  },

  async "comes back after the server was restarted"(town) {
    for (const how of ["restart", "drain"]) {
      const socket = await town.open("/", { auth: { tag: tag() } });
      const chat = socket.io.socket("/chat");
      await connected(chat);
      const before = [socket.id, chat.id];
      const gone = [next(socket, "disconnect"), next(chat, "disconnect")];
      const back = [next(socket, "connect"), next(chat, "connect")];
      const attempt = within("a reconnection attempt", (resolve) => socket.io.once?.("reconnect_attempt", resolve) ?? resolve());
      const bounced = take(socket, "bounced", 3);
      gone[0].then(() => [1, 2, 3].forEach((i) => socket.emit("bounce", i)));
      await town.command(how);
      for (const [reason] of await Promise.all(gone)) check(lost.includes(reason), `${how}: ${reason}`);
      await attempt;
      await Promise.all(back);
      check(socket.id !== before[0] && chat.id !== before[1], "with new ids");
      equal(await bounced, [[1], [2], [3]], "what was said while away arrives once and in order");
      equal(await call(chat, "add", 2, 2), 4);
      socket.disconnect();
      chat.disconnect();
    }
  },

  async "tells its sockets why it stops"(town) {
    const name = tag();
    const socket = await town.open("/", { auth: { tag: name } });
    const gone = next(socket, "disconnect");
    const back = next(socket, "connect");
    await town.command("drain");
    await Promise.all([gone, back]);
    const reason = await call(socket, "reason", name);
    const stops = ["server shutting down"];
    if (town.nodes > 1) stops.push("transport close"); // another may have had its connection, and have stopped first
    check(stops.includes(reason), reason);
  },
};
