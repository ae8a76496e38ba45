/**
 * The rules of locks that the simulator, or a test, must see broken.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

type Rule = Omit<Mutant, "scenario">;

const lived: readonly Rule[] = [
  {
    name: "locks: whoever comes is granted what is free, though others wait",
    near: 91,
    file: "core/parts/lock_ops.ts",
    find: "return first === place && fits(lock, weight);",
    replace: "return (first === place || place === undefined) && fits(lock, weight);",
  },
  {
    name: "locks: the last who waits is the first",
    file: "core/parts/lock_ops.ts",
    find: "const [first] = view.waiters(name);\n    if (!first) continue;",
    replace: "const first = view.waiters(name, 9).at(-1);\n    if (!first) continue;",
  },
  {
    name: "locks: a lock is one more than it has permits",
    file: "core/parts/lock_record.ts",
    find: "return shareOf(lock, weight) <= free;",
    replace: "return shareOf(lock, weight) <= free + 1;",
  },
  {
    name: "locks: tokens begin again when nobody holds the lock",
    file: "core/parts/lock_view.ts",
    find: "const token = lock.tokens + 1;",
    replace: "const token = (lock.holders.length === 0 ? 0 : lock.tokens) + 1;",
  },
  {
    name: "locks: a lock is changed without a check of what was read",
    file: "core/parts/lock_view.ts",
    find: "batch.check(key, this.#rows.versionOf(key));",
    replace: "void key;",
  },
  {
    name: "locks: who leaves the queue leaves a row there",
    file: "core/parts/lock_view.ts",
    find: "for (const name of names) batch.delete(keyspace.wait.key(namespace, name, place));",
    replace: "void names;",
  },
  {
    name: "locks: a release hands over to nobody",
    file: "core/parts/lock_ops.ts",
    find: 'if (had === "released" || ask) handOver(',
    replace: "if (ask) handOver(",
  },
  {
    name: "locks: who gives up lets nobody in",
    near: 334,
    file: "core/parts/lock_ops.ts",
    find: 'if (had === "released" || ask) handOver(',
    replace: 'if (had === "released") handOver(',
  },
  {
    name: "locks: a hand-over does not look at the other locks of who was granted",
    near: 231,
    file: "core/parts/lock_ops.ts",
    find: "    for (const each of wants) left.add(each.name);\n",
    replace: "",
  },
  {
    name: "locks: the same request again is another",
    near: 76,
    file: "core/parts/lock_ops.ts",
    find: "if (before) return before;",
    replace: "if (before && !before) return before;",
  },
  {
    name: "locks: a run that loses its lock is not due for another",
    near: 323,
    file: "core/parts/lock_change.ts",
    find: "...(isAsked && dueAt(run, now)) }),",
    replace: "}),",
  },
  {
    name: "locks: what was done under a lost lock lands",
    near: 36,
    file: "core/parts/landing.ts",
    find: "if (attempt.lock !== undefined && run.lock?.request !== attempt.lock) return",
    replace: "if (attempt.lock !== undefined && run.lock === null) return",
  },
  {
    name: "locks: the commit that ends a visit carries no release",
    file: "core/engine/write_change.ts",
    find: "const lock = before.lock && lockChore(before, run, now);",
    replace: "const lock = before.lock && !before && lockChore(before, run, now);",
  },
  {
    name: "locks: what a run does not want any more stays its own",
    near: 47,
    file: "core/engine/locks.ts",
    find: "await this.release(namespace, Object.keys(grant.tokens), grant);",
    replace: "void namespace;",
  },
  {
    name: "locks: nobody looks for grants that were not heard of",
    near: 184,
    file: "core/engine/locks.ts",
    find: "else if (run !== undefined && !told && since + untoldMs <= now) {",
    replace: "else if (run === null && !told && since + untoldMs <= now) {",
  },
  {
    name: "locks: a lock is taken from a run that is not told",
    near: 11,
    file: "core/engine/locks.ts",
    find: "holder.run !== undefined && await this.#takeFrom(holder, by);",
    replace: "holder.run === null && await this.#takeFrom(holder, by);",
  },
  {
    name: "locks: what a dead caller holds is held for ever",
    near: 60,
    file: "core/engine/hold_watch.ts",
    find: "return at > before.deadline;",
    replace: "return at > before.deadline && run !== undefined;",
  },
];

const tested: readonly Rule[] = [
  {
    name: "locks: a grant is told when its hand-over may still be refused",
    test: "tests/engine/lock_table_test.ts",
    sees: "told once",
    file: "core/engine/lock_table.ts",
    find: "const result = batch && await committer.commit(shard, batch);",
    replace:
      "this.#onGrants(namespace, grants, since);\n      const result = batch && await committer.commit(shard, batch);",
  },
  {
    name: "locks: places in queues are given without a check",
    test: "tests/engine/lock_table_test.ts",
    sees: "close a cycle at once",
    file: "core/parts/lock_view.ts",
    find: "batch.check(key, this.#rows.versionOf(key)).put(key, JSON.stringify({ last: this.#place }));",
    replace: "batch.put(key, JSON.stringify({ last: this.#place }));",
  },
  {
    name: "locks: who is granted it while his engine stops holds it",
    test: "tests/engine/lock_client_test.ts",
    sees: "while the engine stops",
    file: "core/engine/lock_clients.ts",
    find: "if (this.#over) throw this.#over;\n      if (answer",
    replace: "if (answer",
  },
  {
    name: "locks: a copy in memory refuses a grant",
    test: "tests/engine/lock_crash_test.ts",
    sees: "does not know yet",
    file: "core/engine/locks.ts",
    find: "        if (record.lock?.request !== request) throw new Stale();\n        return lockGranted(",
    replace: "        if (record.lock?.request !== request) return {};\n        return lockGranted(",
  },
  {
    name: "locks: a run keeps its lock when its visit ends",
    test: "tests/engine/lock_late_test.ts",
    sees: "leaves a status",
    file: "core/parts/run_record.ts",
    find: "const isOver = changes.visit !== undefined || (",
    replace: "const isOver = (",
  },
  {
    name: "locks: a cycle is not looked for",
    test: "tests/engine/lock_table_test.ts",
    sees: "a cycle of three",
    file: "core/parts/lock_graph.ts",
    find: "if (link.holder === request.holder) return refused(",
    replace: "if (link.holder === request.holder && !link) return refused(",
  },
  {
    name: "locks: what one holds already is granted once more",
    test: "tests/engine/lock_table_test.ts",
    sees: "who holds a lock",
    file: "core/parts/lock_ops.ts",
    find: "if (own) return held(",
    replace: "if (own && !own) return held(",
  },
  {
    name: "locks: more permits are granted to nobody",
    test: "tests/engine/lock_table_test.ts",
    sees: "capacity that shrinks",
    file: "core/parts/lock_ops.ts",
    find: "      handOver(view, [name]);\n",
    replace: "",
  },
  {
    name: "locks: a hold is judged by a clock that jumps",
    test: "tests/engine/lock_client_test.ts",
    sees: "jumps ahead",
    file: "core/engine/hold_watch.ts",
    find: "return at > before.deadline;",
    replace: "return until < this.#clock.now();",
  },
  {
    name: "locks: a hold is over at its first look",
    test: "tests/engine/lock_client_test.ts",
    sees: "dead process is over",
    file: "core/engine/hold_watch.ts",
    find: "return remaining + skewMs < 0;",
    replace: "return left < 0;",
  },
  {
    name: "locks: a hold is believed for as long as its renewal took besides",
    test: "tests/engine/lock_late_test.ts",
    sees: "however late",
    file: "core/engine/lock_hold.ts",
    find: "this.#endsAt = startedAt + holdMs;",
    replace: "this.#endsAt = clock.monotonic() + holdMs;",
  },
  {
    name: "locks: a hold that was renewed meanwhile is taken away",
    test: "tests/engine/lock_late_test.ts",
    sees: "saw it over",
    file: "core/parts/lock_ops.ts",
    find: "if (!found || (until !== undefined && found.until !== until)) return undefined;",
    replace: "if (!found) return undefined;",
  },
  {
    name: "locks: a grant of long ago is believed without a look",
    test: "tests/engine/lock_late_test.ts",
    sees: "when it is over",
    file: "core/engine/lock_clients.ts",
    find: "const isFresh = since !== undefined && clock.monotonic() < since + holdMs / 3;",
    replace: "const isFresh = true;",
  },
  {
    name: "locks: who is granted it as he gives up keeps it",
    test: "tests/engine/lock_client_test.ts",
    sees: "ends the wait",
    file: "core/engine/lock_clients.ts",
    find: "if (!tokens) giveUp(view, names, asked);",
    replace: "void giveUp;",
  },
  {
    name: "locks: a dead process that waits is granted it though its time is over",
    test: "tests/engine/lock_late_test.ts",
    sees: "given up long ago",
    file: "core/parts/lock_ops.ts",
    find: "const isLate = first.deadline !== undefined && first.deadline < view.now;",
    replace: "const isLate = false;",
  },
  {
    name: "locks: a release that was cut off tells nobody when it is made again",
    test: "tests/engine/lock_crash_test.ts",
    sees: "dies right after a release",
    file: "core/engine/locks.ts",
    find: 'before: had === "none" ? untold(view, names) : []',
    replace: "before: [] as ReturnType<typeof untold>",
  },
  {
    name: "locks: a writer is passed by readers",
    test: "tests/engine/lock_table_test.ts",
    sees: "readers share",
    file: "core/parts/lock_ops.ts",
    find: "return first === place && fits(lock, weight);",
    replace: "return (first === place || weight === 1) && fits(lock, weight);",
  },
];

/** Those that lives with locks see, and those that take a test of their own. */
export const lockMutants: readonly Mutant[] = [
  ...lived.map((rule) => ({ ...rule, scenario: "locks" } as const)),
  ...tested,
];
