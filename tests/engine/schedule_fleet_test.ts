import assert from "node:assert/strict";
import {
  type CommitCall,
  every,
  type LogLevel,
  machine,
  OutcomeUnknownError,
  recurrence as recurrenceOf,
  silentLogger,
  type Store,
  StoreBusyError,
} from "../../mod.ts";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { admin, callbacks, createEngine as kernelEngine, hooks } from "../../kernel.ts";
import { auditSchedule } from "./schedule_audit.ts";
import { gate, storeKinds, testInMemory, testOnStores, World } from "./stores.ts";

const recurrence = every("10s");

/** Tells which runs began, by their occurrence. */
function countingJob(options: { readonly keepFinished?: number } = {}) {
  const began = new Map<number, Set<string>>();
  const job = machine("job", options)
    .step("a", ["b"], (run) => {
      const at = Date.parse(run.key.slice(4, 28));
      began.set(at, (began.get(at) ?? new Set()).add(run.runId));
      return "b";
    })
    .build();
  return { began, job };
}

const key = "job {scheduledFor}";

testOnStores("engines share schedules, and none starts what another does", async (world) => {
  const { began, job } = countingJob();
  const since = world.clock.now();
  const client = world.engine({ definitions: [job], work: false });
  const ids = Array.from({ length: 12 }, (_, index) => `s${index}`);
  const first = await world.started({ definitions: [job] });
  for (const id of ids) {
    await world.during(
      client.schedules.create({ id, recurrence, target: job, key: `job {scheduledFor}+${id}` }),
    );
  }
  await world.advance(15_000);
  const second = await world.started({ definitions: [job] });
  await world.advance(20_000);
  await world.during(first.stop(), 5_000);
  await world.advance(30_000);
  for (const id of ids) await world.during(auditSchedule(second, { id, recurrence, since }), 1_000);
  const all = await world.during(client.schedules.list());
  assert.deepEqual(all.items.map(({ counts }) => counts.started), ids.map(() => 6));
  assert.deepEqual([...began.values()].map((runs) => runs.size), [12, 12, 12, 12, 12, 12]);
  assert.deepEqual((await world.during(second.admin.verify())).findings, []);
}, storeKinds.slice(1, 3));

/**
 * An owner stands still with the start of a run on its way. Another takes over, the run is started, ends and is removed with
 * all that told of it; then the first goes on.
 */
for (let commit = 1; commit <= 6; commit++) {
  testOnStores(`an engine that slept before commit ${commit} starts nothing twice`, async (world) => {
    const { began, job } = countingJob({ keepFinished: 1 });
    const since = world.clock.now();
    let commits = 0;
    let isArmed = false;
    let isAsleep = false;
    const store: Store = {
      limits: world.store.limits,
      shards: world.store.shards,
      read: (requests) => world.store.read(requests),
      async commit(calls) {
        if (isArmed && ++commits === commit) {
          isAsleep = true;
          await new Promise<void>((resolve) => world.clock.after(60_000, resolve));
        }
        return await world.store.commit(calls);
      },
      close: () => world.store.close(),
    };
    const sleeper = await world.started({ definitions: [job], store });
    await world.during(sleeper.schedules.create({ id: "s", recurrence, target: job, key }));
    await world.advance(9_500);
    isArmed = true;
    await world.advance(600);
    const other = await world.started({ definitions: [job] });
    await world.advance(120_000);
    assert.ok(isAsleep);
    await world.during(auditSchedule(other, { id: "s", recurrence, since, areRemoved: true, began }), 1_000);
    assert.equal(began.size, 13);
    assert.deepEqual((await world.during(other.admin.verify())).findings, []);
  }, storeKinds.slice(0, 2));
}

const remembering = {
  name: "memory with outcome rows",
  open() {
    const store = memoryStore({ keepOutcomes: true });
    return Promise.resolve({ store, close: () => store.close() });
  },
};

/** A store that fails every commit in some way for a while. */
function failingStore(store: Store, fails: () => "busy" | "lost" | "landed" | undefined): Store {
  return {
    limits: store.limits,
    shards: store.shards,
    read: (requests) => store.read(requests),
    async commit(calls) {
      const how = fails();
      if (how === "busy") throw new StoreBusyError("locked");
      if (how === "lost") throw new OutcomeUnknownError("the reply was lost");
      const results = await store.commit(calls);
      if (how === "landed") throw new OutcomeUnknownError("the reply was lost");
      return results;
    },
    close: () => store.close(),
  };
}

