import { StoreBusyError } from "../errors.ts";
import { seededRandom } from "../ports/random.ts";
import { stamp } from "../store/key.ts";
import type { BatchResult } from "../store/store.ts";
import { fails, holds, same } from "./check.ts";
import { randomCommit, randomRead, StoreModel } from "./store_model.ts";
import { batch, done, fates, put, type StoreCase, StoreProbe, versionOf } from "./store_probe.ts";

const absent = (key: string) => ({ key, version: null });

/** Rules 1, 2, 3 and 6: what a commit does. */
export const commitCases: readonly StoreCase[] = [
  {
    name: "commit() settles each batch by itself",
    async run({ probe }) {
      await probe.put("taken", 1);
      const results = await probe.commit([
        put("a", 1),
        put("b", 2, absent("taken")),
        put("c", 3, absent("free")),
      ]);
      same(fates(results), ["+", 0, "+"], "fates");
      same(await probe.keys(), ["a", "c", "taken"], "keys");
    },
  },
  {
    name: "commit() shows a batch what the batches before it wrote",
    async run({ probe }) {
      const results = await probe.commit([
        put("a", 1),
        put("a", 2, absent("a")),
        batch({ deletes: ["a"] }),
        put("b", 3, absent("a")),
        put("c", 4, { key: "a", version: 1 }),
      ]);
      same(fates(results), ["+", 0, "+", "+", 0], "fates");
      same(await probe.keys(), ["b"], "keys");
    },
  },
  {
    name: "commit() shows a call what the calls before it wrote",
    async run({ probe }) {
      const results = await probe.store.commit([
        probe.call([put("a", 1)]),
        probe.call([put("b", 2, absent("a"))]),
        probe.call([put("c", 3)], { guard: absent("a") }),
        probe.call([batch({ deletes: ["a"] })]),
        probe.call([put("d", 4)], { guard: absent("a") }),
      ]);
      same(
        results.map((result) => result.outcome),
        ["done", "done", "guard-failed", "done", "done"],
        "outcomes",
      );
      same(fates(done(results[1])), [0], "fate of a batch that wants the key absent");
      same(await probe.keys(), ["d"], "keys");
    },
  },
  {
    name: "commit() lets one of 64 batches create a key",
    async run({ probe }) {
      const creators = Array.from({ length: 64 }, (_, index) => put("one", index, absent("one")));
      const results = await probe.commit(creators);
      same(fates(results), ["+", ...Array(63).fill(0)], "fates");
      same(await probe.value("one"), 0, "value");
      const calls = creators.map((creator) => probe.call([creator, put("other", 1, absent("other"))]));
      const others = (await probe.store.commit(calls)).map((result) => fates(done(result)));
      same(others, [[0, "+"], ...Array(63).fill([0, 0])], "fates in 64 calls");
    },
  },
  {
    name: "commit() lets the last of blind writes win",
    async run({ probe }) {
      await probe.commit([put("a", 1), put("a", 2), put("a", 3)]);
      same(await probe.value("a"), 3, "value after three puts");
      await probe.commit([put("a", 4), batch({ deletes: ["a"] })]);
      same(await probe.value("a"), undefined, "value after a put and a delete");
      const [, , last] = await probe.commit([put("a", 5), batch({ deletes: ["a"] }), put("a", 6)]);
      same(
        await probe.get("a"),
        { key: "a", value: "6", version: versionOf(last) },
        "entry after a recreation",
      );
    },
  },
  {
    name: "commit() names the first check that failed",
    async run({ probe }) {
      const version = await probe.put("a", 1);
      const held = { key: "a", version };
      const results = await probe.commit([
        batch({ checks: [held, absent("a"), held] }),
        batch({ checks: [held, held, { key: "b", version }, absent("a")] }),
        batch({ checks: [{ key: "a", version: version + 1 }] }),
        batch({ checks: [held, absent("b")] }),
      ]);
      same(fates(results), [1, 2, 0, "+"], "fates");
    },
  },
  {
    name: "commit() leaves nothing of a refused batch",
    async run({ probe }) {
      const before = await probe.put("keep", 1);
      const [refused] = await probe.commit([batch({
        checks: [absent("keep")],
        puts: [{ key: "new", value: "1" }, { key: "log ", value: "1", stamped: true }],
        deletes: ["keep"],
      })]);
      same(refused, { ok: false, failed: 0 }, "result");
      same(await probe.keys(), ["keep"], "keys");
      same((await probe.get("keep"))?.version, before, "version of the key it would have removed");
    },
  },
  {
    name: "commit() gives a batch one version, for all it writes",
    async run({ probe }) {
      const [result] = await probe.commit([
        batch({ puts: ["a", "b", "c"].map((key) => ({ key, value: "1" })) }),
      ]);
      const [found] = await probe.read([{ start: "a", end: "d", limit: 9 }]);
      same(found!.map((entry) => entry.version), Array(3).fill(versionOf(result)), "versions");
    },
  },
  {
    name: "commit() gives versions that increase within a shard",
    async run({ probe }) {
      let newest = 0;
      for (let round = 0; round < 5; round++) {
        const results = await probe.commit([
          put("a", round),
          put("b", 0, absent("a")),
          batch({}),
          put("b", round),
        ]);
        for (const result of results.filter((each) => each.ok)) {
          holds(versionOf(result) > newest, `version ${versionOf(result)} is not above ${newest}`);
          newest = versionOf(result);
        }
      }
      holds(newest < 2 ** 48, `version ${newest} does not fit a key`);
    },
  },
  {
    name: "commit() does not mistake a recreated key for the old one",
    async run({ probe }) {
      const stale = { key: "a", version: await probe.put("a", 1) };
      await probe.commit([batch({ deletes: ["a"] })]);
      same(fates(await probe.commit([put("a", 2, stale)])), [0], "fate while the key is gone");
      await probe.put("a", 1);
      same(fates(await probe.commit([put("a", 2, stale)])), [0], "fate when the key is back");
      const results = await probe.commit([batch({ deletes: ["a"] }), put("a", 1), put("a", 3, stale)]);
      same(fates(results), ["+", "+", 0], "fates in one commit");
    },
  },
  {
    name: "commit() refuses a call whole when its guard fails, and no other",
    async run({ probe }) {
      const version = await probe.put("owner", "me");
      const results = await probe.store.commit([
        probe.call([put("a", 1)], { guard: { key: "owner", version } }),
        probe.call([put("b", 1), batch({ deletes: ["a"] })], {
          guard: { key: "owner", version: version + 1 },
        }),
        probe.call([put("c", 1)], { guard: absent("owner") }),
        probe.call([put("d", 1)]),
        probe.call([put("e", 1)], { guard: absent("nobody") }),
        probe.call([], { guard: absent("owner") }),
      ]);
      const outcomes = ["done", "guard-failed", "guard-failed", "done", "done", "guard-failed"];
      same(results.map((result) => result.outcome), outcomes, "outcomes");
      same(results[1], { outcome: "guard-failed" }, "result of a refused call");
      same(await probe.keys(), ["a", "d", "e", "owner"], "keys");
    },
  },
  {
    name: "commit() looks at a guard once, before the call's own batches",
    async run({ probe }) {
      const version = await probe.put("owner", "me");
      const guard = { key: "owner", version };
      const calls = [
        probe.call([put("owner", "you"), put("a", 1)], { guard }),
        probe.call([put("b", 1)], { guard }),
      ];
      const results = await probe.store.commit(calls);
      same(results.map((result) => result.outcome), ["done", "guard-failed"], "outcomes");
      same(await probe.keys(), ["a", "owner"], "keys");
    },
  },
  {
    name: "commit() stamps a key with its batch's version",
    async run({ probe }) {
      const logged = (value: string) => batch({ puts: [{ key: "log ", value, stamped: true }] });
      const results = [
        ...await probe.commit([logged("1"), logged("2")]),
        ...await probe.commit([logged("3")]),
      ];
      const [found] = await probe.read([{ start: "log ", end: "log!", limit: 9 }]);
      const versions = results.map(versionOf);
      const wanted = versions.map((version, index) => ({
        key: "log " + stamp(version),
        value: String(index + 1),
        version,
      }));
      same(found, wanted, "entries");
    },
  },
  {
    name: "commit() treats relaxed batches like others",
    async run({ probe }) {
      const relaxed = (key: string) => ({ ...put(key, 1, absent(key)), relaxed: true });
      same(fates(await probe.commit([relaxed("a"), relaxed("a"), put("b", 1)])), ["+", 0, "+"], "fates");
      same(
        fates(await probe.commit([relaxed("b"), relaxed("c")])),
        [0, "+"],
        "fates of relaxed batches only",
      );
      same(fates(await probe.commit([put("c", 1, absent("c"))])), [0], "fate of a strict batch after them");
      same(await probe.keys(), ["a", "b", "c"], "keys");
    },
  },
  {
    name: "commit() takes what holds nothing",
    async run({ probe }) {
      same(await probe.store.commit([]), [], "result of no calls");
      same(await probe.commit([]), [], "result of no batches");
      same(fates(await probe.commit([batch({}), batch({ deletes: ["absent"] })])), ["+", "+"], "fates");
      same(await probe.keys(), [], "keys");
    },
  },
  {
    name: "commit() writes several shards at once, each for itself",
    async run({ probe }) {
      const shards = Array.from({ length: probe.store.shards }, (_, shard) => shard);
      const calls = shards.flatMap((shard) => [
        probe.call([put("a", shard)], { shard }),
        probe.call([put("a", -1, absent("a")), put("b", shard)], { shard }),
      ]);
      const results = await probe.store.commit(calls.reverse());
      same(
        results.map((result) => fates(done(result)).length),
        shards.flatMap(() => [2, 1]),
        "results by call",
      );
      for (const shard of shards) {
        same(
          [await probe.value("a", shard), await probe.value("b", shard)],
          [shard, shard],
          `shard ${shard}`,
        );
      }
    },
  },
  {
    name: "commit() and read() refuse a shard that is not there",
    async run({ probe }) {
      for (const shard of [probe.store.shards, -1, 0.5]) {
        await fails(() => probe.put("a", 1, shard), "INVALID_ARGUMENT", `commit to shard ${shard}`);
        await fails(() => probe.get("a", shard), "INVALID_ARGUMENT", `read from shard ${shard}`);
      }
    },
  },
  {
    name: "commit() refuses whole what is outside the limits",
    async run({ probe }) {
      const { limits } = probe.store;
      const text = (length: number) => JSON.stringify("x".repeat(Math.max(0, length - 2)));
      const value = text(limits.valueBytesMax);
      const fitting = Math.floor(limits.bytesPerCommitMax / value.length);
      const many = Array.from({ length: limits.writesPerCommitMax }, (_, index) => `k${index}`);
      const tooMuch = {
        "a long key": [put("k".repeat(limits.keyBytesMax + 1), 1)],
        "a stamped key that grows too long": [
          batch({ puts: [{ key: "k".repeat(limits.keyBytesMax - 11), value: "1", stamped: true }] }),
        ],
        "a long value": [batch({ puts: [{ key: "a", value: text(limits.valueBytesMax + 1) }] })],
        "many writes": [batch({ deletes: many }), put("b", 1)],
        "many bytes": Array.from(
          { length: fitting + 1 },
          (_, at) => batch({ puts: [{ key: `v${at}`, value }] }),
        ),
      };
      for (const [what, batches] of Object.entries(tooMuch)) {
        const calls = [probe.call([put("first", 1)]), probe.call(batches)];
        await fails(() => probe.store.commit(calls), "LIMIT_EXCEEDED", what);
      }
      same(await probe.keys(), [], "keys");
      const longest = "k".repeat(limits.keyBytesMax);
      await probe.put(longest, 1);
      same(await probe.value(longest), 1, "value under the longest key");
    },
  },
  ...[1, 2, 3, 4].map((seed): StoreCase => ({
    name: `commit() and read() do what a model says, seed ${seed}`,
    async run({ store }) {
      const random = seededRandom(seed);
      const model = new StoreModel(store.shards);
      const probe = new StoreProbe(store);
      for (let round = 0; round < 80; round++) {
        const calls = model.plan(randomCommit(random));
        model.apply(calls, await store.commit(calls));
        const shard = Math.floor(random.float() * store.shards);
        const ops = Array.from({ length: 4 }, () => randomRead(random));
        const found = await probe.read(ops, shard);
        ops.forEach((op, index) =>
          same(found[index], model.read(shard, op), `seed ${seed}, ${JSON.stringify(op)}`)
        );
      }
    },
  })),
  {
    name: "commit() loses no update of many concurrent callers",
    async run({ probe }) {
      const versions: number[] = [];
      const increment = async (): Promise<void> => {
        for (let done = 0; done < 5;) {
          const entry = await probe.get("sum");
          const next = put("sum", entry ? JSON.parse(entry.value) + 1 : 1, {
            key: "sum",
            version: entry?.version ?? null,
          });
          const [result] = await probe.commit([next]).catch(unlessBusy) as [BatchResult?];
          if (!result?.ok) continue;
          versions.push(result.version);
          done++;
        }
      };
      await Promise.all(Array.from({ length: 16 }, increment));
      same(await probe.value("sum"), 80, "sum");
      same(new Set(versions).size, 80, "distinct versions");
    },
  },
];

/** Rule 7: a commit that a lock has refused was surely not applied, and may be tried again. */
function unlessBusy(error: unknown): [] {
  if (error instanceof StoreBusyError) return [];
  throw error;
}
