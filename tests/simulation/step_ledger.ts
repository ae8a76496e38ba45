import type { StepRun } from "../../core/machine/run.ts";
import type { Host } from "./host.ts";
import type { Ledger, Trail } from "./machines.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/**
 * What user code saw. A step that has answered on a host must not be called again there while the same ownership
 * lasts: its answer is rebased, never re-run.
 */
export class StepLedger implements Ledger {
  readonly #world: World;
  readonly #shadow: Shadow;
  /** Under which ownership each call was begun, and those that have answered. */
  readonly #begun = new Map<string, string>();
  readonly #answered = new Map<string, string>();

  constructor(world: World, shadow: Shadow) {
    this.#world = world;
    this.#shadow = shadow;
  }

  started(host: Host, run: StepRun<Trail>): void {
    const call = `${host.name} ${run.stepId}`;
    this.#world.log(
      `${host.name} runs ${run.status} of ${run.runId.slice(9, 16)} visit ${run.stepId.split(":")[1]}`,
    );
    if (this.#answered.get(call) === this.#ownership(run)) {
      this.#world.violate("rebase", `${host.name} runs step ${run.stepId} again although it had answered`);
    }
    this.#begun.set(call, this.#ownership(run));
    const record = this.#shadow.run(run.runId);
    if (!record) this.#world.violate("I6", `run ${run.runId} has started before it was stored`);
  }

  answered(host: Host, run: StepRun<Trail>, _answer: string): void {
    const call = `${host.name} ${run.stepId}`;
    this.#answered.set(call, this.#begun.get(call)!);
  }

  /** Which ownership of the run's shard is in force: the versions of the owner rows. */
  #ownership(run: StepRun<Trail>): string {
    const shard = parseInt(run.runId.slice(-4), 16) % this.#shadow.rows.length;
    return [...this.#shadow.rows[shard]!].filter(([key]) => key.startsWith("owner "))
      .map(([key, row]) => `${key}=${row.version}`).join();
  }
}
