/**
 * The pure half of schedules: random policies, clocks, ends of runs and verbs, in any order, with every message told twice.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { RunState } from "../../core/parts/run_record.ts";
import {
  backfillSchedule,
  enableSchedule,
  newSchedule,
  triggerSchedule,
} from "../../core/parts/schedule_edit.ts";
import {
  type Landed,
  runEnded,
  type ScheduleChange,
  startLanded,
} from "../../core/parts/schedule_landing.ts";
import type { OutcomeRow } from "../../core/parts/schedule_outcome.ts";
import { planOf } from "../../core/parts/schedule_plan.ts";
import {
  decodeSchedule,
  overlaps,
  scheduleDue,
  type ScheduleRecord,
  type ScheduleRules,
} from "../../core/parts/schedule_record.ts";
import type { SlotsAfter } from "../../core/parts/schedule_slots.ts";

type Act =
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "turn"; readonly landed: "started" | "busy" | "failed" | "behind" }
  | { readonly do: "end"; readonly which: number; readonly state: RunState }
  | { readonly do: "pause" | "unpause" | "skip past" | "trigger" }
  | { readonly do: "backfill"; readonly ms: number; readonly overlap: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: -300, max: 900 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("turn" as const),
      landed: fc.constantFrom(...["started", "started", "started", "busy", "failed", "behind"] as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      which: fc.nat(9),
      state: fc.constantFrom(...["completed", "completed", "failed", "cancelled"] as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom(...["pause", "unpause", "skip past", "trigger"] as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("backfill" as const),
      ms: fc.integer({ min: 1, max: 900 }),
      overlap: fc.nat(overlaps.length - 2),
    }),
  },
);

const rules: fc.Arbitrary<ScheduleRules> = fc.record({
  key: fc.constant("{scheduledFor}"),
  type: fc.constant("test"),
  spec: fc.constant("null"),
  overlap: fc.constantFrom(...overlaps),
  catchUpMs: fc.constantFrom(50, 300, 10_000),
  jitterMs: fc.constantFrom(0, 40, 500),
  pauseOnFailure: fc.boolean(),
  limit: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  filter: fc.constantFrom(undefined, undefined, "odd"),
  data: fc.constant(""),
}, { noNullPrototype: true });

/** Times that are not even. */
const slots: SlotsAfter = (after) => {
  const base = Math.floor(after / 100) * 100;
  return [base, base + 30, base + 100].find((each) => each > after);
};

const begin = 100_000;

/** An engine that does by hand what engines do, with the books that a store keeps. */
class Life {
  now = begin;
  schedule: ScheduleRecord;
  readonly started = new Map<number, string>();
  readonly told = new Map<number, string>();
  readonly gaps: OutcomeRow[] = [];
  readonly runs: { readonly start: number; readonly at: number; readonly runId: string }[] = [];

  constructor(asked: ScheduleRules) {
    const wish = { id: "s", definition: "d", life: "1", rules: asked, isEnabled: true, note: undefined };
    const payload = { text: "null", sealed: false, version: 1 };
    this.schedule = newSchedule({ ...wish, payload }, slots, this.now, undefined);
  }

  apply({ after, outcomes }: ScheduleChange): void {
    const before = this.schedule;
    assert.equal(after.version, before.version + 1);
    if (before.next && after.next) assert.ok(after.next.at >= before.next.at, "time goes back");
    assert.ok(after.start >= before.start);
    for (const row of outcomes) {
      if (row.form === "gap") this.gaps.push(row);
      else {
        assert.ok(!this.started.has(row.at), `${row.at} was started, and is ${row.outcome.kind}`);
        this.told.set(row.at, row.outcome.kind);
        if (row.outcome.kind === "started") this.started.set(row.at, row.outcome.runId);
      }
    }
    this.schedule = decodeSchedule("s", JSON.stringify(after));
  }

  /** What an owner does in one turn; whether there was anything to do. */
  turn(landed: Landed["kind"], isRoomAsked = false): boolean {
    const { starting } = this.schedule;
    if (starting) {
      this.#land(starting.start, starting.at, landed);
      return true;
    }
    const due = scheduleDue(this.schedule);
    if (due === undefined || due > this.now) return false;
    const verdicts = (at: number) => at % 200 !== 130;
    const from = this.schedule.backfills[0]?.at ?? 0;
    const plan = planOf(this.schedule, this.now, {
      slots,
      passes: verdicts,
      wasStarted: (at) => at >= from ? this.started.has(at) : undefined,
      isRoomAsked,
      bounds: { decisionsMax: 7, missedMax: 5, waitingMax: 4, runningMax: 5 },
    });
    if (plan.room) {
      for (const { runId } of plan.room.runs) {
        this.end(this.runs.findIndex((each) => each.runId === runId), "cancelled");
      }
      return this.turn(landed, true);
    }
    assert.notEqual(plan.after, this.schedule, "what is due changes something");
    this.apply(plan);
    return true;
  }

