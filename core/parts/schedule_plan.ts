/**
 * What a schedule does next, as a pure function of its record and the time: which occurrence is claimed to be started,
 * and which are passed over, wait, or have to make room. Each occurrence gets here exactly one answer at a time, and
 * `next` only moves forward.
 *
 * @module
 */
import type { Gap, Outcome, OutcomeRow } from "./schedule_outcome.ts";
import {
  type Backfill,
  isBuffered,
  isOver,
  mayStart,
  type Occurrence,
  type Overlap,
  overlapOf,
  type ScheduleRecord,
  type Started,
} from "./schedule_record.ts";
import { countSlots, keyOf, recheckMs, slotAt, type SlotsAfter } from "./schedule_slots.ts";

/** What a plan must know beside the record. */
export interface PlanFacts {
  /** The schedule's recurrence. */
  readonly slots: SlotsAfter;
  /** What its filter says of an occurrence; `undefined`: it was not asked yet. */
  passes(at: number): boolean | undefined;
  /** Whether an occurrence of the first backfill was started before; `undefined`: nobody has looked. */
  wasStarted(at: number): boolean | undefined;
  /** The runs that are to make room have been told. */
  readonly isRoomAsked: boolean;
  readonly bounds: PlanBounds;
}

/** How much there may be of everything. */
export interface PlanBounds {
  /** Decisions of one plan. */
  readonly decisionsMax: number;
  /** Missed occurrences that are counted one by one. */
  readonly missedMax: number;
  /** Occurrences that wait. */
  readonly waitingMax: number;
  /** Unfinished runs. */
  readonly runningMax: number;
}

/** What is to be done. */
export interface Plan {
  /** The schedule after it; the same: nothing changes. */
  readonly after: ScheduleRecord;
  readonly outcomes: readonly OutcomeRow[];
  /** These runs are in the way, and are to be ended first. */
  readonly room?: {
    readonly how: "cancel" | "terminate";
    readonly for: Occurrence;
    readonly runs: readonly Started[];
  };
  /** The filter is to be asked of this occurrence first. */
  readonly ask?: number;
}

type Draft = { -readonly [Field in keyof ScheduleRecord]: ScheduleRecord[Field] };

/**
 * @param schedule As it is.
 * @param now The time.
 * @param facts What else there is to know.
 * @returns What it does now.
 */
export function planOf(schedule: ScheduleRecord, now: number, facts: PlanFacts): Plan {
  return new Planner(schedule, now, facts).plan();
}

/** What a step of a plan came to; `rest`: there is nothing more of its kind to do now. */
type Step = "done" | "rest" | "stop";

class Planner {
  readonly #before: ScheduleRecord;
  readonly #now: number;
  readonly #facts: PlanFacts;
  readonly #draft: Draft;
  readonly #outcomes: OutcomeRow[] = [];
  #room: Plan["room"];
  #ask: number | undefined;
  #changed = false;
  /** Something waits that was due to be looked at. */
  #waits = false;

  constructor(schedule: ScheduleRecord, now: number, facts: PlanFacts) {
    this.#before = schedule;
    this.#draft = { ...schedule };
    this.#now = now;
    this.#facts = facts;
  }

