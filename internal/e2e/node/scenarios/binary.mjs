import { bytesOf, call, callAll, check, connected, equal, isBytes, next, take } from "../harness.mjs";

const bytes = (...list) => Uint8Array.from(list);

// A pattern without a short period, so that a lost or doubled part shows.
function filled(length) {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = (i * 7 + (i >> 8)) & 255;
  return out;
}

export default {
  async "carries binary anywhere in the arguments"(town) {
    const socket = await town.open();
    const same = bytes(1, 2, 3);
    const lists = [
      [bytes(0, 255, 128, 10)],
      [bytes()],
      [bytes(1), "between", bytes(2, 2)],
      [{ a: { b: [bytes(9), { c: bytes(8, 8) }] }, n: 1 }],
      [[bytes(1), [bytes(2), [bytes(3)]]]],
      [same, same],
      [Array.from({ length: 10 }, (_, i) => bytes(i, i))],
    ];
    for (const list of lists) {
      const back = next(socket, "bounced");
      socket.emit("bounce", ...list);
      equal(await back, list, "as an event");
      equal(await callAll(socket, "echo", ...list), list, "as an acknowledgement");
    }
  },

  async "takes every kind of binary a client has"(town) {
    const socket = await town.open();
    const kinds = [bytes(1, 2, 3, 4).buffer, new DataView(bytes(5, 6, 7, 8).buffer), new Uint16Array([258, 772])];
    if (typeof Buffer !== "undefined") kinds.push(Buffer.from("buffer"));
    if (typeof document !== "undefined") kinds.push(new Blob([bytes(1, 2, 3)]), new File([bytes(4, 5)], "f"));
    for (const kind of kinds) {
      const want = kind instanceof (globalThis.Blob ?? Array) ? await kind.arrayBuffer() : kind;
      equal(await call(socket, "echo", kind), want);
    }
  },

  async "reads binary into the handler's own types"(town) {
    const socket = await town.open();
    equal(await call(socket, "reverse", bytes(1, 2, 3)), bytes(3, 2, 1));
    const picture = await call(socket, "develop", { name: "plaza", pixels: bytes(4, 5, 6) });
    equal(picture, { name: "plaza, developed", pixels: bytes(6, 5, 4) });
  },

  async "answers the server's binary question with binary"(town) {
    const socket = await town.open();
    socket.on("question", (picture, size, answer) => {
      check(isBytes(picture) && size === 3, "the question is binary");
      answer({ thumbnail: bytesOf(picture).slice(0, 1) }, bytes(size));
    });
    const answered = next(socket, "answered");
    socket.emit("ask", bytes(7, 8, 9), 3);
    equal(await answered, [{ thumbnail: bytes(7) }, bytes(3)]);
  },

  async "broadcasts binary"(town) {
    const [sender, ...others] = await Promise.all([town.open(), town.open(), town.open()]);
    const seen = others.map((socket) => next(socket, "broadcasted"));
    const picture = { from: "sender", pixels: filled(5000), small: [bytes(), bytes(1)] };
    sender.emit("broadcast", picture);
    equal(await Promise.all(seen), [[picture], [picture]]);
  },

  async "keeps text and binary in order"(town) {
    const socket = await town.open();
    const sent = Array.from({ length: 60 }, (_, i) => (i % 2 ? `text ${i}` : filled(i * 10)));
    const back = take(socket, "bounced", sent.length);
    for (const item of sent) socket.emit("bounce", item);
    equal(await back, sent.map((item) => [item]));
  },

  async "carries large payloads both ways"(town) {
    const socket = await town.open();
    const text = "zócalo 🎉 ".repeat(40_000);
    equal(await call(socket, "echo", text), text);
    const data = filled(600_000);
    equal(await call(socket, "echo", data), data);
    equal(await call(socket, "echo", [data, text]), [data, text], "at the same time");
  },

  async "loses the connection over a message that is too large, and comes back"(town) {
    const socket = await town.open();
    const gone = next(socket, "disconnect");
    socket.emit("bounce", filled(2_400_000));
    const [reason] = await gone;
    check(["transport close", "transport error"].includes(reason), `reason ${reason}`);
    await connected(socket);
    equal(await call(socket, "add", 1, 1), 2);
  },
};
