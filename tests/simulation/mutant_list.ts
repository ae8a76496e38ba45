/**
 * The rules that the simulator, or a test, must see broken.
 *
 * @module
 */

import type { Mutant } from "./mutant.ts";

/** Every rule that is broken on purpose. */
export const mutants: readonly Mutant[] = [
  {
    name: "checks do not see the group's earlier puts",
    near: 35,
    file: "core/store/settle.ts",
    find: "const results = held ? call.batches.map((batch) => settleBatch(batch, view)) : undefined;",
    replace:
      "const before = new Map(call.batches.flatMap((b) => b.checks.map((c) => [c.key, view.versionOf(c.key)] as const)));\n" +
      "  const blind: ShardView = { versionOf: (key) => before.get(key), valueOf: (key) => view.valueOf(key),\n" +
      "    nextVersion: () => view.nextVersion(), put: (k, v, n) => view.put(k, v, n), delete: (k) => view.delete(k) };\n" +
      "  const results = held ? call.batches.map((batch) => settleBatch(batch, blind)) : undefined;",
  },
  {
    name: "the guard is not sent",
    file: "core/store/group_commit.ts",
    find: "...(guard && { guard }),",
    replace: "",
  },
  {
    name: "versions start again when the store is quiet",
    file: "adapters/memory/mod.ts",
    find: "return ++this.#version;",
    replace: "return this.#version = (this.#version + 1) % 97 + 1;",
  },
  {
    name: "a refused landing is run again, not rebased",
    near: 41,
    file: "core/engine/run_turn.ts",
    find: "return { attempt, changeOf: land(this.#host.definition.behaviour, attempt, landing) };",
    replace: "const run = this.#run;\n    const { version } = run;\n" +
      "    const landed = land(this.#host.definition.behaviour, attempt, landing);\n" +
      "    const changeOf: ChangeOf = (record, now) => version === run.version ? landed(record, now) : {};\n" +
      "    return { attempt, changeOf };",
  },
  {
    name: "acknowledged before the commit",
    file: "core/store/group_commit.ts",
    find: "      this.#queue.push({ shard, guard, batch, resolve, reject });",
    replace: "      this.#queue.push({ shard, guard, batch, resolve, reject });\n" +
      "      if (!guard) resolve({ ok: true, version: 1 });",
  },
  {
    name: "the outcome row is not checked",
    file: "core/store/settle.ts",
    find: "return last !== committer.previous;",
    replace: "return false && last !== committer.previous;",
  },
  {
    name: "a lost reply is taken for a refusal",
    file: "core/store/group_commit.ts",
    find: "if (last?.callId === lost.call.committer.callId) this.#answer(lost, last.results);",
    replace: "if (last?.callId === lost.call.committer.callId) return true;",
  },
  {
    name: "a result lands on a finished run",
    near: 140,
    file: "core/parts/landing.ts",
    find: "if (run.visit !== attempt.visit || isFinished(run.state))",
    replace: "if (run.visit !== attempt.visit)",
  },
  {
    name: "a run is written without a check of its version",
    file: "core/engine/write_change.ts",
    find: "  batch.check(record.rowKey, held.version);\n",
    replace: "",
  },
  {
    name: "a step resumes the run it lands on",
    near: 109,
    file: "core/parts/run_change.ts",
    find: 'state: isPaused ? "paused" : "running",',
    replace: 'state: "running",',
  },
  {
    name: "index rows outlive the record's change",
    file: "core/store/table.ts",
    find: "if (old !== undefined) batch.delete(index.key(before!, old));",
    replace: "",
  },
  {
    name: "a trigger does not check the key",
    file: "core/engine/trigger.ts",
    find: "batch.check(keyRow, latest?.version ?? null).check(record.rowKey, null);",
    replace: "batch.check(record.rowKey, null);",
  },
  {
    name: "an idempotency key is not looked up",
    near: 143,
    file: "core/engine/trigger.ts",
    find: "if (kept) return",
    replace: "if (kept && !kept) return",
  },
  {
    name: "a guest's trigger does not ring the bell",
    file: "core/engine/trigger.ts",
    find: 'if (!owner) batch.put(keyspace.bell.key(record.definition), "1");',
    replace: "",
  },
  {
    name: "half of a commit that failed is forgotten",
    near: 159,
    file: "core/store/group_commit.ts",
    find: "await this.#commitAll(waiting.slice(middle));",
    replace: "",
  },
  {
    name: "a dead owner is never replaced",
    file: "core/engine/roster.ts",
    find: "if (at <= seen.deadline) members.push({ engineId, presence });",
    replace: "if (at >= 0) members.push({ engineId, presence });",
  },
  {
    name: "what is passed on is not taken",
    near: 263,
    file: "core/engine/look.ts",
    find: 'if (engineId === null || engineId === context.engineId) return "free";',
    replace: 'if (engineId === null) return "free";\n  if (engineId === context.engineId) return "held";',
  },
  {
    name: "an owner that could not be drained starts nothing any more",
    near: 114,
    file: "core/engine/attempts.ts",
    find: "    if (this.#running > 0) this.#atRest = undefined;\n",
    replace: "",
  },
  {
    name: "a suspect is written whatever became of it",
    file: "core/parts/run_change.ts",
    find: 'if (run.due === undefined || run.due > now || bucketOf(run.state) !== "active") return {};',
    replace: "",
  },
  {
    name: "the store does not look at the guard",
    file: "core/store/settle.ts",
    find: "const held = call.guard === undefined || holds(call.guard, view);",
    replace: "const held = true;",
  },
  {
    name: "a take-over does not check who owns the shard now",
    file: "core/parts/ownership_rows.ts",
    find: "batch.check(key, before?.version ?? null).put(key, JSON.stringify(row));",
    replace: "batch.put(key, JSON.stringify(row));",
  },
  {
    name: "a release does not check who owns the shard now",
    file: "core/parts/ownership_rows.ts",
    find: "batch.check(guard.key, guard.version).put(guard.key, JSON.stringify(row));",
    replace: "batch.put(guard.key, JSON.stringify(row));",
  },
  {
    name: "a guest's verb does not ring the bell",
    file: "core/engine/write_change.ts",
    find: 'if (!guard) batch.put(keyspace.bell.key(record.definition), "1");',
    replace: "",
  },
  {
    name: "a step starts before it is due",
    near: 196,
    file: "core/engine/turn.ts",
    find: "if (run.due === undefined || run.due > now) return undefined;",
    replace: "if (run.due === undefined) return undefined;",
  },
  {
    name: "a paused run is started as it is",
    file: "core/engine/turn.ts",
    find: 'if (run.state === "paused") return { instead: resume(behaviour, "engine") };',
    replace: "",
  },
  {
    name: "a page that was read hides what was left out meanwhile",
    file: "core/engine/due_index.ts",
    find:
      "this.#horizon = earlier(this.#missed, next);\n      for (const entry of page!) this.#found(entry);",
    replace: "for (const entry of page!) this.#found(entry);\n      this.#horizon = next;",
  },
  {
    name: "a trigger whose outcome stays unknown is forgotten",
    test: "tests/engine/unheard_test.ts",
    file: "core/engine/trigger.ts",
    find: "if (error instanceof OutcomeUnknownError) owner?.unsure();",
    replace: "",
  },
  {
    name: "waits do not hear of other engines' commits",
    file: "core/engine/poll.ts",
    find: "if (held) this.#context.watch.changed(held.record);",
    replace: "if (held) void 0;",
  },
  {
    name: "a landing whose outcome stays unknown is applied again",
    near: 737,
    file: "core/engine/hot_runs.ts",
    find: "const isFound = newest.some((each) => each.value === row);",
    replace: "const isFound = newest.length < 0 && row === row;",
  },
  {
    name: "a timer's result lands in another visit",
    near: 478,
    file: "core/parts/landing.ts",
    find: "if (run.visit !== attempt.visit || isFinished(run.state))",
    replace: "if ((!timer && run.visit !== attempt.visit) || isFinished(run.state))",
  },
  {
    name: "a repeat loses the timers",
    file: "core/parts/landing.ts",
    find: "to: run.status,\n            timers: timersLeft(run, attempt),",
    replace: "to: run.status,",
  },
  {
    name: "a timer that has fired stays",
    file: "core/parts/landing.ts",
    find: "return timer ? run.timers.filter((each) => each.name !== timer.name) : run.timers;",
    replace: "return timer ? run.timers : run.timers;",
  },
  {
    name: "a timer that is set again is the same as before",
    file: "core/parts/landing.ts",
    find: "round: timer.round + 1",
    replace: "round: timer.round",
  },
  {
    name: "a timer's landing leaves the run under suspicion",
    file: "core/parts/landing.ts",
    find: "return !isStep && stepDue !== undefined && stepDue <= now ? crashes : 0;",
    replace: "return isStep ? 0 : crashes;",
  },
  {
    name: "a step overwrites what a callback saved",
    near: 50,
    file: "core/parts/landing.ts",
    find: "if (saves && run.payload !== attempt.payload)",
    replace: "if (saves && run.payload.length < 0)",
  },
  {
    name: "a late error quotes deleted data",
    near: 1983,
    file: "core/parts/landing.ts",
    find: 'if (state === "deletion-requested" || state === "deleted") return { reason: why };',
    replace: "",
  },
  {
    name: "a resume loses the timers",
    file: "core/parts/run_change.ts",
    find: "const timers = run.timers.length === 0 ? noTimers : run.timers.map(",
    replace: "const timers = run.timers.length >= 0 ? noTimers : run.timers.map(",
  },
  {
    name: "a run is due for its step alone",
    file: "core/parts/run_change.ts",
    find: "timers.length === 0 ? stepDue : earliestDue(stepDue, timers)",
    replace: "stepDue",
  },
  {
    name: "a paused run's timer fires",
    near: 40,
    file: "core/engine/turn.ts",
    find: 'if (run.state === "paused") return',
    replace: 'if (run.state === "paused" && !firstDue(run.timers, now)) return',
  },
  {
    name: "a timer fires before it is due",
    file: "core/engine/turn.ts",
    find: "if (timer.at <= now && (",
    replace: "if (timer.at <= now + 20 && (",
  },
  {
    name: "a finished run is due for its removal at once",
    file: "core/parts/run_change.ts",
    find: "due: rules.keepFinishedMs === undefined ? undefined : now + rules.keepFinishedMs,",
    replace: "due: rules.keepFinishedMs === undefined ? undefined : now,",
  },
  {
    name: "a callback overwrites what was saved meanwhile",
    near: 152,
    file: "core/engine/callback.ts",
    find: "run.visit !== base.visit || run.payload !== base.payload",
    replace: "run.visit !== base.visit",
  },
  {
    name: "a callback's idempotency key is not looked up",
    near: 3323,
    file: "core/engine/callback.ts",
    find: "if (!entry) return undefined;",
    replace: "if (entry !== null) return undefined;",
  },
  {
    name: "a callback's idempotency key is not checked",
    near: 326,
    file: "core/engine/callback.ts",
    find: "batch.check(row, null).put(",
    replace: "batch.put(",
  },
  {
    name: "a callback is applied to a paused run",
    near: 31,
    file: "core/engine/callback.ts",
    find: 'if (run.state === "paused" || run.state === "stalled")',
    replace: 'if (run.state === "stalled")',
  },
  {
    name: "a callback on its owner believes the copy in memory",
    test: "tests/engine/own_runs_test.ts",
    file: "core/engine/hot_runs.ts",
    find: "error instanceof RunStateError || error instanceof Stale;",
    replace: "error instanceof RunStateError;",
  },
  {
    name: "hooks are not written with their change",
    file: "core/engine/write_change.ts",
    find: "if (chores) { for (const chore of chores) choreTable.write(batch, undefined, chore); }",
    replace: "",
  },
  {
    name: "hooks of a change that landed unheard are forgotten",
    test: "tests/engine/unheard_test.ts",
    file: "core/engine/side_work.ts",
    find: "if (unheard) this.rescan()",
    replace: "if (unheard && !unheard) this.rescan()",
  },
  {
    name: "a hook goes before it has run",
    file: "core/engine/chores.ts",
    find: "next = begun && await this.#attempt(begun.chore);",
    replace:
      "if (begun) await this.#settle(begun, undefined);\n      next = begun && await this.#attempt(begun.chore);",
  },
  {
    name: "a hook's error quotes deleted data",
    near: 864,
    file: "core/engine/chores.ts",
    find: 'next.lastError && { ...next.lastError, message: "" }',
    replace: "next.lastError",
  },
  {
    name: "a deletion forgets the history",
    file: "core/engine/dispose.ts",
    find: "if (text !== entry.value) batch.check(",
    replace: "if (text === entry.key) batch.check(",
  },
  {
    name: "a deletion forgets the hooks",
    file: "core/engine/dispose.ts",
    find: "      payload: payload.text,\n",
    replace: "",
  },
  {
    name: "a removal takes hooks that have not run",
    near: 2,
    file: "core/engine/dispose.ts",
    find: "if (chore.due !== undefined) return waits = true;",
    replace: "",
  },
  {
    name: "a removal forgets the kept answers",
    file: "core/engine/dispose.ts",
    find: "if (readAnswer(entry).runId !== record.id) return;",
    replace: "if (readAnswer(entry).runId !== record.key) return;",
  },
  {
    name: "a removal forgets the key",
    file: "core/engine/dispose.ts",
    find: "if (!before) return void batch.delete(keyRow);",
    replace: "if (!before) return;",
  },
  {
    name: "a removal does not look whether the run has changed",
    near: 2633,
    file: "core/engine/dispose.ts",
    find: "const batch = new BatchBuilder().check(record.rowKey, version);",
    replace: "const batch = new BatchBuilder().check(record.rowKey, version * 0 + held.version);",
  },
  {
    name: "waits do not hear that their run is removed",
    near: 237,
    file: "core/engine/poll.ts",
    find: "else this.#context.watch.gone(runId);",
    replace: "",
  },
  {
    name: "what a scan told of a run while a verb was tried on it in vain is forgotten",
    near: 3838,
    file: "core/engine/shard_runs.ts",
    find: "        this.#index.recall(run.record.id);\n",
    replace: "",
  },
  {
    name: "an index that could not be read is not read again",
    test: "tests/engine/failed_read_test.ts",
    file: "core/engine/due_index.ts",
    find: "        this.#unread = earlier(this.#unread, start);\n",
    replace: "",
  },
  {
    name: "a removal forgets a trigger's idempotency key before its run",
    test: "tests/engine/failed_read_test.ts",
    file: "core/engine/dispose.ts",
    find: 'if (splitKey(entry.key)[3] === "trigger") last.push(entry);',
    replace: 'if (splitKey(entry.key)[3] === "nobody") last.push(entry);',
  },
];
