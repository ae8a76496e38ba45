/**
 * The rules of schedules that the simulator, or a test, must see broken.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

type Rule = Omit<Mutant, "scenario">;

const lived: readonly Rule[] = [
  {
    name: "schedules: the next occurrence is computed from now",
    near: 213,
    file: "core/parts/schedule_plan.ts",
    find: "slotAt(this.#draft, this.#facts.slots, next.at);",
    replace: "slotAt(this.#draft, this.#facts.slots, Math.max(next.at, this.#now));",
  },
  {
    name: "schedules: the next occurrence is not after the one before",
    file: "core/parts/schedule_plan.ts",
    find: "slotAt(this.#draft, this.#facts.slots, next.at);",
    replace: "slotAt(this.#draft, this.#facts.slots, next.at - 1);",
  },
  {
    name: "schedules: the occurrence is not moved on from when it is claimed",
    file: "core/parts/schedule_plan.ts",
    find: "    this.#draft.next = slotAt(this.#draft, this.#facts.slots, next.at);\n",
    replace: '    if (step !== "rest") this.#draft.next = slotAt(this.#draft, this.#facts.slots, next.at);\n',
  },
  {
    name: "schedules: a claim has the number of the one before",
    file: "core/parts/schedule_plan.ts",
    find: "const start = this.#draft.start + 1;",
    replace: "const start = Math.max(1, this.#draft.start);",
  },
  {
    name: "schedules: one unfinished run is none",
    file: "core/parts/schedule_plan.ts",
    find: "return running.length > 0 || (",
    replace: "return running.length > 1 || (",
  },
  {
    name: "schedules: an occurrence that waits is forgotten when another is claimed",
    file: "core/parts/schedule_plan.ts",
    find: "filter((each) => each !== occurrence);",
    replace: "filter((each) => each === undefined && !occurrence);",
  },
  {
    name: "schedules: a run that was started is forgotten",
    file: "core/parts/schedule_landing.ts",
    find: "running: [...running, { at, kind, start, runId }],",
    replace: "running,",
  },
  {
    name: "schedules: the end of a run whose start is not told yet is lost",
    file: "core/parts/schedule_landing.ts",
    find: "const first = startLanded(schedule, start, {",
    replace: "const first = startLanded(schedule, -1, {",
  },
  {
    name: "schedules: a start does not look at its mark",
    file: "core/engine/start_occurrence.ts",
    find: "if (before) return before;",
    replace: "if (before && !before) return before;",
  },
  {
    name: "schedules: a start gets past a later one's mark",
    near: 78,
    file: "core/engine/start_occurrence.ts",
    find: "if (mark.start < starting.start) return undefined;",
    replace: "if (mark.start !== starting.start) return undefined;",
  },
  {
    name: "schedules: a schedule is written without a check of its version",
    file: "core/engine/schedule_store.ts",
    find: "new BatchBuilder().check(keyspace.schedule.key(after.id), held?.version ?? null);",
    replace: "new BatchBuilder();",
  },
  {
    name: "schedules: outcomes are not written with what they are of",
    file: "core/engine/schedule_store.ts",
    find: "for (const [key, text] of rows) batch.put(key, text);",
    replace: "",
  },
  {
    name: "schedules: nobody tells of the end of a run",
    file: "core/engine/schedule_end.ts",
    find: "if (!origin) return;",
    replace: "if (origin) return;",
  },
  {
    name: "schedules: a run that is paused counts as ended",
    file: "core/engine/schedule_end.ts",
    find: "if (held && !isFinished(held.record.state)) return [];",
    replace: 'if (held && !isFinished(held.record.state) && held.record.state !== "paused") return [];',
  },
  {
    name: "schedules: what failed is not tried again",
    near: 27,
    file: "core/engine/schedules.ts",
    find: "else this.turns.retry(id, error);",
    replace: "",
  },
];

const tested: readonly Rule[] = [
  {
    name: "schedules: a schedule that is replaced goes on",
    test: "tests/engine/start_occurrence_test.ts",
    sees: "of an earlier schedule",
    file: "core/engine/start_occurrence.ts",
    find: "if (mark.start > starting.start || mark.life !== schedule.life) {",
    replace: "if (mark.start > starting.start) {",
  },
  {
    name: "schedules: a refused start leaves no mark",
    test: "tests/engine/start_occurrence_test.ts",
    sees: "stays refused",
    file: "core/engine/start_occurrence.ts",
    find: "  writeMark(batch, place, mark, { refused });\n",
    replace: "",
  },
  {
    name: "schedules: a start does not check its mark",
    test: "tests/engine/schedule_fleet_test.ts",
    sees: "refused by the mark",
    file: "core/engine/start_occurrence.ts",
    find: "batch.check(key, version).put(key, JSON.stringify(mark));",
    replace: "batch.put(key, JSON.stringify(mark));",
  },
  {
    name: "schedules: an occurrence that an earlier life has outrun is dropped",
    test: "tests/parts/schedule_landing_test.ts",
    sees: "outrun",
    file: "core/parts/schedule_landing.ts",
    find: "start: landed.start, waiting: [occurrence, ...waiting]",
    replace: "start: landed.start, waiting",
  },
  {
    name: "schedules: an occurrence whose key is in use is dropped",
    test: "tests/engine/schedule_overlap_test.ts",
    sees: "buffered behind",
    file: "core/parts/schedule_landing.ts",
    find: "starting: undefined, retry, waiting: [occurrence, ...waiting]",
    replace: "starting: undefined, retry, waiting",
  },
  {
    name: "schedules: what is buffered once is buffered twice",
    test: "tests/engine/schedule_overlap_test.ts",
    sees: "bufferOne",
    file: "core/parts/schedule_plan.ts",
    find: 'if (overlap === "bufferOne" && alike.length > 0)',
    replace: 'if (overlap === "bufferOne" && alike.length > 1)',
  },
  {
    name: "schedules: a run is cancelled where it is to be terminated",
    test: "tests/engine/schedule_overlap_test.ts",
    sees: "terminateOther",
    file: "core/parts/schedule_plan.ts",
    find: 'overlap === "cancelOther" ? "cancel" : "terminate"',
    replace: '"cancel"',
  },
  {
    name: "schedules: a paused schedule starts what comes up",
    test: "tests/engine/schedule_verbs_test.ts",
    sees: "nothing else start",
    file: "core/parts/schedule_plan.ts",
    find: "if (!isEnabled || !next ||",
    replace: "if (!next ||",
  },
  {
    name: "schedules: a backfill starts what was started",
    test: "tests/engine/schedule_verbs_test.ts",
    sees: "backfill starts what",
    file: "core/parts/schedule_plan.ts",
    find: "if (known) return this.#moveOn(",
    replace: "if (known && !known) return this.#moveOn(",
  },
  {
    name: "schedules: a limit is not counted down",
    test: "tests/engine/schedule_time_test.ts",
    sees: "a limited schedule",
    file: "core/parts/schedule_landing.ts",
    find: "{ left: left - 1 }",
    replace: "{ left }",
  },
  {
    name: "schedules: what is missed has no outcome",
    test: "tests/engine/schedule_time_test.ts",
    sees: "starts late",
    file: "core/parts/schedule_plan.ts",
    find: 'this.#outcomes.push({ at, form: "gap", outcome });',
    replace: "",
  },
  {
    name: "schedules: a filter's refusal is not heard",
    test: "tests/engine/schedule_time_test.ts",
    sees: "a filter says",
    file: "core/parts/schedule_plan.ts",
    find: 'if (passes) return "rest";',
    replace: 'if (passes !== undefined) return "rest";',
  },
];

/** Those that lives with schedules see, and those that take a test of their own. */
export const scheduleMutants: readonly Mutant[] = [
  ...lived.map((rule) => ({ ...rule, scenario: "schedules" } as const)),
  ...tested,
];
