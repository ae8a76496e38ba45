/**
 * A second opinion on every commit: a plain model of the store that checks what the real one answered, and the
 * invariants of runs as they are written.
 *
 * @module
 */
import { decodeRecord, isFinished, type RunRecord } from "../../core/parts/run_record.ts";
import { stamp } from "../../core/store/key.ts";
import type { Batch, BatchResult, CallResult, CommitCall } from "../../core/store/store.ts";
import type { World } from "./world.ts";

interface Row {
  readonly value: string;
  readonly version: number;
}

/** Edges by definition and status. */
export type Edges = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

export class Shadow {
  readonly rows: Map<string, Row>[];
  readonly #world: World;
  readonly #edges: Edges;
  readonly #versions: number[];

  constructor(world: World, shards: number, edges: Edges) {
    this.#world = world;
    this.#edges = edges;
    this.rows = Array.from({ length: shards }, () => new Map());
    this.#versions = Array.from({ length: shards }, () => 0);
  }

  /** Every row of every shard under a prefix. */
  *under(prefix: string): Iterable<[string, Row]> {
    for (const rows of this.rows) {
      for (const [key, row] of rows) if (key.startsWith(prefix)) yield [key, row];
    }
  }

  /** All run records. */
  runs(): RunRecord[] {
    return [...this.under("run ")].map(([, row]) => decodeRecord(row.value));
  }

  run(runId: string): RunRecord | undefined {
    for (const rows of this.rows) {
      const row = rows.get(`run ${runId}`);
      if (row) return decodeRecord(row.value);
    }
    return undefined;
  }

  /** Applies what the store says it did, and objects where it should not have. */
  applied(who: string, calls: readonly CommitCall[], results: readonly CallResult[]): void {
    calls.forEach((call, index) => {
      const result = results[index]!;
      const { guard } = call;
      const held = !guard || this.#version(call.shard, guard.key) === guard.version;
      if (result.outcome === "done" && !held) {
        this.#world.violate("I10", `${who} committed under a lost guard`);
      }
      if (result.outcome === "guard-failed" && held) {
        this.#world.violate("I15", `${who} was refused under a good guard`);
      }
      this.#outcome(who, call, result);
      if (result.outcome !== "done") return;
      call.batches.forEach((batch, at) => this.#batch(who, call.shard, batch, result.results[at]!));
    });
  }

  /** Rule 4: a call that does not follow the committer's last one must not be applied. */
  #outcome(who: string, call: CommitCall, result: CallResult): void {
    const key = `outcome ${call.committer.id}`;
    const kept = this.rows[call.shard]!.get(key);
    const last = kept && (JSON.parse(kept.value) as { callId: string }).callId;
    const follows = last === call.committer.previous;
    if (follows !== (result.outcome !== "superseded")) {
      this.#world.violate(
        "I15",
        `${who}: call ${call.committer.callId} after ${last} answered ${result.outcome}`,
      );
    }
    if (result.outcome !== "superseded") {
      this.rows[call.shard]!.set(key, {
        value: JSON.stringify({ callId: call.committer.callId }),
        version: 0,
      });
    }
  }

  #version(shard: number, key: string): number | null {
    return this.rows[shard]!.get(key)?.version ?? null;
  }

  #batch(who: string, shard: number, batch: Batch, result: BatchResult): void {
    const failed = batch.checks.findIndex((check) => this.#version(shard, check.key) !== check.version);
    if (result.ok !== (failed < 0)) {
      const key = batch.checks[failed]?.key ?? batch.checks[0]?.key;
      this.#world.violate(
        "I15",
        `${who}: batch with check of "${key}" answered ok=${result.ok}, serially ${failed < 0}`,
      );
    }
    if (!result.ok) return;
    if (result.version <= this.#versions[shard]!) {
      this.#world.violate("I15", `${who}: version ${result.version} was given out before`);
    }
    this.#versions[shard] = result.version;
    for (const key of batch.deletes) this.rows[shard]!.delete(key);
    for (const put of batch.puts) {
      const key = put.stamped ? put.key + stamp(result.version) : put.key;
      if (key.startsWith("run ")) this.#runWritten(who, shard, key, put.value);
      this.rows[shard]!.set(key, { value: put.value, version: result.version });
    }
  }

  #runWritten(who: string, shard: number, key: string, value: string): void {
    const world = this.#world;
    const after = decodeRecord(value);
    const row = this.rows[shard]!.get(key);
    const before = row && decodeRecord(row.value);
    world.log(
      `${who} writes run ${after.id.slice(9, 16)} v${after.version} ${after.state} at ${after.status}`,
    );
    if (after.version !== (before?.version ?? 0) + 1) {
      world.violate("I2", `run ${after.id} goes from version ${before?.version} to ${after.version}`);
    }
    if (!before) {
      for (const other of this.runs()) {
        const same = other.definition === after.definition && other.key === after.key;
        if (same && !isFinished(other.state)) {
          world.violate("I1", `key ${after.key} has runs ${other.id} (${other.state}) and ${after.id}`);
        }
      }
      return;
    }
    if (isFinished(before.state)) {
      world.violate("I4", `run ${after.id} is written after it was ${before.state}`);
    }
    const moves = after.status !== before.status;
    const to = this.#edges.get(after.definition)?.get(before.status) ?? [];
    if (moves && !to.includes(after.status)) {
      world.violate("I3", `run ${after.id} moves from ${before.status} to ${after.status}`);
    }
    if (moves !== (after.visit !== before.visit) && after.visit !== before.visit + 1) {
      world.violate("I3", `run ${after.id} goes from visit ${before.visit} to ${after.visit}`);
    }
  }
}