  plan(): Plan {
    for (let decisions = 0; decisions < this.#facts.bounds.decisionsMax; decisions++) {
      if (this.#draft.starting) break;
      const step = this.#step();
      if (step === "done") this.#changed = true;
      else break;
    }
    if (this.#waits && !this.#draft.starting && !this.#room && this.#ask === undefined) {
      this.#lookAgainLater();
    }
    const after = this.#changed
      ? { ...this.#draft, version: this.#before.version + 1, updatedAt: this.#now }
      : this.#before;
    return {
      after,
      outcomes: this.#outcomes,
      ...(this.#room && { room: this.#room }),
      ...(this.#ask !== undefined && { ask: this.#ask }),
    };
  }

  #step(): Step {
    for (const each of [() => this.#wait(), () => this.#slot(), () => this.#backfill()]) {
      const step = each();
      if (step !== "rest") return step;
    }
    return "rest";
  }

  #lookAgainLater(): void {
    const attempt = (this.#draft.retry?.attempt ?? 0) + 1;
    this.#draft.retry = { attempt, at: this.#now + recheckMs(attempt) };
    this.#changed = true;
  }

  /** Whether a run is in the way of another. */
  #isBlocked(overlap: Overlap): boolean {
    const { running, retry } = this.#draft;
    if (overlap === "allowAll") return running.length >= this.#facts.bounds.runningMax;
    return running.length > 0 || (isBuffered(overlap) && retry !== undefined && retry.at > this.#now);
  }

  #wait(): Step {
    const { waiting } = this.#draft;
    for (const occurrence of waiting) {
      if (!mayStart(this.#draft, occurrence)) continue;
      if (isOver(this.#draft, occurrence)) {
        this.#leave(occurrence);
        return this.#skip(occurrence, `its limit of ${this.#draft.rules.limit} starts was reached`);
      }
      const overlap = overlapOf(this.#draft, occurrence);
      if (!this.#isBlocked(overlap)) {
        this.#leave(occurrence);
        return this.#claim(occurrence);
      }
      if (overlap === "skip" || overlap === "allowAll") {
        this.#leave(occurrence);
        return this.#skip(occurrence, this.#inTheWay(overlap));
      }
      if (!isBuffered(overlap) && !this.#facts.isRoomAsked && !this.#isResting()) {
        return this.#makeRoom(occurrence, overlap);
      }
      if (!this.#isResting()) this.#waits = true;
    }
    return "rest";
  }

  /** What waits for others was looked at not long ago. */
  #isResting(): boolean {
    const { retry } = this.#draft;
    return retry !== undefined && retry.at > this.#now;
  }

  #makeRoom(occurrence: Occurrence, overlap: Overlap): Step {
    // What has been decided before is committed first.
    if (this.#changed) return "stop";
    const how = overlap === "cancelOther" ? "cancel" : "terminate";
    this.#room = { how, for: occurrence, runs: this.#draft.running };
    return "stop";
  }

  #leave(occurrence: Occurrence): void {
    this.#draft.waiting = this.#draft.waiting.filter((each) => each !== occurrence);
  }

  #slot(): Step {
    const { next, rules, left, isEnabled } = this.#draft;
    if (!isEnabled || !next || next.due > this.#now) return "rest";
    if (left === 0) {
      this.#draft.next = undefined;
      return "done";
    }
    if (next.due < this.#now - rules.catchUpMs) return this.#miss(next.at, this.#now - rules.catchUpMs);
    const occurrence: Occurrence = { at: next.at, kind: "slot", since: next.due };
    const step = this.#passing(occurrence);
    if (step === "stop") return step;
    this.#draft.next = slotAt(this.#draft, this.#facts.slots, next.at);
    return step === "rest" ? this.#take(occurrence) : step;
  }

  /** Asks the filter. */
  #passing(occurrence: Occurrence): Step {
    if (this.#draft.rules.filter === undefined) return "rest";
    const passes = this.#facts.passes(occurrence.at);
    if (passes) return "rest";
    if (passes === false) return this.#skip(occurrence, "the filter refused it");
    if (!this.#changed) this.#ask = occurrence.at;
    return "stop";
  }

  #miss(from: number, before: number): Step {
    const { missedMax } = this.#facts.bounds;
    const seen = countSlots(this.#draft, this.#facts.slots, { from, before, max: missedMax });
    const reason = "it was due before the catch-up window";
    this.#gap(from, { kind: "missed", reason, ...seen, decidedAt: this.#now });
    this.#draft.next = slotAt(this.#draft, this.#facts.slots, seen.isMore ? before - 1 : seen.until);
    return "done";
  }

  #gap(at: number, outcome: Gap): void {
    this.#outcomes.push({ at, form: "gap", outcome });
    const { counts, outcomes } = this.#draft;
    this.#draft.outcomes = outcomes + 1;
    this.#draft.counts = { ...counts, [outcome.kind]: counts[outcome.kind] + outcome.count };
  }

  /** An occurrence has come up: it starts, waits, or is passed over. */
  #take(occurrence: Occurrence): Step {
    const overlap = overlapOf(this.#draft, occurrence);
    const { waiting } = this.#draft;
    const alike = waiting.filter((each) => each.kind === occurrence.kind);
    if (!this.#isBlocked(overlap) && !(isBuffered(overlap) && alike.length > 0)) {
      return this.#claim(occurrence);
    }
    if (overlap === "skip" || overlap === "allowAll") return this.#skip(occurrence, this.#inTheWay(overlap));
    if (overlap === "bufferOne" && alike.length > 0) return this.#skip(occurrence, "another waits already");
    if (isBuffered(overlap) && waiting.length >= this.#facts.bounds.waitingMax) {
      return this.#skip(occurrence, `${waiting.length} others wait already`);
    }
    if (!isBuffered(overlap)) {
      for (const each of alike) {
        this.#leave(each);
        this.#skip(each, "a later one took its place");
      }
    }
    this.#draft.waiting = [...this.#draft.waiting, { ...occurrence, since: this.#now }];
    return "done";
  }

  #inTheWay(overlap: Overlap): string {
    const { running } = this.#draft;
    return overlap === "allowAll"
      ? `${running.length} of its runs are unfinished`
      : `run ${running[0]?.runId} is unfinished`;
  }

  #claim(occurrence: Occurrence): Step {
    const start = this.#draft.start + 1;
    const key = keyOf(this.#draft.rules.key, occurrence.at);
    this.#draft.start = start;
    this.#draft.retry = undefined;
    this.#draft.starting = { ...occurrence, since: this.#now, start, key };
    return "done";
  }

  #skip(occurrence: Occurrence, reason: string): Step {
    const outcome: Outcome = { kind: "skipped", by: occurrence.kind, reason, decidedAt: this.#now };
    this.#outcomes.push({ at: occurrence.at, form: "at", outcome });
    const { counts, outcomes } = this.#draft;
    this.#draft.outcomes = outcomes + 1;
    this.#draft.counts = { ...counts, skipped: counts.skipped + 1 };
    return "done";
  }

  #backfill(): Step {
    const { backfills: [first, ...rest], next } = this.#draft;
    if (!first) return "rest";
    const end = Math.min(first.until, (next?.at ?? Infinity) - 1);
    if (first.at > end) {
      this.#draft.backfills = rest;
      return "done";
    }
    const known = this.#isUnderWay(first.at) || this.#facts.wasStarted(first.at);
    // What lies further on is looked up when this is committed.
    if (known === undefined) return "stop";
    if (known) return this.#moveOn(first, { leftOut: first.leftOut + 1 });
    const { at, overlap } = first;
    if (overlap === "bufferAll" && (this.#isBlocked(overlap) || this.#hasWaiting("backfill"))) {
      if (!this.#isResting()) this.#waits = true;
      return "rest";
    }
    const occurrence: Occurrence = { at, kind: "backfill", overlap, since: this.#now };
    const step = this.#passing(occurrence);
    if (step === "stop") return step;
    this.#moveOn(first, { taken: first.taken + 1 });
    return step === "rest" ? this.#take(occurrence) : step;
  }

  #hasWaiting(kind: Occurrence["kind"]): boolean {
    return this.#draft.waiting.some((each) => each.kind === kind);
  }

  #isUnderWay(at: number): boolean | undefined {
    const { running, waiting } = this.#draft;
    return running.some((each) => each.at === at) || waiting.some((each) => each.at === at)
      ? true
      : undefined;
  }

  #moveOn(backfill: Backfill, changes: Partial<Backfill>): Step {
    const at = this.#facts.slots(backfill.at) ?? Infinity;
    const rest = this.#draft.backfills.slice(1);
    const after = { ...backfill, ...changes, at };
    this.#draft.backfills = at > backfill.until ? rest : [after, ...rest];
    return "done";
  }
}
