/**
 * A violation in words.
 *
 * @module
 */
import type { Batch, CallResult, Check, CommitCall, Entry, ReadOp } from "../../core/store/store.ts";
import { checkHistory, type Verdict } from "./check_history.ts";
import type { History, Operation } from "./history.ts";
import { type Held, ShardState } from "./shard_state.ts";
import { shrink } from "./shrink.ts";
import type { CallStep, Step } from "./steps.ts";
import { Trail } from "./trail.ts";

/** Lines of operations shown: the last ones that touch the keys in question. */
const linesMax = 24;

/**
 * Words a verdict that is no good.
 *
 * @param history The history.
 * @param verdict What {@linkcode checkHistory} says of it.
 * @returns Text of several lines.
 */
export function explain(history: History, verdict: Verdict): string {
  if (verdict.verdict === "linearizable") return "The history is linearizable";
  if (verdict.verdict === "undecided") {
    return `Shard ${verdict.shard}: undecided after ${verdict.effort} places tried`;
  }
  const small = shrink(history);
  const found = checkHistory(small);
  // Shrinking keeps what is violated violated.
  if (found.verdict !== "violated") throw new Error(`The history has shrunk to one that is ${found.verdict}`);
  const { shard, deadEnd: { placed, stuck } } = found;
  const state = replay(placed, small, shard);
  const keys = new Set(stuck.flatMap(touchesOf));
  const concerned = placed.filter((step) => touchesOf(step).some((key) => keys.has(key)));
  const zero = Math.min(...small.operations.map((each) => each.began));
  const line = (step: Step) => `  ${whenOf(step.operation, zero)}  ${wordsOf(step)}`;
  const cut = concerned.slice(-linesMax);
  const left = concerned.length - cut.length;
  return [
    `Shard ${shard} is not linearizable: ${small.operations.length} of ${history.operations.length} operations show it.`,
    `In the order of their effects, as far as one can be found${
      left ? ` (${left} earlier ones not shown)` : ""
    }:`,
    ...cut.map(line),
    "None of these can come next:",
    ...stuck.flatMap((
      step,
    ) => [line(step), `    but the store would have to answer ${expectedOf(step, state)}`]),
    ...leftOut(small, placed, stuck, shard).map((each) => `  also begun by then: ${each}`),
  ].join("\n");
}

function replay(placed: readonly Step[], history: History, shard: number): ShardState {
  const state = new ShardState(new Trail(), history.outcomes, history.floor?.[shard] ?? 0);
  for (const step of placed) if (step.kind === "call") state.settle(step);
  return state;
}

/** Operations without an answer that the search did not need. */
function leftOut(history: History, placed: readonly Step[], stuck: readonly Step[], shard: number): string[] {
  const shown = new Set([...placed, ...stuck].map((step) => step.operation.id));
  return history.operations.flatMap((each) => {
    if (each.kind === "read" || shown.has(each.id)) return [];
    const calls = each.calls.filter((call) => call.shard === shard);
    return calls.length > 0
      ? [`${each.id}, ${String(each.answer)}: ${calls.map(callWords).join("; then ")}`]
      : [];
  }).slice(0, 8);
}

function whenOf({ id, began, ended }: Operation, zero: number): string {
  const moment = (at: number) => Number((at - zero).toFixed(3));
  return `${id} [${moment(began)}, ${ended === Infinity ? "?" : moment(ended)}]`;
}

function wordsOf(step: Step): string {
  if (step.kind === "read") return `read ${readWords(step.ops, step.answer)}`;
  const { result, call, seen } = step;
  if (result) return `${callWords(call)} -> ${resultWords(result)}`;
  const versions = seen.filter((each) => each !== undefined);
  return `${callWords(call)} -> nobody was told${
    versions.length > 0 ? `, v${versions.join(", v")} was seen` : ""
  }`;
}

function expectedOf(step: Step, state: ShardState): string {
  if (step.kind === "call") return resultWords(state.settle(step as CallStep));
  return readWords(step.ops, step.ops.map((op) => state.read(op)));
}

function readWords(ops: readonly ReadOp[], answer: readonly (readonly (Entry | Held)[])[]): string {
  return ops.map((op, index) => `${opWords(op)} = ${entriesWords(answer[index]!)}`).join(", ");
}

function opWords(op: ReadOp): string {
  if ("get" in op) return `"${op.get}"`;
  return `${op.reverse ? "down" : "up"} "${op.start}" to "${op.end}", ${op.limit}`;
}

function entriesWords(entries: readonly (Entry | Held)[]): string {
  const words = entries.map((each) =>
    `"${each.key}" v${"isUnseen" in each && each.isUnseen ? "?" : each.version} ${each.value}`
  );
  return words.length === 0 ? "nothing" : words.join(" | ");
}

function callWords({ guard, batches }: CommitCall): string {
  const parts = [...(guard ? [`guard ${checkWords(guard)}`] : []), ...batches.map(batchWords)];
  return `commit ${parts.join("; ") || "nothing"}`;
}

function batchWords({ checks, puts, deletes }: Batch): string {
  const parts = [
    ...checks.map((each) => `if ${checkWords(each)}`),
    ...puts.map(({ key, value, stamped }) => `put "${key}${stamped ? "+" : ""}" ${value}`),
    ...deletes.map((key) => `delete "${key}"`),
  ];
  return `{${parts.join(", ")}}`;
}

const checkWords = ({ key, version }: Check) =>
  `"${key}" ${version === null ? "is absent" : `is v${version}`}`;

function resultWords(result: CallResult): string {
  if (result.outcome === "guard-failed") return "guard failed";
  const results = result.outcome === "done" ? result.results : result.last?.results ?? [];
  const words = results.map((each) => each.ok ? `v${each.version}` : `check ${each.failed} failed`).join(
    ", ",
  );
  if (result.outcome === "done") return words || "done";
  return `superseded by ${result.last ? `call ${result.last.callId} (${words})` : "nothing"}`;
}

/** Keys and fronts of keys that a step is about; ranges by what they found. */
function touchesOf(step: Step): string[] {
  if (step.kind === "read") {
    return step.ops.flatMap((op, index) =>
      "get" in op ? [op.get] : step.answer[index]!.map((each) => each.key)
    );
  }
  const { guard, batches } = step.call;
  const written = batches.flatMap(({ checks, puts, deletes }) => [
    ...checks.map((each) => each.key),
    ...puts.map((each) => each.key),
    ...deletes,
  ]);
  return [...(guard ? [guard.key] : []), ...written];
}
