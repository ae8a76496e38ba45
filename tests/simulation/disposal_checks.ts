import { isFinished, type RunRecord } from "../../core/parts/run_record.ts";
import type { Batch } from "../../core/store/store.ts";
import { keepFinishedMs } from "./graphs.ts";
import type { Host } from "./host.ts";
import type { Trail } from "./machines.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** What is known of a run that is gone. */
export interface Removed {
  readonly token: string;
}

/** I14: what was deleted is nowhere. Retention: what is removed is removed whole, when it is due, and not before. */
export class DisposalChecks {
  /** The store takes enough rows at once for histories as long as these: a removal is not seen half done. */
  removesWhole = true;
  /** Runs that are gone, by id. */
  readonly removed = new Map<string, Removed>();
  /** Runs whose parked hooks are gone already. */
  readonly leaving = new Set<string>();
  /** Runs of whose rows some are gone. */
  readonly removing = new Set<string>();
  readonly #world: World;
  readonly #shadow: Shadow;
  /** What a run's data was triggered with, by id. */
  readonly #trails = new Map<string, Trail>();
  /** Secrets of runs whose data is deleted. */
  readonly #deleted = new Map<string, string>();

  constructor(world: World, shadow: Shadow) {
    this.#world = world;
    this.#shadow = shadow;
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

  /** A run has come to be. */
  created(run: RunRecord): void {
    this.#trails.set(run.id, JSON.parse(run.payload) as Trail);
  }

  /** A batch is about to be applied. */
  before(host: Host, shard: number, batch: Batch): void {
    for (const key of batch.deletes) {
      if (key.startsWith("hist ")) this.#removes(host, shard, key.split(" ")[1]!);
      if (key.startsWith("run ")) {
        const runId = key.split(" ")[1]!;
        this.#removes(host, shard, runId);
        this.removed.set(runId, { token: this.tokenOf(runId)! });
      }
    }
  }

  /** A batch has been applied, and with it this change of a run, if it was one. */
  after(shard: number, batch: Batch, run: RunRecord | undefined): void {
    for (const key of batch.deletes) if (key.startsWith("run ")) this.#isGone(key.split(" ")[1]!);
    if (run && this.removing.has(run.id) && this.removesWhole) {
      this.#world.violate("retention", `run ${run.id} goes on as ${run.state}, though its history is gone`);
    }
    if (run?.state === "deleted") {
      const { secret } = this.#trails.get(run.id)!;
      this.#deleted.set(run.id, secret!);
      for (const [key, { value }] of this.#shadow.rows[shard]!) this.#isSilent(run.id, key, value);
    }
    if (this.#deleted.size === 0) return;
    for (const { key, value } of batch.puts) {
      const runId = key.split(" ")[1]!;
      if (this.#deleted.has(runId)) this.#isSilent(runId, key, value);
    }
  }

  /** Rows of a run go only when it has finished, is to be removed, and that is due by the clock of who does it. */
  #removes(host: Host, shard: number, runId: string): void {
    const run = this.#shadow.runIn(shard, runId);
    if (!run) return this.#world.violate("retention", `rows of run ${runId} are removed after itself`);
    this.removing.add(runId);
    const keptMs = keepFinishedMs[run.definition] ?? Infinity;
    const isDue = run.updatedAt + keptMs <= host.latest;
    if (isFinished(run.state) && run.state !== "deletion-requested" && isDue) return;
    this.#world.violate("retention", `run ${runId} is removed while it is ${run.state}, due: ${isDue}`);
  }

  #isGone(runId: string): void {
    this.removing.delete(runId);
    this.leaving.delete(runId);
    for (const rows of this.#shadow.rows) {
      for (const [key, { value }] of rows) {
        // Runs of the same key name the one before them for ever.
        const isOthers = key.startsWith("run ") || key.startsWith("chore ");
        if (!key.includes(runId) && (isOthers || !value.includes(runId))) continue;
        this.#world.violate("retention", `row ${key} has outlived run ${runId}`);
      }
    }
  }

  #isSilent(runId: string, key: string, value: string): void {
    const secret = this.#deleted.get(runId)!;
    if (!value.includes(secret)) return;
    const [space, id] = key.split(" ");
    const isOwn = ["run", "hist", "chore"].includes(space!) ? id === runId : true;
    if (isOwn) this.#world.violate("I14", `run ${runId} is deleted, but row ${key} holds its data: ${value}`);
  }
}
