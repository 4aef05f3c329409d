import { call, check, equal, take } from "../harness.mjs";

export default {
  async "serves a crowd, each in its own order and all in the same"(town) {
    const sockets = await Promise.all(Array.from({ length: town.crowd }, () => town.open()));
    check(new Set(sockets.map((socket) => socket.id)).size === town.crowd, "ids are unique");

    const own = 20;
    await Promise.all(sockets.map(async (socket, who) => {
      const back = take(socket, "bounced", own);
      for (let i = 0; i < own; i++) socket.emit("bounce", who, i);
      equal(await back, Array.from({ length: own }, (_, i) => [who, i]));
    }));

    const [speaker] = sockets;
    const shared = 20;
    const room = `crowd ${speaker.id}`;
    await Promise.all(sockets.map((socket) => call(socket, "join", [room])));
    const heard = sockets.map((socket) => take(socket, "said", shared));
    for (let i = 0; i < shared; i++) speaker.emit("announce", [room], [], i);
    const want = Array.from({ length: shared }, (_, i) => [i]);
    for (const list of await Promise.all(heard)) equal(list, want);
    equal((await call(speaker, "members", room)).length, town.crowd);

    const gone = sockets.slice(1).map((socket) => socket.id);
    for (const socket of sockets.slice(1)) socket.disconnect();
    await Promise.all(gone.map((id) => call(speaker, "gone", id)));
    equal(await call(speaker, "members", room), [speaker.id]);
  },
};
