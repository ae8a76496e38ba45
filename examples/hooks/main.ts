/**
 * Parcels whose mails cannot be sent for a while: `deno run -A examples/hooks/main.ts`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It prints what happens.
import { createEngine, silentLogger } from "pawl";
import { memoryStore } from "pawl/adapters/memory";
import { parcelMachine } from "./parcels.ts";

let isMailDown = true;
const sent = Promise.withResolvers<void>();
const parcels = parcelMachine({
  audit: (_id, line) => Promise.resolve(console.log(`audit: ${line}`)),
  mail(_id, to, text) {
    if (isMailDown) return Promise.reject(new Error("the mail server is down"));
    console.log(`mail to ${to}: ${text}`);
    sent.resolve();
    return Promise.resolve();
  },
});
const store = memoryStore();
// Each failed attempt of a hook would be a line in the log.
const engine = createEngine({ store, definitions: [parcels], logger: silentLogger });
await engine.start();

await engine.trigger(parcels, "parcel-1", { data: { to: "ann@example.com", heavy: true } });
const { runState } = await engine.await(parcels, "parcel-1");
console.log(`The run is ${runState}, whatever becomes of its mail`);

let parked = await engine.admin.parked({ definition: "parcels" });
while (parked.items.length === 0) {
  await new Promise((resolve) => setTimeout(resolve, 10));
  parked = await engine.admin.parked({ definition: "parcels" });
}
for (const { hook, attempts, lastError } of parked.items) {
  console.log(`parked: hook "${hook}" after ${attempts} attempts: ${lastError?.message}`);
}
isMailDown = false;
for (const { id } of parked.items) await engine.admin.retry(id);
await sent.promise;

await engine.stop();
await store.close();
