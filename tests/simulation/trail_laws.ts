/**
 * What only this scenario can check, as its runs carry the code whose work is in them.
 *
 * @module
 */
import type { RunRecord } from "../../core/parts/run_record.ts";
import type { RunChange, ToldEvent } from "../../core/testing/simulation/laws.ts";
import type { Stage } from "../../core/testing/simulation/life.ts";
import type { World } from "../../core/testing/simulation/world.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import type { Batch } from "../../core/store/store.ts";
import type { Trail } from "./machines.ts";
import { dataTextOf } from "./sealing.ts";

export class TrailLaws {
  /** What each run was triggered with. */
  readonly #trails = new Map<string, Trail>();
  /** Work that may land without a trace in the data, by run. */
  readonly #untouched = new Map<string, Set<string>>();
  /** What callbacks were called with that were applied, by run. */
  readonly #callbacks = new Map<string, Set<string>>();
  readonly #world: World;
  #stage: Stage | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  begin(stage: Stage): void {
    this.#stage = stage;
  }

  /** The token that a run was triggered with. */
  tokenOf(runId: string): string | undefined {
    return this.#trails.get(runId)?.token;
  }

  /** The run that was triggered with this token. */
  triggeredBy(token: string): string | undefined {
    for (const [runId, trail] of this.#trails) if (trail.token === token) return runId;
    return undefined;
  }

  /** The run of which a callback with this mark is. */
  calledBy(mark: string): string | undefined {
    for (const [runId, marks] of this.#callbacks) if (marks.has(mark)) return runId;
    return undefined;
  }

  /** Whether a callback was applied to a run. */
  isCalled(runId: string, mark: string): boolean {
    return this.#callbacks.get(runId)?.has(mark) ?? false;
  }

  /** An attempt leaves the data alone. */
  untouched(runId: string, stepId: string): void {
    of(this.#untouched, runId).add(stepId);
  }

  /** What has landed is not known any more. What code did not do, it still did not. */
  forget(): void {
    this.#trails.clear();
    this.#callbacks.clear();
  }

  /** Work is in the data exactly once, together with its landing, and nothing that came later takes it out. */
  changed({ before, after, event, batch }: RunChange): void {
    if (!before) this.#trails.set(after.id, trailDataOf(after));
    if (after.state === "deleted") return;
    const landed = before ? trailOf(before) : [];
    const seen = trailOf(after);
    const mark = before && this.#markOf(before, event, seen);
    if (mark !== undefined && event.by === "callback") this.#called(after, mark, batch);
    const isSilent = mark !== undefined && seen.length === landed.length &&
      of(this.#untouched, after.id).has(mark);
    const wanted = mark === undefined || isSilent ? landed : [...landed, mark];
    this.#world.expect(seen.join() === wanted.join(), "once", () => {
      const found = `leaves the work of visits ${seen.map(visitOf)}, want ${wanted.map(visitOf)}`;
      return `${event.kind} of run ${after.id} by ${event.by} ${found}`;
    });
  }

  /** What the code that a change is by leaves in the data. */
  #markOf(before: RunRecord, { by, kind, name }: ToldEvent, seen: readonly string[]): string | undefined {
    if (kind === "error") return undefined;
    if (by === "step") return `${before.id}:${before.visit}`;
    // Which call it was is known by the data alone.
    if (by === "callback") return seen.at(-1)?.startsWith("call") ? seen.at(-1)! : "a call";
    if (by !== "timer") return undefined;
    const round = before.timers.find((timer) => timer.name === name)?.round;
    return `${before.id}:${before.visit}:${name}:${round}`;
  }

  /** I6: a callback is applied once, and with an idempotency key once per key, together with the kept answer. */
  #called({ id, definition, key }: RunRecord, mark: string, batch: Batch): void {
    const world = this.#world;
    const marks = of(this.#callbacks, id);
    world.expect(!marks.has(mark), "I6", () => `${mark} is applied to run ${id} once more`);
    marks.add(mark);
    const [, idempotencyKey] = mark.split("/");
    if (!idempotencyKey) return;
    const row = keyspace.idempotency.key(definition, key, "callback", idempotencyKey);
    const isKept = batch.puts.some((put) => put.key === row);
    world.expect(isKept, "I6", () => `${mark} of run ${id} is applied without its answer`);
    const { shadow, laws: { disposal } } = this.#stage!;
    for (const other of this.#callbacks.keys()) {
      if (other === id || disposal.isLeaving(other)) continue;
      const run = shadow.run(other);
      const isOfKey = run?.definition === definition && run.key === key;
      world.expect(
        !isOfKey || !this.isCalled(other, mark),
        "I6",
        () => `${mark} is applied to run ${id}, and was to run ${other}`,
      );
    }
  }
}

function of(sets: Map<string, Set<string>>, runId: string): Set<string> {
  let set = sets.get(runId);
  if (!set) sets.set(runId, set = new Set());
  return set;
}

/** What a run was triggered with, and what has been left in it since; nothing of that may be left when it is deleted. */
export const trailDataOf = (run: RunRecord) => JSON.parse(dataTextOf(run)) as Trail;

const trailOf = (run: RunRecord) => (trailDataOf(run) as Trail | null)?.landed ?? [];

const visitOf = (mark: string) => mark.split(":").slice(1).join(":") || mark;
