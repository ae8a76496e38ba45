import assert from "node:assert/strict";
import "fake-indexeddb/auto";
import { indexedDbStore } from "pawl/adapters/indexeddb";
import { libsqlStore } from "pawl/adapters/libsql";
import { memoryStore } from "pawl/adapters/memory";
import { type TestEngine, virtualClock } from "pawl/testing";
import type { Store } from "../../mod.ts";
import { letGo } from "../let_go.ts";
import { createSchedules, fleetEngine, machines, world } from "./fleet.ts";
import { acked, type Filed, filed, parcels, type Written } from "./life.ts";
import { databaseOf } from "./rows_text.ts";
import { fileOf } from "./sql_text.ts";

const { orders, verdicts, transfers, visits, reports, people } = machines;

const releases: string[] = [];
for await (const { name, isDirectory } of Deno.readDir(new URL(".", import.meta.url))) {
  if (isDirectory) releases.push(name);
}
releases.sort();

const read = (release: string, name: string) =>
  Deno.readTextFile(new URL(`${release}/${name}`, import.meta.url));

interface Scene {
  readonly store: Store;
  readonly written: Written;
  open(work: boolean): Promise<TestEngine>;
}

/** How the store of each kind is made of its fixture. */
const kinds: Readonly<
  Record<string, (release: string) => Promise<{ store: Store; remove(): Promise<void> }>>
> = {
  async libsql(release) {
    const folder = await Deno.makeTempDir();
    fileOf(await read(release, "libsql.sql"), `${folder}/store.db`);
    return {
      store: libsqlStore({ url: `file:${folder}/store.db`, durability: "normal" }),
      remove: () => Deno.remove(folder, { recursive: true }),
    };
  },
  async indexeddb(release) {
    const name = crypto.randomUUID();
    await databaseOf(await read(release, "indexeddb.ndjson"), name);
    return { store: indexedDbStore({ name }), remove: letGo };
  },
};

/** Registers a test with the stores of each release, as they were left. */
function testOnReleases(name: string, run: (scene: Scene) => Promise<void>): void {
  for (const release of releases) {
    for (const [kind, make] of Object.entries(kinds)) {
      Deno.test(`a ${kind} store of ${release} ${name}`, async () => {
        Object.assign(world, { isMailDown: false, isBankDown: false });
        const { store, remove } = await make(release);
        const written: Written = JSON.parse(await read(release, `${kind}.json`));
        const clock = virtualClock({ now: written.now, patience: "30s" });
        try {
          await run({ store, written, open: (work) => fleetEngine(store, clock, "today", work) });
        } finally {
          await store.close();
          await remove();
        }
      });
    }
  }
}

/** What code of another version shows otherwise: it migrates data when it is looked at. */
const asToday = (runs: readonly Filed[]) =>
  runs.map((run) => run.run.startsWith("people ") ? { ...run, data: "migrated" } : run);

testOnReleases("opens, sound, with every run as it was", async ({ written, open }) => {
  const t = await open(false);
  assert.deepEqual((await t.engine.admin.verify()).findings, []);
  assert.deepEqual(asToday(await filed(t)), asToday(written.runs));
  assert.deepEqual((await t.engine.get(people, "ann"))?.data, { first: "Ann", last: "Lee" });
  const timers = (await t.engine.timers({ key: "waits-to-be-paid", definition: "orders" })).items;
  assert.deepEqual(timers.map(({ name }) => name), ["remind", "expire"]);
  assert.deepEqual((await t.engine.admin.parked()).items.map(({ hook, key }) => `${hook} ${key}`), [
    "mail shipped",
  ]);
  const gpu = await t.engine.locks.inspect("gpu");
  assert.deepEqual([gpu?.holders.length, gpu?.waiters.length], [1, 0]);
  const shared = await t.engine.locks.inspect("shared");
  assert.deepEqual([shared?.holders.length, shared?.waiters.length], [1, 1]);
  const resting = await t.engine.schedules.describe("resting");
  assert.deepEqual([resting.enabled, resting.note], [false, "holidays"]);
  const weekly = await t.engine.schedules.describe("weekly");
  assert.deepEqual(weekly.upcoming[0]?.toISOString(), "2030-01-14T02:30:00.000Z");
  await t.stop();
});

