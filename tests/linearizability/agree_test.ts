import assert from "node:assert/strict";
import fc from "fast-check";
import { checkHistory } from "./check_history.ts";
import type { CommitOperation, History, Operation, ReadOperation } from "./history.ts";
import { kinds } from "./kinds.ts";
import { isLinearizable } from "./naive.ts";
import { sceneHere } from "./scene.ts";

/** One thing in a history that is not as it was, by numbers. */
const change = fc.record({
  what: fc.constantFrom("version" as const, "entry", "gone", "swapped", "fate", "lost", "moment", "deadline"),
  at: fc.nat(),
  with: fc.nat(),
});
type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

const pick = <Item>(items: readonly Item[], number: number): Item | undefined => items[number % items.length];

const isRead = (each: Operation): each is ReadOperation => each.kind === "read";
const isAnswered = (each: Operation): each is CommitOperation & { readonly answer: readonly unknown[] } =>
  each.kind === "commit" && typeof each.answer !== "string";

/** Changes the entries of one op of one read. */
function changeRead({ operations }: History, { what, at, with: other }: Change): Operation | undefined {
  const read = pick(operations.filter(isRead), at);
  if (!read) return undefined;
  const entries = read.answer.flat(2);
  const stranger = pick(operations.filter(isRead).flatMap((each) => each.answer.flat(2)), other);
  const victim = pick(entries, other);
  const answer = read.answer.map((ops) =>
    ops.map((found) => {
      if (what === "gone") return found.filter((each) => each !== victim);
      if (what === "swapped") return [...found].reverse();
      if (what === "version") {
        return found.map((each) => each === victim ? { ...each, version: each.version + 1 } : each);
      }
      return found.map((each) => each === victim && stranger ? stranger : each);
    })
  );
  return { ...read, answer };
}

/** Changes what was told of one commit, or when it was. */
function changeCommit(
  { operations, outcomes }: History,
  { what, at, with: other }: Change,
): Operation | undefined {
  const commit = pick(operations.filter(isAnswered), at);
  if (!commit) return undefined;
  if (what === "lost") return { ...commit, answer: "unknown", ended: Infinity };
  if (what === "deadline") {
    return { ...commit, answer: "unknown", ended: Infinity, until: commit.began + other % 10 };
  }
  // Calls of one committer never overlap, so where there are outcomes, moments stay.
  if (what === "moment" && !outcomes) {
    const began = Math.max(0, commit.began + other % 21 - 10);
    return { ...commit, began, ended: Math.max(began + 1, commit.ended + other % 13 - 6) };
  }
  const number = other % commit.calls.length;
  const answer = (commit.answer as Exclude<CommitOperation["answer"], string>).map((told, index) => {
    if (index !== number || told.outcome !== "done") return told;
    const results = told.results.map((each, batch) =>
      batch !== other % told.results.length
        ? each
        : each.ok
        ? what === "fate"
          ? { ok: false as const, failed: 0 }
          : { ok: true as const, version: each.version + other % 3 - 1 }
        : { ok: true as const, version: at % 20 }
    );
    return { ...told, results };
  });
  return { ...commit, answer };
}

function changed(history: History, each: Change): History {
  const isOfRead = ["entry", "gone", "swapped"].includes(each.what) ||
    (each.what === "version" && each.with % 2 === 0);
  const to = isOfRead ? changeRead(history, each) : changeCommit(history, each);
  return { ...history, operations: history.operations.map((one) => one.id === to?.id ? to : one) };
}

Deno.test("checkHistory() says of small histories what the definition says", async () => {
  const seen = { good: 0, bad: 0, changedAndGood: 0 };
  const plan = fc.record({
    kind: fc.constantFrom("memory-1" as const, "memory-losing" as const),
    seed: fc.nat({ max: 1_000_000 }),
    clients: fc.integer({ min: 2, max: 3 }),
    operations: fc.integer({ min: 1, max: 3 }),
    changes: fc.array(change, { maxLength: 2 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ kind, seed, clients, operations, changes }) => {
      const scene = sceneHere(kinds[kind], seed);
      const made = await scene.round({ name: "r", seed, clients, operations });
      await scene.close();
      // What the definition says of more than this takes too long to find out.
      fc.pre(made.operations.length <= 10);
      const history = changes.reduce(changed, made);
      const wanted = isLinearizable(history);
      seen[wanted ? "good" : "bad"]++;
      if (wanted && changes.length > 0) seen.changedAndGood++;
      if (changes.length === 0) assert.ok(wanted, "a history as it was made");
      assert.equal(checkHistory(history).verdict, wanted ? "linearizable" : "violated");
    }),
    { numRuns: 1_500 },
  );
  assert.ok(Math.min(seen.good, seen.bad, seen.changedAndGood) > 100, JSON.stringify(seen));
});
