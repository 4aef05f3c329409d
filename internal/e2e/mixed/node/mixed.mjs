// Runs every scenario with the server of Go's as the one that does something and the one of Node's as the one that
// notices, and the other way round. PLACE says where things are. Reports go to stdout, a line of JSON each.

import { listen, namespaces } from "./peer.mjs";
import { emitters, scenarios } from "./scenarios.mjs";
import { City } from "./city.mjs";

const place = JSON.parse(process.env.PLACE);
const urls = { go: place.go, node: await listen(place.kind, place.engine), emitter: place.go };

// What Go's emitter can do: its server does so for clients who say that they are of that town.
const spoken = ["broadcast", "binary", "order", "rooms", "except", "a socket's id", "socketsJoin", "disconnectSockets", "serverSideEmit", "recovery"];

async function run(name, city, scenario) {
  let error = "";
  try {
    await Promise.race([
      scenario(city),
      new Promise((_, reject) => setTimeout(() => reject(new Error("took too long")), 30_000).unref()),
    ]);
  } catch (e) {
    error = e.stack ?? String(e);
  }
  city.close();
  console.log(JSON.stringify({ name, error }));
}

for (const namespace of namespaces) {
  for (const [here, there] of [
    ["go", "node"],
    ["node", "go"],
    ["emitter", "node"],
  ]) {
    for (const [name, scenario] of Object.entries(scenarios)) {
      if (here === "emitter" && !spoken.includes(name)) continue;
      if (scenario.needs && !scenario.needs({ ...place, here })) continue;
      await run(`${here} to ${there}${namespace} ${name}`, new City({ urls, here, there, namespace, place }), scenario);
    }
  }
  for (const [name, scenario] of Object.entries(emitters[place.kind] ?? {})) {
    const city = new City({ urls, here: "go", there: "node", namespace, place });
    await run(`emitter${namespace} ${name}`, city, scenario);
  }
}
process.exit(0);
