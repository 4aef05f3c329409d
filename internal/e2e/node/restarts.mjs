// Many clients in Node while the server restarts: `node restarts.mjs` with {"url", "clients"} as JSON in PLACE.
// Every client must see the events "tick" 1, 2, 3 … in order and once each. One JSON line on stdout for each connection,
// {"client", "build", "recovered", "transport"}, of which build is what answers there, and for each fault, {"fault"}; on
// the line "N" from stdin it waits until every client has seen the tick N, and says {"complete": N}.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const place = JSON.parse(process.env.PLACE);
const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

const seen = new Array(place.clients).fill(0);
let last = Infinity;
const check = () => {
  if (seen.every((n) => n >= last)) {
    say({ complete: last });
    last = Infinity;
  }
};

// One in five has only long-polling, one in five only WebSocket, the others upgrade.
const transports = [["polling"], ["websocket"], ["polling", "websocket"], ["polling", "websocket"], ["polling", "websocket"]];

for (let client = 0; client < place.clients; client++) {
  const socket = io(place.url, {
    forceNew: true,
    transports: transports[client % transports.length],
    reconnectionDelay: 50,
    reconnectionDelayMax: 500,
  });
  socket.on("connect", () => {
    const { recovered } = socket;
    socket.emit("build", (build) => say({ client, build, recovered, transport: transports[client % transports.length].join("+") }));
  });
  socket.on("disconnect", (reason) => {
    if (reason.startsWith("io ")) say({ fault: `client ${client} was put out: ${reason}` });
  });
  socket.on("connect_error", (error) => say({ fault: `client ${client}: ${error.message} ${error.description ?? ""}` }));
  socket.on("tick", (n) => {
    if (n !== seen[client] + 1) say({ fault: `client ${client} saw ${n} behind ${seen[client]}` });
    seen[client] = n;
    check();
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  last = Number(line);
  check();
}
process.exit(0);
