import { decodeHistory, type HistoryRow } from "../../parts/history.ts";
import { isFinished, type RunRecord } from "../../parts/run_record.ts";
import type { Host } from "./host.ts";
import { type Laws, short } from "./laws.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** What a client was told of a run. */
export interface Told {
  readonly verb: string;
  readonly runId: string;
  /** The run's version after a verb that changes it. */
  readonly version?: number;
}

/** What an acknowledged verb is called in history. */
const kindOf: Readonly<Record<string, string>> = {
  pause: "pause",
  resume: "resume",
  cancel: "cancel",
  deleteData: "delete-request",
};

/** I6: what clients have asked for, and what they were told. */
export class Asks {
  /** Calls of living clients that have no answer yet. */
  open = 0;
  readonly #world: World;
  readonly #shadow: Shadow;
  readonly #laws: Laws;
  readonly #told: Told[] = [];

  constructor(world: World, shadow: Shadow, laws: Laws) {
    this.#world = world;
    this.#shadow = shadow;
    this.#laws = laws;
  }

  /**
   * Follows a call.
   *
   * @param host Who asks. When it dies, nobody waits for the answer.
   * @param what The verb, for the trace.
   * @param ask Does it.
   * @param onTold Is given the answer.
   * @param onRefused Is given the error.
   */
  follow<Answer extends Told>(
    host: Host,
    what: string,
    ask: () => Promise<Answer>,
    onTold?: (told: Answer) => void,
    onRefused?: (error: { readonly code?: unknown }) => void,
  ): void {
    const world = this.#world;
    this.open++;
    let isOpen = true;
    const close = () => {
      if (isOpen) this.open--;
      isOpen = false;
    };
    host.onCrash(close);
    world.log(`${host.name} is asked to ${what}`);
    ask().then((told) => {
      close();
      world.log(`${host.name} is told of ${what} of run ${short(told.runId)}`);
      world.expect(
        this.#exists(told.runId),
        "I6",
        () => `${what} of run ${told.runId} was acknowledged before it was stored`,
      );
      this.#told.push(told);
      onTold?.(told);
    }).catch((error) => {
      close();
      world.log(`${host.name} is refused ${what}: ${error.code ?? error}`);
      onRefused?.(error);
    });
  }

  /** What was acknowledged is there, and was not overwritten. */
  checkEnd(): void {
    const world = this.#world;
    world.expect(this.open === 0, "I9", () => `${this.open} calls of living clients were never answered`);
    const runs = new Map(this.#shadow.runs().map((run) => [run.id, run]));
    for (const told of this.#told) {
      const run = runs.get(told.runId);
      world.expect(this.#exists(told.runId), "I6", () => `the acknowledged run ${told.runId} is gone`);
      if (run && told.version !== undefined) this.#checkVerb(run, told);
    }
    for (const run of runs.values()) this.#checkPauses(run);
  }

  /** What was acknowledged before a power cut has outlived it. */
  checkKept(): void {
    const runs = new Map(this.#shadow.runs().map((run) => [run.id, run]));
    for (const told of this.#told) {
      const run = runs.get(told.runId);
      this.#world.expect(
        this.#exists(told.runId),
        "I6",
        () => `the acknowledged run ${told.runId} is gone with the power`,
      );
      const isWhole = !this.#laws.disposal.isLeaving(told.runId);
      if (run && isWhole && told.version !== undefined) this.#checkRow(run, told);
    }
  }

  /** All rows of a run's history but late ones, oldest first. */
  rowsOf({ id }: RunRecord): HistoryRow[] {
    const rows = [...this.#shadow.under(`hist ${id} `)].map(([key, row]) => decodeHistory({ key, ...row }));
    return rows.filter((row) => row.kind !== "late").sort((a, b) => a.position - b.position);
  }

  #exists(runId: string): boolean {
    return this.#shadow.run(runId) !== undefined || this.#laws.disposal.removed.has(runId);
  }

  #checkRow(run: RunRecord, { verb, version }: Told): void {
    const row = this.rowsOf(run).find((each) => each.version === version);
    this.#world.expect(
      row?.kind === kindOf[verb],
      "I6",
      () => `the acknowledged ${verb} of run ${run.id} is a ${row?.kind} in its history`,
    );
  }

  #checkVerb(run: RunRecord, told: Told): void {
    const world = this.#world;
    const { verb } = told;
    this.#checkRow(run, told);
    const isDeleted = run.state === "deleted";
    world.expect(
      verb !== "cancel" || run.state === "cancelled" || run.state === "deletion-requested" || isDeleted,
      "I4",
      () => `run ${run.id} was cancelled, and is ${run.state}`,
    );
    world.expect(
      verb !== "deleteData" || isDeleted,
      "I14",
      () => `run ${run.id} was to be deleted, and is ${run.state}`,
    );
  }

  /** I5: between a pause and its end at most one step lands. */
  #checkPauses(run: RunRecord): void {
    let landedPaused: number | undefined;
    for (const { kind, runState } of this.rowsOf(run)) {
      const landed = kind === "move" || kind === "repeat" || kind === "skip" || kind === "rearm";
      if (landed && landedPaused !== undefined) {
        landedPaused++;
        this.#world.expect(
          landedPaused <= 1,
          "I5",
          () => `two steps of run ${run.id} landed while it was paused`,
        );
      }
      if (runState !== "paused") landedPaused = undefined;
      else landedPaused ??= 0;
    }
  }

  /** What is left to do, for messages. */
  leftToDo(): string {
    const runs = this.#shadow.runs().filter(({ state }) =>
      !isFinished(state) || state === "deletion-requested"
    );
    const left = runs.map(({ id, state, status, due }) => `run ${id} is ${state} at ${status}, due ${due}`);
    const chores = [...this.#shadow.under("chore ")].map(([key]) => `${key} is left`);
    return [...left, ...chores].join("; ") || "a removal has not ended";
  }
}