testOnReleases("goes on: every run comes to its end", async ({ written, open }) => {
  const t = await open(true);
  const { engine } = t;
  const state = async (name: keyof typeof machines, key: string) => {
    const run = await engine.get(machines[name] as typeof reports, key);
    return run && `${run.runState} at ${run.status}`;
  };
  await createSchedules(t);
  const again = { data: { cents: 500, reminders: 0 }, idempotencyKey: "the-customer-clicked" };
  const { runId, created } = await engine.trigger(orders, "waits-to-be-paid", again);
  assert.deepEqual([runId, created], [written.idempotent, false]);

  // As long as the leases of those that have died.
  await t.advance("6d");
  assert.equal(await state("visits", "to-be-erased"), "deleted at over");
  assert.equal((await engine.get(visits, "to-be-erased"))?.data.name, "");
  for (const key of ["first", "second"]) assert.equal(await state("transfers", key), "completed at booked");
  assert.equal((await engine.get(transfers, "second"))?.data.account, "shared");
  await (await engine.semaphore("gpu", 4, { weight: 4 }).acquire()).release();
  assert.deepEqual(await acked(t, parcels.topic, 2), ["p2", "p3"]);

  const paid = await engine.callback(orders, "waits-to-be-paid", "billed", { id: "p-9" }, { runId });
  assert.equal(paid.applied, true);
  await engine.resume(orders, "by-hand");
  await engine.resume(verdicts, "pause");
  const [parked] = (await engine.admin.parked()).items;
  await engine.admin.retry(parked!.id);
  await t.advance("2d");
  assert.deepEqual((await engine.admin.parked()).items, []);
  for (const key of ["waits-to-be-paid", "waits-to-be-shipped", "shipped"]) {
    assert.equal(await state("orders", key), "completed at shipped");
  }
  assert.equal(await state("verdicts", "pause"), "paused at asked");
  assert.equal(await state("people", "bob"), "completed at greeted");
  assert.deepEqual((await engine.get(people, "bob"))?.data, { first: "Bob", last: "Hay" });

  await t.advance("60d");
  assert.equal(await state("orders", "by-hand"), "completed at expired");
  assert.ok((await engine.get(orders, "by-hand"))!.data.reminders > 5);
  assert.equal(await state("people", "ann"), "completed at greeted");
  assert.equal(await state("visits", "over"), "completed at over");
  const { counts } = await engine.schedules.describe("ender");
  assert.ok(counts.started > 60, `${counts.started} starts`);
  assert.equal(await state("reports", "weekly-2030-01-14T02:30:00.000Z"), "initiated at due");
  assert.deepEqual((await engine.admin.verify()).findings, []);

  await t.advance("30d");
  assert.equal(await state("visits", "over"), undefined);
  await t.stop();
});

for (const release of releases) {
  Deno.test(`an export of ${release} is imported, and its runs go on`, async () => {
    Object.assign(world, { isMailDown: false, isBankDown: false });
    const written: Written = JSON.parse(await read(release, "libsql.json"));
    const store = memoryStore({ shards: 3 });
    const clock = virtualClock({ now: written.now });
    const importer = await fleetEngine(store, clock, "today", false);
    const report = await importer.engine.admin.import([await read(release, "export.ndjson")]);
    assert.deepEqual([report.runs, report.refused], [written.runs.length, 0]);
    await importer.stop();
    const t = await fleetEngine(store, clock);
    assert.deepEqual((await t.engine.admin.verify()).findings, []);
    await t.advance("61d");
    const moved = new Map((await filed(t)).map(({ runId, at }) => [runId, at]));
    for (const { runId, run } of written.runs) {
      if (run.startsWith("people ")) assert.equal(moved.get(runId), "completed at greeted", run);
      if (run.startsWith("transfers ")) assert.equal(moved.get(runId), "completed at booked", run);
      if (run === "orders waits-to-be-paid") assert.equal(moved.get(runId), "completed at expired");
    }
    await t.stop();
    await store.close();
  });
}
