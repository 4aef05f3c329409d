// Runs every scenario against a town and reports each to the harness as it ends.
import { Town } from "./harness.mjs";
import binary from "./scenarios/binary.mjs";
import crowd from "./scenarios/crowd.mjs";
import events from "./scenarios/events.mjs";
import lifecycle from "./scenarios/lifecycle.mjs";
import rooms from "./scenarios/rooms.mjs";

export const groups = { events, binary, rooms, lifecycle, crowd };

export async function run(place, report) {
  for (const [group, scenarios] of Object.entries(groups)) {
    for (const [name, scenario] of Object.entries(scenarios)) {
      const town = new Town(place);
      let error = "";
      try {
        await scenario(town);
      } catch (reason) {
        error = String(reason?.stack ?? reason?.message ?? reason);
      } finally {
        town.close();
      }
      await report({ name: `${group}: ${name}`, error });
    }
  }
}
