/**
 * Hooks as the model has them: each change of a run's state that somebody wants to hear of is tried alone, until it is
 * heard or parked.
 *
 * @module
 */
import type { HookOptions } from "../../mod.ts";
import type { HookKind } from "../../core/parts/chore.ts";
import type { RunState } from "../../mod.ts";
import { Lane } from "./model_lane.ts";
import type { ModelRun } from "./model_run.ts";
import { hookText, parkedText, type SeenError, type SeenRun } from "./picture.ts";
import { waitOf } from "./model_wait.ts";
import type { Script } from "./script.ts";

const kinds: Readonly<Partial<Record<RunState, HookKind>>> = {
  completed: "complete",
  paused: "pause",
  cancelled: "cancel",
  failed: "fail",
  deleted: "delete",
};

interface Hook {
  readonly run: ModelRun;
  readonly kind: HookKind;
  readonly index: number;
  readonly options: HookOptions;
  readonly lane: Lane<Hook>;
  /** The run as it was at the change. */
  view: SeenRun;
  failures: number;
  lastError: SeenError | undefined;
  /** When it is to be tried. */
  due: number | undefined;
  /** It is its turn, or it waits for it. */
  isBusy: boolean;
  isErased: boolean;
  /** When the attempt that is under way ends, and how. */
  endsAt: number | undefined;
  fails: SeenError | undefined;
}

export class ModelHooks {
  /** Each call of one. */
  readonly calls: string[] = [];
  readonly #scriptOf: (run: ModelRun) => Script;
  readonly #lanes = new Map<string, Lane<Hook>>();
  #hooks: Hook[] = [];

  constructor(scriptOf: (run: ModelRun) => Script) {
    this.#scriptOf = scriptOf;
  }

  /** A run has changed. */
  changed(now: number, run: ModelRun, before: RunState): void {
    if (run.state === before) return;
    const kind = run.state === "running" && before === "paused" ? "resume" : kinds[run.state];
    const { name, hooks } = run.program;
    (kind && hooks[kind] || []).forEach((options, index) => {
      const lane = this.#lane(`${name} ${kind} ${index}`, options.concurrency);
      this.#hooks.push({
        ...{ run, kind: kind!, index, options, lane, view: run.view, failures: 0, lastError: undefined },
        ...{ due: now, isBusy: false, isErased: false, endsAt: undefined, fails: undefined },
      });
    });
  }

  /** The run's data is erased. */
  erased(run: ModelRun, data: unknown): void {
    for (const hook of this.#of(run)) {
      hook.view = { ...hook.view, data, reason: undefined, lastError: undefined };
      hook.lastError = undefined;
      hook.isErased = true;
    }
  }

  /** Whether a run has hooks that may yet be tried without anybody's help. */
  waitFor(run: ModelRun): boolean {
    return this.#of(run).some(({ due }) => due !== undefined);
  }

  /** The run is removed, and what is parked of it. */
  removed(run: ModelRun): void {
    this.#hooks = this.#hooks.filter((hook) => hook.run !== run);
  }

  /** Somebody retries all that are parked. @returns How many. */
  retry(now: number): number {
    const parked = this.#hooks.filter(({ due }) => due === undefined);
    for (const hook of parked) {
      hook.due = now;
      hook.failures = 0;
    }
    return parked.length;
  }

  /** When something happens next. */
  get next(): number {
    return Math.min(
      Infinity,
      ...this.#hooks.map(({ due, endsAt, isBusy }) => endsAt ?? (isBusy ? Infinity : due ?? Infinity)),
    );
  }

  /** What happens now. @returns Whether anything did. */
  happen(now: number): boolean {
    const ended = this.#hooks.find(({ endsAt }) => endsAt !== undefined && endsAt <= now);
    if (ended) this.#end(now, ended);
    const next = ended ? undefined : this.#next(now);
    if (next) this.#start(now, next);
    return ended !== undefined || next !== undefined;
  }

  /** The moment is over. @returns Whether it mattered who of several was first. */
  tick(): boolean {
    return [...this.#lanes.values()].map((lane) => lane.tick()).includes(true);
  }

  get parked(): string[] {
    return this.#hooks.filter(({ due }) => due === undefined).map((
      { run, kind, options, failures, lastError },
    ) => parkedText(run.number, kind, options.name!, failures, lastError));
  }

  #of(run: ModelRun): Hook[] {
    return this.#hooks.filter((hook) => hook.run === run);
  }

  #lane(name: string, max = 0): Lane<Hook> {
    const lane = this.#lanes.get(name) ?? new Lane<Hook>(max);
    this.#lanes.set(name, lane);
    return lane;
  }

  /** One that may start: it has waited for its turn, or it is due. */
  #next(now: number): Hook | undefined {
    for (const lane of this.#lanes.values()) {
      const hook = lane.next();
      if (hook) return hook;
    }
    for (const hook of this.#hooks) {
      if (hook.isBusy || hook.due === undefined || hook.due > now) continue;
      hook.isBusy = true;
      if (hook.lane.enter(hook) === undefined) return hook;
    }
    return undefined;
  }

  #start(now: number, hook: Hook): void {
    const { run, kind, index, view, options } = hook;
    this.calls.push(hookText(now, kind, index, view));
    const { key, version } = view;
    const act = this.#scriptOf(run).hook(kind, index, `${key} ${version}`, `${run.number} ${version}`);
    const timeoutMs = Number(options.timeout ?? Infinity);
    const isLate = act.delayMs > timeoutMs;
    hook.endsAt = now + Math.min(act.delayMs, timeoutMs);
    hook.isErased = false;
    hook.fails = isLate
      ? { name: "PawlError", message: "late", code: "STEP_TIMEOUT" }
      : act.throws
      ? { name: "Error", message: `${kind} hook ${index} fails` }
      : undefined;
  }

  #end(now: number, hook: Hook): void {
    const { options, fails, isErased } = hook;
    hook.lane.end();
    hook.endsAt = undefined;
    hook.isBusy = false;
    if (!fails) {
      this.#hooks = this.#hooks.filter((each) => each !== hook);
      return;
    }
    hook.failures++;
    hook.lastError = isErased ? { ...fails, message: "" } : fails;
    const { parkAfterErrors = 10 } = options;
    const isParked = parkAfterErrors > 0 && hook.failures >= parkAfterErrors;
    hook.due = isParked ? undefined : now + waitOf(options.retry)(hook.failures);
  }
}
