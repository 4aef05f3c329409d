// A server of Node.js with the official adapters. It does on demand of its clients what Go's does: peer_test.go.

import { createServer } from "node:http";
import { createAdapter as createPostgresAdapter } from "@socket.io/postgres-adapter";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import pg from "pg";
import { createClient } from "redis";
import { Server } from "socket.io";

// Namespaces that both servers have.
export const namespaces = ["/", "/town"];

const adapters = {
  async pubsub(engine) {
    return createAdapter(await connect(engine), await connect(engine));
  },
  async specific(engine) {
    return createAdapter(await connect(engine), await connect(engine), { publishOnSpecificResponseChannel: true });
  },
  async sharded(engine) {
    return createShardedAdapter(await connect(engine), await connect(engine));
  },
  async private(engine) {
    return createShardedAdapter(await connect(engine), await connect(engine), { subscriptionMode: "dynamic-private" });
  },
  async static(engine) {
    return createShardedAdapter(await connect(engine), await connect(engine), { subscriptionMode: "static" });
  },
  async streams(engine) {
    return createStreamsAdapter(await connect(engine));
  },
  async manyStreams(engine) {
    return createStreamsAdapter(await connect(engine), { streamCount: 3 });
  },
  async postgres(engine) {
    return createPostgresAdapter(database(engine));
  },
};

export async function connect(url) {
  const client = createClient({ url });
  client.on("error", () => {});
  await client.connect();
  return client;
}

// One connection listens, and one speaks: with more, Node.js' server says things in any order.
export function database(connectionString) {
  const pool = new pg.Pool({ connectionString, max: 2 });
  pool.on("error", () => {});
  return pool;
}

// listen starts the server and returns its address.
export async function listen(kind, engine) {
  const http = createServer();
  const recovers = kind.toLowerCase().includes("streams");
  const io = new Server(http, {
    adapter: await adapters[kind](engine),
    ...(recovers && { connectionStateRecovery: {}, pingInterval: 2000 }),
  });
  for (const name of namespaces) {
    const space = io.of(name);
    space.on("told", (...args) => space.local.emit("told", ...args));
    space.on("asked", (x, answer) => answer({ by: "node", x }));
    space.on("silent", () => {});
    space.on("connection", (socket) => {
      socket.on("do", async (command, ...args) => {
        const answer = args.pop();
        try {
          answer(null, (await perform(space, socket, args, command)) ?? null);
        } catch (error) {
          answer(String(error));
        }
      });
    });
  }
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${http.address().port}`;
}

async function perform(space, socket, args, { op, to = [], except = [], event, rooms = [], data, timeout }) {
  let target = to.length > 0 ? space.to(to) : space;
  if (except.length > 0) target = target.except(except);
  switch (op) {
    case "join":
      return void (await socket.join(rooms));
    case "data":
      return void (socket.data = data);
    case "emit":
      return void target.emit(event, ...args);
    case "count":
      for (let i = 1; i <= 500; i++) target.emit("number", i);
      return;
    case "ask":
      return new Promise((resolve) =>
        target.timeout(timeout).emit(event, ...args, (error, answers) => resolve({ error: Boolean(error), answers })),
      );
    case "fetch":
      return (await target.fetchSockets()).map(({ id, rooms, data, handshake }) => ({
        id,
        rooms: [...rooms].sort(),
        data: { name: data.name ?? null, n: data.n ?? null },
        town: handshake.query.town,
      }));
    case "socketsJoin":
      return void target.socketsJoin(rooms);
    case "socketsLeave":
      return void target.socketsLeave(rooms);
    case "disconnect":
      return void target.disconnectSockets(false);
    case "tell":
      return void space.serverSideEmit(event, ...args);
    case "inquire":
      return space.serverSideEmitWithAck(event, ...args);
    case "allRooms":
      return [...(await space.adapter.allRooms())].sort();
  }
  throw new Error(`unknown command ${op}`);
}
