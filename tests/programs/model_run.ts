/**
 * One run as the model has it: what may happen to it, in the words of the documentation.
 *
 * @module
 */
import type { RunState } from "../../mod.ts";
import type { SeenError, SeenRow, SeenRun } from "./picture.ts";
import type { Place, Program } from "./program.ts";

/** A timer that a run waits for. */
export interface ModelTimer {
  readonly name: string;
  /** How often it was set again. */
  readonly round: number;
  at: number;
  attempt: number;
}

/** What user code came to. `saves`: the data it leaves, as JSON text, if it has changed it. */
export type Outcome =
  & { readonly saves?: string | undefined }
  & (
    | { readonly kind: "go"; readonly to: string; readonly timers: ModelTimer[] }
    | { readonly kind: "repeat" }
    | { readonly kind: "skip" }
    | { readonly kind: "rearm"; readonly at: number }
    | { readonly kind: "pause" | "cancel" | "fail"; readonly reason: string }
    | { readonly kind: "error"; readonly error: SeenError }
  );

/** Whose outcome it is, and of which moment of the run. */
export interface Origin {
  readonly by: "step" | "callback" | "timer";
  readonly timer?: ModelTimer | undefined;
  readonly visit: number;
  readonly text: string;
  readonly durationMs: number;
}

/** What Pawl says in its own words, which nobody may rely on. */
const words = "Pawl's words";

const over: readonly RunState[] = ["completed", "failed", "cancelled", "deletion-requested", "deleted"];

type Event = Omit<SeenRow, "at" | "runState" | "version" | "attempt">;

export class ModelRun {
  readonly number: number;
  readonly program: Program;
  readonly key: string;
  readonly createdAt: number;
  readonly history: SeenRow[] = [];
  /** It as it was after each change, for when it is removed. */
  readonly versions: SeenRun[] = [];
  state: RunState = "initiated";
  status: string;
  version = 1;
  visit = 1;
  attempt = 0;
  updatedAt: number;
  reason: string | undefined;
  lastError: SeenError | undefined;
  /** Its data as JSON text. */
  text: string;
  timers: ModelTimer[];
  /** When its step may start. */
  stepDue: number | undefined;
  /** When it is resumed by itself. */
  wakesAt: number | undefined;
  /** When its data is erased, or that is tried again. */
  eraseAt: number | undefined;
  /** When it is removed. */
  goneAt: number | undefined;
  isRemoved = false;

  constructor(
    identity: { readonly number: number; readonly program: Program; readonly key: string },
    begin: {
      readonly now: number;
      readonly status: string;
      readonly text: string;
      readonly timers: ModelTimer[];
    },
  ) {
    this.number = identity.number;
    this.program = identity.program;
    this.key = identity.key;
    this.status = begin.status;
    this.text = begin.text;
    this.timers = begin.timers;
    this.createdAt = this.updatedAt = begin.now;
    this.stepDue = this.place.step && begin.now + lagOf(this.place);
    this.tell(begin.now, { kind: "trigger", by: "client", to: begin.status });
    this.#keep();
  }

  get place(): Place {
    return this.program.graph[this.status] ?? {};
  }

  get isOver(): boolean {
    return over.includes(this.state);
  }

  /** It is to be removed, but waits for its hooks. */
  get isSetAside(): boolean {
    return this.goneAt !== undefined && this.goneAt !== this.#keptUntil(this.updatedAt);
  }

  get view(): SeenRun {
    const { number, key, program, status, state, version, attempt, createdAt, updatedAt, reason, lastError } =
      this;
    const timers = this.timers.map(({ name, at }) => ({ name, at }));
    const data = JSON.parse(this.text);
    return {
      ...{ run: number, key, definition: program.name, status, runState: state, version, attempt },
      ...{ createdAt, updatedAt, reason, lastError, timers, data },
    };
  }

  /** An operator's verb; `false`: its state does not allow it. */
  operate(verb: "pause" | "resume" | "cancel" | "deleteData", now: number, reason: string = words): boolean {
    const isActive = this.state === "initiated" || this.state === "running";
    const by = "operator";
    if (verb === "pause" && isActive) {
      this.#pause(now, reason);
      this.#changed(now, { kind: "pause", by, reason });
    } else if (verb === "resume" && this.state === "paused") {
      this.resume(now, by);
    } else if (verb === "cancel" && !this.isOver) {
      this.#end(now, "cancelled", reason);
      this.#changed(now, { kind: "cancel", by, reason });
    } else if (verb === "deleteData" && ["completed", "failed", "cancelled"].includes(this.state)) {
      this.state = "deletion-requested";
      this.reason = reason;
      this.attempt = 0;
      this.lastError = undefined;
      this.eraseAt = now;
      this.goneAt = undefined;
      this.#changed(now, { kind: "delete-request", by, reason });
    } else return false;
    return true;
  }

  /** All its attempts begin anew, and its step starts at once; its timers have kept their times. */
  resume(now: number, by: "operator" | "engine"): void {
    this.state = "running";
    this.reason = undefined;
    this.attempt = 0;
    this.wakesAt = undefined;
    this.stepDue = this.place.step && now;
    for (const timer of this.timers) timer.attempt = 0;
    this.#changed(now, { kind: "resume", by });
  }

  /** The data is erased: `left` is what is kept of it, and of the history all but free text. */
  erase(now: number, left: string): void {
    for (const [index, row] of this.history.entries()) {
      const { reason: _, error, ...rest } = row;
      this.history[index] = error ? { ...rest, error: { ...error, message: "" } } : rest;
    }
    this.state = "deleted";
    this.lastError = undefined;
    this.text = left;
    this.eraseAt = undefined;
    this.goneAt = this.#keptUntil(now);
    this.#changed(now, { kind: "delete", by: "engine" });
  }

