/**
 * What the tests of locks share: a table of locks of one engine, and short ways to ask of it.
 *
 * @module
 */
import { contextOf } from "../../core/engine/options.ts";
import { LockTable } from "../../core/engine/lock_table.ts";
import { decodeLock, type LockRecord } from "../../core/parts/lock_record.ts";
import {
  type GivenUp,
  giveUp,
  type LockAnswer,
  type LockDemand,
  type LockRequest,
  requestLocks,
} from "../../core/parts/lock_ops.ts";
import type { LockGrant } from "../../core/parts/lock_view.ts";
import { seededRandom } from "../../core/ports/random.ts";
import { splitKey, unescapeText } from "../../core/store/key.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import type { EngineContext } from "../../core/engine/context.ts";
import { type Clock, silentLogger, type Store } from "../../mod.ts";

/** The namespace of all of them. */
export const namespace = "tests";

/** A mutex, as a request wants it. */
export const mutex = (name: string): LockDemand => ({ name, weight: 0, kind: "mutex", capacity: 1 });

/** So many permits of a semaphore. */
export const permits = (name: string, capacity: number, weight = 1): LockDemand => ({
  name,
  weight,
  kind: "semaphore",
  capacity,
});

/** One side of a read-write lock. */
export const reading = (name: string): LockDemand => ({
  name,
  weight: 1,
  kind: "readWrite",
  capacity: 1_000,
});
export const writing = (name: string): LockDemand => ({
  name,
  weight: 0,
  kind: "readWrite",
  capacity: 1_000,
});

/** Asks one engine's table. */
export class LockStage {
  readonly table: LockTable;
  /** Requests that were granted by others' releases, in order. */
  readonly granted: string[] = [];
  readonly #context: EngineContext;

  constructor(store: Store, clock: Clock, seed = 1) {
    const context = contextOf({
      store,
      clock,
      random: seededRandom(seed),
      logger: silentLogger,
      definitions: [],
    }, []);
    this.#context = context as EngineContext;
    this.table = new LockTable(this.#context, (_, grants) => this.#heard(grants));
  }

  #heard(grants: readonly LockGrant[]): void {
    for (const { request } of grants) this.granted.push(request);
  }

  async ask(
    request: string,
    wants: readonly LockDemand[],
    also: Partial<LockRequest> = {},
  ): Promise<LockAnswer> {
    const whole: LockRequest = { request, holder: request, wants, mayWait: true, ...also };
    const { result } = await this.table.do({
      namespace,
      names: wants.map(({ name }) => name),
      ask: whole,
      decide: (view) => requestLocks(view, whole, this.table.care),
    });
    return result;
  }

  async end(request: string, names: readonly string[], holder = request): Promise<GivenUp> {
    const { result } = await this.table.do({
      namespace,
      names,
      ask: { holder, request },
      decide: (view) => giveUp(view, names, { holder, request }),
    });
    return result;
  }

  async lock(name: string): Promise<LockRecord | undefined> {
    const shard = this.table.shardOf(namespace);
    const entry = await this.#context.reader.get(shard, keyspace.lock.key(namespace, name));
    return entry && decodeLock(namespace, name, entry);
  }

  async holders(name: string): Promise<readonly string[]> {
    return (await this.lock(name))?.holders.map(({ request }) => request) ?? [];
  }

  /** Requests that wait for a lock, in order. */
  async waiters(name: string): Promise<readonly string[]> {
    const shard = this.table.shardOf(namespace);
    const range = keyspace.wait.range(namespace, name);
    const [entries] = await this.#context.reader.read(shard, [{ ...range, limit: 1_000 }]);
    return entries!.map(({ value }) => JSON.parse(value).request);
  }

  /** Rows that are left of requests, whatever their lock. */
  async leftovers(): Promise<readonly string[]> {
    const shard = this.table.shardOf(namespace);
    const ops = [keyspace.wait, keyspace.ask, keyspace.lockDue].map((space) => ({
      ...space.range(),
      limit: 1_000,
    }));
    const found = await this.#context.reader.read(shard, ops);
    return found.flat().map(({ key }) => splitKey(key).map(unescapeText).join(" "));
  }
}
