/**
 * A commit is done whole or not at all, whatever befalls it at whichever request, and nobody is told that it was done when it
 * was not.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type IndexedDbStore, indexedDbStore } from "pawl/adapters/indexeddb";
import { PawlError } from "../../mod.ts";
import { encodeKey } from "../../core/store/key.ts";
import type { CallResult, CommitCall } from "../../core/store/store.ts";
import { type PlannedCall, plannedKeys, StoreModel } from "../../core/testing/store_model.ts";
import { newName } from "./databases.ts";
import { type Fault, FaultAt } from "./faults.ts";

const key = fc.nat({ max: plannedKeys });
const check = fc.record({
  key,
  expect: fc.constantFrom("now" as const, "absent" as const, "stale" as const),
});
const small = { maxLength: 3 };
const batch = fc.record({
  checks: fc.array(check, small),
  puts: fc.array(fc.record({ key, stamped: fc.boolean() }), small),
  deletes: fc.array(key, small),
});
const call: fc.Arbitrary<PlannedCall> = fc.record({
  shard: fc.nat({ max: 1 }),
  guard: check,
  batches: fc.array(batch, { maxLength: 4 }),
}, { requiredKeys: ["shard", "batches"] });
const group = fc.array(call, { minLength: 1, maxLength: 3 });

const shards = 2;
const reads = ["row", "seq"].map((name) => ({
  start: encodeKey(name) + " ",
  end: encodeKey(name) + "!",
  limit: 500,
}));

/** The store holds what the model holds. */
async function compare(store: IndexedDbStore, model: StoreModel): Promise<void> {
  for (let shard = 0; shard < shards; shard++) {
    const [found] = await store.read([{ shard, ops: reads }]);
    assert.deepEqual(found, reads.map((op) => model.read(shard, op)));
  }
}

/** The answer that a call was kept for, when it is asked for again. */
function kept(result: CallResult, { committer }: CommitCall): CallResult | undefined {
  if (result.outcome !== "superseded") return undefined;
  assert.equal(result.last?.callId, committer.callId);
  const { results } = result.last!;
  return results ? { outcome: "done", results } : { outcome: "guard-failed" };
}

/** What a commit came to that a fault befell: its own answer, or what its repetition says. */
async function commitUnder(fault: FaultAt, store: IndexedDbStore, calls: readonly CommitCall[]) {
  let error: unknown;
  try {
    using _ = fault;
    return await store.commit(calls);
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error instanceof PawlError, String(error));
  const again = await store.commit(calls);
  const answers = again.map((result, index) => kept(result, calls[index]!));
  const wasDone = answers.every((answer) => answer !== undefined);
  assert.ok(wasDone || answers.every((answer) => answer === undefined), "a part of the commit was done");
  if (wasDone) assert.equal(error.code, "OUTCOME_UNKNOWN", "it was done, and said to be not");
  return wasDone ? answers as CallResult[] : again;
}

/** Lets the fault happen at every request of the group, one after another. */
async function strikeEverywhere(fault: Fault, groups: readonly (readonly PlannedCall[])[]): Promise<number> {
  const store = indexedDbStore({ name: newName(), shards, reserveBytes: 0 });
  const model = new StoreModel(shards);
  let strikes = 0;
  for (const planned of groups) {
    for (let n = 0, happens = true; happens; n++) {
      const calls = model.plan(planned);
      const at = new FaultAt(fault, n);
      model.apply(calls, await commitUnder(at, store, calls));
      await compare(store, model);
      happens = at.hasHappened;
      if (happens) strikes++;
    }
  }
  assert.equal(store.health().state, "ok");
  await store.close();
  return strikes;
}

for (const fault of ["abort", "close", "full", "unheard"] as const) {
  Deno.test(`a commit group is atomic under "${fault}" at every request, and the store goes on`, async () => {
    let strikes = 0;
    const property = fc.asyncProperty(fc.array(group, { minLength: 1, maxLength: 3 }), async (groups) => {
      strikes += await strikeEverywhere(fault, groups);
    });
    await fc.assert(property, { numRuns: 25 });
    assert.ok(strikes >= 25, `${strikes} faults`);
  });
}
