import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { type Engine, every, machine, statusTopic, type Store } from "../../mod.ts";
import { patient, World } from "./stores.ts";

interface Bill {
  cents: number;
}

/** Outcomes of a schedule that are kept; those past it go in portions of at most as many. */
const outcomesKeptMax = 60;
const minute = 60_000;
const twoDays = 2 * 24 * 60 * minute;

const bills = machine<Bill>("bills", { keepFinished: "30d", stream: true, pauseRetry: false })
  .step("due", ["sent"], (run) => (run.data.cents++, "sent"), { lock: "printer" })
  .callback("sent", ["paid"], (run, cents: number) => (run.data.cents -= cents, "paid"))
  .timeout("sent", ["written off"], { after: "10d" }, () => "written off")
  .onComplete(() => {})
  .build();
const reports = machine<Bill>("reports", { keepFinished: "20d" })
  .step("due", ["written"], (run) => run.data.cents > 0 ? "written" : run.fail("nothing to tell"))
  .build();

/** Two days: an engine is up for a while, catches up on the schedule, and gets bills of every fate. */
async function liveOn(world: World, day: number): Promise<void> {
  const engine = await world.started({
    definitions: [bills, reports],
    limits: { outcomesKeptMax },
    keepEvents: "7d",
    ...patient,
  });
  await world.during(engine.schedules.create({
    id: "reports",
    recurrence: every("12h"),
    target: reports,
    key: "report {scheduledFor}",
    data: { cents: 1 },
    overlap: "allowAll",
    catchUp: "3d",
  }));
  for (const fate of ["paid", "written off", "cancelled", "erased"]) {
    const key = `${fate} ${day}`;
    await engine.trigger(bills, key, { data: { cents: 100 }, idempotencyKey: `bill ${key}` });
    await world.settle();
    await endAs(fate, engine, key);
  }
  // Of one key, again and again: only the latest is found under it.
  await engine.trigger(reports, "one key", { data: { cents: 0 } });
  await engine.streams.send("letters", [{ id: `${day}`, key: "k", type: "came", data: { day } }]);
  await world.during(receiveAll(engine));
  // Long enough for a second sweep of the log.
  await world.advance(11 * minute);
  await world.during(engine.stop(), 5_000);
  await world.advance(twoDays - 11 * minute);
}

async function endAs(fate: string, engine: Engine, key: string): Promise<void> {
  if (fate === "paid") await engine.callback(bills, key, "sent", 100, { idempotencyKey: `pay ${key}` });
  if (fate === "cancelled" || fate === "erased") await engine.cancel(bills, key);
  if (fate === "erased") await engine.deleteData(bills, key);
}

async function receiveAll(engine: Engine): Promise<void> {
  for await (const { event, ack } of await engine.streams.receive(statusTopic("bills", "sent"), "clerk")) {
    await ack();
    if (event.headers?.key?.startsWith("erased")) break;
  }
}

/** Rows of each key space of a store with one shard. */
async function rowsOf(store: Store): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const limit = store.limits.entriesPerRangeMax;
  for (let start = "";;) {
    const [answer] = await store.read([{ shard: 0, ops: [{ start, end: "\x7f", limit }] }]);
    const rows = answer![0]!;
    for (const { key } of rows) {
      const space = key.slice(0, key.indexOf(" ") + 1 || undefined);
      counts[space] = (counts[space] ?? 0) + 1;
    }
    if (rows.length < limit) return counts;
    start = `${rows.at(-1)!.key}\0`;
  }
}

Deno.test("retention keeps the store bounded over a simulated year", async () => {
  const world = new World(memoryStore({ keepOutcomes: true }));
  try {
    for (let day = 0; day < 60; day += 2) await liveOn(world, day);
    const early = await rowsOf(world.store);
    for (let day = 60; day < 365; day += 2) await liveOn(world, day);
    const late = await rowsOf(world.store);
    for (const rows of [early, late]) {
      assert.ok(rows["occ "]! <= 2 * outcomesKeptMax, `${rows["occ "]} outcomes`);
      delete rows["occ "];
    }
    assert.deepEqual(late, early);
    // 4 bills for each of 15 times in 30 days, and 5 reports for each of 10 in 20; and what has not ended or gone yet.
    assert.ok(early["run "]! < 150, `${early["run "]} runs`);
    const checker = world.engine({ definitions: [bills, reports], work: false });
    const { counts } = await checker.schedules.describe("reports");
    assert.deepEqual([counts.started >= 720, counts.missed, counts.failed], [true, 0, 0]);
    const { ok, findings, notes, runs } = await checker.admin.verify();
    assert.deepEqual([ok, findings, notes, runs], [true, [], [], late["run "]]);
  } finally {
    await world.end();
    await world.store.close();
  }
});
