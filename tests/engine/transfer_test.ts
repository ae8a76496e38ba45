import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { StoreClosedError } from "../../core/errors.ts";
import { textLines } from "../../core/parts/text_lines.ts";
import { seededRandom } from "../../core/ports/random.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import {
  type Codec,
  type Engine,
  ImportIncompleteError,
  type ImportProgress,
  machine,
  type Store,
  type StoreLimits,
} from "../../mod.ts";
import { gate, testOnStores, World } from "./stores.ts";

interface Data {
  n: number;
  rounds?: number;
}

const flow = machine<Data>("flow", { pauseRetry: false })
  .step("a", ["b"], (run) => {
    run.data.n++;
    return run.data.n < (run.data.rounds ?? 0) ? run.repeat() : "b";
  })
  .step("b", ["c"], () => "c", { lag: "1h" })
  .build();

const definitions = [flow];

/** A batch of nine rows is a full one: nearly every run needs several. */
const tight: Partial<StoreLimits> = { writesPerCommitMax: 9, entriesPerRangeMax: 4, opsPerReadMax: 12 };

/** A world whose engines and store end with the test. */
async function inWorld(store: Store, body: (world: World) => Promise<void>): Promise<void> {
  const world = new World(store);
  try {
    await body(world);
  } finally {
    await world.end();
    await store.close();
  }
}

const test = (name: string, body: (world: World) => Promise<void>, store = () => memoryStore()) =>
  Deno.test(name, () => inWorld(store(), body));

let seed = 1_000;

/** An engine on another store, that draws other run ids. */
const target = (store: Store = memoryStore({ shards: 2 })) =>
  new World(store).engine({ definitions, random: seededRandom(seed++) });

async function textOf(engine: Engine): Promise<string> {
  return (await Array.fromAsync(engine.admin.export())).join("");
}

/** Runs of many lengths and states. */
async function filled(world: World): Promise<Engine> {
  const engine = await world.started({ definitions });
  for (let n = 0; n < 8; n++) {
    const data = { n: 0, rounds: n * 3 };
    await engine.trigger(flow, `k${n}`, { data, idempotencyKey: `once ${n}` });
  }
  await world.settle();
  await engine.cancel(flow, "k3");
  await engine.trigger(flow, "k3", { data: { n: 0 } });
  await engine.pause(flow, "k5");
  await world.settle();
  return engine;
}

/** What an export says, whatever the order of its runs and the store it is of. */
async function sayingOf(engine: Engine): Promise<string[]> {
  return (await textOf(engine)).split("\n").filter((line) => line.includes('"kind":"run"')).sort();
}

/** A store that fails for good at its n-th commit: before it is applied, or after, as if the process had died then. */
function dyingStore(store: Store, commits: number, when: "before" | "after"): Store {
  let left = commits;
  return {
    limits: store.limits,
    shards: store.shards,
    read: (requests) => store.read(requests),
    async commit(calls) {
      if (left <= 0) throw new StoreClosedError("commit");
      if (--left > 0) return store.commit(calls);
      if (when === "after") await store.commit(calls);
      throw new StoreClosedError("commit");
    },
    close: () => store.close(),
  };
}

