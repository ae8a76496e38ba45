/**
 * What the verbs answer, by the model.
 *
 * @module
 */
import type { Model } from "./model.ts";
import type { ModelRun, Outcome } from "./model_run.ts";
import { errorText, runText, type SeenError, timeText } from "./picture.ts";
import { type Program, statusesOf } from "./program.ts";
import type { Ask } from "./scenario.ts";

type Asked<Verb extends Ask["verb"]> = Extract<Ask, { readonly verb: Verb }>;

/** An answer that was kept under an idempotency key. */
interface Kept {
  readonly input: string;
  readonly run: ModelRun;
  readonly answer: string;
}

/** A callback whose code is under way. */
interface PendingCall {
  readonly index: number;
  readonly ask: Asked<"callback">;
  readonly run: ModelRun;
  readonly visit: number;
  readonly version: number;
  readonly text: string;
  readonly startedAt: number;
  readonly endsAt: number;
  readonly end: () => Outcome;
}

/** Refuses with a code. */
const refused = (code: string): string => `refused with ${code}`;

export class ModelVerbs {
  /** What each ask was answered, by its number. */
  readonly answers = new Map<number, string>();
  readonly #model: Model;
  readonly #isGuest: boolean;
  readonly #kept = new Map<string, Kept>();
  #calls: PendingCall[] = [];

  constructor(model: Model, isGuest: boolean) {
    this.#model = model;
    this.#isGuest = isGuest;
    model.onRemoved = (run) => this.#removed(run);
  }

  /** Runs of a key that are there, in order. */
  runsOf(program: Program, key: string): ModelRun[] {
    return this.#model.runs.filter((run) => run.program === program && run.key === key && !run.isRemoved);
  }

  /** Somebody asks for something. */
  ask(index: number, ask: Ask): void {
    if (ask.verb === "trigger") return this.#answer(index, this.#trigger(ask));
    if (ask.verb === "callback") return this.#callback(index, ask);
    if (ask.verb === "retryHooks") {
      return this.#answer(index, `${this.#model.hooks.retry(this.#model.now)} hooks`);
    }
    const run = this.#named(ask);
    if (!run) return this.#answer(index, refused("RUN_NOT_FOUND"));
    const { state, isSetAside } = run;
    if (isSetAside && this.#isGuest) this.#model.free ??= "a guest's verb is heard at the next poll";
    const isDone = this.#model.change(run, () => run.operate(ask.verb, this.#model.now, ask.reason));
    this.#answer(index, isDone ? runText(run.view) : `${refused("RUN_STATE")}: ${state}`);
  }

  #removed(run: ModelRun): void {
    for (const [name, kept] of this.#kept) if (kept.run === run) this.#kept.delete(name);
    const others = this.runsOf(run.program, run.key);
    const isBetween = others.some(({ number }) => number < run.number) && others.at(-1)!.number > run.number;
    // A run knows only the one before it.
    if (isBetween) this.#model.free ??= `a key forgets the runs before one that was removed between others`;
  }

  /** When something happens next. */
  get next(): number {
    return Math.min(Infinity, ...this.#calls.map(({ endsAt }) => endsAt));
  }

  /** One thing that happens now. @returns Whether anything did. */
  happen(): boolean {
    const call = this.#calls.find(({ endsAt }) => endsAt <= this.#model.now);
    if (call) this.#endCall(call);
    return call !== undefined;
  }

  #answer(index: number, text: string): void {
    this.answers.set(index, `${timeText(this.#model.now)} ${text}`);
  }

  /** The latest of the key, or the one that is named, if it is of that key. */
  #named({ program, key, run }: Ask & { readonly run: number | undefined }): ModelRun | undefined {
    const found = this.runsOf(this.#model.programs[program]!, key);
    return run === undefined ? found.at(-1) : found.find(({ number }) => number === run);
  }

  #trigger({ program: index, key, startAt, data, odd, idempotencyKey }: Asked<"trigger">): string {
    const model = this.#model;
    const program = model.programs[index]!;
    const status = startAt ?? startOf(program);
    if (!program.graph[status]) return refused("UNKNOWN_STATUS");
    if (odd !== undefined) return refused(odd === "large" ? "PAYLOAD_TOO_LARGE" : "NOT_JSON");
    const timers = model.timersOf(program, key, status, data);
    if (!Array.isArray(timers)) return refusedBy(timers);
    const text = JSON.stringify(data);
    const scope = `trigger ${index} ${key} ${idempotencyKey}`;
    const input = `${status} ${text}`;
    const kept = this.#kept.get(scope);
    if (kept) return kept.input === input ? `run ${kept.run.number}, known` : refused("IDEMPOTENCY_MISMATCH");
    const latest = this.runsOf(program, key).at(-1);
    if (latest && !latest.isOver) return `${refused("RUN_IN_PROGRESS")}: run ${latest.number}`;
    const run = model.begin(program, key, status, text, timers);
    if (idempotencyKey !== undefined) this.#kept.set(scope, { input, run, answer: "" });
    return `run ${run.number}, created`;
  }

