// The official client in Node: `node node.mjs` with the place as JSON in PLACE, one JSON line a scenario on stdout.
import { io } from "socket.io-client";
import { run } from "./run.mjs";

await run({ io, ...JSON.parse(process.env.PLACE) }, (result) => {
  process.stdout.write(JSON.stringify(result) + "\n");
});
process.exit(0);
