/**
 * The invariants of runs, checked on every batch at the moment it is applied.
 *
 * @module
 */
import type { HistoryRow } from "../../core/parts/history.ts";
import { readOwner } from "../../core/parts/ownership_rows.ts";
import { bucketOf, decodeRecord, isFinished, type RunRecord, runTable } from "../../core/parts/run_record.ts";
import type { Batch, Put } from "../../core/store/store.ts";
import type { Host } from "./host.ts";
import { DisposalChecks } from "./disposal_checks.ts";
import { edgesOf, graphs, pauseRetryMs } from "./graphs.ts";
import { HookLedger } from "./hook_ledger.ts";
import type { Trail } from "./machines.ts";
import type { Shadow } from "./shadow.ts";
import { checkTimers } from "./timer_checks.ts";
import type { World } from "./world.ts";

type Event = Omit<HistoryRow, "at" | "position">;

/** What is known of the life of a run besides its rows. */
interface Life {
  /** Results of steps and timers that history tells of. */
  told: number;
  /** Steps and timers that were started. */
  started: number;
  /** Attempts of its steps that were started, by visit. */
  readonly begun: Set<string>;
  /** When it was paused last. */
  pausedAt: number;
  /** Earliest due time at which each attempt of each visit's step and timers might start. */
  readonly due: Map<string, number>;
  /** Work that may land without a trace in the data. */
  readonly untouched: Set<string>;
  /** What callbacks were called with that were applied. */
  readonly callbacks: Set<string>;
}

export class RunChecks {
  /** Every lost reply is settled in this world, so no result is told twice. */
  settles = true;
  readonly #world: World;
  readonly #shadow: Shadow;
  readonly #lives = new Map<string, Life>();
  readonly #unfinished = new Map<string, string>();
  readonly hooks: HookLedger;
  readonly disposal: DisposalChecks;
  #written: { readonly before: RunRecord | undefined; readonly after: RunRecord } | undefined;

  constructor(world: World, shadow: Shadow) {
    this.#world = world;
    this.#shadow = shadow;
    this.hooks = new HookLedger(world, shadow);
    this.disposal = new DisposalChecks(world, shadow);
  }

  /** Whether every run has finished. */
  get allFinished(): boolean {
    return this.#unfinished.size === 0;
  }

