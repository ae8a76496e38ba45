/**
 * What is asked of a schedule, checked at the door.
 *
 * @module
 */
import { type Duration, durationMs } from "../duration.ts";
import { PawlError } from "../errors.ts";
import { jsonText } from "../json.ts";
import { type Overlap, overlaps, type ScheduleRules } from "../parts/schedule_record.ts";
import { hasOwnKeys, keyOf } from "../parts/schedule_slots.ts";
import type { Recurrence } from "../schedule/recurrence.ts";
import { keyNumberMax } from "../store/key.ts";
import type { Definition } from "./behaviour.ts";
import { checkName } from "./check_input.ts";
import type { EngineContext } from "./context.ts";
import { slotsOf } from "./schedule_store.ts";

/** What may be given, untyped; `null` takes away. */
export interface ScheduleInput {
  readonly recurrence?: Recurrence;
  readonly key?: string;
  readonly startAt?: string;
  readonly overlap?: Overlap;
  readonly catchUp?: Duration;
  readonly jitter?: Duration;
  readonly pauseOnFailure?: boolean;
  readonly limit?: number | null;
  readonly from?: Date | null;
  readonly until?: Date | null;
  readonly filter?: string | null;
}

/** The names of {@linkcode ScheduleInput}. */
export const settingNames = {
  recurrence: true,
  key: true,
  startAt: true,
  overlap: true,
  catchUp: true,
  jitter: true,
  pauseOnFailure: true,
  limit: true,
  from: true,
  until: true,
  filter: true,
} as const satisfies Record<keyof ScheduleInput, true>;

/** Longest rule: its text is written with each change of its schedule. */
const specBytesMax = 16_384;

/** Shorter windows would miss what a busy engine is late for. */
const catchUpMsMin = 10_000;

/** The rules of a schedule that is asked for nothing. */
export const defaultRules: ScheduleRules = {
  key: "",
  type: "",
  spec: "",
  overlap: "skip",
  catchUpMs: 86_400_000,
  jitterMs: 0,
  pauseOnFailure: false,
  data: "",
};

/**
 * @param context The engine.
 * @param definition The target.
 * @param id The schedule, for messages.
 * @param before What it was asked so far.
 * @param input What is asked now.
 * @returns What it is asked from now on.
 * @throws {PawlError} `INVALID_ARGUMENT`, `INVALID_DURATION`, `UNKNOWN_STATUS`, `UNKNOWN_RECURRENCE`, `UNKNOWN_FILTER`.
 */
export function rulesOf(
  context: EngineContext,
  definition: Definition,
  id: string,
  before: ScheduleRules,
  input: ScheduleInput,
): ScheduleRules {
  const { recurrence, catchUp, jitter } = input;
  const given = <Value>(value: Value | null | undefined, otherwise: Value | undefined) =>
    value === undefined ? otherwise : value ?? undefined;
  const rules: ScheduleRules = {
    ...before,
    key: input.key ?? before.key,
    startAt: given(input.startAt, before.startAt),
    ...(recurrence !== undefined && ruleOf(id, before, recurrence)),
    overlap: input.overlap ?? before.overlap,
    catchUpMs: catchUp === undefined ? before.catchUpMs : durationMs(catchUp, "catchUp"),
    jitterMs: jitter === undefined ? before.jitterMs : durationMs(jitter, "jitter"),
    pauseOnFailure: input.pauseOnFailure ?? before.pauseOnFailure,
    limit: given(input.limit, before.limit),
    from: given(timeOf(id, "from", input.from), before.from),
    until: given(timeOf(id, "until", input.until), before.until),
    filter: given(input.filter, before.filter),
  };
  checkRules(context, definition, id, rules);
  return rules;
}

