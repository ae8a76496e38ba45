import { isFinished, type RunRecord } from "../../parts/run_record.ts";
import type { Batch } from "../../store/store.ts";
import type { Host } from "./host.ts";
import { dataTextOf, type LawOptions } from "./laws.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** I14: what was deleted is nowhere. Retention: what is removed is removed whole, when it is due, and not before. */
export class DisposalLaws {
  /** Runs that are gone. */
  readonly removed = new Set<string>();
  /** Runs whose parked hooks or kept answers are gone already. */
  readonly #leaving = new Set<string>();
  /** Runs of whose rows some are gone. */
  readonly #removing = new Set<string>();
  readonly #world: World;
  readonly #shadow: Shadow;
  readonly #options: LawOptions;
  /** What must be nowhere once a run is deleted, by its id. */
  readonly #secrets = new Map<string, readonly string[]>();
  /** Runs whose data is deleted. */
  readonly #deleted = new Set<string>();

  constructor(world: World, shadow: Shadow, options: LawOptions) {
    this.#world = world;
    this.#shadow = shadow;
    this.#options = options;
  }

  /** A removal has begun and not ended. */
  get isBusy(): boolean {
    return this.#leaving.size + this.#removing.size > 0;
  }

  /** A run has come to be. */
  created(run: RunRecord): void {
    const secret = this.#options.secretOf?.(run);
    if (secret === undefined) return;
    const disguise = this.#options.disguiseOf?.(secret);
    this.#secrets.set(run.id, disguise === undefined ? [secret] : [secret, disguise]);
  }

  /** Parked hooks or kept answers of a run go, and so must the run. */
  leaves(runId: string): void {
    this.#leaving.add(runId);
  }

  /** Some of what was kept of a run is gone already, such as the answers to its callbacks. */
  isLeaving(runId: string): boolean {
    return this.#leaving.has(runId) || this.#removing.has(runId) || this.removed.has(runId);
  }

  /** A batch is about to be applied. */
  before(host: Host, shard: number, batch: Batch): void {
    for (const key of batch.deletes) {
      if (key.startsWith("idem ")) this.#forgets(shard, key);
      if (!key.startsWith("hist ") && !key.startsWith("run ")) continue;
      const runId = key.split(" ")[1]!;
      this.#removes(host, shard, runId);
      if (key.startsWith("run ")) this.removed.add(runId);
    }
  }

  /** A batch has been applied, and with it this change of a run, if it was one. */
  after(shard: number, batch: Batch, run: RunRecord | undefined): void {
    for (const key of batch.deletes) if (key.startsWith("run ")) this.#isGone(key.split(" ")[1]!);
    const isLost = run && this.#removing.has(run.id) && this.#options.removesWhole;
    this.#world.expect(
      !isLost,
      "retention",
      () => `run ${run!.id} goes on as ${run!.state}, though its history is gone`,
    );
    if (run?.state === "deleted") this.#isDeleted(shard, run);
    if (this.#deleted.size === 0) return;
    for (const { key, value } of batch.puts) {
      const runId = key.split(" ")[1]!;
      if (this.#deleted.has(runId)) this.#isSilent(runId, key, value);
    }
  }

  /** A kept answer goes with its run. */
  #forgets(shard: number, key: string): void {
    const row = this.#shadow.rows[shard]!.get(key);
    if (row) this.leaves((JSON.parse(row.value) as { readonly runId: string }).runId);
  }

  #isDeleted(shard: number, run: RunRecord): void {
    const { scrub } = this.#options.behaviours.get(run.definition)!;
    this.#world.expect(
      scrub !== undefined || dataTextOf(this.#options, run) === "null",
      "I14",
      () => `run ${run.id} is deleted, but still carries ${run.payload}`,
    );
    if (!this.#secrets.has(run.id)) return;
    this.#deleted.add(run.id);
    for (const [key, { value }] of this.#shadow.rows[shard]!) this.#isSilent(run.id, key, value);
  }

  /** Rows of a run go only when it has finished, is to be removed, and that is due by the clock of who does it. */
  #removes(host: Host, shard: number, runId: string): void {
    const run = this.#shadow.runIn(shard, runId);
    const isThere = this.#world.expect(
      run !== undefined,
      "retention",
      () => `rows of run ${runId} are removed after itself`,
    );
    if (!isThere || !run) return;
    this.#removing.add(runId);
    const keptMs = this.#options.behaviours.get(run.definition)!.keepFinishedMs ?? Infinity;
    const isDue = run.updatedAt + keptMs <= host.latest;
    this.#world.expect(
      isFinished(run.state) && run.state !== "deletion-requested" && isDue,
      "retention",
      () => `run ${runId} is removed while it is ${run.state}, due: ${isDue}`,
    );
  }

  #isGone(runId: string): void {
    this.#removing.delete(runId);
    this.#leaving.delete(runId);
    for (const rows of this.#shadow.rows) {
      for (const [key, { value }] of rows) {
        // Runs of the same key name the one before them for ever, and schedules those that they have started. A request for
        // a lock that comes late is ended later.
        const isOthers = /^(run|chore|sched|mark|occ|lock|wait|ask) /.test(key);
        const isLeft = (key.includes(runId) && !key.startsWith("ask ")) ||
          (!isOthers && value.includes(runId));
        if (isLeft && !isKept(key)) this.#world.violate("retention", `row ${key} has outlived run ${runId}`);
      }
    }
  }

  #isSilent(runId: string, key: string, value: string): void {
    const isLoud = this.#secrets.get(runId)!.some((secret) => value.includes(secret));
    const [space, id] = key.split(" ");
    const isOwn = ["run", "hist", "chore"].includes(space!) ? id === runId : true;
    this.#world.expect(
      !isLoud || !isOwn,
      "I14",
      () => `run ${runId} is deleted, but row ${key} holds its data: ${value}`,
    );
  }
}

/** Logs of transitions tell of runs, without their data, for as long as events are kept. */
function isKept(key: string): boolean {
  return key.startsWith("log ") || key.startsWith("held ");
}
