/**
 * The reference model: what the documentation says becomes of programs, one thing after another in a time of its own. It
 * knows nothing of stores, owners, commits or caches; where the documentation leaves an order free, it says so.
 *
 * @module
 */
import { ModelHooks } from "./model_hooks.ts";
import { Lane } from "./model_lane.ts";
import { ModelRun, type ModelTimer, type Origin, type Outcome } from "./model_run.ts";
import { waitOf } from "./model_wait.ts";
import type { SeenError } from "./picture.ts";
import { epoch, type Program } from "./program.ts";
import { type Act, type Call, Script, type Trail } from "./script.ts";
import { toldToStop } from "./stage.ts";

/** How often an engine looks again for what had to wait. */
export const pollMs = 700;

/** What a run's turn is for. */
type Turn = { readonly step: true; readonly timer?: undefined } | {
  readonly step?: undefined;
  readonly timer: ModelTimer;
};

/** User code that is under way. */
interface Flight {
  readonly run: ModelRun;
  readonly turn: Turn;
  readonly call: Call;
  readonly act: Act;
  readonly startedAt: number;
  readonly timesOut: boolean;
  readonly visit: number;
  readonly text: string;
  readonly lane: Lane<ModelRun>;
  endsAt: number;
  /** Its signal has told it to stop, and it heeds that. */
  told: boolean;
}

/** A place where a run waits for its turn. */
interface Ticket {
  readonly lane: Lane<ModelRun>;
  readonly turn: Turn;
}

export class Model {
  now = epoch;
  readonly programs: readonly Program[];
  readonly runs: ModelRun[] = [];
  readonly hooks: ModelHooks;
  /** Why the documentation leaves free what happens, if it does. */
  free: string | undefined;
  /** Told of each run that is removed. */
  onRemoved: (run: ModelRun) => void = () => {};
  readonly #scripts: ReadonlyMap<Program, Script>;
  readonly #lanes = new Map<string, Lane<ModelRun>>();
  readonly #flights: Flight[] = [];
  /** The code that runs for a run. */
  readonly #busy = new Map<ModelRun, Flight>();
  readonly #tickets = new Map<ModelRun, Ticket>();
  /** Where runs waited for their step in this visit: a timer that has its turn before costs them no place. */
  readonly #places = new Map<ModelRun, { readonly visit: number; readonly place: number }>();

  constructor(programs: readonly Program[], seed: number) {
    this.programs = programs;
    this.#scripts = new Map(programs.map((program) => [program, new Script(seed, program)]));
    this.hooks = new ModelHooks(({ program }) => this.scriptOf(program));
  }

  scriptOf(program: Program): Script {
    return this.#scripts.get(program)!;
  }

  /** A run begins. */
  begin(program: Program, key: string, status: string, text: string, timers: ModelTimer[]): ModelRun {
    const { now, runs } = this;
    const run = new ModelRun({ number: runs.length, program, key }, { now, status, text, timers });
    runs.push(run);
    return run;
  }

