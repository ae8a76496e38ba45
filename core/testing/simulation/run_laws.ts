import { bucketOf, isFinished, type RunRecord } from "../../parts/run_record.ts";
import { runTable } from "../../parts/run_row.ts";
import type { Behaviour } from "../../engine/behaviour.ts";
import type { LawOptions, RunChange, ToldEvent } from "./laws.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** I1 to I5: what may become of a record. */
export class RunLaws {
  readonly #world: World;
  readonly #shadow: Shadow;
  readonly #options: LawOptions;
  readonly #unfinished = new Map<string, string>();

  constructor(world: World, shadow: Shadow, options: LawOptions) {
    this.#world = world;
    this.#shadow = shadow;
    this.#options = options;
  }

  /** Whether every run has finished. */
  get allFinished(): boolean {
    return this.#unfinished.size === 0;
  }

  /** A change is about to be applied. */
  changed({ before, after, event }: RunChange): void {
    this.#checkKey(before, after);
    const { expect } = this.#bound;
    expect(
      after.version === (before?.version ?? 0) + 1 && event.version === after.version,
      "I2",
      () => `run ${after.id} goes from version ${before?.version} to ${after.version}`,
    );
    if (!before) return;
    expect(
      !isFinished(before.state) || isDisposal(before, after, event),
      "I4",
      () => `${event.kind} of run ${after.id} after it was ${before.state}`,
    );
    // A step that is due beside the timer may be what takes processes down.
    const isResult = event.by === "step" || (event.by === "timer" && before.stepDue === undefined);
    expect(
      !isResult || after.crashes === 0 || bucketOf(after.state) !== "active",
      "crashes",
      () => `${event.kind} by ${event.by} of run ${after.id} leaves it under suspicion`,
    );
    this.#checkEdge(before, after, event);
    this.#checkPause(before, after, event);
  }

  /** The change has been applied: the index rows are those of the record, no more and no less. */
  applied({ shard, before, after }: RunChange): void {
    const rows = this.#shadow.rows[shard]!;
    const wanted = new Set(runTable.rows(after).map((row) => row.key));
    for (const key of wanted) this.#world.expect(rows.has(key), "index", () => `row ${key} is missing`);
    for (const { key } of before ? runTable.rows(before) : []) {
      const isLeft = !wanted.has(key) && rows.has(key);
      this.#world.expect(!isLeft, "index", () => `row ${key} has outlived its record`);
    }
  }

  get #bound(): { readonly expect: World["expect"] } {
    return { expect: (...args) => this.#world.expect(...args) };
  }

  #behaviourOf({ definition }: RunRecord): Behaviour {
    return this.#options.behaviours.get(definition)!;
  }

  #checkKey(before: RunRecord | undefined, after: RunRecord): void {
    const name = `${after.definition} ${after.key}`;
    const other = this.#unfinished.get(name);
    this.#world.expect(
      before !== undefined || other === undefined,
      "I1",
      () => `key "${name}" has unfinished runs ${other} and ${after.id}`,
    );
    if (!isFinished(after.state)) this.#unfinished.set(name, after.id);
    else if (other === after.id) this.#unfinished.delete(name);
  }

  #checkEdge(before: RunRecord, after: RunRecord, event: ToldEvent): void {
    const { expect } = this.#bound;
    const moves = event.kind === "move" || event.kind === "repeat";
    expect(
      after.visit === before.visit + (moves ? 1 : 0),
      "I3",
      () => `${event.kind} takes run ${after.id} from visit ${before.visit} to ${after.visit}`,
    );
    const isRight = event.kind === "move"
      ? this.#edges(before, event).includes(after.status)
      : after.status === before.status;
    expect(
      isRight,
      "I3",
      () => `${event.kind} by ${event.by} takes run ${after.id} from ${before.status} to ${after.status}`,
    );
  }

  #edges(before: RunRecord, { by, name }: ToldEvent): readonly string[] {
    const { definition, status } = before;
    if (this.#options.edges) return this.#options.edges(definition, status, by, name);
    const { transitions, edges } = this.#behaviourOf(before);
    if (!transitions) return edges.get(status) ?? [];
    const kind = by === "timer" ? "timeout" : by;
    return transitions.filter((each) => each.from === status && each.by === kind).flatMap(({ to }) => to);
  }

  #checkPause(before: RunRecord, after: RunRecord, event: ToldEvent): void {
    const { expect } = this.#bound;
    const moves = event.kind === "move" || event.kind === "repeat";
    const wakes = before.state === "paused" && moves && !isFinished(after.state) && after.state !== "paused";
    expect(!wakes, "I5", () => `${event.kind} wakes the paused run ${after.id}`);
    expect(
      before.state !== "paused" || event.by !== "callback",
      "I5",
      () => `a callback is applied to the paused run ${after.id}`,
    );
    if (after.state !== "paused") return;
    const { pauseRetryMs } = this.#behaviourOf(after);
    const isStopped = before.state !== "paused" || event.kind === "pause";
    const resumes = !isStopped ? before.due : pauseRetryMs && after.updatedAt + pauseRetryMs;
    expect(
      after.due === resumes && after.stepDue === undefined,
      "I5",
      () => `${event.kind} leaves the paused run ${after.id} due ${after.due}, want ${resumes}`,
    );
  }
}

/** What may happen to a run that has ended. */
function isDisposal(before: RunRecord, after: RunRecord, { kind }: ToldEvent): boolean {
  if (kind === "delete-request") return before.state !== "deletion-requested" && before.state !== "deleted";
  if (before.state !== "deletion-requested") return false;
  return after.state === (kind === "delete" ? "deleted" : "deletion-requested") &&
    (kind === "delete" || kind === "error");
}
