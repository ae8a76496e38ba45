/**
 * I11, looked at after every commit: never more holders than permits, nobody before those who asked earlier, tokens that
 * only grow, nobody left waiting for what is free, and no run that takes itself for a holder and is none.
 *
 * @module
 */
import assert from "node:assert/strict";
import { judgeLocks, type LockPicture, pictureOf } from "../../core/testing/simulation/lock_laws.ts";
import { tokensByName } from "../../core/parts/run_record.ts";
import { decodeRecord } from "../../core/parts/run_row.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import type { Store } from "../../mod.ts";

/** Watches a store. */
export class LockLaws {
  /** Grants seen. */
  grants = 0;
  /** Of those, to requests that had waited. */
  handovers = 0;
  readonly #store: Store;
  readonly #permits: Readonly<Record<string, number>>;
  #before: LockPicture = { locks: new Map(), queues: new Map() };
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * @param store The store.
   * @param permits The most permits of semaphores whose users do not agree on it, by namespace and name.
   */
  constructor(store: Store, permits: Readonly<Record<string, number>> = {}) {
    this.#store = store;
    this.#permits = permits;
  }

  /** Commits, and looks; one commit at a time, so that each is judged alone. */
  commit(calls: Parameters<Store["commit"]>[0]): ReturnType<Store["commit"]> {
    const committed = this.#turn.then(() => this.#store.commit(calls));
    this.#turn = committed.then(() => this.#look(), () => {});
    // A broken law fails the commit, and later the test.
    return committed.then(async (results) => {
      await this.#turn;
      return results;
    });
  }

  /** The first law that was broken. */
  broken: unknown;

  async #look(): Promise<void> {
    try {
      const after = await this.#picture();
      const [handovers, grants] = judgeLocks(this.#before, after, (condition, problem) => {
        if (!condition) throw new Error(problem());
      }, ({ namespace, name, capacity }) => this.#permits[`${namespace}/${name}`] ?? capacity);
      this.grants += grants;
      this.handovers += handovers;
      await this.#judgeRuns(after);
      this.#before = after;
    } catch (error) {
      this.broken ??= error;
    }
  }

  /** A run that says it holds a lock does. */
  async #judgeRuns({ locks }: LockPicture): Promise<void> {
    for (const entry of await this.#rows(keyspace.run.range())) {
      const { id, lock } = decodeRecord(entry.value);
      for (const [name, token] of Object.entries(lock ? tokensByName(lock) : {})) {
        const holders = locks.get(`${lock!.namespace}/${name}`)?.holders ?? [];
        const isHeld = holders.some((each) => each.token === token && each.request === lock!.request);
        assert.ok(isHeld, `run ${id} takes itself for the holder of "${name}" under ${token}`);
      }
    }
  }

  async #rows(range: { readonly start: string; readonly end: string }) {
    const requests = Array.from({ length: this.#store.shards }, (_, shard) => ({
      shard,
      ops: [{ ...range, limit: 1_000 }],
    }));
    return (await this.#store.read(requests)).flatMap(([entries]) => entries!);
  }

  async #picture(): Promise<LockPicture> {
    const rows = [...await this.#rows(keyspace.lock.range()), ...await this.#rows(keyspace.wait.range())];
    return pictureOf(rows.map((row) => [row.key, row]));
  }

  /** Nobody holds or waits any more. */
  async assertQuiet(): Promise<void> {
    const { locks, queues } = await this.#picture();
    for (const { name, holders } of locks.values()) assert.deepEqual([name, holders], [name, []]);
    assert.deepEqual([...queues], []);
    for (const space of [keyspace.ask, keyspace.lockDue]) {
      assert.deepEqual(await this.#rows(space.range()), []);
    }
  }
}