  /** The run of which a callback with this mark is. */
  calledBy(mark: string): string | undefined {
    for (const [runId, { callbacks }] of this.#lives) if (callbacks.has(mark)) return runId;
    return undefined;
  }

  lifeOf(runId: string): Life {
    let life = this.#lives.get(runId);
    if (!life) {
      life = {
        told: 0,
        started: 0,
        begun: new Set(),
        pausedAt: 0,
        due: new Map(),
        untouched: new Set(),
        callbacks: new Set(),
      };
      this.#lives.set(runId, life);
    }
    return life;
  }

  /** A batch is about to be applied. */
  before(host: Host, shard: number, batch: Batch): void {
    let run: Put | undefined;
    let told: Put | undefined;
    for (const put of batch.puts) {
      if (put.key.startsWith("run ")) run = put;
      else if (put.key.startsWith("hist ") && put.stamped) told = put;
      else if (put.key.startsWith("owner ")) this.#handedOver(host, shard, put);
    }
    this.disposal.before(host, shard, batch);
    this.#written = undefined;
    if (!told) {
      if (run) this.#world.violate("I2", `${host.name} writes ${run.key} without history`);
      return;
    }
    const runId = told.key.split(" ")[1]!;
    const before = this.#shadow.runIn(shard, runId);
    // A late row puts the record as it is.
    const isSame = run?.value === this.#shadow.rows[shard]!.get(`run ${runId}`)?.value;
    const after = run && !isSame ? decodeRecord(run.value) : undefined;
    const event = JSON.parse(told.value) as Event;
    this.#log(host, runId, event, after);
    if (!after && !before) {
      return this.#world.violate("retention", `${event.kind} is told of no run ${runId}`);
    }
    if (after) {
      this.#written = { before, after };
      if (!before) this.disposal.created(after);
      this.#checkKey(before, after);
      this.#checkWrite(before, after, event);
      this.#checkTrail(before, after, event, batch);
      checkTimers(this.#world, before, after, event);
      if (before) this.hooks.changed(before, after, batch);
    }
    this.#checkWriter(host, shard, (after ?? before)!, event);
  }

  /** The batch has been applied: the index rows are those of the record, no more and no less. */
  after(shard: number, batch: Batch): void {
    this.hooks.applied(batch);
    this.disposal.after(shard, batch, this.#written?.after);
    if (!this.#written) return;
    const { before, after } = this.#written;
    const rows = this.#shadow.rows[shard]!;
    const wanted = new Set(runTable.rows(after).map((row) => row.key));
    for (const key of wanted) {
      if (!rows.has(key)) this.#world.violate("index", `row ${key} is missing`);
    }
    for (const { key } of before ? runTable.rows(before) : []) {
      if (!wanted.has(key) && rows.has(key)) {
        this.#world.violate("index", `row ${key} has outlived its record`);
      }
    }
    const life = this.lifeOf(after.id);
    if (after.state === "paused" && before?.state !== "paused") life.pausedAt = this.#world.time;
    if (bucketOf(after.state) !== "active") return;
    const mayStart = (attempt: string, at: number) =>
      life.due.set(attempt, Math.min(life.due.get(attempt) ?? Infinity, at));
    if (after.stepDue !== undefined) mayStart(`${after.visit} ${after.attempt + 1}`, after.stepDue);
    for (const { name, at, attempt, round } of after.timers) {
      mayStart(`${after.visit} ${name} ${round} ${attempt + 1}`, at);
    }
  }

  #log(host: Host, runId: string, event: Event, after: RunRecord | undefined): void {
    const now = after
      ? `v${after.version} ${after.state} at ${after.status} visit ${after.visit}`
      : "unchanged";
    this.#world.log(`${host.name} writes ${event.kind} by ${event.by}: run ${short(runId)} ${now}`);
  }

  /** Ownership changes hands one epoch at a time: nobody takes over from an owner that he has not seen. */
  #handedOver(host: Host, shard: number, put: Put): void {
    const row = this.#shadow.rows[shard]!.get(put.key);
    const before = row && readOwner({ key: put.key, ...row });
    const after = readOwner({ key: put.key, value: put.value, version: 0 });
    this.#world.log(
      `${host.name} writes ${put.key} in shard ${shard}: ${after.engineId} epoch ${after.epoch}`,
    );
    const wanted = (before?.epoch ?? 0) + (after.engineId === null ? 0 : 1);
    if (after.epoch !== wanted) {
      this.#world.violate("I10", `${host.name} makes epoch ${after.epoch} of "${put.key}", want ${wanted}`);
    }
    if (after.engineId !== host.engineId && before?.engineId !== host.engineId) {
      this.#world.violate("I10", `${host.name} gives away "${put.key}", which is ${before?.engineId}'s`);
    }
  }

  #checkKey(before: RunRecord | undefined, after: RunRecord): void {
    const name = `${after.definition} ${after.key}`;
    const other = this.#unfinished.get(name);
    if (!before && other) {
      this.#world.violate("I1", `key "${name}" has unfinished runs ${other} and ${after.id}`);
    }
    if (!isFinished(after.state)) this.#unfinished.set(name, after.id);
    else if (other === after.id) this.#unfinished.delete(name);
  }

