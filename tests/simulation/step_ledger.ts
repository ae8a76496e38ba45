import type { StepRun } from "../../core/machine/run.ts";
import type { Host } from "./host.ts";
import type { Trail } from "./machines.ts";
import { short } from "./run_checks.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** What user code of steps and timers saw: who started what, when, and under which ownership. */
export class StepLedger {
  /** A paused run starts nothing once its owner can have heard of it; where writes hang for long that is never sure. */
  readonly #pauseIsHeard: boolean;
  readonly #world: World;
  readonly #shadow: Shadow;
  /** Results told by the time a step was last started, by host, ownership and step. */
  readonly #toldAt = new Map<string, number>();

  constructor(world: World, shadow: Shadow, pauseIsHeard: boolean) {
    this.#world = world;
    this.#shadow = shadow;
    this.#pauseIsHeard = pauseIsHeard;
  }

  /** User code of a step or timer begins. */
  started(host: Host, definition: string, run: StepRun<Trail>): void {
    const { runId, stepId } = run;
    const [, visit, ...timer] = stepId.split(":");
    const what = timer.length > 0 ? `timer ${timer.join(" round ")}` : run.status;
    this.#world.log(`${host.name} runs ${what} of run ${short(runId)} visit ${visit} attempt ${run.attempt}`);
    const { checks } = this.#shadow;
    const record = this.#shadow.run(runId);
    if (!record) {
      if (checks.disposal.removed.has(runId)) return;
      return this.#world.violate("I6", `run ${runId} has started before it was stored`);
    }
    const life = checks.lifeOf(runId);
    life.started++;
    if (timer.length === 0) life.begun.add(`${visit} ${run.attempt}`);
    const due = life.due.get([visit, ...timer, run.attempt].join(" "));
    if (due === undefined) {
      this.#world.violate("I5", `attempt ${run.attempt} of ${stepId} was never due while active`);
    } else if (host.clock.now() < due) {
      this.#world.violate("I7", `${stepId} starts ${due - host.clock.now()} ms early`);
    }
    const since = this.#world.time - Math.max(life.pausedAt, host.unfrozenAt);
    if (record.state === "paused" && since > pauseHeardMs && this.#pauseIsHeard) {
      this.#world.violate("I5", `${stepId} starts, though the run is paused for ${since.toFixed(0)} ms`);
    }
    this.#notAgain(host, definition, run, life.told);
  }

  /** An attempt leaves the data alone. */
  untouched(runId: string, stepId: string): void {
    this.#shadow.checks.lifeOf(runId).untouched.add(stepId);
  }

  /** Under one ownership code runs again only after the result before has been stored: rebased, never re-run. */
  #notAgain(host: Host, definition: string, run: StepRun<Trail>, told: number): void {
    const shard = parseInt(run.runId.slice(-4), 16) % this.#shadow.rows.length;
    const fence = this.#shadow.rows[shard]!.get(`owner ${definition}`)?.version;
    const call = `${host.name} ${fence} ${run.stepId}`;
    if (this.#toldAt.get(call) === told) {
      this.#world.violate("rebase", `${host.name} runs step ${run.stepId} again, its result was dropped`);
    }
    this.#toldAt.set(call, told);
  }
}

/** A record in memory is believed for a poll, and read again after that. */
const pauseHeardMs = 1_000;
