/**
 * What can be seen of a life from outside, as lines of text that are the same wherever it was lived: runs go by the order
 * of their creation, times are counted from the beginning, and words that no contract promises are left out.
 *
 * @module
 */
import type { RunState } from "../../mod.ts";
import { epoch } from "./program.ts";

/** All of it. */
export interface Picture {
  /** What the verbs answered. */
  readonly answers: readonly string[];
  /** Each run, with its history; the latest runs of keys. */
  readonly runs: readonly string[];
  /** Each call of a hook; the hooks that are parked. */
  readonly hooks: readonly string[];
}

export interface SeenError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
}

export interface SeenTimer {
  readonly name: string;
  readonly at: number;
}

/** A run as verbs and hooks show it. */
export interface SeenRun {
  readonly run: number;
  readonly key: string;
  readonly definition: string;
  readonly status: string;
  readonly runState: RunState;
  readonly version: number;
  readonly attempt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly reason: string | undefined;
  readonly lastError: SeenError | undefined;
  readonly timers: readonly SeenTimer[];
  readonly data: unknown;
}

/** A row of a history. */
export interface SeenRow {
  readonly at: number;
  readonly kind: string;
  readonly by: string;
  readonly name?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly durationMs?: number | undefined;
  readonly reason?: string | undefined;
  readonly error?: SeenError | undefined;
  readonly runState: RunState;
  readonly version: number;
  readonly attempt: number;
}

/** A time of the life. */
export function timeText(at: number): string {
  return `+${at - epoch}`;
}

/** Of Pawl's own errors the code is promised, and not the words, but that an erased one has none. */
export function errorText({ name, message, code }: SeenError): string {
  if (code === undefined) return `${name}: ${message}`;
  return message === "" ? `${code}, erased` : code;
}

/** Reasons of users begin with `because`; Pawl's own words are promised nowhere. */
function reasonText(reason: string): string {
  return reason.startsWith("because") ? reason : "...";
}

function also(name: string, value: string | number | undefined): string {
  return value === undefined ? "" : `, ${name} ${value}`;
}

export function runText(run: SeenRun): string {
  const timers = run.timers.map(({ name, at }) => `${name} at ${timeText(at)}`).join(" and ");
  return `run ${run.run} of "${run.definition}" ${run.key}: ${run.runState} at "${run.status}", ` +
    `version ${run.version}, attempt ${run.attempt}, ${timeText(run.createdAt)} to ${
      timeText(run.updatedAt)
    }` +
    also("reason", run.reason && reasonText(run.reason)) +
    also("error", run.lastError && errorText(run.lastError)) +
    also("timers", timers || undefined) +
    ` ${JSON.stringify(run.data)}`;
}

export function rowText(row: SeenRow): string {
  return `  ${timeText(row.at)} ${row.kind} by ${row.by}${row.name === undefined ? "" : ` ${row.name}`}` +
    also("from", row.from) +
    also("to", row.to) +
    also("took", row.durationMs) +
    also("reason", row.reason && reasonText(row.reason)) +
    also("error", row.error && errorText(row.error)) +
    `; ${row.runState}, version ${row.version}, attempt ${row.attempt}`;
}

export function hookText(at: number, kind: string, index: number, run: SeenRun): string {
  return `${timeText(at).padStart(7)} ${kind} hook ${index} of ${runText(run)}`;
}

export function parkedText(
  run: number,
  kind: string,
  hook: string,
  failures: number,
  error: SeenError | undefined,
): string {
  const why = error ? errorText(error) : "no error";
  return `parked: ${kind} hook "${hook}" of run ${run}, ${failures} failures, ${why}`;
}

export function timerText(run: number, { name, at }: SeenTimer, attempt: number, waits: boolean): string {
  return `timer of run ${run}: ${name} at ${timeText(at)}, attempt ${attempt}${waits ? ", waits" : ""}`;
}

/** Runs with their histories. */
export function lifeText(run: SeenRun, history: readonly SeenRow[]): string[] {
  return [runText(run), ...history.map(rowText)];
}

/** A run that is there no more, as it was after each change. */
export function removedText(run: number, versions: readonly SeenRun[]): string[] {
  return [`run ${run} is removed`, ...versions.map((each) => `  was ${runText(each)}`)];
}

/** Where two pictures differ, or `undefined` when they do not. */
export function difference(expected: Picture, actual: Picture): string | undefined {
  const parts = (["answers", "runs", "hooks"] as const).filter((part) =>
    expected[part].join("\n") !== actual[part].join("\n")
  );
  if (parts.length === 0) return undefined;
  return parts.map((part) => `${part}:\n${sideBySide(expected[part], actual[part])}`).join("\n");
}

/** Lines of the one beside lines of the other; what is in one alone is marked. */
function sideBySide(expected: readonly string[], actual: readonly string[]): string {
  const lines: string[] = [];
  const common = longestCommon(expected, actual);
  for (let left = 0, right = 0; left < expected.length || right < actual.length;) {
    if (left < expected.length && right < actual.length && expected[left] === actual[right]) {
      lines.push(`         ${expected[left++]}`);
      right++;
    } else if (
      right === actual.length ||
      (left < expected.length && common(left + 1, right) >= common(left, right + 1))
    ) {
      lines.push(`expected ${expected[left++]}`);
    } else lines.push(`actual   ${actual[right++]}`);
  }
  return lines.join("\n");
}

/** How many lines two ends of lists have in common, in order. */
function longestCommon(a: readonly string[], b: readonly string[]): (from: number, to: number) => number {
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let left = a.length - 1; left >= 0; left--) {
    for (let right = b.length - 1; right >= 0; right--) {
      const at = left * width + right;
      lengths[at] = a[left] === b[right]
        ? lengths[at + width + 1]! + 1
        : Math.max(lengths[at + width]!, lengths[at + 1]!);
    }
  }
  return (from, to) => lengths[from * width + to]!;
}
