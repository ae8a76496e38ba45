import assert from "node:assert/strict";
import fc from "fast-check";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { OutcomeUnknownError, PawlError, StoreBusyError } from "../../core/errors.ts";
import { defaultLimits, type Limits } from "../../core/limits.ts";
import type { Clock } from "../../core/ports/clock.ts";
import { seededRandom } from "../../core/ports/random.ts";
import { BatchBuilder } from "../../core/store/batch.ts";
import { type CommitResult, GroupCommitter } from "../../core/store/group_commit.ts";
import type { CommitCall, Store, StoreLimits } from "../../core/store/store.ts";

/** A clock on which every wait is over at once, and only the reading moves. */
function instantClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    monotonic: () => now,
    soon: (callback) => queueMicrotask(callback),
    after(ms, callback) {
      queueMicrotask(() => {
        now += ms;
        callback();
      });
      return () => {};
    },
  };
}

type Commit = Store["commit"];

/** A committer on a memory store, with `intercept` in between. */
function committerOn(
  intercept: (calls: readonly CommitCall[], commit: Commit) => ReturnType<Commit> = (calls, commit) =>
    commit(calls),
  options: {
    readonly limits?: Partial<Limits>;
    readonly store?: Partial<StoreLimits>;
    readonly shards?: number;
  } = {},
) {
  const store = memoryStore({
    shards: options.shards ?? 1,
    keepOutcomes: true,
    ...(options.store && { limits: options.store }),
  });
  const commits: (readonly CommitCall[])[] = [];
  const wrapped: Store = {
    limits: store.limits,
    shards: store.shards,
    read: (requests) => store.read(requests),
    commit(calls) {
      commits.push(calls);
      return intercept(calls, (each) => store.commit(each));
    },
    close: () => store.close(),
  };
  const committer = new GroupCommitter({
    store: wrapped,
    clock: instantClock(),
    random: seededRandom(1),
    limits: { ...defaultLimits, ...options.limits },
  });
  return { store, committer, commits };
}

const claim = (key: string, value = "1") => new BatchBuilder().check(key, null).put(key, value);
const keysOf = (calls: readonly CommitCall[]) =>
  calls.flatMap((call) => call.batches.flatMap((batch) => batch.puts.map((put) => put.key)));

async function entryOf(store: Store, key: string, shard = 0) {
  return (await store.read([{ shard, ops: [{ get: key }] }]))[0]![0]![0];
}

async function tallied(results: readonly Promise<CommitResult>[]) {
  const settled = await Promise.allSettled(results);
  return settled.map((each) => {
    if (each.status === "rejected") return (each.reason as PawlError).code ?? String(each.reason);
    return each.value.ok ? "ok" : each.value.reason;
  });
}

Deno.test("commit() gathers what is enqueued together into one commit, in order", async () => {
  const { committer, commits } = committerOn();
  const results = await tallied([..."abcdef"].map((key) => committer.commit(0, claim(key))));
  assert.deepEqual(results, new Array(6).fill("ok"));
  assert.equal(commits.length, 1);
  assert.equal(keysOf(commits[0]!).join(""), "abcdef");
  assert.deepEqual(committer.counts, { commits: 1, batches: 6, rows: 6 });
});

Deno.test("commit() of 64 batches that all want one key gives it to the first", async () => {
  const { committer } = committerOn();
  const results = await tallied(
    Array.from({ length: 64 }, (_, n) => committer.commit(0, claim("key", `${n}`))),
  );
  assert.deepEqual(results, ["ok", ...new Array(63).fill("check")]);
});

Deno.test("commit() groups by shard and guard, one call each", async () => {
  const { committer, commits } = committerOn(undefined, { shards: 2 });
  const guard = { key: "owner m", version: 1 };
  await committer.commit(0, new BatchBuilder().put("owner m", "1"));
  await tallied([
    committer.commit(0, claim("a")),
    committer.commit(0, claim("b"), guard),
    committer.commit(1, claim("c")),
    committer.commit(0, claim("d"), guard),
    committer.commit(1, claim("e")),
  ]);
  assert.deepEqual(commits[1]!.map((call) => [call.shard, call.guard?.key, keysOf([call]).join("")]), [
    [0, undefined, "a"],
    [0, "owner m", "bd"],
    [1, undefined, "ce"],
  ]);
});

