/**
 * A page of a user's, bundled by the user's bundler: the README's machine on IndexedDB. The title tells what came of it.
 *
 * @module
 */
import { createEngine, machine } from "pawl";
import { indexedDbStore } from "pawl/adapters/indexeddb";

const orders = machine<{ cents: number; receipt?: string }>("orders")
  .step("placed", ["paid"], (run) => {
    run.data.receipt = `receipt for ${run.stepId}`;
    return "paid";
  })
  .step("paid", ["shipped"], () => "shipped", { pauseAfterErrors: 5 })
  .build();

const store = indexedDbStore({ name: "page" });
const engine = createEngine({ store, definitions: [orders] });
await engine.start();
await engine.trigger(orders, "order-1", { data: { cents: 4_200 } });
const run = await engine.await(orders, "order-1");
await engine.stop();
await store.close();
document.title = `${run.status} with a ${run.data.receipt?.split(" ")[0]}`;