  /** Scrubbing has failed. */
  notErased(now: number, error: SeenError, waitMs: (failures: number) => number): void {
    this.attempt++;
    this.lastError = error;
    this.eraseAt = now + waitMs(this.attempt);
    this.#changed(now, { kind: "error", by: "engine", error });
  }

  /** What user code came to lands, unless it fits no more. */
  land(now: number, origin: Origin, outcome: Outcome, waitMs: (failures: number) => number): void {
    const { by, timer, durationMs } = origin;
    const event = { by, durationMs, name: timer?.name };
    if (this.#isLate(origin, outcome)) {
      const tells = this.state === "deletion-requested" || this.state === "deleted" ? {} : {
        ...(outcome.kind === "go" && { to: outcome.to }),
        ...(outcome.kind === "error" && { error: outcome.error }),
      };
      return this.tell(now, { ...event, kind: "late", ...tells, reason: words });
    }
    const { status: from } = this;
    if (outcome.kind === "error") {
      const reason = this.#fail(now, origin, outcome.error, waitMs);
      return this.#changed(now, { ...event, kind: "error", from, error: outcome.error, reason });
    }
    this.text = outcome.saves ?? this.text;
    if (timer) this.timers = this.timers.filter(({ name }) => name !== timer.name);
    if (outcome.kind === "go" || outcome.kind === "repeat") {
      const to = outcome.kind === "go" ? outcome.to : from;
      this.#enter(now, to, outcome.kind === "go" ? outcome.timers : this.timers);
      this.#changed(now, { ...event, kind: outcome.kind === "go" ? "move" : "repeat", from, to });
    } else if (outcome.kind === "skip" || outcome.kind === "rearm") {
      this.#stay(origin, outcome);
      this.#changed(now, { ...event, kind: outcome.kind, from });
    } else {
      const { kind, reason } = outcome;
      if (kind === "pause") this.#pause(now, reason);
      else this.#end(now, kind === "fail" ? "failed" : "cancelled", reason);
      this.#changed(now, { ...event, kind, reason });
    }
  }

  /** It must be the same stay, the same setting of the timer, and nobody's data may be written over. */
  #isLate({ timer, visit, text }: Origin, { kind, saves }: Outcome): boolean {
    if (this.isOver || this.visit !== visit) return true;
    if (timer && !this.timers.some(({ name, round }) => name === timer.name && round === timer.round)) {
      return true;
    }
    return kind !== "error" && saves !== undefined && text !== this.text;
  }

  #enter(now: number, to: string, timers: ModelTimer[]): void {
    this.status = to;
    this.visit++;
    this.attempt = 0;
    this.lastError = undefined;
    if (this.program.graph[to] === undefined) return this.#end(now, "completed", undefined);
    if (this.state !== "paused") this.state = "running";
    this.timers = timers;
    this.stepDue = this.place.step && this.state !== "paused" ? now + lagOf(this.place) : undefined;
  }

  #stay({ by, timer }: Origin, outcome: Outcome): void {
    if (this.state === "initiated") this.state = "running";
    if (outcome.kind === "rearm") {
      this.timers.push({ name: timer!.name, round: timer!.round + 1, at: outcome.at, attempt: 0 });
    }
    if (by === "callback") return;
    this.lastError = undefined;
    if (by === "timer") return;
    this.attempt = 0;
    this.stepDue = undefined;
  }

  /** @returns Why it is paused, if it is. */
  #fail(
    now: number,
    { by, timer }: Origin,
    error: SeenError,
    waitMs: (failures: number) => number,
  ): string | undefined {
    this.lastError = error;
    const mine = timer && this.timers.find(({ name }) => name === timer.name);
    const failures = mine ? ++mine.attempt : ++this.attempt;
    if (this.state === "paused") return undefined;
    const plan = by === "timer"
      ? this.place.timers?.find(({ name }) => name === timer!.name)
      : this.place.step;
    const { pauseAfterErrors = 0 } = plan?.options ?? {};
    if (pauseAfterErrors > 0 && failures >= pauseAfterErrors) {
      this.#pause(now, words);
      return words;
    }
    if (mine) mine.at = now + waitMs(failures);
    else this.stepDue = now + waitMs(failures);
    return undefined;
  }

  #pause(now: number, reason: string): void {
    const { pauseRetryMs } = this.program;
    this.state = "paused";
    this.reason = reason;
    this.stepDue = undefined;
    this.wakesAt = pauseRetryMs === false ? undefined : now + pauseRetryMs;
  }

  #end(now: number, state: RunState, reason: string | undefined): void {
    this.state = state;
    this.reason = reason;
    this.timers = [];
    this.stepDue = this.wakesAt = undefined;
    this.goneAt = this.#keptUntil(now);
  }

  #keptUntil(now: number): number | undefined {
    const { keepFinishedMs } = this.program;
    return keepFinishedMs === undefined ? undefined : now + keepFinishedMs;
  }

  #changed(now: number, event: Event): void {
    this.version++;
    this.updatedAt = now;
    this.tell(now, event);
    this.#keep();
  }

  #keep(): void {
    if (this.program.keepFinishedMs !== undefined) this.versions.push(this.view);
  }

  /** A row of its history. */
  tell(at: number, event: Event): void {
    const { state, version, attempt } = this;
    this.history.push({ at, ...event, runState: state, version, attempt });
  }
}

function lagOf({ step }: Place): number {
  return Number(step?.options?.lag ?? 0);
}