Deno.test("commit() under a guard that no longer holds answers lease-lost and writes nothing", async () => {
  const { committer, store } = committerOn();
  const guard = { key: "owner m", version: 99 };
  const results = await tallied([committer.commit(0, claim("a"), guard), committer.commit(0, claim("b"))]);
  assert.deepEqual(results, ["lease-lost", "ok"]);
  assert.equal(await entryOf(store, "a"), undefined);
});

Deno.test("commit() packs by the store's limits and by the engine's, keeping the order", async () => {
  const cases: [Partial<StoreLimits>, Partial<Limits>, number][] = [
    [{ writesPerCommitMax: 4 }, {}, 4],
    [{ bytesPerCommitMax: 3 * 6 }, {}, 3],
    [{}, { groupBatchesMax: 5 }, 5],
  ];
  for (const [store, limits, most] of cases) {
    const { committer, commits } = committerOn(undefined, { store, limits });
    const keys = Array.from({ length: 23 }, (_, index) => `key${String(index).padStart(2, "0")}`);
    const results = await tallied(keys.map((key) => committer.commit(0, claim(key))));
    assert.deepEqual(results, new Array(23).fill("ok"));
    assert.equal(commits.length, Math.ceil(23 / most));
    assert.ok(commits.every((calls) => keysOf(calls).length <= most));
    assert.deepEqual(commits.flatMap(keysOf), keys);
  }
});

Deno.test("commit() that fails as a whole is halved until only the guilty batch fails", async () => {
  for (const guilty of [0, 17, 63]) {
    const { committer, commits, store } = committerOn((calls, commit) =>
      keysOf(calls).includes(`key${guilty}`)
        ? Promise.reject(new PawlError("STORE_FAILED", "value too odd"))
        : commit(calls)
    );
    const results = await tallied(
      Array.from({ length: 64 }, (_, n) => committer.commit(0, claim(`key${n}`))),
    );
    results.forEach((result, index) => assert.equal(result, index === guilty ? "STORE_FAILED" : "ok"));
    assert.ok(commits.length <= 1 + 2 * 6, `${commits.length} commits`);
    assert.equal((await entryOf(store, "key5"))?.value, "1");
  }
});

Deno.test("commit() refuses a batch over the store's limits alone", async () => {
  const { committer } = committerOn(undefined, { store: { valueBytesMax: 10 } });
  const results = await tallied([
    committer.commit(0, claim("a")),
    committer.commit(0, claim("b", "x".repeat(11))),
    committer.commit(0, claim("c")),
  ]);
  assert.deepEqual(results, ["ok", "LIMIT_EXCEEDED", "ok"]);
});

Deno.test("commit() waits out a busy store, and gives up with STORE_BUSY at the limit", async () => {
  let busy = 5;
  const patient = committerOn((calls, commit) =>
    busy-- > 0 ? Promise.reject(new StoreBusyError("locked")) : commit(calls)
  );
  assert.deepEqual(await tallied([patient.committer.commit(0, claim("a"))]), ["ok"]);
  assert.equal(patient.commits.length, 6);

  const hopeless = committerOn(() => Promise.reject(new StoreBusyError("locked")));
  const results = await tallied([
    hopeless.committer.commit(0, claim("a")),
    hopeless.committer.commit(0, claim("b")),
  ]);
  assert.deepEqual(results, ["STORE_BUSY", "STORE_BUSY"]);
});

const unreachable = () => Promise.reject(new PawlError("STORE_UNREACHABLE", "gone"));