for (const how of ["busy", "lost", "landed"] as const) {
  for (let nth = 1; nth <= 5; nth++) {
    testOnStores(`an occurrence outlives a commit (${nth}) that comes back ${how}`, async (world) => {
      const { began, job } = countingJob();
      const since = world.clock.now();
      let commits = 0;
      const isDue = () => world.clock.now() >= since + 10_000 && world.clock.now() < since + 20_000;
      const store = failingStore(world.store, () => isDue() && ++commits === nth ? how : undefined);
      const engine = await world.started({ definitions: [job], store, lease: { term: "10m" } });
      await engine.schedules.create({ id: "s", recurrence, target: job, key });
      await world.advance(35_000);
      await auditSchedule(engine, { id: "s", recurrence, since, began });
      assert.equal(began.size, 3);
      assert.ok(commits >= nth);
    }, [remembering]);
  }
}

testInMemory(
  "a schedule that this code cannot read waits for code that can, and hurts no other",
  async (world) => {
    const { began, job } = countingJob();
    const lunar = { type: "moon", parse: () => ({ next: (after: Date | number) => Number(after) + 10_000 }) };
    const options = { target: job, key } as const;
    const logged: string[] = [];
    const logger = {
      log: (level: LogLevel, message: string, fields?: { readonly [name: string]: unknown }) =>
        void (level === "error" && logged.push(`${message} ${fields?.schedule} ${fields?.code}`)),
    };
    const newer = world.engine({ definitions: [job], recurrences: [lunar], work: false });
    await newer.schedules.create({ id: "moon", recurrence: recurrenceOf(lunar, 1), ...options });
    await newer.schedules.create({
      id: "sun",
      recurrence,
      target: job,
      key: "job 2000-01-01 {scheduledFor}",
    });
    const older = await world.started({ definitions: [job], logger });
    await world.advance(65_000);
    assert.deepEqual(logged, ["Cannot go on with a schedule moon UNKNOWN_RECURRENCE"]);
    assert.equal((await older.schedules.get("sun"))!.counts.started, 6);
    assert.equal((await older.schedules.get("moon"))!.counts.started, 0);
    await older.stop();
    await world.started({ definitions: [job], recurrences: [lunar] });
    await world.advance(1_000);
    assert.ok((await newer.schedules.get("moon"))!.counts.started > 0);
    assert.ok(began.size > 0);
  },
);

testOnStores("a tick fires what is due, and says when the next is", async (world) => {
  const { job } = countingJob();
  const now = world.clock.now();
  const engine = world.engine({ definitions: [job] });
  await world.during(engine.schedules.create({ id: "s", recurrence, target: job, key }));
  const before = await world.during(engine.tick(), 10_000);
  assert.deepEqual(Number(before.nextDueAt) - now, 10_000);
  await world.advance(15_000);
  const after = await world.during(engine.tick(), 10_000);
  assert.ok(after.processed >= 1);
  assert.equal((await world.during(engine.schedules.get("s")))!.counts.started, 1);
}, storeKinds.slice(0, 1));

Deno.test("schedules work with every kind of engine that calls verbs, and seal their data", async () => {
  const world = new World(memoryStore({ shards: 4 }));
  try {
    const secret = {
      encode: (text: string) => text.split("").reverse().join(""),
      decode: (text: string) => text.split("").reverse().join(""),
    };
    const seen: string[] = [];
    const job = machine<{ word: string }>("job").step("a", ["b"], (run) => {
      seen.push(run.data.word);
      return "b";
    }).build();
    const client = world.engine({ definitions: [job], work: false, codec: secret });
    await client.schedules.create({ id: "s", recurrence, target: job, key, data: { word: "hidden" } });
    assert.deepEqual((await client.schedules.describe("s")).data, { word: "hidden" });
    await world.started({ definitions: [job], codec: secret });
    await world.advance(11_000);
    assert.deepEqual(seen, ["hidden"]);
    for (let shard = 0; shard < 4; shard++) {
      const [answer] = await world.store.read([{ shard, ops: [{ start: "", end: "\x7f", limit: 1_000 }] }]);
      assert.ok(!JSON.stringify(answer).includes("hidden"));
    }
  } finally {
    await world.end();
  }
});

testInMemory(
  "an owner without the feature leaves schedules alone, and they heal when one with it comes",
  async (world) => {
    const door = machine("door").callback("open", ["shut"], () => "shut").build();
    const since = world.clock.now();
    const first = world.mortal({ definitions: [door] });
    await first.engine.start();
    await first.engine.schedules.create({
      id: "s",
      recurrence,
      target: door,
      key: "d",
      overlap: "bufferAll",
    });
    await world.advance(15_000);
    first.kill();
    const { store, clock } = world;
    const bare = kernelEngine({
      store,
      clock,
      definitions: [door],
      features: [callbacks, hooks, admin],
      logger: silentLogger,
    });
    await bare.start();
    await world.advance(15_000);
    await bare.callback(door, "d", "open");
    await world.advance(5_000);
    const { items } = await bare.admin.parked();
    assert.match(items[0]!.lastError!.message, /has no hook/);
    await world.during(bare.stop(), 5_000);
    // What nobody tells of is looked at.
    const last = await world.started({ definitions: [door] });
    await world.advance(1_000);
    const { running, counts } = await last.schedules.describe("s");
    assert.deepEqual([counts.started, running.length], [2, 1]);
    await auditSchedule(last, { id: "s", recurrence, since });
  },
);

