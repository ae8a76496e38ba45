/**
 * Lives on a browser's database, on seeds that are always the same: commits abort, handles get lost, the power is cut, the
 * network comes and goes, and tabs are hidden, shown and left.
 *
 * @module
 */
import assert from "node:assert/strict";
import { BatchBuilder } from "../../core/store/batch.ts";
import type { Batch, CommitCall } from "../../core/store/store.ts";
import { Chronicle } from "../../core/testing/simulation/chronicle.ts";
import { Coverage } from "../../core/testing/simulation/coverage.ts";
import { Dice } from "../../core/testing/simulation/dice.ts";
import { drawPlan } from "../../core/testing/simulation/plan.ts";
import { World } from "../../core/testing/simulation/world.ts";
import { runSeed } from "./scenario.ts";

const seedsMax = 150;

interface Lives {
  readonly faults: Map<string, number>;
  readonly checks: Map<string, number>;
  readonly coverage: Coverage;
  readonly failures: { readonly seed: number; readonly message: string }[];
}

let lives: Promise<Lives> | undefined;

/** One set of lives for all tests. */
function livedThrough(): Promise<Lives> {
  return lives ??= (async () => {
    const found: Lives = { faults: new Map(), checks: new Map(), coverage: new Coverage(), failures: [] };
    const add = (sums: Map<string, number>, counts: ReadonlyMap<string, number>) => {
      for (const [name, times] of counts) sums.set(name, (sums.get(name) ?? 0) + times);
    };
    for (let seed = 1; seed <= seedsMax; seed++) {
      try {
        const { faults, checks, coverage } = await runSeed(seed, "browser");
        add(found.faults, faults);
        add(found.checks, checks);
        found.coverage.add(coverage.counts);
      } catch (error) {
        found.failures.push({ seed, message: String(error) });
      }
    }
    return found;
  })();
}

Deno.test(`every invariant holds over ${seedsMax} seeds in a browser that aborts, closes and loses power`, async () => {
  const { failures, faults, checks } = await livedThrough();
  assert.deepEqual(failures, []);
  for (
    const name of [
      "aborted commit",
      "lost handle",
      "power cut",
      "lost commit",
      "offline",
      "tab shown",
      "tab left",
    ]
  ) {
    assert.ok(faults.get(name)! > 50, `${name} struck ${faults.get(name) ?? 0} times only`);
  }
  for (const name of ["I1", "I2", "I6", "I8", "await", "once", "platform"]) {
    assert.ok(checks.get(name)! > 50, `${name} was looked at ${checks.get(name) ?? 0} times only`);
  }
});

Deno.test("a power cut takes progress of runs that go on, and nothing that anybody was told is safe", async () => {
  const { coverage } = await livedThrough();
  const lost = new Set(coverage.counts.filter(([what]) => what === "power cut").map(([, kind]) => kind));
  for (const kind of ["step move", "step error", "timer move", "relay"]) assert.ok(lost.has(kind), kind);
  const progress = /^(step|timer) (move|repeat|skip|rearm|pause|error|late)$|^(relay|sweep|settlement)$/;
  assert.deepEqual([...lost].filter((kind) => !progress.test(kind)), []);
});

Deno.test("one seed, one life in a browser too", async () => {
  for (const seed of [7, 212, 820]) {
    const [first, second] = [await runSeed(seed, "browser"), await runSeed(seed, "browser")];
    assert.equal(first.digest, second.digest, `seed ${seed} lived two different lives`);
  }
});

/** A chronicle of commits, each of a relaxed batch (`r`) or of others (`s`), or of something else (`-`). */
function chronicleOf(kinds: string, shown: string[] = []): Chronicle {
  const chronicle = new Chronicle(new World(1, drawPlan(1).terrain.rates));
  [...kinds].forEach((kind, index) => {
    const batch: Batch = new BatchBuilder({ relaxed: kind === "r" });
    const calls: CommitCall[] = [{ shard: 0, committer: { id: "c", callId: `${index}` }, batches: [batch] }];
    chronicle.show(() => shown.push(`${kind}${index}`), kind === "-" ? undefined : calls);
  });
  return chronicle;
}

Deno.test("a power cut takes any number of the last commits, but none before one that is not relaxed", () => {
  const left = new Map<number, number>();
  for (let seed = 1; seed <= 200; seed++) {
    const chronicle = chronicleOf("rsrs-rr-r");
    assert.equal(chronicle.unsafe, 3);
    const lost = chronicle.takeBack(new Dice(seed));
    assert.equal(chronicle.commits.length + lost.length, 7);
    left.set(chronicle.commits.length, (left.get(chronicle.commits.length) ?? 0) + 1);
  }
  assert.deepEqual([...left.keys()].sort(), [4, 5, 6, 7]);
  assert.ok(left.get(4)! > 100, "all that may go goes every other time");
});

Deno.test("what a power cut has left is shown again in its order, and what was no commit with it", () => {
  const shown: string[] = [];
  const chronicle = chronicleOf("sr-", shown);
  assert.deepEqual(shown.splice(0), ["s0", "r1", "-2"]);
  for (let seed = 1; chronicle.unsafe > 0; seed++) chronicle.takeBack(new Dice(seed));
  chronicle.recall();
  assert.deepEqual(shown, ["s0", "-2"]);
});