  #callback(index: number, ask: Asked<"callback">): void {
    const { graph } = this.#model.programs[ask.program]!;
    if (!statusesOf(graph).includes(ask.status)) return this.#answer(index, refused("UNKNOWN_STATUS"));
    if (!graph[ask.status]?.callbacks?.length) return this.#answer(index, refused("NO_CALLBACK"));
    if (ask.odd) return this.#answer(index, refused(ask.odd === "large" ? "PAYLOAD_TOO_LARGE" : "NOT_JSON"));
    this.#begin(index, ask);
  }

  #begin(index: number, ask: Asked<"callback">): void {
    const kept = this.#kept.get(scopeOf(ask));
    if (kept) {
      return this.#answer(index, kept.input === inputOf(ask) ? kept.answer : refused("IDEMPOTENCY_MISMATCH"));
    }
    const run = this.#named(ask);
    if (!run) return this.#answer(index, refused("RUN_NOT_FOUND"));
    if (!isOpen(run, ask)) return this.#answer(index, `not applied: ${placeText(run)}`);
    const { text, visit, version } = run;
    const { now } = this.#model;
    const { delayMs, end } = this.#acts(run, ask);
    this.#calls.push({ index, ask, run, visit, version, text, startedAt: now, endsAt: now + delayMs, end });
  }

  /** The callbacks of the status, one after another until one does not skip; they share one copy of the data. */
  #acts(run: ModelRun, { status, mark }: Asked<"callback">): { delayMs: number; end: () => Outcome } {
    const model = this.#model;
    const { key, visit, text, program } = run;
    const data = JSON.parse(text);
    let delayMs = 0;
    for (const [index, to] of program.graph[status]!.callbacks!.entries()) {
      const name = `${index} ${mark}`;
      const act = model.scriptOf(program).act({
        key,
        status,
        code: "callback",
        name,
        visit,
        attempt: 1,
        data,
        to,
      });
      const before = JSON.stringify(data);
      delayMs += act.delayMs;
      if (act.mark !== undefined) data.trail.push(act.mark);
      if (act.deed.kind === "skip") continue;
      const end = (): Outcome => {
        const outcome = model.outcomeOf(run, before, act);
        if (outcome.kind === "error") return outcome;
        const left = outcome.saves ?? before;
        return { ...outcome, saves: left === text ? undefined : left };
      };
      return { delayMs, end };
    }
    const left = JSON.stringify(data);
    return { delayMs, end: () => ({ kind: "skip", saves: left === text ? undefined : left }) };
  }

  #endCall(call: PendingCall): void {
    const { index, ask, run, visit, version, text, startedAt, end } = call;
    const model = this.#model;
    this.#calls = this.#calls.filter((each) => each !== call);
    const outcome = end();
    if (outcome.kind === "error") return this.#answer(index, refusedBy(outcome.error));
    if (run.isRemoved) return this.#answer(index, refused("RUN_NOT_FOUND"));
    if (run.updatedAt === model.now && startedAt < model.now) {
      model.free ??= `a callback and something else were to land at ${timeText(model.now)}`;
    }
    if (this.#isGuest && ask.idempotencyKey !== undefined && run.version !== version) {
      model.free ??= `a guest's callback may run again at ${
        timeText(model.now)
      }, as it cannot tell who was first`;
    }
    const isOther = run.visit !== visit || run.text !== text;
    if (isOther || !isOpen(run, ask) || this.#kept.has(scopeOf(ask))) return this.#begin(index, ask);
    const durationMs = model.now - startedAt;
    model.change(
      run,
      () => run.land(model.now, { by: "callback", visit, text, durationMs }, outcome, () => 0),
    );
    const answer = `applied: ${placeText(run)}`;
    if (ask.idempotencyKey !== undefined) this.#kept.set(scopeOf(ask), { input: inputOf(ask), run, answer });
    this.#answer(index, answer);
  }
}

function refusedBy(error: SeenError): string {
  return refused(errorText(error));
}

function isOpen(run: ModelRun, { status }: Asked<"callback">): boolean {
  return run.status === status && (run.state === "initiated" || run.state === "running");
}

function placeText({ number, status, state }: ModelRun): string {
  return `run ${number} is ${state} at "${status}"`;
}

function scopeOf({ program, key, idempotencyKey }: Asked<"callback">): string {
  return idempotencyKey === undefined ? "" : `callback ${program} ${key} ${idempotencyKey}`;
}

function inputOf({ status, mark }: Asked<"callback">): string {
  return `${status} ${mark}`;
}

/** The first status that no other leads to, or, in a cycle, the first. */
function startOf({ graph }: Program): string {
  const reached = new Set(
    Object.entries(graph).flatMap(([from, { step, callbacks = [], timers = [] }]) =>
      [...step?.to ?? [], ...callbacks.flat(), ...timers.flatMap(({ to }) => to)].filter((to) => to !== from)
    ),
  );
  const statuses = Object.keys(graph);
  return statuses.find((status) => !reached.has(status)) ?? statuses[0]!;
}
