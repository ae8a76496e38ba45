/**
 * What the compiler must allow and must refuse of schedules, checked by `deno check`: a line under `@ts-expect-error`
 * that compiles is an error itself. Nothing here runs.
 */
import { createEngine, every, machine } from "../../mod.ts";
import { memoryStore } from "../../adapters/memory/mod.ts";

const orders = machine<{ cents: number }>("orders")
  .step("placed", ["paid"], () => "paid")
  .callback("paid", ["sent"], () => "sent")
  .build();
const pings = machine("pings").step("a", ["b"], () => "b").build();

export async function schedules() {
  const engine = createEngine({ store: memoryStore(), definitions: [orders, pings] });
  const common = { id: "s", recurrence: every("1h"), key: "k" } as const;
  await engine.schedules.create({ ...common, target: orders, data: { cents: 1 }, startAt: "paid" });
  await engine.schedules.create({ ...common, target: pings });
  // @ts-expect-error: data is wanted
  await engine.schedules.create({ ...common, target: orders });
  // @ts-expect-error: of the machine's type
  await engine.schedules.create({ ...common, target: orders, data: { cents: "1" } });
  // @ts-expect-error: where no run can start
  await engine.schedules.create({ ...common, target: orders, data: { cents: 1 }, startAt: "sent" });
  // @ts-expect-error: no such policy
  await engine.schedules.create({ ...common, target: pings, overlap: "never" });
  await engine.schedules.update("s", { limit: null, until: null, filter: null, enabled: false });
  // @ts-expect-error: a key cannot be taken away
  await engine.schedules.update("s", { key: null });
  // @ts-expect-error: both ends are wanted
  await engine.schedules.backfill("s", { from: new Date(0) });
}