for (const [what, limits] of [["batches of any size", {}], ["small batches", tight]] as const) {
  test(`admin.import() that dies at any commit is repaired by the next one, with ${what}`, async (world) => {
    const source = await filled(world);
    const [text, wanted] = [await textOf(source), await sayingOf(source)];
    let wentThrough = false;
    for (let commits = 1; !wentThrough; commits++) {
      for (const when of ["before", "after"] as const) {
        const store = memoryStore({ shards: 2, limits });
        const dead = target(dyingStore(store, commits, when));
        const died = await dead.admin.import([text]).then(() => false, (error) => {
          assert.equal(error.code, "STORE_CLOSED");
          return true;
        });
        wentThrough = !died;
        const heir = target(store);
        for (const line of await sayingOf(heir)) {
          // A key leads to the newest of its runs that are there.
          const isWhole = wanted.some((each) => each.replace('"latest":false', '"latest":true') === line);
          assert.ok(isWhole || wanted.includes(line), "a run is whole, or not there");
        }
        for (const { problem } of (await heir.admin.verify()).findings) {
          assert.match(problem, /history row of no run/, "only rows that nobody can see are left behind");
        }
        const report = await heir.admin.import([text]);
        assert.deepEqual([report.refusals, report.runs + report.skipped], [[], wanted.length]);
        assert.deepEqual(await sayingOf(heir), wanted);
        assert.deepEqual((await heir.admin.verify()).findings, []);
      }
    }
  });
}

test("admin.import() clears away what it left of a run whose key was taken meanwhile", async (world) => {
  const engine = await world.started({ definitions });
  await engine.trigger(flow, "k", { data: { n: 0, rounds: 20 } });
  await world.settle();
  const text = await textOf(engine);
  const store = memoryStore({ limits: tight });
  // The shard is raised first, a batch a commit's group, then come two batches of the history.
  await assert.rejects(target(dyingStore(store, 6, "after")).admin.import([text]), { code: "STORE_CLOSED" });
  const heir = target(store);
  assert.match((await heir.admin.verify()).findings[0]!.problem, /history row of no run/);
  const { runId } = await heir.trigger(flow, "k", { data: { n: 0 } });
  const report = await heir.admin.import([text]);
  assert.deepEqual([report.runs, report.refused], [0, 1]);
  assert.match(report.refusals[0]!.reason, new RegExp(`another unfinished run in the store, ${runId}`));
  assert.deepEqual((await heir.admin.verify()).findings, []);
});

test("admin.import() of an older export leaves no rows of a newer one that was cut off", async (world) => {
  const engine = await world.started({ definitions });
  await engine.trigger(flow, "k", { data: { n: 0, rounds: 12 } });
  await world.settle();
  const older = await textOf(engine);
  await world.advance(3_600_000);
  await engine.trigger(flow, "k", { data: { n: 0 } });
  const newer = await textOf(engine);
  let seen = 0;
  for (let commits = 1; commits < 30; commits++) {
    const store = memoryStore({ limits: tight });
    await target(dyingStore(store, commits, "after")).admin.import([newer]).catch(() => {});
    const heir = target(store);
    seen += (await heir.admin.verify()).findings.length;
    const report = await heir.admin.import([older]);
    assert.deepEqual(report.refusals, []);
    assert.deepEqual((await heir.admin.verify()).findings, []);
    await heir.admin.import([newer]);
    assert.deepEqual((await heir.admin.verify()).findings, []);
  }
  assert.ok(seen > 0);
});

test("admin.import() of one batch finds rows of a longer import that was cut off", async (world) => {
  const slow = machine<Data>("slow")
    .step("a", ["b"], (run) => run.data.n++ < 12 ? run.repeat() : "b", { lag: "1m" })
    .build();
  const engine = await world.started({ definitions: [slow] });
  await engine.trigger(slow, "k", { data: { n: 0 } });
  await world.settle();
  const short = await textOf(engine);
  await world.advance(3_600_000);
  const long = await textOf(engine);
  let seen = 0;
  for (let commits = 1; commits < 12; commits++) {
    const store = memoryStore({ limits: tight });
    await target(dyingStore(store, commits, "after")).admin.import([long]).catch(() => {});
    const heir = target(store);
    seen += (await heir.admin.verify()).findings.length;
    await heir.admin.import([short]);
    assert.deepEqual((await heir.admin.verify()).findings, []);
  }
  assert.ok(seen > 0);
});