  #land(start: number, at: number, kind: Landed["kind"]): void {
    const runId = `run${start}`;
    const landed: Landed = kind === "started"
      ? { kind, runId }
      : kind === "behind"
      ? { kind, start: start + 3 }
      : { kind, reason: "so it is" };
    // A run may be seen to end before its start is told.
    const isEarly = start % 5 === 0 && kind === "started";
    if (kind === "started") this.runs.push({ start, at, runId });
    if (isEarly) return this.end(this.runs.length - 1, "completed");
    this.apply(startLanded(this.schedule, start, landed, this.now)!);
    assert.equal(startLanded(this.schedule, start, landed, this.now), undefined, "told twice");
  }

  end(which: number, state: RunState): void {
    const [run] = which < 0 ? [] : this.runs.splice(which, 1);
    if (!run) return;
    const result = { at: run.at, runId: run.runId, state, endedAt: this.now };
    const origin = { life: "1", start: run.start };
    assert.equal(
      runEnded(this.schedule, { ...origin, life: "0" }, result, this.now),
      undefined,
      "another's run",
    );
    this.apply(runEnded(this.schedule, origin, result, this.now)!);
    assert.equal(runEnded(this.schedule, origin, result, this.now), undefined, "told twice");
  }

  act(each: Act): void {
    const past = { slots, countMax: 5 };
    switch (each.do) {
      case "wait":
        this.now += each.ms;
        return;
      case "turn":
        return void this.turn(each.landed);
      case "end":
        return this.end(each.which % Math.max(1, this.runs.length), each.state);
      case "pause":
        return this.apply(enableSchedule(this.schedule, { isEnabled: false, note: "x" }, this.now));
      case "unpause":
        return this.apply(enableSchedule(this.schedule, { isEnabled: true, note: "x" }, this.now));
      case "skip past":
        return this.apply(enableSchedule(this.schedule, { isEnabled: true, note: "x" }, this.now, past));
      case "trigger":
        if (this.schedule.waiting.length >= 4) return;
        return this.apply(
          triggerSchedule(this.schedule, slots, this.now, { overlap: undefined, waitingMax: 4 }),
        );
      case "backfill": {
        if (this.schedule.backfills.length > 3) return;
        const range = { from: this.now - each.ms, until: this.now, overlap: overlaps[each.overlap]! };
        const change = backfillSchedule(this.schedule, slots, this.now, range);
        if (change) this.apply(change);
      }
    }
  }

  /** All that waits gets its turn, and all that runs ends. */
  settle(): void {
    if (!this.schedule.isEnabled) this.act({ do: "unpause" });
    for (let turns = 0; turns < 2_000; turns++) {
      if (this.turn("started")) continue;
      if (this.runs.length > 0) this.end(0, "completed");
      else if (this.schedule.waiting.length + this.schedule.backfills.length > 0) this.now += 60_000;
      else return;
      if (!this.schedule.isEnabled) this.act({ do: "unpause" });
    }
    assert.fail(`never at rest: ${JSON.stringify(this.schedule)}`);
  }

  check(): void {
    const end = this.schedule.next?.at ?? begin;
    for (let at = slots(begin); at !== undefined && at < end; at = slots(at)) {
      const inGap = this.gaps.filter((gap) =>
        gap.form === "gap" && gap.at <= at! && at! <= gap.outcome.until
      ).length;
      // What was missed may be made up for by a backfill.
      const answers = this.told.has(at) ? 1 : inGap;
      assert.equal(answers, 1, `${at} has ${answers} answers`);
    }
    assert.equal(this.schedule.counts.started, this.started.size);
    const { left, rules: { limit } } = this.schedule;
    if (limit !== undefined) assert.ok(left! >= 0 && left! <= limit);
  }
}

Deno.test("each occurrence of a schedule has one answer, whatever happens in whatever order", () => {
  fc.assert(
    fc.property(rules, fc.array(act, { minLength: 5, maxLength: 60 }), (asked, acts) => {
      const life = new Life(asked);
      for (const each of acts) life.act(each);
      // As long as it takes, up to a time that is not far.
      life.settle();
      life.check();
    }),
    { numRuns: 1_500 },
  );
});
