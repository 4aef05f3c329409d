// One version of the official client over every transport and codec: `node matrix.mjs` with the place as JSON in PLACE,
// and in it the name of the client's package and a list of variants; one JSON line a scenario on stdout.
import msgpack from "socket.io-msgpack-parser";
import { Town } from "./harness.mjs";
import scenarios from "./scenarios/matrix.mjs";

const { client, variants, ...place } = JSON.parse(process.env.PLACE);
const library = await import(client);
const io = library.io ?? library.default;

await Promise.all(variants.map(async ({ mode, codec, path }) => {
  const options = codec === "msgpack" ? { path, parser: msgpack } : { path };
  for (const [name, scenario] of Object.entries(scenarios)) {
    const town = new Town({ ...place, io, mode, options });
    let error = "";
    try {
      await scenario(town);
    } catch (reason) {
      error = String(reason?.stack ?? reason);
    } finally {
      town.close();
    }
    process.stdout.write(JSON.stringify({ name: `${mode}/${codec}/${name}`, error }) + "\n");
  }
}));
process.exit(0);
