/**
 * A second opinion on every commit: a plain model of the store that checks what the real one answered, and shows every
 * applied batch to the laws of the world.
 *
 * @module
 */
import { type RunRecord } from "../../parts/run_record.ts";
import { decodeRecord } from "../../parts/run_row.ts";
import { stamp } from "../../store/key.ts";
import type { Batch, BatchResult, CallResult, CommitCall } from "../../store/store.ts";
import { Chronicle } from "./chronicle.ts";
import type { Host } from "./host.ts";
import type { Laws } from "./laws.ts";
import type { World } from "./world.ts";

interface Row {
  readonly value: string;
  readonly version: number;
}

export class Shadow {
  readonly rows: Map<string, Row>[];
  /** Who is shown every batch; set once, before life begins. */
  laws: Laws | undefined;
  /** All that the laws were shown. */
  readonly chronicle: Chronicle;
  readonly #world: World;
  readonly #versions: number[];
  /** Grows with every change of its rows: what was found out of them is true as long as it stays. */
  revision = 0;

  constructor(world: World, shards: number) {
    this.#world = world;
    this.rows = Array.from({ length: shards }, () => new Map());
    this.chronicle = new Chronicle(world);
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
    return this.runIn(parseInt(runId.slice(-4), 16) % this.rows.length, runId);
  }

  runIn(shard: number, runId: string): RunRecord | undefined {
    const row = this.rows[shard]!.get(`run ${runId}`);
    return row && decodeRecord(row.value);
  }

  /** Applies what the store says it did, and objects where it should not have. */
  applied(host: Host, calls: readonly CommitCall[], results: readonly CallResult[]): void {
    this.chronicle.show(() => this.#applied(host, calls, results), calls);
  }

  /** Nothing is stored any more. */
  clear(): void {
    for (const rows of this.rows) rows.clear();
    this.#versions.fill(0);
    this.revision++;
  }

  #applied(host: Host, calls: readonly CommitCall[], results: readonly CallResult[]): void {
    calls.forEach((call, index) => {
      const result = results[index]!;
      const { guard } = call;
      const held = !guard || this.#version(call.shard, guard.key) === guard.version;
      const { outcome } = result;
      this.#world.expect(
        outcome !== "done" || held,
        "I10",
        () => `${host.name} committed under a lost guard`,
      );
      this.#world.expect(
        outcome !== "guard-failed" || !held,
        "I15",
        () => `${host.name} was refused under a good guard`,
      );
      this.#outcome(host.name, call, result);
      if (result.outcome !== "done") return;
      call.batches.forEach((batch, at) => this.#batch(host, call.shard, batch, result.results[at]!));
    });
  }

  /** Rule 4: a call that does not follow the committer's last one must not be applied. */
  #outcome(who: string, call: CommitCall, result: CallResult): void {
    const key = `outcome ${call.committer.id}`;
    const kept = this.rows[call.shard]!.get(key);
    const last = kept && (JSON.parse(kept.value) as { callId: string }).callId;
    const follows = last === call.committer.previous;
    this.#world.expect(
      follows === (result.outcome !== "superseded"),
      "I15",
      () => `${who}: call ${call.committer.callId} after ${last} answered ${result.outcome}`,
    );
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

  #batch(host: Host, shard: number, batch: Batch, result: BatchResult): void {
    const failed = batch.checks.findIndex((check) => this.#version(shard, check.key) !== check.version);
    this.#world.expect(result.ok === failed < 0, "I15", () => {
      const key = batch.checks[failed]?.key ?? batch.checks[0]?.key;
      return `${host.name}: batch with check of "${key}" answered ok=${result.ok}, serially ${failed < 0}`;
    });
    if (!result.ok) return;
    this.#world.expect(
      result.version > this.#versions[shard]!,
      "I15",
      () => `${host.name}: version ${result.version} was given out before`,
    );
    this.#versions[shard] = result.version;
    const rows = this.rows[shard]!;
    this.laws?.before(host, shard, batch);
    for (const key of batch.deletes) rows.delete(key);
    for (const put of batch.puts) {
      const key = put.stamped ? put.key + stamp(result.version) : put.key;
      rows.set(key, { value: put.value, version: result.version });
    }
    this.revision++;
    this.laws?.after(shard, batch);
  }
}
