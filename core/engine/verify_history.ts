import { decodeHistory, type HistoryRow } from "../parts/history.ts";
import { isFinished, type RunRecord } from "../parts/run_record.ts";
import { splitKey } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import { type Found, isLost, readEntry, recordsOf, type ShardCheck } from "./verify_rows.ts";

/** What starts a status's step. */
const begins: ReadonlySet<string> = new Set(["trigger", "move", "repeat", "resume", "lock-lost"]);

/** What may follow the end: that its data is erased, tried again if need be, and that it is kept for longer. */
function isDisposal(previous: HistoryRow, row: HistoryRow): boolean {
  if (row.kind === "delete-request") return previous.runState !== "deletion-requested";
  if (previous.runState === "deletion-requested") return row.kind === "delete" || row.kind === "error";
  return row.kind === "keep";
}

/**
 * Histories as the walk comes by them, row by row: one per version of the record, each move along an edge, nothing but
 * late results after the end. A history may be longer than any page, so only the row before is remembered.
 */
export class HistoryCheck {
  readonly #check: ShardCheck;
  #runId: string | undefined;
  #run: Found;
  #changes = 0;
  #previous: HistoryRow | undefined;
  /** The visit's step has answered that it waits for something else. */
  #waits = false;

  /**
   * @param check Where.
   */
  constructor(check: ShardCheck) {
    this.#check = check;
  }

  /** The next rows of the shard, in key order. */
  async add(entries: readonly Entry[]): Promise<void> {
    const runIdOf = (entry: Entry) => splitKey(entry.key)[1]!;
    const runs = await recordsOf(this.#check, entries.map(runIdOf));
    for (const entry of entries) {
      const runId = runIdOf(entry);
      if (runId !== this.#runId) {
        this.end();
        this.#begin(runId, runs.get(runId), entry.key);
      }
      const row = readEntry(this.#check, entry, decodeHistory);
      if (row && typeof this.#run === "object") this.#next(row, this.#run);
    }
  }

  /** The last history of the shard is over. */
  end(): void {
    const run = this.#run;
    if (typeof run !== "object") return;
    const key = keyspace.run.key(run.id);
    if (this.#changes !== run.version) {
      this.#check.report("I2", key, `version ${run.version} with ${this.#changes} changes in history`);
    }
    if (isLost(this.#check, run, this.#waits)) {
      this.#check.report("I9", key, `the run is ${run.state} at "${run.status}" but nothing is due`);
    }
    this.#run = undefined;
  }

  #begin(runId: string, run: Found, key: string): void {
    this.#runId = runId;
    this.#run = run;
    this.#changes = 0;
    this.#previous = undefined;
    this.#waits = false;
    // A run that is imported in pieces leaves these when it is cut off; the next import takes them up.
    if (!run) {
      this.#check.report("history", key, `history row of no run: run ${runId} is gone, or was never there`);
    }
  }

  #next(row: HistoryRow, run: RunRecord): void {
    if (row.kind === "late" || row.kind === "lock-released") return;
    const key = keyspace.run.key(run.id);
    const previous = this.#previous;
    this.#previous = row;
    this.#changes++;
    const isSkip = row.kind === "skip" &&
      (row.by === "step" || (row.by === "engine" && row.name === undefined));
    // A step whose lock was not granted in time may be skipped.
    if (isSkip || row.kind === "lock-timeout") {
      this.#waits = true;
    } else if (begins.has(row.kind)) this.#waits = false;
    if (row.version !== this.#changes) {
      this.#check.report("I2", key, `history row ${this.#changes} has version ${row.version}`);
    }
    if (previous && isFinished(previous.runState) && !isDisposal(previous, row)) {
      this.#check.report("I4", key, `${row.kind} after ${previous.runState}`);
    }
    const edges = this.#check.context.definitions.get(run.definition)?.behaviour.edges;
    if (!edges || row.kind !== "move" || edges.get(row.from!)?.includes(row.to!)) return;
    this.#check.note("I3", key, `moved from "${row.from}" to "${row.to}", which is no edge today`);
  }
}
