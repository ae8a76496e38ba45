/**
 * The life that a release's store is written by, and how what is there is told.
 *
 * @module
 */
import assert from "node:assert/strict";
import { statusTopic } from "pawl";
import { type TestEngine, virtualClock } from "pawl/testing";
import type { Store } from "../../mod.ts";
import { createSchedules, firstPeople, fleetEngine, machines, world } from "./fleet.ts";

const { orders, verdicts, transfers, visits } = machines;

/** When the life begins, in virtual time: a Sunday at noon. */
const begun = Date.UTC(2030, 0, 6, 12);

/** A run as the store has it. */
export interface Filed {
  readonly run: string;
  readonly runId: string;
  readonly at: string;
  readonly data: unknown;
  readonly history: readonly string[];
}

/** What a store was when it was written. */
export interface Written {
  /** The wall clock then. */
  readonly now: number;
  readonly runs: readonly Filed[];
  /** Of the runs of the key, what a repeated trigger is to be told. */
  readonly idempotent: string;
}

const allStates = [
  "initiated",
  "running",
  "paused",
  "stalled",
  "completed",
  "failed",
  "cancelled",
  "terminated",
  "deletion-requested",
  "deleted",
];

/** Everything that can be told of the runs of a store. */
export async function filed({ engine }: TestEngine): Promise<Filed[]> {
  const { items } = await engine.list({ limit: 200, order: "oldest", include: ["data"] });
  const all = items.map(async ({ definition, key, runId, status, runState, data }) => ({
    run: `${definition} ${key}`,
    runId,
    at: `${runState} at ${status}`,
    data,
    history: (await engine.history({ runId })).map((row) => `${row.kind} ${row.to ?? ""}`.trim()),
  }));
  return (await Promise.all(all)).sort((a, b) => a.runId < b.runId ? -1 : 1);
}

/** Where the events of this topic are, for a receiver that has acked the first. */
export const parcels = { topic: "parcels", receiver: "mailer" } as const;

/**
 * Fills a new store with something of everything, and leaves it as a process does that dies: its leases are not given back.
 *
 * @param store New and empty.
 * @param dump Called at the end, while the engine still lives.
 * @returns What was written.
 */
export async function writeLife(store: Store, dump: () => Promise<void>): Promise<Written> {
  Object.assign(world, { isMailDown: true, isBankDown: true });
  const clock = virtualClock({ now: begun, patience: "30s" });
  const first = await fleetEngine(store, clock, "first");
  await first.engine.trigger(firstPeople, "ann", { data: { name: "Ann Lee" } });
  await first.engine.trigger(firstPeople, "bob", { data: { name: "Bob Hay" }, startAt: "checked" });
  await first.stop();

  const fate = { isDead: false };
  const t = await fleetEngine(mortalStore(store, fate), clock, "rolled back");
  const { engine } = t;
  await createSchedules(t);
  await engine.schedules.pause("resting", { note: "holidays" });
  for (const verdict of ["pause", "cancel", "fail", "done", "skip"] as const) {
    await engine.trigger(verdicts, verdict, { data: { verdict } });
  }
  for (const key of ["by-hand", "ended-by-hand"]) {
    await engine.trigger(orders, key, { data: { cents: 1, reminders: 0 } });
  }
  const idempotencyKey = "the-customer-clicked";
  const data = { cents: 500, reminders: 0 };
  const { runId: idempotent } = await engine.trigger(orders, "waits-to-be-paid", { data, idempotencyKey });
  for (const key of ["shipped", "waits-to-be-shipped"]) await engine.trigger(orders, key, { data });
  for (const key of ["first", "second"]) {
    await engine.trigger(transfers, key, { data: { account: "shared" } });
  }
  for (const key of ["over", "erased", "to-be-erased"]) {
    await engine.trigger(visits, key, { data: { name: "Ann", ward: "eyes" } });
  }
  await t.advance("1h");
  await engine.pause(orders, "by-hand", { reason: "wait" });
  await engine.cancel(orders, "ended-by-hand", { reason: "no" });
  await engine.callback(orders, "shipped", "billed", { id: "p-1" }, { idempotencyKey: "paid-1" });
  await engine.deleteData(visits, "erased", { reason: "letter 17" });
  await engine.streams.send(parcels.topic, ["p1", "p2", "p3"].map((id) => ({ id, key: "k", type: "sent" })));
  await acked(t, parcels.topic, 1);
  await t.advance("2d");
  await engine.callback(orders, "waits-to-be-shipped", "billed", { id: "p-2" });
  assert.equal((await acked(t, statusTopic("orders", "paid"), 1)).length, 1);
  const hold = await engine.semaphore("gpu", 4, { weight: 3 }).acquire({ hold: "2h" });
  assert.ok(!hold.signal.aborted);
  await t.clock.settle();

  // Its process dies. Another one, that only calls, goes on: nobody hears of what it writes.
  fate.isDead = true;
  const caller = await fleetEngine(store, clock, "rolled back", false);
  await caller.engine.trigger(verdicts, "from-elsewhere", { data: { verdict: "done" } });
  await caller.engine.deleteData(visits, "to-be-erased");
  const written = { now: clock.now(), runs: await filed(caller), idempotent };
  const states = new Set(written.runs.map(({ at }) => at.split(" ")[0]));
  assert.deepEqual([...states].sort(), [...allStates].sort(), "each state of a run is there");
  await dump();
  await caller.stop();
  return written;
}

/** The store as a process sees it that may die: nothing it asks for is answered any more. */
function mortalStore(store: Store, fate: { readonly isDead: boolean }): Store {
  const alive = <T>(work: () => Promise<T>): Promise<T> => fate.isDead ? new Promise<T>(() => {}) : work();
  return {
    limits: store.limits,
    shards: store.shards,
    read: (requests) => alive(() => store.read(requests)),
    commit: (calls) => alive(() => store.commit(calls)),
    watch: (onHint) => store.watch!((shard, id) => fate.isDead || onHint(shard, id)),
    close: () => store.close(),
  };
}

/** Takes events of a topic, and acks the last of them. */
export async function acked({ engine }: TestEngine, topic: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const { event, ack } of await engine.streams.receive(topic, parcels.receiver)) {
    ids.push(event.id);
    if (ids.length < count) continue;
    await ack();
    break;
  }
  return ids;
}
