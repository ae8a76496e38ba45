/**
 * The rules of machines that the reference model must see broken.
 *
 * @module
 */
import type { Mutant } from "../simulation/mutant.ts";

const modelTest = "tests/programs/model_test.ts";

/** Sees what few lives come to. */
const waitingTest = "tests/engine/waiting_test.ts";

const rules: readonly Mutant[] = [
  {
    name: "a retry does not grow",
    file: "core/parts/landing.ts",
    find: "policy.retryFactor ** (failures - 1)",
    replace: "policy.retryFactor ** 0",
  },
  {
    name: "a retry knows no maximum",
    file: "core/parts/landing.ts",
    find: "Math.min(policy.retryMaxMs, policy.retryInitialMs * growth)",
    replace: "policy.retryInitialMs * growth",
  },
  {
    name: "jitter spreads over all of the wait",
    file: "core/parts/landing.ts",
    find: "full * (0.5 + chance / 2)",
    replace: "full * chance",
  },
  {
    name: "pauseAfterErrors is one too many",
    file: "core/parts/landing.ts",
    find: "count >= policy.pauseAfterErrors",
    replace: "count > policy.pauseAfterErrors",
  },
  {
    name: "a timer's errors never pause",
    file: "core/parts/landing.ts",
    find: "policy: rules.timerPolicy?.(run.status, timer.name), count, chance",
    replace:
      "policy: { ...rules.timerPolicy?.(run.status, timer.name)!, pauseAfterErrors: 0 }, count, chance",
  },
  {
    name: "a timer's errors are the step's attempts",
    file: "core/parts/landing.ts",
    find: "failed: { crashes: crashesLeft(run, now, false),",
    replace: "failed: { attempt: count, crashes: crashesLeft(run, now, false),",
  },
  {
    name: "an error while paused sets the run going",
    file: "core/parts/landing.ts",
    find:
      'if (run.state === "paused") return { after: nextRecord(run, { ...failed, updatedAt: now }), event };',
    replace: "",
  },
  {
    name: "lag is ignored",
    file: "core/parts/run_change.ts",
    find: "if (policy.lagMs > 0) return now + policy.lagMs;",
    replace: "",
  },
  {
    name: "lag is ignored where a run starts",
    file: "core/engine/trigger.ts",
    find: "const stepDue = policy && context.clock.now() + policy.lagMs;",
    replace: "const stepDue = policy && context.clock.now();",
  },
  {
    name: "timers outlive their status",
    file: "core/parts/run_change.ts",
    find: "const { to, payload, timers = noTimers } = entry;",
    replace: "const { to, payload, timers = run.timers } = entry;",
  },
  {
    name: "timers outlive their run",
    file: "core/parts/run_change.ts",
    find: "    stepDue: undefined,\n    timers: noTimers,",
    replace: "    stepDue: undefined,",
  },
  {
    name: "a repeat sets the timers anew",
    file: "core/engine/step_runner.ts",
    find: 'if (result.kind !== "move" || !behaviour.timers) return result;',
    replace: 'if (result.kind === "repeat") result = { kind: "move", to: made.status };\n' +
      '  if (result.kind !== "move" || !behaviour.timers) return result;',
  },
  {
    name: "a repeat is the same visit",
    file: "core/parts/landing.ts",
    find: "          after: enter(rules, run, now, {\n            to: run.status,",
    replace:
      "          after: enter(rules, { ...run, visit: run.visit - 1 }, now, {\n            to: run.status,",
  },
  {
    name: "a skip is a visit",
    file: "core/parts/landing.ts",
    find: "    ...(isStep && { attempt: 0, lock: undefined }),",
    replace: "    ...(isStep && { attempt: 0, lock: undefined, visit: run.visit + 1 }),",
  },
  {
    name: "a skip of the step leaves it due",
    file: "core/parts/landing.ts",
    find: "const stepDue = isStep ? undefined : run.stepDue;",
    replace: "const stepDue = isStep && run.timers.length > 0 ? now + 10 : isStep ? undefined : run.stepDue;",
  },
  {
    name: "a callback's skip clears the step",
    file: "core/parts/landing.ts",
    find: 'const isStep = attempt.by === undefined || attempt.by === "step";',
    replace: 'const isStep = attempt.by !== "timer";',
  },
  {
    name: "a timer that is set again begins at its old time",
    file: "core/engine/step_runner.ts",
    find: "at: context.clock.now() + result.afterMs };",
    replace: "at: context.clock.now() };",
  },
  {
    name: "a timer's answer after a pause and a resume is lost",
    test: waitingTest,
    file: "core/parts/landing.ts",
    find: "const isSameAttempt = now.attempt === then.attempt || now.attempt === 0;",
    replace: "const isSameAttempt = now.attempt === then.attempt;",
  },
  {
    name: "a resume keeps the count of attempts",
    file: "core/parts/run_change.ts",
    find: "goOn(rules, run, now, { attempt: 0, crashes: 0 })",
    replace: "goOn(rules, run, now, { crashes: 0 })",
  },
  {
    name: "a resume keeps the timers' attempts",
    file: "core/parts/run_change.ts",
    find: "run.timers.map((timer) => ({ ...timer, attempt: 0 }))",
    replace: "run.timers",
  },
  {
    name: "a resume waits for the lag",
    file: "core/parts/run_change.ts",
    find: "const stepDue = rules.policy(run.status) || !rules.statuses.has(run.status) ? now : undefined;",
    replace: "const stepDue = rules.policy(run.status) ? now + rules.policy(run.status)!.lagMs : undefined;",
  },
  {
    name: "a pause by code drops the data",
    file: "core/parts/landing.ts",
    find:
      '            ...saved(landing),\n            timers: timersLeft(run, attempt),\n          }),\n          event: { ...event, kind: "pause"',
    replace:
      '            timers: timersLeft(run, attempt),\n          }),\n          event: { ...event, kind: "pause"',
  },
  {
    name: "a pause of a timer leaves it set",
    file: "core/parts/landing.ts",
    find:
      '            ...saved(landing),\n            timers: timersLeft(run, attempt),\n          }),\n          event: { ...event, kind: "pause"',
    replace: '            ...saved(landing),\n          }),\n          event: { ...event, kind: "pause"',
  },
  {
    name: "a paused run is resumed from its last change on",
    file: "core/parts/run_change.ts",
    find: "due: isPaused ? run.due :",
    replace: "due: isPaused && rules.pauseRetryMs !== undefined ? now + rules.pauseRetryMs :",
  },
  {
    name: "a step that lands resumes its run",
    file: "core/parts/run_change.ts",
    find: 'const isPaused = run.state === "paused";',
    replace: "const isPaused = false;",
  },
  {
    name: "a run that ends while paused stays paused",
    file: "core/parts/run_change.ts",
    find:
      'if (rules.isTerminal(to)) return ended(rules, run, now, { state: "completed", status: to, payload });',
    replace:
      'if (rules.isTerminal(to)) {\n    const state = run.state === "paused" ? "paused" : "completed";\n' +
      "    return ended(rules, run, now, { state, status: to, payload });\n  }",
  },
  {
    name: "a callback is applied to a paused run",
    file: "core/engine/callback.ts",
    find: 'if (run.state === "paused" || run.state === "stalled")',
    replace: 'if (run.state === "stalled")',
  },
  {
    name: "a callback is applied wherever the run is",
    file: "core/engine/callback.ts",
    find: "return run.status === status ? undefined :",
    replace: "return run.status === status || run.visit > 1 ? undefined :",
  },
  {
    name: "a callback's skip asks nobody else",
    file: "core/machine/behaviour.ts",
    find: 'seen.kind === "skip" ? receive(machine, others, call, payload) : seen',
    replace: "seen",
  },
  {
    name: "a callback that throws is a skip",
    file: "core/machine/behaviour.ts",
    find: "first.handler(new MachineRun(call), payload()),",
    replace:
      "Promise.resolve().then(() => first.handler(new MachineRun(call), payload())).catch(() => first.to[0]),",
  },
  {
    name: "a step overwrites what a callback saved",
    file: "core/parts/landing.ts",
    find: "if (saves && run.payload !== attempt.payload)",
    replace: "if (saves && run.payload !== attempt.payload && attempt.timer)",
  },
  {
    name: "a result lands in another visit",
    file: "core/parts/landing.ts",
    find: "if (run.visit !== attempt.visit || isFinished(run.state))",
    replace: "if (isFinished(run.state))",
  },
  {
    name: "a finished run can be cancelled",
    file: "core/parts/run_change.ts",
    find: 'allow("cancel", run, ["initiated", "running", "paused", "stalled"]);',
    replace: 'allow("cancel", run, ["initiated", "running", "paused", "stalled", "completed"]);',
  },
  {
    name: "an initiated run cannot be paused",
    file: "core/parts/run_change.ts",
    find: 'allow("pause", run, ["initiated", "running"]);',
    replace: 'allow("pause", run, ["running"]);',
  },
  {
    name: "a run that goes on can be deleted",
    file: "core/parts/disposal.ts",
    find: 'allow("delete data of", run, deletable);',
    replace: 'allow("delete data of", run, [...deletable, "paused"]);',
  },
  {
    name: "an answer that its step does not list is taken",
    file: "core/machine/behaviour.ts",
    find: 'if (typeof answer === "string" && to.includes(answer))',
    replace: 'if (typeof answer === "string" && answer !== "nowhere")',
  },
  {
    name: "a step that lands on an end does not complete its run",
    file: "core/machine/behaviour.ts",
    find: "isTerminal: (status) => !edges.has(status),",
    replace: 'isTerminal: (status) => !edges.has(status) && status !== "gone away",',
  },
  {
    name: "a status with nothing but timers is an end",
    file: "core/machine/behaviour.ts",
    find: "isTerminal: (status) => !edges.has(status),",
    replace: "isTerminal: (status) => !steps.has(status) && !callbacks.has(status),",
  },
  {
    name: "a hook hears of another change",
    file: "core/parts/chore.ts",
    find: '    case "failed":\n      return "fail";',
    replace: '    case "failed":\n      return "cancel";',
  },
  {
    name: "hooks hear of a pause of what is paused",
    file: "core/parts/chore.ts",
    find: "if (before === after) return undefined;",
    replace: "",
  },
  {
    name: "a hook sees the run as it is now",
    file: "core/engine/chores.ts",
    find: "const view = await viewOf(this.#context, chore.run);",
    replace:
      "const now = await this.#context.reader.get(this.#owner.shard, keyspace.run.key(chore.run.id));\n" +
      "      const text = now?.value ?? JSON.stringify({ ...chore.run, data: JSON.parse(chore.run.payload) });\n" +
      "      const view = await viewOf(this.#context, { ...chore.run, version: JSON.parse(text).version });",
  },
  {
    name: "a hook is never parked",
    file: "core/engine/chores.ts",
    find: "(mayPark && policy.pauseAfterErrors > 0 && attempt >= policy.pauseAfterErrors)",
    replace: "(mayPark && policy.pauseAfterErrors > 9 && attempt >= policy.pauseAfterErrors)",
  },
  {
    name: "startAt is ignored",
    file: "core/engine/trigger.ts",
    find: "const status = input.startAt ?? behaviour.start;",
    replace: 'const status = input.startAt === "nowhere" ? "nowhere" : behaviour.start;',
  },
  {
    name: "a run may start at an end",
    file: "core/engine/trigger.ts",
    find: "if (!behaviour.statuses.has(status) || behaviour.isTerminal(status)) {",
    replace: "if (!behaviour.statuses.has(status)) {",
  },
  {
    name: "another input under an idempotency key is not noticed",
    file: "core/engine/trigger.ts",
    find: "if (row.input === wish.idempotency!.input) return row.runId;",
    replace: "return row.runId;",
  },
  {
    name: "another input of a callback under an idempotency key is not noticed",
    file: "core/engine/callback.ts",
    find: "if (input === wish.idempotency.input && status !== undefined && runState !== undefined) {",
    replace: "if (status !== undefined && runState !== undefined) {",
  },
  {
    name: "an idempotency key is looked up after the unfinished run",
    file: "core/engine/trigger.ts",
    find: "  if (kept) return { answered: sameInput(wish, kept) };\n",
    replace: "",
  },
  {
    name: "a timer waits with its run for a slot of the step",
    test: waitingTest,
    file: "core/engine/shard_runs.ts",
    find: "if (next !== undefined) this.#index.track(runId, next);",
    replace: "",
  },
  {
    name: "a timer costs its run the place in the line of the step",
    test: waitingTest,
    file: "core/engine/status_waits.ts",
    find: "return known?.visit === visit ?",
    replace: "return known?.visit === -1 ?",
  },
  {
    name: "a guest's callback leaves its run in the line",
    test: waitingTest,
    file: "core/parts/run_change.ts",
    find: 'return by !== "callback" && run.due !== undefined',
    replace: "return run.due !== undefined",
  },
  {
    name: "a wait does not look at what went by",
    file: "core/engine/await_run.ts",
    find: "(row.to === status || row.from === status)",
    replace: "row.from === status && row.to === undefined",
  },
  {
    name: "a wait for a status outlives its run",
    file: "core/engine/await_run.ts",
    find: "if (isFinished(run.state)) this.ended(",
    replace: 'if (run.state === "completed") this.ended(',
  },
  {
    name: "the later of two timers goes first",
    file: "core/engine/turn.ts",
    find: "timer.at < first.at",
    replace: "timer.at > first.at",
  },
  {
    name: "a step goes before a timer that is due as well",
    file: "core/engine/turn.ts",
    find: "const timer = run.timers.length === 0 ? undefined : firstDue(run.timers, now);",
    replace: "const isStep = run.stepDue !== undefined && run.stepDue <= now;\n" +
      "  const timer = run.timers.length === 0 || isStep ? undefined : firstDue(run.timers, now);",
  },
  {
    name: "a step's concurrency is not heeded",
    file: "core/engine/lane.ts",
    find: "return concurrency === 0 || this.#running + this.#granted < concurrency;",
    replace: "return concurrency === 0 || this.#running + this.#granted <= concurrency;",
  },
  {
    name: "a step's timeout is not heeded",
    file: "core/engine/step_runner.ts",
    find: "withTimeout(context, landed, code.timeoutMs, end)",
    replace: "withTimeout(context, landed, 2 * code.timeoutMs, end)",
  },
  {
    name: "code is not told that its run was cancelled",
    file: "core/engine/shard_runs.ts",
    find: "if (attempt) cutShort(attempt, before, run.record);",
    replace: "if (attempt && run.record.visit !== before.visit) cutShort(attempt, before, run.record);",
  },
  {
    name: "the erasure waits for the code of an ended run",
    file: "core/engine/shard_runs.ts",
    find: "if (isFinished(run.record.state) && attempt && run.attempt === attempt) {",
    replace: "if (isFinished(run.record.state) && attempt && run.attempt !== attempt) {",
  },
  {
    name: "what is deleted is kept from its request on",
    file: "core/parts/disposal.ts",
    find: "due: keepFinishedMs === undefined ? undefined : now + keepFinishedMs,",
    replace: "due: keepFinishedMs === undefined ? undefined : run.createdAt + keepFinishedMs,",
  },
];

/** Every rule of machines that is broken on purpose. */
export const programMutants: readonly Mutant[] = rules.map((rule) => ({ test: modelTest, ...rule }));
