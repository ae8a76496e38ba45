// deno-lint-ignore-file no-console -- It tells how far it is.
import { setTimeout as sleep } from "node:timers/promises";
import { createEngine, machine } from "pawl";
import { libsqlStore } from "pawl/adapters/libsql";

const parcels = machine<{ to: string; loadedAs?: string }>("parcels")
  .step("packed", ["loaded"], async (run) => {
    console.log("loading", run.key, "attempt", run.attempt);
    await sleep(1_000); // your work; hand it run.stepId, as a crash may repeat it
    run.data.loadedAs = run.stepId; // saved together with the move
    return "loaded";
  })
  .step("loaded", ["delivered"], async (run) => {
    console.log("delivering to", run.data.to, "attempt", run.attempt);
    await sleep(1_000);
    return "delivered";
  })
  .build();

const store = libsqlStore({ url: "file:parcels.db" });
const engine = createEngine({ store, definitions: [parcels], lease: { term: "2s" } }); // default 10s
await engine.start();
// However often this program is started, this makes one run.
await engine.trigger(parcels, "p-1", { data: { to: "Ann" }, idempotencyKey: "p-1" });
const run = await engine.await(parcels, "p-1");
console.log(run.status, run.data.loadedAs === `${run.runId}:1`);
await engine.stop();
await store.close();