Deno.test("commit() waits for a store that is away, and gives up with STORE_UNREACHABLE at the limit", async () => {
  let away = 20;
  const patient = committerOn((calls, commit) => away-- > 0 ? unreachable() : commit(calls));
  assert.deepEqual(await tallied([patient.committer.commit(0, claim("a"))]), ["ok"]);

  const hopeless = committerOn(unreachable);
  const started = [hopeless.committer.commit(0, claim("a")), hopeless.committer.commit(0, claim("b"))];
  assert.deepEqual(await tallied(started), ["STORE_UNREACHABLE", "STORE_UNREACHABLE"]);
  assert.ok(hopeless.commits.length < 300, `${hopeless.commits.length} tries in 30 s`);
});

Deno.test("commit() whose reply was lost is settled when the store is back", async () => {
  for (const landed of [true, false]) {
    let round = 0;
    const { committer, store, commits } = committerOn(async (calls, commit) => {
      round++;
      if (round === 1) {
        if (landed) await commit(calls);
        throw new OutcomeUnknownError("reply lost");
      }
      return round < 60 ? unreachable() : commit(calls);
    });
    assert.deepEqual(await tallied([committer.commit(0, claim("a"))]), ["ok"]);
    assert.equal((await entryOf(store, "a"))!.value, "1");
    assert.ok(commits.length >= 60);
  }
});

Deno.test("commit() whose reply was lost ends when the store stays away", async () => {
  let round = 0;
  const { committer } = committerOn(() => {
    return ++round === 1 ? Promise.reject(new OutcomeUnknownError("reply lost")) : unreachable();
  });
  assert.deepEqual(await tallied([committer.commit(0, claim("a"))]), ["OUTCOME_UNKNOWN"]);
});

Deno.test("commit() does not cut in halves what failed for a reason that is about the store", async () => {
  for (const code of ["STORE_UNAUTHORIZED", "STORE_READ_ONLY", "STORE_INCOMPATIBLE"] as const) {
    const { committer, commits } = committerOn(() => Promise.reject(new PawlError(code, "no")));
    const results = Array.from({ length: 64 }, (_, n) => committer.commit(0, claim(`k${n}`)));
    assert.deepEqual(await tallied(results), Array(64).fill(code));
    assert.equal(commits.length, 1, code);
  }
});

Deno.test("hurry() ends the patience with a store that is away", async () => {
  const { committer, commits } = committerOn(unreachable);
  committer.hurry();
  assert.deepEqual(await tallied([committer.commit(0, claim("a"))]), ["STORE_UNREACHABLE"]);
  assert.ok(commits.length < 20, `${commits.length} tries`);
});

Deno.test("commit() rejects everything with STORE_CLOSED when the store is closed, and stays usable", async () => {
  const { committer, store } = committerOn();
  await store.close();
  const results = await tallied([committer.commit(0, claim("a")), committer.commit(0, claim("b"))]);
  assert.deepEqual(results, ["STORE_CLOSED", "STORE_CLOSED"]);
  assert.deepEqual(await tallied([committer.commit(0, claim("c"))]), ["STORE_CLOSED"]);
});

Deno.test("commit() whose reply was lost after it landed answers as if nothing had happened", async () => {
  let lose = true;
  const { committer, store } = committerOn(async (calls, commit) => {
    const results = await commit(calls);
    if (!lose) return results;
    lose = false;
    throw new OutcomeUnknownError("reply lost");
  });
  const results = [
    committer.commit(0, claim("a")),
    committer.commit(0, claim("a")),
    committer.commit(0, claim("b")),
  ];
  assert.deepEqual(await tallied(results), ["ok", "check", "ok"]);
  const told = await results[0]!;
  assert.equal(told.ok && told.version, (await entryOf(store, "a"))!.version);
});