Deno.test("a start that was held up on its way to another engine's shard is refused by the mark", async () => {
  const inner = memoryStore({ shards: 4 });
  const sleeping = gate();
  const first = { committer: "", isHeld: false, sleep: () => {} };
  const isStart = ({ committer, guard, batches }: CommitCall) =>
    committer.id === first.committer && !guard &&
    batches.some(({ puts }) => puts.some(({ key }) => key.startsWith("mark ")));
  const store: Store = {
    limits: inner.limits,
    shards: inner.shards,
    read: (requests) => inner.read(requests),
    async commit(calls) {
      first.committer ||= calls[0]!.committer.id;
      if (!first.isHeld && calls.some(isStart)) {
        first.isHeld = true;
        first.sleep();
        await sleeping.promise;
      }
      return await inner.commit(calls);
    },
    close: () => inner.close(),
  };
  const world = new World(store);
  try {
    const { began, job } = countingJob({ keepFinished: 1 });
    const since = world.clock.now();
    const sleeper = world.mortal({ definitions: [job] });
    first.sleep = () => sleeper.freeze();
    await world.during(sleeper.engine.start());
    const other = await world.started({ definitions: [job] });
    await world.advance(9_000);
    const ids = Array.from({ length: 8 }, (_, index) => `s${index}`);
    for (const id of ids) {
      const every8 = every("10s", { phase: `${ids.indexOf(id)}s` });
      await other.schedules.create({ id, recurrence: every8, target: job, key });
    }
    await world.advance(60_000);
    assert.ok(first.isHeld);
    sleeper.wake();
    sleeping.resolve();
    await world.advance(30_000);
    for (const id of ids) {
      const every8 = every("10s", { phase: `${ids.indexOf(id)}s` });
      await auditSchedule(other, { id, recurrence: every8, since: since + 9_000, areRemoved: true, began });
    }
    await world.during(sleeper.engine.stop(), 5_000);
  } finally {
    await world.end();
  }
});

Deno.test("what a schedule decides at once fits a store that takes few rows at a time", async () => {
  const world = new World(memoryStore({ limits: { writesPerCommitMax: 16 } }));
  try {
    const door = machine("door").callback("open", ["shut"], () => "shut").build();
    const engine = await world.started({ definitions: [door], limits: { outcomesKeptMax: 10 } });
    const target = { target: door, key: "d", recurrence } as const;
    await engine.schedules.create({ id: "s", ...target, overlap: "bufferAll", limit: 2 });
    await world.advance(405_000);
    assert.equal((await engine.schedules.describe("s")).waiting.length, 39);
    for (let run = 0; run < 2; run++) {
      await engine.callback(door, "d", "open");
      await world.advance(1_000);
    }
    const { waiting, counts, next } = await engine.schedules.describe("s");
    assert.deepEqual([waiting, counts.started, counts.skipped, next], [[], 2, 38, undefined]);
    assert.ok((await engine.schedules.outcomes("s")).items.length < 20);
    await engine.schedules.delete("s");
    await world.advance(86_400_000);
    assert.deepEqual((await engine.admin.verify()).findings, []);
  } finally {
    await world.end();
  }
});

testInMemory(
  "an export carries the runs of a schedule, and their ends tell nobody elsewhere",
  async (world) => {
    const door = machine("door").callback("open", ["shut"], () => "shut").build();
    const first = await world.started({ definitions: [door] });
    await first.schedules.create({ id: "s", recurrence, target: door, key: "d" });
    await world.advance(11_000);
    const text = await Array.fromAsync(first.admin.export());
    const elsewhere = new World(memoryStore({ shards: 4 }));
    try {
      const second = await elsewhere.started({ definitions: [door] });
      await elsewhere.during(second.admin.import(text), 1_000);
      const before = (await second.get(door, "d"))!;
      assert.deepEqual(before.origin, (await first.get(door, "d"))!.origin);
      await second.callback(door, "d", "open");
      await elsewhere.advance(5_000);
      assert.deepEqual((await second.admin.parked()).items, []);
      assert.deepEqual((await second.admin.verify()).findings, []);
      assert.deepEqual((await second.schedules.list()).items, []);
    } finally {
      await elsewhere.end();
    }
  },
);