test("admin.import() of a history in pieces sees that a piece was cleared away meanwhile", async (world) => {
  const source = world.engine({ definitions });
  const worker = await world.started({ definitions });
  const { runId } = await source.trigger(flow, "k", { data: { n: 0, rounds: 20 } });
  await world.settle();
  const inner = memoryStore({ limits: tight });
  let cleared = false;
  const store: Store = {
    limits: inner.limits,
    shards: 1,
    read: (requests) => inner.read(requests),
    async commit(calls) {
      const lands = calls.some((call) =>
        call.batches.some((batch) => batch.puts.some((put) => put.key === keyspace.run.key(runId)))
      );
      // Another importer has refused the run, and cleans up, between the last piece and the record.
      if (lands && !cleared) {
        cleared = true;
        const ops = [{ ...keyspace.history.range(runId), limit: 4 }];
        const [result] = await inner.read([{ shard: 0, ops }]);
        const deletes = result![0]!.map((row) => row.key);
        const committer = { id: "other", callId: "1" };
        await inner.commit([{ shard: 0, committer, batches: [{ checks: [], puts: [], deletes }] }]);
      }
      return inner.commit(calls);
    },
    close: () => inner.close(),
  };
  const engine = target(store);
  assert.equal((await engine.admin.import([await textOf(worker)])).runs, 1);
  assert.ok(cleared);
  assert.deepEqual(await sayingOf(engine), await sayingOf(worker));
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

test("admin.import() twice at once imports each run once", async (world) => {
  const source = await filled(world);
  const [text, wanted] = [await textOf(source), await sayingOf(source)];
  for (const limits of [{}, tight]) {
    const store = memoryStore({ shards: 2, limits });
    const [first, second] = [target(store), target(store)];
    const reports = await Promise.all([first, second].map((each) => each.admin.import([text])));
    assert.equal(reports[0]!.runs + reports[1]!.runs, wanted.length);
    assert.equal(reports[0]!.skipped + reports[1]!.skipped, wanted.length);
    assert.deepEqual(await sayingOf(first), wanted);
    assert.deepEqual((await first.admin.verify()).findings, []);
  }
});

test("admin.import() refuses an unfinished run whose key has another, and takes the rest", async (world) => {
  const source = world.engine({ definitions });
  const ids = [];
  for (const key of ["busy", "free"]) ids.push((await source.trigger(flow, key, { data: { n: 0 } })).runId);
  const engine = target();
  const { runId } = await engine.trigger(flow, "busy", { data: { n: 7 } });
  const report = await engine.admin.import([await textOf(source)]);
  assert.deepEqual([report.runs, report.skipped, report.refused], [1, 0, 1]);
  const [{ line, runId: refused, reason }] = report.refusals as [typeof report.refusals[0]];
  assert.deepEqual([line > 1, refused], [true, ids[0]]);
  assert.match(reason, new RegExp(`another unfinished run in the store, ${runId}`));
  assert.equal((await engine.get(flow, "busy"))!.data.n, 7);
  assert.equal((await engine.get(flow, "free"))!.runId, ids[1]);
  await engine.cancel(flow, "busy");
  assert.equal((await engine.admin.import([await textOf(source)])).runs, 1, "the key is free now");
  assert.equal((await engine.get(flow, "busy"))!.runId, ids[0]);
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

test("admin.import() never overwrites: a run further on is skipped, one that lags is refused", async (world) => {
  const source = await world.started({ definitions });
  await source.trigger(flow, "k", { data: { n: 0 } });
  await world.settle();
  const early = await textOf(source);
  await world.advance(3_600_000);
  const late = await textOf(source);
  const engine = target();
  await engine.admin.import([late]);
  assert.equal((await engine.admin.import([early])).skipped, 1);
  assert.equal((await engine.get(flow, "k"))!.runState, "completed");
  const other = target();
  await other.admin.import([early]);
  const report = await other.admin.import([late]);
  assert.match(report.refusals[0]!.reason, /at version 2, and an import never overwrites/);
  assert.equal((await other.get(flow, "k"))!.runState, "running");
});

test("admin.import() refuses a stale copy of a run whose successor is there", async (world) => {
  const source = world.engine({ definitions });
  await source.trigger(flow, "k", { data: { n: 0 } });
  const stale = await textOf(source);
  await source.cancel(flow, "k");
  const { runId } = await source.trigger(flow, "k", { data: { n: 1 } });
  await source.cancel(flow, "k");
  const lines = await Array.fromAsync(source.admin.export());
  const engine = target();
  const onlySecond = [lines[0]!, lines[2]!, lines[3]!];
  await assert.rejects(engine.admin.import(onlySecond), { code: "IMPORT_INCOMPLETE" });
  const report = await engine.admin.import([stale]);
  assert.match(report.refusals[0]!.reason, new RegExp(`run ${runId} of the store came after it`));
  assert.equal((await engine.admin.import(lines)).runs, 1, "as it ended, it is welcome");
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

test("admin.import() leaves an idempotency key to the answer that the store has", async (world) => {
  const source = world.engine({ definitions });
  const options = { data: { n: 0 }, idempotencyKey: "once" };
  await source.trigger(flow, "k", options);
  await source.cancel(flow, "k");
  const engine = target();
  const { runId } = await engine.trigger(flow, "k", options);
  await engine.cancel(flow, "k");
  assert.equal((await engine.admin.import(source.admin.export())).runs, 1);
  assert.deepEqual(await engine.trigger(flow, "k", options), { runId, created: false });
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

test("admin.import() leaves a key to the run that is its latest", async (world) => {
  const source = world.engine({ definitions });
  const old = await source.trigger(flow, "k", { data: { n: 0 } });
  await source.cancel(flow, "k");
  const text = await textOf(source);
  const engine = target();
  const newer = await engine.trigger(flow, "k", { data: { n: 1 } });
  assert.equal((await engine.admin.import([text])).runs, 1);
  assert.equal((await engine.get(flow, "k"))!.runId, newer.runId);
  assert.equal((await engine.get(flow, "k", { runId: old.runId }))!.runState, "cancelled");
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

test("admin.import() makes the last of many ended runs the latest of its key", async (world) => {
  const source = world.engine({ definitions });
  const ids: string[] = [];
  for (let n = 0; n < 4; n++) {
    ids.push((await source.trigger(flow, "k", { data: { n } })).runId);
    await source.cancel(flow, "k");
    if (n === 2) await world.advance(1_000);
  }
  const lines = await Array.fromAsync(source.admin.export());
  for (const cut of [2, 3, 4, 5, 6]) {
    const engine = target();
    await engine.admin.import(lines.slice(0, cut)).catch(() => {});
    assert.equal((await engine.get(flow, "k"))!.runId, ids[Math.min(cut, 5) - 2]);
    await engine.admin.import(lines);
    assert.equal((await engine.get(flow, "k"))!.runId, ids[3]);
    const { items } = await engine.list({ definition: "flow", key: "k" });
    assert.deepEqual(items.map((item) => item.runId), ids.toReversed());
  }
});

testOnStores("an engine at work takes up the unfinished runs that are imported under it", async (world) => {
  const far = new World(memoryStore({ shards: 3 }));
  const source = far.engine({ definitions });
  for (let n = 0; n < 20; n++) await source.trigger(flow, `k${n}`, { data: { n: 0, rounds: 4 } });
  const engine = await world.started({ definitions });
  const operator = world.engine({ definitions });
  // The engine looks at its bells between any two lines.
  async function* slowly() {
    for await (const line of source.admin.export()) {
      yield line;
      await world.advance(700);
    }
  }
  await operator.admin.import(slowly());
  await world.advance(3_600_000 + 2_000);
  const { items } = await engine.list({ runState: "completed" });
  assert.equal(items.length, 20);
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

testOnStores("admin.export() of a store at work has each run whole", async (world) => {
  const engine = await world.started({ definitions });
  for (let n = 0; n < 60; n++) {
    await engine.trigger(flow, `k${n}`, { data: { n: 0, rounds: n === 7 ? 250 : n % 9 } });
  }
  const pieces: string[] = [];
  for await (const line of engine.admin.export()) {
    pieces.push(line);
    if (pieces.length === 40) await engine.trigger(flow, "late", { data: { n: 0 } });
    if (pieces.length % 10 === 0) await world.advance(300_000);
  }
  const heir = target(memoryStore({ shards: 5 }));
  const report = await heir.admin.import(pieces);
  assert.deepEqual(report.refusals, []);
  assert.ok(report.runs >= 60);
  assert.deepEqual((await heir.admin.verify()).findings, []);
});

test("admin.import() names what is no export, and what is none of this version's", async (world) => {
  const source = world.engine({ definitions });
  await source.trigger(flow, "k", { data: { n: 0 } });
  const [header, run, trailer] = await Array.fromAsync(source.admin.export()) as [string, string, string];
  const engine = target();
  const refused = (text: string, code: string, message: RegExp) =>
    assert.rejects(engine.admin.import([text]), { code, message });
  await refused("", "INVALID_ARGUMENT", /it is empty/);
  await refused("a text\n", "INVALID_ARGUMENT", /line 1 is no header/);
  await refused(run + trailer, "INVALID_ARGUMENT", /line 1 is no header/);
  await refused(header + run + trailer + run, "INVALID_ARGUMENT", /line 4 stands after the end/);
  await refused(header + header, "INVALID_ARGUMENT", /line 2 is a second header/);
  const newer = header.replace('"format":1', '"format":2');
  await refused(newer + run + trailer, "STORE_INCOMPATIBLE", /format 2, this version of Pawl reads up to 1/);
  assert.equal((await engine.list()).items.length, 1, "of the two where the fault came last");
  const byteOrderMark = "\uFEFF" + header + "\r\n" + run.replace("\n", "\r\n") + trailer;
  assert.equal((await engine.admin.import([byteOrderMark])).skipped, 1);
});

test("admin.import() says when the text was cut off, and keeps what came before", async (world) => {
  const source = await filled(world);
  const lines = await Array.fromAsync(source.admin.export());
  for (const text of [lines.slice(0, -1), [...lines.slice(0, 4), lines.at(-1)!], lines.slice(0, 1)]) {
    const engine = target();
    await assert.rejects(engine.admin.import(text), (error: ImportIncompleteError<{ runs: number }>) => {
      assert.equal(error.code, "IMPORT_INCOMPLETE");
      assert.equal(error.report.runs, text.filter((line) => line.includes('"kind":"run"')).length);
      return true;
    });
    assert.deepEqual((await engine.admin.verify()).findings, []);
    assert.equal((await engine.admin.import(lines)).refused, 0);
    assert.deepEqual(await sayingOf(engine), await sayingOf(source));
  }
  const cut = lines.slice(0, 3).join("").slice(0, -50);
  await assert.rejects(target().admin.import([cut]), { code: "IMPORT_INCOMPLETE" });
});

test("admin.import() refuses lines that are no runs with their number and the reason", async (world) => {
  const source = world.engine({ definitions });
  await source.trigger(flow, "k", { data: { n: 0 } });
  const [header, run, trailer] = await Array.fromAsync(source.admin.export()) as [string, string, string];
  const faults: [string | RegExp, string, RegExp][] = [
    [/^/, "x", /no JSON/],
    ['"kind":"run"', '"kind":"walk"', /kind is "walk"/],
    ['"state":"initiated"', '"state":"asleep"', /run state in its record, not asleep/],
    ['"state":"initiated"', '"state":"completed"', /history that ends completed, not initiated/],
    [/"id":"\w{4}/, '"id":"zzzz', /want a run id/],
    [/"id":"(\w{26})\w{4}/, '"id":"$1ffff', /its id is not one of its definition and key/],
    ['"version":1,"visit"', '"version":2,"visit"', /history up to version 2, not 1/],
    [/"history":\[.*\],"record"/, '"history":[],"record"', /want a history/],
    [/"at":\d+/, '"at":"noon"', /at, kind, by, attempt/],
    [/,"data":.*$/m, "}}", /want data/],
    ['"latest":true', '"latest":1', /the latest of its key/],
  ];
  for (const [from, to, message] of faults) {
    const changed = run.replace(from, to);
    assert.notEqual(changed, run, String(message));
    const engine = target();
    const report = await engine.admin.import([header + changed + trailer]);
    assert.deepEqual([report.runs, report.refused, report.refusals[0]!.line], [0, 1, 2]);
    assert.match(report.refusals[0]!.reason, message);
    assert.equal((await engine.list()).items.length, 0);
    assert.deepEqual((await engine.admin.verify()).findings, []);
  }
});

test("admin.import() refuses what the engine or the store cannot hold, and takes the rest", async (world) => {
  const big = machine<string>("big").step("a", ["b"], () => "b").build();
  const source = world.engine({ definitions: [big] });
  await source.trigger(big, "large", { data: "x".repeat(5_000) });
  await source.trigger(big, "x".repeat(200), { data: "x" });
  await source.trigger(big, "small", { data: "x" });
  const cases: [object, Partial<StoreLimits>, RegExp][] = [
    [{ payloadBytesMax: 1_000 }, {}, /limits.payloadBytesMax \(1000\)/],
    [{ keyLengthMax: 100 }, {}, /limits.keyLengthMax \(100\)/],
    [{}, { valueBytesMax: 2_000 }, /the store takes 2000/],
    [{}, { bytesPerCommitMax: 3_000 }, /size of all writes/],
  ];
  for (const [limits, storeLimits, reason] of cases) {
    const there = new World(memoryStore({ limits: storeLimits }));
    const engine = there.engine({ definitions: [big], limits });
    const report = await engine.admin.import(source.admin.export());
    assert.deepEqual([report.runs, report.refused], [2, 1], String(reason));
    assert.match(report.refusals[0]!.reason, reason);
    assert.deepEqual((await engine.admin.verify()).findings, []);
  }
});

test("admin.export() keeps what is damaged as a line of its own, and admin.import() refuses it", async (world) => {
  const source = await filled(world);
  const { items } = await source.list({ order: "oldest" });
  const damage = (key: string, value: string) =>
    world.store.commit([{
      shard: 0,
      committer: { id: `hand ${key}`, callId: "1" },
      batches: [{ checks: [], puts: [{ key, value }], deletes: [] }],
    }]);
  const [first, second, third] = items.map((item) => item.runId) as [string, string, string];
  await damage(keyspace.run.key(first), "{");
  const rows = await world.store.read([{
    shard: 0,
    ops: [{ ...keyspace.history.range(second), limit: 1 }],
  }]);
  await damage(rows[0]![0]![0]!.key, '{"at":');
  await damage(
    keyspace.run.key(third),
    `{"id":"${third}","definition":"flow","key":"k2","createdAt":1,` +
      `"state":"running","status":"a","version":1,"data":{]}`,
  );
  await damage(keyspace.key.key("flow", "k6"), "null");
  const engine = target();
  const report = await engine.admin.import(source.admin.export());
  assert.deepEqual([report.runs, report.refused], [items.length - 3, 4]);
  const reasons = report.refusals.map((each) => each.reason).join("\n");
  for (const key of [`run ${first}`, `hist ${second}`, "key flow k6"]) {
    assert.ok(reasons.includes(key), reasons);
  }
  assert.deepEqual((await engine.admin.verify()).findings, []);
  assert.equal((await engine.get(flow, "k6"))!.runState, "running", "the key row is made anew");
});

test("admin.export() keeps sealed data sealed", async (world) => {
  const turn = (text: string) => [...text].reverse().join("");
  const codec: Codec = { encode: turn, decode: turn };
  const source = world.engine({ definitions, codec });
  await source.trigger(flow, "k", { data: { n: 4711 } });
  const text = await textOf(source);
  assert.ok(!text.includes('"n":4711') && !text.includes("4711"));
  const there = new World(memoryStore());
  const engine = there.engine({ definitions, codec });
  await engine.admin.import([text]);
  assert.deepEqual((await engine.get(flow, "k"))!.data, { n: 4711 });
});

test("admin.export() and admin.import() end with their signal's reason", async (world) => {
  const source = await filled(world);
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  await assert.rejects(Array.fromAsync(source.admin.export({ signal })), reason);
  await assert.rejects(target().admin.import(source.admin.export(), { signal }), reason);
  const stop = new AbortController();
  const half = source.admin.export({ signal: stop.signal })[Symbol.asyncIterator]();
  await half.next();
  stop.abort(reason);
  await assert.rejects(half.next(), reason);
  const onProgress = () => {
    throw reason;
  };
  await assert.rejects(target().admin.import(source.admin.export(), { onProgress }), reason);
  // @ts-expect-error: callers without types get an answer too.
  await assert.rejects(Array.fromAsync(source.admin.export({ definition: 5 })), { code: "INVALID_ARGUMENT" });
});

test("admin.import() tells how far it is", async (world) => {
  const source = world.engine({ definitions });
  for (let n = 0; n < 250; n++) await source.trigger(flow, `k${n}`, { data: { n } });
  const told: ImportProgress[] = [];
  const report = await target().admin.import(source.admin.export(), {
    onProgress: (each) => told.push(each),
  });
  assert.deepEqual(told.map((each) => each.lines), [100, 200, 252]);
  const { refusals: _, ...last } = report;
  assert.deepEqual(told.at(-1), last);
  assert.deepEqual(last, { lines: 252, runs: 250, skipped: 0, refused: 0 });
});

test("admin.import() waits with reading on while much is on its way", async (world) => {
  const source = world.engine({ definitions });
  for (let n = 0; n < 600; n++) await source.trigger(flow, `k${n}`, { data: { n } });
  const lines = await Array.fromAsync(source.admin.export());
  const open = gate();
  const inner = memoryStore();
  const slow: Store = {
    limits: inner.limits,
    shards: 1,
    read: (requests) => inner.read(requests),
    commit: (calls) => open.promise.then(() => inner.commit(calls)),
    close: () => inner.close(),
  };
  let read = 0;
  function* counted() {
    for (const line of lines) {
      read++;
      yield line;
    }
  }
  const there = new World(slow);
  const importing = there.engine({ definitions }).admin.import(counted());
  await there.settle();
  assert.ok(read < 300, `${read} lines read`);
  open.resolve();
  assert.equal((await importing).runs, 600);
});

Deno.test("textLines() refuses a line without end before it fills the memory", async () => {
  function* endless() {
    for (;;) yield "x".repeat(100);
  }
  await assert.rejects(Array.fromAsync(textLines(endless(), 1_000)), { code: "LIMIT_EXCEEDED" });
});

test("admin.import() refuses a run that says it is due, but for nothing", async (world) => {
  const waits = machine("waits").callback("a", ["b"], () => "b").build();
  const source = world.engine({ definitions: [waits] });
  await source.trigger(waits, "k");
  const lines = await Array.fromAsync(source.admin.export());
  const odd = lines.map((line) => line.replace('"crashes":0', '"crashes":0,"due":5,"stepDue":null'));
  const there = new World(memoryStore());
  const report = await there.engine({ definitions: [waits] }).admin.import(odd);
  assert.deepEqual([report.runs, report.refused], [0, 1]);
  assert.match(report.refusals[0]!.reason, /want the earliest due time of its step and its timers/);
});
