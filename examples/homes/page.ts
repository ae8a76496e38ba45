import { createEngine, machine } from "pawl";
import { indexedDbStore } from "pawl/adapters/indexeddb";
import { browserPlatform } from "pawl/plugins/browser";

const parcels = machine<{ to: string; loadedAs?: string }>("parcels")
  .step("packed", ["loaded"], async (run) => {
    await new Promise((done) => setTimeout(done, 5_000)); // your work, cut short by whoever closes the tab
    run.data.loadedAs = run.stepId; // saved together with the move
    return "loaded";
  })
  .step("loaded", ["delivered"], async () => {
    await new Promise((done) => setTimeout(done, 5_000));
    return "delivered";
  }, { needs: "network" })
  .build();

const name = "parcels"; // of the database, and of the locks beside it
const engine = createEngine({
  store: indexedDbStore({ name }),
  definitions: [parcels],
  platform: browserPlatform({ name }),
});
await engine.start();
await engine.trigger(parcels, "p-1", { data: { to: "Ann" }, idempotencyKey: "p-1" });
for await (const row of engine.watch(parcels, "p-1")) {
  const item = document.createElement("li");
  item.textContent = [row.at.toLocaleTimeString(), row.kind, row.from, row.to].join(" ");
  document.querySelector("ul")!.append(item);
}