  #checkWrite(before: RunRecord | undefined, after: RunRecord, event: Event): void {
    const world = this.#world;
    if (after.version !== (before?.version ?? 0) + 1 || event.version !== after.version) {
      world.violate("I2", `run ${after.id} goes from version ${before?.version} to ${after.version}`);
    }
    if (!before) return;
    if (isFinished(before.state) && !isDisposal(before, after, event)) {
      world.violate("I4", `${event.kind} of run ${after.id} after it was ${before.state}`);
    }
    // A step that is due beside the timer may be what takes processes down.
    const isResult = event.by === "step" || (event.by === "timer" && before.stepDue === undefined);
    if (isResult && after.crashes > 0 && bucketOf(after.state) === "active") {
      world.violate("crashes", `${event.kind} by ${event.by} of run ${after.id} leaves it under suspicion`);
    }
    const isCounted = event.by === "step" && event.kind === "error";
    if (isCounted && !this.lifeOf(after.id).begun.has(`${before.visit} ${before.attempt + 1}`)) {
      world.violate("once", `error ${before.attempt + 1} of run ${after.id} is counted, but was no attempt`);
    }
    const moves = event.kind === "move" || event.kind === "repeat";
    if (after.visit !== before.visit + (moves ? 1 : 0)) {
      world.violate("I3", `${event.kind} takes run ${after.id} from visit ${before.visit} to ${after.visit}`);
    }
    const isEdge = edgesOf(graphs[after.definition]!, before.status, event.by, event.name).includes(
      after.status,
    );
    if (event.kind === "move" ? !isEdge : after.status !== before.status) {
      world.violate("I3", `${event.kind} takes run ${after.id} from ${before.status} to ${after.status}`);
    }
    if (before.state === "paused" && moves && !isFinished(after.state) && after.state !== "paused") {
      world.violate("I5", `${event.kind} wakes the paused run ${after.id}`);
    }
    if (before.state === "paused" && event.by === "callback") {
      world.violate("I5", `a callback is applied to the paused run ${after.id}`);
    }
    if (after.state !== "paused") return;
    const isStopped = before.state !== "paused" || event.kind === "pause";
    const resumes = isStopped ? after.updatedAt + pauseRetryMs : before.due;
    if (after.due !== resumes || after.stepDue !== undefined) {
      world.violate(
        "I5",
        `${event.kind} leaves the paused run ${after.id} due ${after.due}, want ${resumes}`,
      );
    }
  }

  /** Work is in the data exactly once, together with its landing, and nothing that came later takes it out. */
  #checkTrail(before: RunRecord | undefined, after: RunRecord, event: Event, batch: Batch): void {
    if (after.state === "deleted") return;
    const landed = before ? trailOf(before) : [];
    const seen = trailOf(after);
    const mark = before && this.#markOf(before, event, seen);
    if (mark !== undefined && event.by === "callback") this.#called(after, mark, batch);
    const isSilent = mark !== undefined && seen.length === landed.length &&
      this.lifeOf(after.id).untouched.has(mark);
    const wanted = mark === undefined || isSilent ? landed : [...landed, mark];
    if (seen.join() === wanted.join()) return;
    this.#world.violate(
      "once",
      `${event.kind} of run ${after.id} by ${event.by} leaves the work of visits ${seen.map(visitOf)}, want ${
        wanted.map(visitOf)
      }`,
    );
  }

  /** What the code that a change is by leaves in the data. */
  #markOf(before: RunRecord, { by, kind, name }: Event, seen: readonly string[]): string | undefined {
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
    const { callbacks } = this.lifeOf(id);
    if (callbacks.has(mark)) this.#world.violate("I6", `${mark} is applied to run ${id} once more`);
    callbacks.add(mark);
    const [, idempotencyKey] = mark.split("/");
    if (!idempotencyKey) return;
    const row = `idem ${definition} ${key} callback ${idempotencyKey}`;
    if (!batch.puts.some((put) => put.key === row)) {
      this.#world.violate("I6", `${mark} of run ${id} is applied without its answer`);
    }
    const others = this.#lives.keys().filter((other) => other !== id && !this.disposal.removed.has(other));
    for (const other of others) {
      const run = this.#shadow.run(other);
      const isOfKey = run?.definition === definition && run.key === key;
      if (isOfKey && this.lifeOf(other).callbacks.has(mark)) {
        this.#world.violate("I6", `${mark} is applied to run ${id}, and was to run ${other}`);
      }
    }
  }

  /** Only who owns the shard at this moment writes for steps and for the engine; each start is told at most once. */
  #checkWriter(host: Host, shard: number, run: RunRecord, event: Event): void {
    if (event.by !== "step" && event.by !== "timer" && event.by !== "engine") return;
    const row = this.#shadow.rows[shard]!.get(`owner ${run.definition}`);
    const owner = row && readOwner({ key: "owner", ...row }).engineId;
    if (owner !== host.engineId) {
      this.#world.violate("I10", `${host.name} writes ${event.kind} of run ${run.id}, but ${owner} owns it`);
    }
    if (event.by === "engine") return;
    const life = this.lifeOf(run.id);
    if (++life.told > life.started && this.settles) {
      this.#world.violate(
        "once",
        `run ${run.id}: ${life.started} starts, but ${life.told} results in history`,
      );
    }
  }
}

const trailOf = (run: RunRecord) => (JSON.parse(run.payload) as Trail | null)?.landed ?? [];

const visitOf = (mark: string) => mark.split(":").slice(1).join(":") || mark;

/** What may happen to a run that has ended. */
function isDisposal(before: RunRecord, after: RunRecord, { kind }: Event): boolean {
  if (kind === "delete-request") return before.state !== "deletion-requested" && before.state !== "deleted";
  if (before.state !== "deletion-requested") return false;
  return after.state === (kind === "delete" ? "deleted" : "deletion-requested") &&
    (kind === "delete" || kind === "error");
}

/** Enough of a run id to tell it from others in a trace. */
export const short = (runId: string) => runId.slice(9, 20);