  /** A run changes: its hooks hear of it, and what its code comes to may fit no more. */
  change<Result>(run: ModelRun, change: () => Result): Result {
    const { state, visit } = run;
    const result = change();
    this.hooks.changed(this.now, run, state);
    const flight = this.#busy.get(run);
    if (flight && (run.isOver || run.visit !== visit) && flight.act.heeds) {
      flight.told = true;
      flight.endsAt = this.now;
    }
    // What is left to do with a run that has ended does not wait for its code.
    if (run.isOver) this.#busy.delete(run);
    const ticket = this.#tickets.get(run);
    if (ticket && this.#laneOf(run, this.#turnOf(run)) !== ticket.lane) this.#leave(run);
    return result;
  }

  /** When something happens next. */
  get next(): number {
    const runs = this.runs.map((run) => this.#dueOf(run));
    return Math.min(this.hooks.next, ...this.#flights.map(({ endsAt }) => endsAt), ...runs);
  }

  /** One thing that happens now. @returns Whether anything did. */
  happen(): boolean {
    const ended = this.#flights.find(({ endsAt }) => endsAt <= this.now);
    if (ended) return this.#finish(ended), true;
    for (const lane of this.#lanes.values()) {
      const run = lane.next();
      if (run) return this.#called(run, lane), true;
    }
    const due = this.runs.find((run) => this.#dueOf(run) <= this.now);
    if (due) return this.#begin(due), true;
    return this.hooks.happen(this.now);
  }

  /** The moment is over. */
  tick(): void {
    const isFree = [...this.#lanes.values()].map((lane) => lane.tick()).includes(true);
    if (this.hooks.tick() || isFree) {
      this.free ??= `several came at once for one slot at +${this.now - epoch}`;
    }
  }

  /** The timers that begin as a run enters a status, or why that cannot be. */
  timersOf(program: Program, key: string, status: string, data: Trail): ModelTimer[] | SeenError {
    const timers: ModelTimer[] = [];
    let error: SeenError | undefined;
    for (const plan of program.graph[status]?.timers ?? []) {
      const { name, due } = plan;
      const set = (at: number) => timers.push({ name, at, attempt: 0, round: 0 });
      if (due !== "drawn") {
        set("at" in due ? epoch + due.at : this.now + due.after);
        continue;
      }
      const draw = this.scriptOf(program).due(key, plan, data);
      // All are asked before any is judged; the documentation leaves that free.
      if (draw === "throw") return { name: "Error", message: `no time for ${name}` };
      if (draw === "no date") error = { name: "", message: "no date", code: "INVALID_ARGUMENT" };
      else if (draw !== "never") set(this.now + draw.inMs);
    }
    return error ?? timers;
  }

  /** What an act comes to that was begun with this data. */
  outcomeOf(run: ModelRun, text: string, { deed, mark }: Pick<Act, "deed" | "mark">): Outcome {
    const data = JSON.parse(text) as Trail;
    if (mark !== undefined) data.trail.push(mark);
    const left = JSON.stringify(data);
    const saves = left === text ? undefined : left;
    const refused = (code: string): Outcome => ({ kind: "error", error: { name: "", message: code, code } });
    switch (deed.kind) {
      case "go": {
        const timers = this.timersOf(run.program, run.key, deed.to, data);
        return Array.isArray(timers) ? { ...deed, timers, saves } : { kind: "error", error: timers };
      }
      case "stray":
        return refused("INVALID_TRANSITION");
      case "large":
        return refused("PAYLOAD_TOO_LARGE");
      case "unjson":
        return refused("NOT_JSON");
      case "throw":
        return { kind: "error", error: { name: "Error", message: deed.message } };
      case "rearm":
        return { kind: "rearm", at: this.now + deed.ms, saves };
      default:
        return { ...deed, saves };
    }
  }

  #dueOf(run: ModelRun): number {
    if (run.isRemoved || this.#busy.has(run)) return Infinity;
    if (run.isOver) return run.eraseAt ?? run.goneAt ?? Infinity;
    if (run.state === "paused") return run.wakesAt ?? Infinity;
    const ticket = this.#tickets.get(run);
    if (ticket?.turn.timer) return Infinity;
    return Math.min(ticket ? Infinity : run.stepDue ?? Infinity, ...run.timers.map(({ at }) => at));
  }

  /** What an active run's turn is for now: a timer that is due goes before the step, the earliest before the others. */
  #turnOf(run: ModelRun): Turn | undefined {
    if (run.isOver || run.state === "paused") return undefined;
    const [timer] = run.timers.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at);
    if (timer) return { timer };
    return run.stepDue !== undefined && run.stepDue <= this.now ? { step: true } : undefined;
  }

  #laneOf(run: ModelRun, turn: Turn | undefined): Lane<ModelRun> | undefined {
    if (!turn) return undefined;
    const name = [run.program.name, run.status, turn.timer?.name ?? ""].join("\n");
    const lane = this.#lanes.get(name) ?? new Lane<ModelRun>(planOf(run, turn)?.options?.concurrency ?? 0);
    this.#lanes.set(name, lane);
    return lane;
  }

  #leave(run: ModelRun): void {
    this.#tickets.get(run)?.lane.leave(run);
    this.#tickets.delete(run);
  }

  #begin(run: ModelRun): void {
    if (run.isOver) return this.#dispose(run);
    if (run.state === "paused") return this.change(run, () => run.resume(this.now, "engine"));
    this.#leave(run);
    const turn = this.#turnOf(run)!;
    const lane = this.#laneOf(run, turn)!;
    const { visit } = run;
    const before = this.#places.get(run);
    const place = lane.enter(run, turn.step && before?.visit === visit ? before.place : undefined);
    if (place === undefined) return this.#start(run, turn, lane);
    this.#tickets.set(run, { lane, turn });
    if (turn.step) this.#places.set(run, { visit, place });
  }

