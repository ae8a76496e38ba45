import type { BatchResult, CallResult, CommitCall, Store } from "../store/store.ts";
import { same } from "./check.ts";
import { batch, done, put, type StoreCase } from "./store_probe.ts";

/** A call of a chain: `callId` follows `previous`. */
function chained(callId: string, previous: string | undefined, parts: Partial<CommitCall> = {}): CommitCall {
  return {
    shard: 0,
    committer: { id: "me", callId, ...(previous !== undefined && { previous }) },
    batches: [],
    ...parts,
  };
}

async function one(store: Store, call: CommitCall): Promise<CallResult | undefined> {
  return (await store.commit([call]))[0];
}

const superseded = (callId?: string, results?: readonly BatchResult[]) => ({
  outcome: "superseded",
  ...(callId !== undefined && { last: { callId, ...(results && { results }) } }),
});

/** Rule 4: a lost reply can be settled by a later call. */
export const outcomeCases: readonly StoreCase[] = [
  {
    name: "commit() answers a repeated call with what became of it",
    needs: "outcomes",
    async run({ store, probe }) {
      const absent = { key: "a", version: null };
      const call = chained("1", undefined, {
        batches: [put("a", 1, absent), put("a", 2, absent), batch({})],
      });
      const results = done(await one(store, call));
      same(results.map((result) => result.ok), [true, false, true], "results");
      same(await one(store, call), superseded("1", results), "answer to the same call again");
      same(await one(store, chained("2", undefined)), superseded("1", results), "answer to a settling call");
      same(await probe.keys(), ["a"], "keys");
    },
  },
  {
    name: "commit() refuses for ever a lost call that an empty call has settled",
    needs: "outcomes",
    async run({ store, probe }) {
      done(await one(store, chained("1", undefined)));
      const late = chained("2", "1", { batches: [put("late", 1)] });
      same(await one(store, chained("3", "1")), { outcome: "done", results: [] }, "settling call");
      same(await one(store, late), superseded("3", []), "the lost call, arriving late");
      same(await probe.keys(), [], "keys");
      same(done(await one(store, chained("4", "3", { batches: [put("a", 1)] }))).length, 1, "the next call");
    },
  },
  {
    name: "commit() says of a superseded call when nothing is kept",
    needs: "outcomes",
    async run({ store, probe }) {
      const call = chained("2", "1", { batches: [put("a", 1)] });
      same(await one(store, call), superseded(), "a call that follows one that never was");
      same(await probe.keys(), [], "keys");
    },
  },
  {
    name: "commit() keeps that a guard failed",
    needs: "outcomes",
    async run({ store, probe }) {
      await probe.put("owner", 1);
      const guard = { key: "owner", version: null };
      const call = chained("1", undefined, { guard, batches: [put("a", 1)] });
      same(await one(store, call), { outcome: "guard-failed" }, "the call");
      same(await one(store, call), superseded("1"), "the call again, also with its guard failing");
      same(await one(store, chained("2", "1")), { outcome: "done", results: [] }, "the next call");
      same(await probe.keys(), ["owner"], "keys");
    },
  },
  {
    name: "commit() keeps outcomes by committer and by shard",
    needs: "outcomes",
    async run({ store }) {
      done(await one(store, chained("1", undefined)));
      const other = { ...chained("1", undefined), committer: { id: "you", callId: "1" } };
      done(await one(store, other));
      if (store.shards > 1) done(await one(store, chained("1", undefined, { shard: store.shards - 1 })));
      same(await one(store, other), superseded("1", []), "the other committer's call again");
    },
  },
  {
    name: "commit() follows a chain within one commit",
    needs: "outcomes",
    async run({ store, probe }) {
      const results = await store.commit([
        chained("1", undefined, { batches: [put("a", 1)] }),
        chained("1", undefined, { batches: [put("a", 2)] }),
        chained("2", "1", { batches: [put("b", 1)] }),
        chained("9", "1", { batches: [put("c", 1)] }),
      ]);
      const first = done(results[0]);
      const third = done(results[2]);
      same(results, [
        { outcome: "done", results: first },
        superseded("1", first),
        { outcome: "done", results: third },
        superseded("2", third),
      ], "results");
      same(await probe.keys(), ["a", "b"], "keys");
      same(await probe.value("a"), 1, "value of a key that a superseded call would have written");
    },
  },
];
