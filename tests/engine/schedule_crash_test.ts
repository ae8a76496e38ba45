import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { every, machine, type Store } from "../../mod.ts";
import { auditSchedule } from "./schedule_audit.ts";
import { World } from "./stores.ts";

/** A store that its process does not survive: with its nth commit it dies, before or after that has happened. */
function deadlyStore(store: Store, isFatal: () => "before" | "after" | undefined, die: () => void): Store {
  let isDead = false;
  const never = <Value>() => new Promise<Value>(() => {});
  const end = <Value>(): Promise<Value> => {
    isDead = true;
    die();
    return never();
  };
  return {
    limits: store.limits,
    shards: store.shards,
    read: (requests) => isDead ? never() : store.read(requests),
    async commit(calls) {
      if (isDead) return await never();
      const fate = isFatal();
      if (fate === "before") return await end();
      const results = await store.commit(calls);
      return fate === "after" ? await end() : results;
    },
    close: () => store.close(),
  };
}

/** Kills an engine at one commit of its life with a schedule, lets another take over, and looks whether anything shows. */
async function killAt(world: World, commit: number, when: "before" | "after", keepFinished: boolean) {
  const began = new Map<number, Set<string>>();
  const job = machine("job", keepFinished ? {} : { keepFinished: 1 })
    .step("a", ["b"], (run) => {
      const at = Date.parse(run.key.slice("job-".length));
      began.set(at, (began.get(at) ?? new Set()).add(run.runId));
      return "b";
    })
    .build();
  const recurrence = every("10s");
  const since = world.clock.now();
  let commits = 0;
  let isArmed = false;
  const isFatal = () => isArmed && ++commits === commit ? when : undefined;
  const first = world.mortal({
    definitions: [job],
    store: deadlyStore(world.store, isFatal, () => first.kill()),
  });
  await world.during(first.engine.start());
  const options = { id: "s", recurrence, target: job, key: "job-{scheduledFor}" } as const;
  await world.during(first.engine.schedules.create(options));
  isArmed = true;
  await world.advance(25_000);
  const isDead = commits >= commit;
  const second = await world.started({ definitions: [job] });
  await world.advance(60_000);
  await world.during(
    auditSchedule(second, { id: "s", recurrence, since, areRemoved: !keepFinished, began }),
  );
  const { counts, running, waiting } = await world.during(second.schedules.describe("s"));
  assert.deepEqual([counts.started, counts.missed, running, waiting], [8, 0, [], []]);
  assert.equal(began.size, 8);
  assert.deepEqual((await world.during(second.admin.verify())).findings, []);
  if (!isDead) first.kill();
  return isDead;
}

for (const shards of [1, 4]) {
  for (const keepFinished of [true, false]) {
    const how = keepFinished ? "" : " though runs are removed as soon as they have ended";
    Deno.test(`schedules lose and double nothing by a crash at any commit (${shards} shards)${how}`, async () => {
      for (const when of ["before", "after"] as const) {
        for (let commit = 1; commit <= 60; commit++) {
          const world = new World(memoryStore({ shards }));
          try {
            if (!await killAt(world, commit, when, keepFinished)) break;
          } catch (error) {
            throw new Error(`crash ${when} commit ${commit}`, { cause: error });
          } finally {
            await world.end();
          }
        }
      }
    });
  }
}
