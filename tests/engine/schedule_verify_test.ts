import assert from "node:assert/strict";
import { every, machine, type Store } from "../../mod.ts";
import { testInMemory, type World } from "./stores.ts";

const job = machine("job").callback("a", ["b"], () => "b").build();

/** All rows of a prefix. */
async function rowsOf({ store }: World, prefix: string) {
  const [answer] = await store.read([{
    shard: 0,
    ops: [{ start: `${prefix} `, end: `${prefix}!`, limit: 100 }],
  }]);
  return (answer as readonly (readonly { readonly key: string; readonly value: string }[])[])[0]!;
}

async function write(store: Store, puts: readonly { key: string; value: string }[], deletes: string[] = []) {
  const committer = { id: crypto.randomUUID(), callId: "1" };
  await store.commit([{ shard: 0, committer, batches: [{ checks: [], puts, deletes, relaxed: false }] }]);
}

/** Findings after some damage to a schedule with a run. */
async function findingsAfter(
  world: World,
  damage: (key: string, value: string) => string | undefined,
  prefix: string,
) {
  const engine = await world.started({ definitions: [job] });
  await engine.schedules.create({ id: "s", recurrence: every("10s"), target: job, key: "k", limit: 5 });
  await world.advance(11_000);
  assert.deepEqual((await engine.admin.verify()).findings, []);
  await engine.stop();
  for (const { key, value } of await rowsOf(world, prefix)) {
    const after = damage(key, value);
    if (after === undefined) await write(world.store, [], [key]);
    else await write(world.store, [{ key, value: after }]);
  }
  const { findings } = await world.engine({ definitions: [job], work: false }).admin.verify();
  return findings.map(({ invariant, problem }) => `${invariant}: ${problem}`).join("\n");
}

const cases: readonly [string, string, (value: string) => string | undefined, RegExp][] = [
  ["a missing tick row", "tick", () => undefined, /index: missing for schedule "s"/],
  ["a missing schedule", "sched", () => undefined, /no schedule stands behind(.|\n)*its schedule is gone/],
  [
    "a schedule that is no JSON",
    "sched",
    () => "{",
    /record: .*STORE_CORRUPT|record: .*Cannot read schedule/,
  ],
  ["two starts of one number", "sched", (text) => {
    const schedule = JSON.parse(text);
    return JSON.stringify({ ...schedule, running: [...schedule.running, ...schedule.running] });
  }, /schedule: two starts have one number/],
  [
    "a start that was never claimed",
    "mark",
    (text) => JSON.stringify({ ...JSON.parse(text), start: 9 }),
    /I12: start 9/,
  ],
  [
    "an outcome that names another start",
    "occ",
    (text) => text.replace('"start":1', '"start":2'),
    /I12: run .* is not/,
  ],
  ["a damaged outcome", "occ", () => "{}", /record: .*Cannot read outcome/],
];

for (const [what, prefix, damage, found] of cases) {
  testInMemory(`verify finds ${what}`, async (world) => {
    assert.match(await findingsAfter(world, (_, value) => damage(value), prefix), found);
  });
}
