import { LeaseLostError } from "../errors.ts";
import { type LoggedChange, readLog } from "../parts/run_log.ts";
import { type HeldRow, heldText, readHeld, readRelay } from "../parts/relay_rows.ts";
import { BatchBuilder } from "../store/batch.ts";
import { readStamp, splitKey, stamp, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry, Version } from "../store/store.ts";
import type { EngineContext } from "./context.ts";
import type { Fenced } from "./ring_surely.ts";

/** A row of the log; one that cannot be read has no change, and can only be passed over. */
export interface RelayedRow {
  readonly version: Version;
  readonly change: LoggedChange | undefined;
}

/** What the relay of one definition in one shard knows and keeps, under its owner's fence. */
export class RelayState {
  /** All up to this version was sent, but for what is held back. */
  passed: Version = 0;
  /** Runs that are held back. */
  held = new Map<string, HeldRow>();
  readonly #context: EngineContext;
  readonly #owner: Fenced;

  /**
   * @param context The engine.
   * @param owner Whose log, and its fence.
   */
  constructor(context: EngineContext, owner: Fenced) {
    this.#context = context;
    this.#owner = owner;
  }

  /** Reads what was kept. What is damaged is taken for not sent: that gives repeats, and loses nothing. */
  async load(): Promise<void> {
    const { reader, limits } = this.#context;
    const { name, shard } = this.#owner;
    const [[relay], held] = await reader.read(shard, [
      { get: keyspace.relay.key(name) },
      { ...keyspace.held.range(name), limit: limits.readPageMax },
    ]) as [Entry[], Entry[]];
    this.passed = relay ? this.#orElse(() => readRelay(relay).version, 0) : 0;
    const rows = held.map((entry) => {
      const runId = unescapeText(splitKey(entry.key)[2]!);
      return this.#orElse(() => readHeld(entry), {
        runId,
        version: 0,
        since: 0,
        attempts: 1,
        due: 0,
        error: "",
      });
    });
    this.held = new Map(rows.map((row) => [row.runId, row]));
  }

  /** What comes in the log after a version. */
  async rowsAfter(version: Version, limit: number): Promise<readonly RelayedRow[]> {
    const { reader } = this.#context;
    const { name, shard } = this.#owner;
    const { end } = keyspace.log.range(name);
    const start = keyspace.log.front(name) + stamp(version + 1);
    const [rows] = await reader.read(shard, [{ start, end, limit }]);
    return rows!.map((entry) => ({
      version: readStamp(splitKey(entry.key).at(-1)!),
      change: this.#orElse(() => readLog(entry), undefined),
    }));
  }

  /** Moves on, and holds runs back, in one batch. */
  async moveOn(passed: Version, held: readonly HeldRow[]): Promise<void> {
    // Without news of what is held, losing it costs repeats at most.
    const batch = new BatchBuilder({ relaxed: held.length === 0 });
    const row = { version: passed, at: this.#context.clock.now() };
    batch.put(keyspace.relay.key(this.#owner.name), JSON.stringify(row));
    for (const each of held) batch.put(keyspace.held.key(this.#owner.name, each.runId), heldText(each));
    await this.#commit(batch);
    this.passed = passed;
    for (const each of held) this.held.set(each.runId, each);
  }

  /** Keeps what became of a try to send what is held back. */
  async holdOn(row: HeldRow): Promise<void> {
    await this.#commit(new BatchBuilder().put(keyspace.held.key(this.#owner.name, row.runId), heldText(row)));
    this.held.set(row.runId, row);
  }

  /** All of a run was sent. */
  async release(runId: string): Promise<void> {
    await this.#commit(new BatchBuilder().delete(keyspace.held.key(this.#owner.name, runId)));
    this.held.delete(runId);
  }

  async #commit(batch: BatchBuilder): Promise<void> {
    const { name, shard, guard } = this.#owner;
    const result = await this.#context.committer.commit(shard, batch, guard);
    if (!result.ok) throw new LeaseLostError(`"${name}" in shard ${shard}`);
  }

  #orElse<Value>(read: () => Value, otherwise: Value): Value {
    try {
      return read();
    } catch (error) {
      const { name, shard } = this.#owner;
      const about = { definition: name, shard, error: String(error) };
      this.#context.logger.log("error", "The relay found a damaged row", about);
      return otherwise;
    }
  }
}
