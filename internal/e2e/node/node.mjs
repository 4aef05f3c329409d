// A client in Node: `node node.mjs` with the place as JSON in PLACE, one JSON line a scenario on stdout.
import { io } from "socket.io-client";
import parser from "socket.io-msgpack-parser";
import { run } from "./run.mjs";

const place = JSON.parse(process.env.PLACE);

// The clients that may come; the first is npm's as it is.
const clients = {
  "": () => io,
  "npm msgpack": () => (url, options) => io(url, { parser, ...options }),
  "our msgpack": async () => {
    await import("../../../realtime/client/dist/socket.io.msgpack.min.js");
    return globalThis.io;
  },
};

await run({ ...place, io: await clients[place.client]() }, (result) => {
  process.stdout.write(JSON.stringify(result) + "\n");
});
process.exit(0);
