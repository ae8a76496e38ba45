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
import { graphs, type Trail } from "./machines.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

type Event = Omit<HistoryRow, "at" | "position">;

/** What is known of the life of a run besides its rows. */
interface Life {
  /** Results of steps that history tells of. */
  told: number;
  /** Steps that were started. */
  started: number;
  /** Earliest due time at which each attempt of each visit might start. */
  readonly due: Map<string, number>;
}

export class RunChecks {
  /** Every lost reply is settled in this world, so no result is told twice. */
  settles = true;
  readonly #world: World;
  readonly #shadow: Shadow;
  readonly #lives = new Map<string, Life>();
  readonly #unfinished = new Map<string, string>();
  #written: { readonly before: RunRecord | undefined; readonly after: RunRecord } | undefined;

  constructor(world: World, shadow: Shadow) {
    this.#world = world;
    this.#shadow = shadow;
  }

  lifeOf(runId: string): Life {
    const life = this.#lives.get(runId) ?? { told: 0, started: 0, due: new Map() };
    this.#lives.set(runId, life);
    return life;
  }

  /** A batch is about to be applied. */
  before(host: Host, shard: number, batch: Batch): void {
    let run: Put | undefined;
    let told: Put | undefined;
    for (const put of batch.puts) {
      if (put.key.startsWith("run ")) run = put;
      else if (put.key.startsWith("hist ")) told = put;
      else if (put.key.startsWith("owner ")) this.#handedOver(host, shard, put);
    }
    this.#written = undefined;
    if (!told) {
      if (run) this.#world.violate("I2", `${host.name} writes ${run.key} without history`);
      return;
    }
    const runId = told.key.split(" ")[1]!;
    const row = this.#shadow.rows[shard]!.get(`run ${runId}`);
    const before = row && decodeRecord(row.value);
    const after = run && decodeRecord(run.value);
    const event = JSON.parse(told.value) as Event;
    this.#log(host, runId, event, after);
    if (after) {
      this.#written = { before, after };
      this.#checkKey(before, after);
      this.#checkWrite(before, after, event);
      this.#checkTrail(before, after, event);
    }
    this.#checkWriter(host, shard, (after ?? before)!, event);
  }

  /** The batch has been applied: the index rows are those of the record, no more and no less. */
  after(shard: number): void {
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
    if (after.due === undefined || bucketOf(after.state) !== "active") return;
    const { due } = this.lifeOf(after.id);
    const attempt = `${after.visit} ${after.attempt + 1}`;
    due.set(attempt, Math.min(due.get(attempt) ?? Infinity, after.due));
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
    if (isFinished(before.state)) {
      world.violate("I4", `${event.kind} of run ${after.id} after it was ${before.state}`);
    }
    const moves = event.kind === "move" || event.kind === "repeat";
    if (after.visit !== before.visit + (moves ? 1 : 0)) {
      world.violate("I3", `${event.kind} takes run ${after.id} from visit ${before.visit} to ${after.visit}`);
    }
    const isEdge = graphs[after.definition]?.[before.status]?.includes(after.status) ?? false;
    if (event.kind === "move" ? !isEdge : after.status !== before.status) {
      world.violate("I3", `${event.kind} takes run ${after.id} from ${before.status} to ${after.status}`);
    }
    if (before.state === "paused" && moves && !isFinished(after.state) && after.state !== "paused") {
      world.violate("I5", `${event.kind} wakes the paused run ${after.id}`);
    }
  }

  /** A step's work is in the data exactly once, and only together with its landing. */
  #checkTrail(before: RunRecord | undefined, after: RunRecord, event: Event): void {
    const landed = before ? trailOf(before) : [];
    const isWork = event.by === "step" && event.kind !== "error" && before !== undefined;
    const wanted = isWork ? [...landed, `${before.id}:${before.visit}`] : landed;
    const seen = trailOf(after);
    if (seen.join() === wanted.join()) return;
    this.#world.violate(
      "once",
      `${event.kind} of run ${after.id} leaves the work of visits ${seen.map(visitOf)}, want ${
        wanted.map(visitOf)
      }`,
    );
  }

  /** Only who owns the shard at this moment writes for steps and for the engine; each start is told at most once. */
  #checkWriter(host: Host, shard: number, run: RunRecord, event: Event): void {
    if (event.by !== "step" && event.by !== "engine") return;
    const row = this.#shadow.rows[shard]!.get(`owner ${run.definition}`);
    const owner = row && readOwner({ key: "owner", ...row }).engineId;
    if (owner !== host.engineId) {
      this.#world.violate("I10", `${host.name} writes ${event.kind} of run ${run.id}, but ${owner} owns it`);
    }
    if (event.by !== "step") return;
    const life = this.lifeOf(run.id);
    if (++life.told > life.started && this.settles) {
      this.#world.violate(
        "once",
        `run ${run.id}: ${life.started} starts, but ${life.told} results in history`,
      );
    }
  }
}

const trailOf = (run: RunRecord) => (JSON.parse(run.payload) as Trail).landed;

const visitOf = (stepId: string) => stepId.split(":")[1]!;

/** Enough of a run id to tell it from others in a trace. */
export const short = (runId: string) => runId.slice(9, 20);
