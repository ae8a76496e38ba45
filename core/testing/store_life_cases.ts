import type { OnHint } from "../store/store.ts";
import { fails, holds, same } from "./check.ts";
import { batch, fates, put, type StoreCase } from "./store_probe.ts";

/** Resolves when every hint in `wanted` has come. A hint that never comes is seen by the test runner. */
function hinted(watch: (onHint: OnHint) => () => void, wanted: readonly string[]): Promise<void> {
  const missing = new Set(wanted);
  return new Promise((resolve) => {
    const stop = watch((shard, committerId) => {
      missing.delete(`${shard} ${committerId}`);
      if (missing.size > 0) return;
      stop();
      resolve();
    });
  });
}

/** Hints, closing and opening again. */
export const lifeCases: readonly StoreCase[] = [
  {
    name: "watch() hints at the shard and the committer of a change",
    needs: "watch",
    async run({ store, probe }) {
      const calls = Array.from(
        { length: store.shards },
        (_, shard) => probe.call([put("a", shard)], { shard }),
      );
      const wanted = calls.map(({ shard, committer }) => `${shard} ${committer.id}`);
      const seen = hinted((onHint) => store.watch!(onHint), wanted);
      await store.commit(calls);
      await seen;
    },
  },
  {
    name: "watch() ends when it is told to, for that watcher only",
    needs: "watch",
    async run({ store, probe }) {
      let hints = 0;
      const stop = store.watch!(() => hints++);
      stop();
      stop();
      const call = probe.call([put("a", 1)]);
      const seen = hinted((onHint) => store.watch!(onHint), [`0 ${call.committer.id}`]);
      await store.commit([call]);
      await seen;
      same(hints, 0, "hints after the end");
    },
  },
  {
    name: "close() makes later calls fail and may be repeated",
    async run({ store, probe }) {
      await probe.put("a", 1);
      const last = [probe.put("b", 2), probe.get("a")];
      await Promise.all(last);
      await store.close();
      await store.close();
      await fails(() => probe.put("a", 1), "STORE_CLOSED", "commit");
      await fails(() => probe.get("a"), "STORE_CLOSED", "read");
    },
  },
  {
    name: "close() is harmless on a store that was never used",
    async run({ store, probe }) {
      await store.close();
      await fails(() => probe.get("a"), "STORE_CLOSED", "read");
    },
  },
  {
    name: "close() keeps what was committed, and versions go on above it",
    needs: "reopen",
    async run({ probe, reopen }) {
      const last = probe.store.shards - 1;
      const stale = await probe.put("a", 1);
      await probe.commit([batch({ deletes: ["a"] })]);
      const newest = await probe.put("b", 2);
      const other = await probe.put("c", 3, last);
      const again = await reopen!();
      same(again.store.shards, probe.store.shards, "shards");
      same(await again.keys({ start: "a", end: "c", limit: 9 }), ["b"], "keys");
      same(await again.get("b"), { key: "b", value: "2", version: newest }, "entry");
      holds(await again.put("a", 4) > Math.max(newest, last === 0 ? other : 0), "a version was given twice");
      holds(await again.put("c", 5, last) > other, "a version was given twice in another shard");
      same(
        fates(await again.commit([put("a", 5, { key: "a", version: stale })])),
        [0],
        "fate of a stale check",
      );
    },
  },
];
