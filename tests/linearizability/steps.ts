/**
 * A history cut into what must each happen at one moment: the reads of one shard, and single calls.
 *
 * The contract promises no more: a read sees one snapshot per shard, and the calls of a commit take effect in order. As
 * shards share nothing, a history is linearizable when it is so in every shard.
 *
 * @module
 */
import type { CallResult, CommitCall, ReadOp, ReadResult, Version } from "../../core/store/store.ts";
import type { CommitOperation, History, Operation } from "./history.ts";

/** What both kinds of steps have. */
interface Timed {
  /** Its place in the list of the shard's steps, which is in order of `began`. */
  index: number;
  readonly operation: Operation;
  readonly began: number;
  /** It has happened by then, if ever. */
  readonly ended: number;
}

/** What one read saw of one shard. */
export interface ReadStep extends Timed {
  readonly kind: "read";
  readonly ops: readonly ReadOp[];
  readonly answer: ReadResult;
}

/** One call. */
export interface CallStep extends Timed {
  readonly kind: "call";
  readonly call: CommitCall;
  /** What became of it, as far as anybody was told; `undefined`: nobody was. */
  result: CallResult | undefined;
  /** Of a call without a known result: versions under which values of its batches were seen, by batch. */
  readonly seen: (Version | undefined)[];
  /** It can no longer happen: another call has taken its place. */
  isVoid: boolean;
  /** The call of the same commit and shard that comes before it. */
  readonly after: CallStep | undefined;
  /** The one that comes after it. */
  then: CallStep | undefined;
}

/** What must happen at one moment. */
export type Step = ReadStep | CallStep;

/**
 * Cuts a history by shard.
 *
 * @param history The history.
 * @returns The steps of each shard that has any, with what others have found out about lost calls.
 * @throws {Error} When ids or values are not unique: then the history itself proves nothing.
 */
export function stepsOf(history: History): Map<number, Step[]> {
  const shards = new Map<number, Step[]>();
  const add = (shard: number, step: Step) => {
    const steps = shards.get(shard);
    if (steps) steps.push(step);
    else shards.set(shard, [step]);
  };
  requireUnique("operation", history.operations.map((each) => each.id));
  for (const operation of history.operations) {
    if (operation.kind === "read") cutRead(operation, add);
    else if (operation.answer !== "refused") cutCommit(operation, add);
  }
  for (const steps of shards.values()) {
    steps.sort((a, b) => a.began - b.began);
    steps.forEach((step, index) => step.index = index);
    resolve(steps, history.outcomes);
  }
  return shards;
}

function cutRead(operation: Operation & { kind: "read" }, add: (shard: number, step: Step) => void): void {
  const { requests, answer, began, ended } = operation;
  for (const shard of new Set(requests.map((request) => request.shard))) {
    const here = requests.flatMap((request, index) => request.shard === shard ? [index] : []);
    const ops = here.flatMap((index) => requests[index]!.ops);
    const told = here.flatMap((index) => answer[index]!);
    add(shard, { kind: "read", index: 0, operation, began, ended, ops, answer: told });
  }
}

function cutCommit(operation: CommitOperation, add: (shard: number, step: Step) => void): void {
  const { calls, answer, began } = operation;
  const ended = answer === "unknown" ? operation.until ?? Infinity : operation.ended;
  const last = new Map<number, CallStep>();
  calls.forEach((call, index) => {
    const result = answer === "unknown" ? undefined : (answer as readonly CallResult[])[index]!;
    const after = last.get(call.shard);
    const step: CallStep = {
      kind: "call",
      index: 0,
      operation,
      began,
      ended,
      call,
      result,
      seen: [],
      isVoid: false,
      after,
      then: undefined,
    };
    if (after) after.then = step;
    last.set(call.shard, step);
    add(call.shard, step);
  });
}

/** Finds out what became of calls that nobody was answered: from answers to later calls, and from what was read. */
function resolve(steps: readonly Step[], outcomes: boolean): void {
  const calls = steps.filter((step) => step.kind === "call");
  requireUnique("call", calls.map(callName));
  requireUnique(
    "value",
    calls.flatMap(({ call }) => call.batches.flatMap((each) => each.puts)).map(({ value }) => value),
  );
  if (outcomes) heedOutcomes(calls);
  const writers = new Map<string, { readonly step: CallStep; readonly batch: number }>();
  for (const step of calls.filter((each) => each.result === undefined)) {
    step.call.batches.forEach(({ puts }, batch) =>
      puts.forEach(({ value }) => writers.set(value, { step, batch }))
    );
  }
  if (writers.size === 0) return;
  for (const step of steps) {
    if (step.kind !== "read") continue;
    for (const { value, version } of step.answer.flat()) {
      const writer = writers.get(value);
      if (writer) writer.step.seen[writer.batch] ??= version;
    }
  }
}

/**
 * Rule 4: who is superseded is told what became of the call before, and of two calls that follow the same one only the
 * first counts.
 */
function heedOutcomes(calls: readonly CallStep[]): void {
  const lost = new Map(calls.filter((step) => !step.result).map((step) => [callName(step), step]));
  const taken = new Set<string>();
  for (const { result, call } of calls) {
    if (result && result.outcome !== "superseded") taken.add(placeName(call));
    if (result?.outcome !== "superseded" || !result.last) continue;
    const { callId, results } = result.last;
    const found = lost.get(`${call.committer.id} ${callId}`);
    if (found) found.result ??= results ? { outcome: "done", results } : { outcome: "guard-failed" };
  }
  for (const step of calls) step.isVoid = !step.result && taken.has(placeName(step.call));
}

const placeName = ({ committer, shard }: CommitCall) =>
  JSON.stringify([shard, committer.id, committer.previous]);

const callName = ({ call }: CallStep) => `${call.committer.id} ${call.committer.callId}`;

function requireUnique(what: string, names: readonly string[]): void {
  if (new Set(names).size === names.length) return;
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  throw new Error(`Cannot judge this history: it has ${what} "${twice}" twice`);
}