Deno.test("commit() whose request was lost is sent again, and lands once", async () => {
  let lose = true;
  const { committer, store } = committerOn((calls, commit) => {
    if (!lose) return commit(calls);
    lose = false;
    return Promise.reject(new OutcomeUnknownError("request lost"));
  });
  assert.deepEqual(await tallied([committer.commit(0, claim("a")), committer.commit(0, claim("b"))]), [
    "ok",
    "ok",
  ]);
  assert.equal((await entryOf(store, "a"))!.value, "1");
});

Deno.test("commit() whose request arrives after it was settled is refused for ever", async () => {
  let late: (() => ReturnType<Commit>) | undefined;
  const { committer, store } = committerOn((calls, commit) => {
    if (late) return commit(calls);
    late = () => commit(calls);
    return Promise.reject(new OutcomeUnknownError("request delayed"));
  });
  const result = await committer.commit(0, new BatchBuilder().put("counter", "1"));
  assert.ok(result.ok);
  await committer.commit(0, new BatchBuilder().put("counter", "2"));
  assert.equal((await late!())[0]!.outcome, "superseded");
  assert.equal((await entryOf(store, "counter"))!.value, "2");
});

Deno.test("commit() says OUTCOME_UNKNOWN when settling fails too, and the next commit is not harmed", async () => {
  let broken = true;
  const { committer } = committerOn(async (calls, commit) => {
    const results = await commit(calls);
    if (broken) throw new OutcomeUnknownError("reply lost");
    return results;
  });
  assert.deepEqual(await tallied([committer.commit(0, claim("a"))]), ["OUTCOME_UNKNOWN"]);
  broken = false;
  assert.deepEqual(await tallied([committer.commit(0, claim("b"))]), ["ok"]);
  assert.deepEqual(await tallied([committer.commit(0, claim("c"))]), ["ok"]);
});

Deno.test("drain() resolves when nothing is waiting or on its way", async () => {
  const { committer, store } = committerOn();
  await committer.drain();
  committer.commit(0, claim("a"));
  await committer.drain();
  assert.ok(await entryOf(store, "a"));
});

type Fault = "none" | "busy" | "reply lost" | "request lost" | "failed";
const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 4, arbitrary: fc.constant("none" as const) },
  fc.constantFrom<Fault>("busy", "reply lost", "request lost", "failed"),
);

Deno.test("commit() under any faults applies each batch at most once and says truly whether it did", async () => {
  const jobs = fc.array(fc.record({ shard: fc.nat(1), key: fc.nat(3), wait: fc.boolean() }), {
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(jobs, fc.array(fault, { maxLength: 30 }), async (plan, faults) => {
      const script = [...faults];
      const { committer, store } = committerOn(async (calls, commit) => {
        const now = script.shift() ?? "none";
        if (now === "busy") throw new StoreBusyError("locked");
        if (now === "failed") throw new PawlError("STORE_FAILED", "disk on fire");
        if (now === "request lost") throw new OutcomeUnknownError("request lost");
        const results = await commit(calls);
        if (now === "reply lost") throw new OutcomeUnknownError("reply lost");
        return results;
      }, { shards: 2, limits: { groupBatchesMax: 7 } });
      const results: Promise<CommitResult>[] = [];
      for (const [index, { shard, key, wait }] of plan.entries()) {
        const batch = claim(`key${key}`, `${index}`).putStamped(`log ${index} `, "1");
        results.push(committer.commit(shard, batch));
        if (wait) await results.at(-1)!.catch(() => {});
      }
      const told = await tallied(results);
      for (const [index, { shard, key }] of plan.entries()) {
        const range = { start: `log ${index} `, end: `log ${index}!`, limit: 10 };
        const [log] = (await store.read([{ shard, ops: [range] }]))[0]!;
        const value = (await entryOf(store, `key${key}`, shard))?.value;
        if (told[index] === "ok") assert.deepEqual([log!.length, value], [1, `${index}`]);
        else if (told[index] === "OUTCOME_UNKNOWN") assert.ok(log!.length <= 1);
        else assert.equal(log!.length, 0, `${told[index]}`);
      }
    }),
    { numRuns: 300 },
  );
});
