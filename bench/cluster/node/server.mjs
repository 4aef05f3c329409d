// A node of Node.js. It does what serve.go does.

import { createServer } from "node:http";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const [kind, redis, addr] = process.argv.slice(2);

async function connect() {
  const client = createClient({ url: `redis://${redis}` });
  await client.connect();
  return client;
}

const adapters = {
  pubsub: async () => createAdapter(await connect(), await connect()),
  sharded: async () => createShardedAdapter(await connect(), await connect()),
  streams: async () => createStreamsAdapter(await connect()),
};

const http = createServer((request, response) => {
  if (request.url !== "/cast") return;
  io.to("room").emit("news", { n: 1, text: "The market opens at eight." });
  response.end();
});
const io = new Server(http, { adapter: await adapters[kind]() });
io.on("connection", (socket) => socket.join("room"));
const [host, port] = addr.split(":");
http.listen(port, host, () => console.log("READY"));
