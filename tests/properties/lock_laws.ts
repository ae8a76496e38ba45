/**
 * I11, looked at after every commit: never more holders than permits, nobody before those who asked earlier, tokens that
 * only grow, nobody left waiting for what is free, and no run that takes itself for a holder and is none.
 *
 * @module
 */
import assert from "node:assert/strict";
import { decodeLock, fits, type LockRecord, shareOf } from "../../core/parts/lock_record.ts";
import { decodeWaiter, type LockWaiter } from "../../core/parts/lock_rows.ts";
import { decodeRecord } from "../../core/parts/run_record.ts";
import { splitKey, unescapeText } from "../../core/store/key.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import type { Clock, Store } from "../../mod.ts";

/** The locks of a store at one moment. */
interface Picture {
  readonly locks: ReadonlyMap<string, LockRecord>;
  /** Waiters of each lock, in order. */
  readonly queues: ReadonlyMap<string, readonly LockWaiter[]>;
}

/** Watches a store. */
export class LockLaws {
  /** Grants seen. */
  grants = 0;
  /** Of those, to requests that had waited. */
  handovers = 0;
  readonly #store: Store;
  readonly #clock: Clock;
  #before: Picture = { locks: new Map(), queues: new Map() };
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
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
      for (const lock of after.locks.values()) this.#judge(lock, after);
      for (const key of this.#before.locks.keys()) assert.ok(after.locks.has(key), `lock ${key} is gone`);
      await this.#judgeRuns(after);
      this.#before = after;
    } catch (error) {
      this.broken ??= error;
    }
  }

  #judge(lock: LockRecord, { locks, queues }: Picture): void {
    const key = keyOf(lock.namespace, lock.name);
    const before = this.#before.locks.get(key);
    const queueBefore = this.#before.queues.get(key) ?? [];
    const queue = queues.get(key) ?? [];
    assert.equal(lock.waiters, queue.length, `${key} counts its waiters`);
    assert.ok(lock.tokens >= (before?.tokens ?? 0), `the tokens of ${key} grow`);
    const fresh = lock.holders.filter(({ token }) => token > (before?.tokens ?? 0));
    const known = before?.holders.map(({ token }) => token) ?? [];
    for (const { token } of lock.holders) {
      assert.ok(
        known.includes(token) || fresh.some((each) => each.token === token),
        `${key}: token ${token}`,
      );
      assert.ok(token <= lock.tokens);
    }
    if (fresh.length > 0) {
      const used = lock.holders.reduce((sum, { weight }) => sum + shareOf(lock, weight), 0);
      assert.ok(used <= lock.capacity, `${key}: ${used} of ${lock.capacity}`);
    }
    this.grants += fresh.length;
    for (const { request } of fresh) {
      const place = queueBefore.find((each) => each.request === request)?.place ?? Infinity;
      if (place !== Infinity) this.handovers++;
      const passed = queueBefore.find((each) =>
        each.place < place && queue.some((left) => left.place === each.place)
      );
      assert.equal(passed, undefined, `${key}: ${request} was granted it before ${passed?.request}`);
    }
    const [first] = queue;
    const isLate = first?.deadline !== undefined && first.deadline < this.#clock.now();
    if (!first || isLate) return;
    const isFree = first.wants.every(({ name, weight }) => {
      const each = keyOf(lock.namespace, name);
      return queues.get(each)![0]!.place === first.place && fits(locks.get(each)!, weight);
    });
    assert.ok(!isFree, `${key}: ${first.request} waits though it is free`);
  }

  /** A run that says it holds a lock does. */
  async #judgeRuns({ locks }: Picture): Promise<void> {
    for (const entry of await this.#rows(keyspace.run.range())) {
      const { id, lock } = decodeRecord(entry.value);
      for (const [name, token] of Object.entries(lock?.tokens ?? {})) {
        const holders = locks.get(keyOf(lock!.namespace, name))?.holders ?? [];
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

  async #picture(): Promise<Picture> {
    const locks = new Map<string, LockRecord>();
    for (const entry of await this.#rows(keyspace.lock.range())) {
      const [, namespace, name] = splitKey(entry.key).map(unescapeText);
      locks.set(keyOf(namespace!, name!), decodeLock(namespace!, name!, entry));
    }
    const queues = new Map<string, LockWaiter[]>();
    for (const entry of await this.#rows(keyspace.wait.range())) {
      const [, namespace, name] = splitKey(entry.key).map(unescapeText);
      const key = keyOf(namespace!, name!);
      queues.set(key, [...queues.get(key) ?? [], decodeWaiter(entry)]);
    }
    return { locks, queues };
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

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
