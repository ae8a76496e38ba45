import type { StepRun } from "../../core/machine/run.ts";
import type { Host } from "./host.ts";
import type { Trail } from "./machines.ts";
import { short } from "./run_checks.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** What user code saw: who started which step, when, and under which ownership. */
export class StepLedger {
  readonly #world: World;
  readonly #shadow: Shadow;
  /** Results told by the time a step was last started, by host, ownership and step. */
  readonly #toldAt = new Map<string, number>();

  constructor(world: World, shadow: Shadow) {
    this.#world = world;
    this.#shadow = shadow;
  }

  /** User code of a step begins. */
  started(host: Host, definition: string, run: StepRun<Trail>): void {
    const { runId, stepId } = run;
    const visit = stepId.split(":")[1]!;
    this.#world.log(
      `${host.name} runs ${run.status} of run ${short(runId)} visit ${visit} attempt ${run.attempt}`,
    );
    if (!this.#shadow.run(runId)) {
      return this.#world.violate("I6", `run ${runId} has started before it was stored`);
    }
    const life = this.#shadow.checks.lifeOf(runId);
    life.started++;
    const due = life.due.get(`${visit} ${run.attempt}`);
    if (due === undefined) {
      this.#world.violate("I5", `attempt ${run.attempt} of step ${stepId} was never due while active`);
    } else if (host.clock.now() < due) {
      this.#world.violate("I7", `step ${stepId} starts ${due - host.clock.now()} ms early`);
    }
    this.#notAgain(host, definition, run, life.told);
  }

  /** Under one ownership a step runs again only after the result before has been stored: rebased, never re-run. */
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
