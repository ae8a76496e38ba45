/**
 * What the page and the service worker of `worker_test.ts` have in common.
 *
 * @module
 */
import { createEngine, machine } from "../../../mod.ts";
import { indexedDbStore } from "../../../adapters/indexeddb/mod.ts";
import { browserPlatform } from "../../../plugins/browser/mod.ts";

/** Two steps; in a page the second one never ends, so that only the worker can do it. */
export function openVisits(place: "page" | "worker", work = true) {
  const name = "visits";
  const visits = machine<{ seen: string[] }>("visits")
    .step("filled", ["checked"], (run) => {
      run.data.seen.push(`filled in ${place}`);
      return "checked";
    })
    .step("checked", ["sent"], async (run) => {
      if (place === "page") await new Promise(() => {});
      run.data.seen.push(`checked in ${place}`);
      return "sent";
    })
    .build();
  const engine = createEngine({
    store: indexedDbStore({ name }),
    definitions: [visits],
    platform: browserPlatform({ name }),
    work,
  });
  return { engine, visits };
}