  /** A run that waited may start. */
  #called(run: ModelRun, lane: Lane<ModelRun>): void {
    this.#tickets.delete(run);
    const turn = this.#turnOf(run);
    if (turn && this.#laneOf(run, turn) === lane) return this.#start(run, turn, lane);
    // A timer has fallen due at this very moment.
    lane.end();
  }

  #start(run: ModelRun, turn: Turn, lane: Lane<ModelRun>): void {
    const { key, status, visit, text } = run;
    if (turn.step) this.#places.delete(run);
    const plan = planOf(run, turn)!;
    const call: Call = {
      ...{ key, status, visit, to: plan.to, data: JSON.parse(text) },
      ...turn.timer
        ? { code: "timer", name: turn.timer.name, round: turn.timer.round, attempt: turn.timer.attempt + 1 }
        : { code: "step", attempt: run.attempt + 1 },
    };
    const act = this.scriptOf(run.program).act(call);
    const timeoutMs = Number(plan.options?.timeout ?? 0) || Infinity;
    const flight: Flight = {
      ...{ run, turn: turn.timer ? { timer: { ...turn.timer } } : turn, call, act, lane, visit, text },
      ...{ startedAt: this.now, timesOut: act.delayMs > timeoutMs, told: false },
      endsAt: this.now + Math.min(act.delayMs, timeoutMs),
    };
    this.#flights.push(flight);
    this.#busy.set(run, flight);
  }

  #finish(flight: Flight): void {
    const { run, turn, act, startedAt, visit, text, lane, told, timesOut } = flight;
    this.#flights.splice(this.#flights.indexOf(flight), 1);
    if (this.#busy.get(run) === flight) this.#busy.delete(run);
    lane.end();
    if (run.isRemoved) return;
    const outcome: Outcome = told
      ? { kind: "error", error: { name: "Error", message: toldToStop } }
      : timesOut
      ? { kind: "error", error: { name: "", message: "late", code: "STEP_TIMEOUT" } }
      : this.outcomeOf(run, text, act);
    const by = turn.timer ? "timer" : "step";
    const origin: Origin = { by, timer: turn.timer, visit, text, durationMs: this.now - startedAt };
    const plan = planOf(run, turn);
    this.change(run, () => run.land(this.now, origin, outcome, waitOf(plan?.options?.retry)));
  }

  #dispose(run: ModelRun): void {
    if (run.eraseAt !== undefined) return this.change(run, () => this.#erase(run));
    if (this.hooks.waitFor(run)) {
      run.goneAt = this.now + pollMs;
      return;
    }
    run.isRemoved = true;
    this.hooks.removed(run);
    this.onRemoved(run);
  }

  #erase(run: ModelRun): void {
    let left: unknown = null;
    try {
      if (run.program.scrubs) left = this.scriptOf(run.program).scrub(JSON.parse(run.text));
    } catch (error) {
      const { name, message } = error as Error;
      return run.notErased(this.now, { name, message }, waitOf());
    }
    this.hooks.erased(run, left);
    run.erase(this.now, JSON.stringify(left));
  }
}

/** Where the code of a turn may lead, and how it is tried. */
function planOf(run: ModelRun, turn: Turn) {
  const { step, timers = [] } = run.place;
  return turn.timer ? timers.find(({ name }) => name === turn.timer.name) : step;
}
