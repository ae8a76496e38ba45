/**
 * A violation in words.
 *
 * @module
 */
import { stamp } from "../../core/store/key.ts";
import type { Batch, CallResult, Check, CommitCall, Entry, Put, ReadOp } from "../../core/store/store.ts";
import { checkHistory, type Verdict } from "./check_history.ts";
import type { History, Operation } from "./history.ts";
import { type Held, ShardState } from "./shard_state.ts";
import { shrink } from "./shrink.ts";
import type { Step } from "./steps.ts";
import { Trail } from "./trail.ts";

/** Lines of operations shown: the last ones that wrote the keys in question. */
const linesMax = 16;

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
  const misfits = stuck.map((step) => misfitOf(step, state));
  const keys = new Set(misfits.flatMap((each) => each.keys));
  const concerned = placed.filter((step) => writesOf(step).some((key) => keys.has(key)));
  const zero = Math.min(...small.operations.map((each) => each.began));
  const line = (step: Step) => `  ${whenOf(step.operation, zero)}  ${wordsOf(step)}`;
  const cut = concerned.slice(-linesMax);
  const left = concerned.length - cut.length;
  const text = [
    `Shard ${shard} is not linearizable: ${small.operations.length} of ${history.operations.length} operations show it.`,
    `What wrote these keys, in the order of effects${left ? `, without ${left} earlier ones` : ""}:`,
    ...cut.map(line),
    "None of these can come next:",
    ...stuck.flatMap((step, index) => [line(step), `    ${misfits[index]!.why}`]),
    ...leftOut(small, [...placed, ...stuck], shard, keys).map((each) =>
      `  begun by then, with or without effect: ${each}`
    ),
  ].join("\n");
  return text.replaceAll(`"${frontOf(small)}`, '"');
}

/** What all keys begin with, and nobody needs to see. */
function frontOf({ operations }: History): string {
  const keys = operations.flatMap((each) =>
    each.kind === "commit" ? each.calls.flatMap((call) => call.batches.flatMap((one) => one.puts)) : []
  ).map((put) => put.key);
  let front = keys[0] ?? "";
  for (const key of keys) while (!key.startsWith(front)) front = front.slice(0, -1);
  return front.slice(0, front.lastIndexOf(" ") + 1);
}

/** Why a step cannot come next, and which keys it is about. */
function misfitOf(step: Step, state: ShardState): { readonly why: string; readonly keys: readonly string[] } {
  if (step.kind === "call") {
    const wanted = resultWords(state.settle(step));
    return {
      why: `The store would have to answer: ${wanted}`,
      keys: checksOf(step.call).map((each) => each.key),
    };
  }
  const wrong = step.ops.flatMap((op, index) => {
    const [seen, held] = [step.answer[index]!, state.read(op)];
    return entriesWords(seen) === entriesWords(held) ? [] : [{ op, seen, held }];
  });
  const why = wrong.map(({ op, held }) => `${opWords(op)} = ${entriesWords(held)}`).join(", ");
  const keys = wrong.flatMap(({ op, seen, held }) => {
    if ("get" in op) return [op.get];
    const known = new Set(
      [...seen, ...held].filter((each) => seen.includes(each) !== held.includes(each as Held)),
    );
    return [...known].map((each) => each.key);
  });
  return { why: `The store would have to answer: ${why}`, keys };
}

function replay(placed: readonly Step[], history: History, shard: number): ShardState {
  const state = new ShardState(new Trail(), history.outcomes, history.floor?.[shard] ?? 0);
  for (const step of placed) if (step.kind === "call") state.settle(step);
  return state;
}

/** Commits that may have written these keys, and that the search did not need. */
function leftOut(
  history: History,
  shown: readonly Step[],
  shard: number,
  keys: ReadonlySet<string>,
): string[] {
  const known = new Set(shown.map((step) => step.operation.id));
  return history.operations.flatMap((each) => {
    if (each.kind === "read" || known.has(each.id)) return [];
    const calls = each.calls.filter((call) => call.shard === shard && call.batches.some(writes));
    return calls.map((call) => `${each.id}, ${String(each.answer)}: ${callWords(call)}`);
  }).slice(-linesMax);

  function writes({ puts, deletes }: Batch): boolean {
    return deletes.some((key) => keys.has(key)) || puts.some(({ key }) => keys.has(key));
  }
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

const checksOf = ({ guard, batches }: CommitCall): readonly Check[] => [
  ...(guard ? [guard] : []),
  ...batches.flatMap((each) => each.checks),
];

/** The keys that a step has changed, as far as anybody knows. */
function writesOf(step: Step): string[] {
  if (step.kind === "read") return [];
  const { call, result } = step;
  return call.batches.flatMap(({ puts, deletes }, index) => {
    const told = result?.outcome === "done" ? result.results[index]! : undefined;
    if (result && !told?.ok) return [];
    const keyOf = ({ key, stamped }: Put) => stamped && told?.ok ? key + stamp(told.version) : key;
    return [...puts.map(keyOf), ...deletes];
  });
}
