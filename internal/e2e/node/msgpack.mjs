// The codec of npm's socket.io-msgpack-parser, for ours to be held against.
//
//   node msgpack.mjs values    encodes what only JavaScript has
//   node msgpack.mjs packets   decodes the frames on stdin, one a line in hexadecimal, and encodes them again
//
// Both print a line of JSON for each: what it means, as describe has it, and the
// frames that npm's encoders for Node and for browsers make of it.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
const { Encoder, Decoder } = require("socket.io-msgpack-parser");
const inBrowser = { encode: require("notepack.io/browser/encode.js"), decode: require("notepack.io/browser/decode.js") };

/** What a value means, as JSON. */
function describe(value) {
  if (value instanceof Date) {
    return { date: value.getTime() };
  }
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return { bytes: Buffer.from(value.buffer ?? value, value.byteOffset, value.byteLength).toString("hex") };
  }
  if (Array.isArray(value)) {
    return Array.from(value, describe);
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined).map(([key, v]) => [key, describe(v)]));
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    return { number: String(value) };
  }
  return value ?? null;
}

/** Prints a packet of Node, and the same of a browser, where there is no Buffer. */
function report(packet, elsewhere) {
  const frames = [...new Encoder().encode(packet), inBrowser.encode(elsewhere)];
  console.log(JSON.stringify({ packet: describe(packet), frames: frames.map((frame) => Buffer.from(frame).toString("hex")) }));
}

// Values, with the bytes in the form that the platform's encoder knows: the one
// for browsers writes views as maps. Whole numbers of 2^64 and more are left out:
// npm's encoders write other numbers for them.
const values = (bytes) => [
  undefined, null, true, false, "", "x".repeat(31), "x".repeat(32), "é".repeat(200), "\u2028😀\0".repeat(20000),
  0, -0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53, -1, -32, -33, -128, -129, -32768, -32769, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 53),
  0.5, -1e-7, 1e-300, NaN, Infinity, -Infinity, new Date(0), new Date(-1), new Date(1.7e12), new Date(8.64e15),
  ...[0, 1, 2, 4, 8, 16, 17, 256, 70000].flatMap((n) => [new ArrayBuffer(n), bytes(new Uint8Array(n).fill(n))]),
  [], [undefined, [null, [bytes(Uint8Array.of(1))]]], Array(16).fill(0), Array(70000).fill("a"),
  {}, { a: undefined, b: { c: [{}] }, date: new Date(5), bytes: new ArrayBuffer(8) }, Object.fromEntries(Array.from({ length: 17 }, (_, i) => ["k" + i, i])),
];

if (process.argv[2] === "values") {
  const inPacket = (value) => ({ type: 2, data: ["event", value], nsp: "/", options: { compress: true } });
  const inBrowsers = values((view) => view.buffer).map(inPacket);
  for (const bytes of [(view) => view, (view) => Buffer.from(view)]) {
    values(bytes).map(inPacket).forEach((packet, i) => report(packet, inBrowsers[i]));
  }
  for (const packet of [
    { type: 0, data: undefined, nsp: "/" },
    { type: 0, data: { token: "x" }, nsp: "/admin" },
    { type: 1, nsp: "/" },
    { type: 3, id: 2 ** 40, data: [], nsp: "/" },
    { type: 4, data: { message: "no", data: { code: 1 } }, nsp: "/" },
    { type: 4, data: "no", nsp: "/" },
  ]) {
    report(packet, packet);
  }
} else {
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      let packet;
      const decoder = new Decoder();
      decoder.on("decoded", (decoded) => (packet = decoded));
      decoder.add(Buffer.from(line, "hex"));
      const elsewhere = inBrowser.decode(Uint8Array.from(Buffer.from(line, "hex")).buffer);
      if (JSON.stringify(describe(elsewhere)) !== JSON.stringify(describe(packet))) {
        throw new Error("browsers decode something else: " + JSON.stringify(describe(elsewhere)));
      }
      report(packet, elsewhere);
    } catch (error) {
      console.log(JSON.stringify({ error: String(error) }));
    }
  }
}