/** What is stored of a recurrence. */
function ruleOf(
  id: string,
  before: ScheduleRules,
  recurrence: Recurrence,
): Pick<ScheduleRules, "type" | "spec" | "given"> {
  const { type, spec } = Object(recurrence?.stored) as Partial<Recurrence["stored"]>;
  if (typeof type === "string") {
    const text = jsonText(spec, "recurrence", specBytesMax);
    if (recurrence.given === undefined) return { type, spec: text, given: undefined };
    const given = jsonText(recurrence.given, "recurrence", specBytesMax);
    const isSame = before.type === type && before.given === given;
    return { type, spec: isSame ? before.spec : text, given };
  }
  throw refused(id, `its recurrence is none; make one with every("1h"), cron() or rrule()`);
}

/** A time at the door. */
export function timeOf(id: string, name: string, value: Date | null | undefined): number | null | undefined {
  if (value === undefined || value === null) return value;
  const at = value instanceof Date ? Number(value) : NaN;
  if (at >= 0 && at < keyNumberMax) return at;
  throw refused(id, `${name} is ${String(value)}, want a Date from 1970 on`);
}

function checkRules(context: EngineContext, definition: Definition, id: string, rules: ScheduleRules): void {
  const { key, startAt, overlap, catchUpMs, limit, from, until, filter } = rules;
  checkName(key, "key", context.limits.keyLengthMax);
  checkName(keyOf(key, keyNumberMax), "key", context.limits.keyLengthMax);
  checkOverlap(id, overlap, key);
  const { behaviour, name } = definition;
  if (startAt !== undefined && (!behaviour.statuses.has(startAt) || behaviour.isTerminal(startAt))) {
    const usable = [...behaviour.statuses].filter((each) => !behaviour.isTerminal(each));
    throw new PawlError(
      "UNKNOWN_STATUS",
      `Cannot schedule "${name}" at status ${JSON.stringify(startAt)}: it can start at ` +
        usable.map((each) => `"${each}"`).join(", "),
    );
  }
  if (typeof rules.pauseOnFailure !== "boolean") throw refused(id, "pauseOnFailure is no boolean");
  if (catchUpMs < catchUpMsMin) throw refused(id, `catchUp is ${catchUpMs} ms, want 10 s or more`);
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 1)) {
    throw refused(id, `limit is ${String(limit)}, want a whole number from 1`);
  }
  if (from !== undefined && until !== undefined && from > until) throw refused(id, "from is after until");
  slotsOf(context, rules);
  if (filter === undefined) return;
  checkName(filter, "filter", context.limits.nameLengthMax);
  // Who only calls verbs leaves the filters to those who work.
  if (context.works && !context.filters.has(filter)) {
    throw new PawlError(
      "UNKNOWN_FILTER",
      `Cannot use filter "${filter}" in schedule "${id}": give it to createEngine({ filters })`,
    );
  }
}

/**
 * @throws {PawlError} `INVALID_ARGUMENT` when it is no policy, or not one for that key.
 */
export function checkOverlap(id: string, overlap: Overlap, key: string): void {
  if (!overlaps.includes(overlap)) {
    throw refused(id, `overlap is ${JSON.stringify(overlap)}, want one of ${overlaps.join(", ")}`);
  }
  if (overlap !== "allowAll" || hasOwnKeys(key)) return;
  throw refused(id, `overlap "allowAll" wants {scheduledFor} in its key, which is ${JSON.stringify(key)}`);
}

/** What is wrong with what was asked. */
export function refused(id: string, why: string): PawlError {
  return new PawlError("INVALID_ARGUMENT", `Cannot schedule "${id}": ${why}`);
}

/**
 * @returns The names of what two schedules differ in.
 */
export function differences(a: ScheduleRules, b: ScheduleRules): readonly string[] {
  const names = Object.keys({ ...a, ...b }) as (keyof ScheduleRules)[];
  const isSameRule = a.given !== undefined && a.type === b.type && a.given === b.given;
  const differing = names.filter((name) => a[name] !== b[name] && !(name === "spec" && isSameRule));
  const shown: Partial<Record<keyof ScheduleRules, string>> = {
    type: "recurrence",
    spec: "recurrence",
    given: "recurrence",
    catchUpMs: "catchUp",
    jitterMs: "jitter",
  };
  return [...new Set(differing.map((name) => shown[name] ?? name))];
}
