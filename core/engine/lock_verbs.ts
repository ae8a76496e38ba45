/**
 * Locks as callers see them: outside of any run, and for operators.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import {
  decodeLock,
  type LockHolder,
  type LockKind,
  type LockRecord,
  shareOf,
} from "../parts/lock_record.ts";
import { decodeWaiter, type LockWaiter } from "../parts/lock_rows.ts";
import { keyAfter, splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import { checkName, cutReason } from "./check_input.ts";
import type { EngineContext } from "./context.ts";
import type { AcquireOptions, Wanted } from "./lock_clients.ts";
import type { Hold } from "./lock_hold.ts";
import { defaultNamespace, lockDemands, type LockShare } from "./lock_wish.ts";
import type { Locks } from "./locks.ts";

/** Where a lock is. */
export interface LockPlace {
  /** Where its name is unique; default `default`. */
  readonly namespace?: string;
}

/** A lock, or one side of it, to be held by your own code. */
export interface Lock {
  /** Its name; of several, the first. */
  readonly name: string;
  /** Its namespace. */
  readonly namespace: string;
  /**
   * Waits in the order of requests until it is granted; it is renewed until it is released.
   *
   * @param options `timeout`, `hold`, `signal`, `holder`, `reenter`.
   * @returns The hold, to be released.
   * @throws {PawlError} `LOCK_TIMEOUT`, `ALREADY_HELD`, `DEADLOCK`, `ENGINE_STOPPED`, or the signal's reason.
   */
  acquire(options?: AcquireOptions): Promise<Hold>;
  /**
   * The hold, if it can be granted now; `undefined`: others have it, or wait for it.
   *
   * @param options `hold`, `holder`, `reenter`.
   * @returns The hold.
   */
  tryAcquire(options?: Omit<AcquireOptions, "timeout" | "signal">): Promise<Hold | undefined>;
}

/** A lock that readers share, and a writer has alone; whoever waits first goes first. */
export interface ReadWriteLock {
  /** What readers hold. */
  readonly read: Lock;
  /** What a writer holds. */
  readonly write: Lock;
}

/** One who holds a lock. */
export interface LockHolderView {
  /** Who: a run's id, or what `acquire` was given. */
  readonly holder: string;
  /** The definition of the run that holds it; absent: no run does. */
  readonly definition?: string;
  /** Grows with every grant of this lock. */
  readonly token: number;
  /** Permits it takes. */
  readonly permits: number;
  /** When it was granted. */
  readonly since: Date;
  /** When it is over unless it is renewed. */
  readonly until?: Date;
}

/** One who waits for a lock. */
export interface LockWaiterView {
  /** Who: a run's id, or what `acquire` was given. */
  readonly holder: string;
  /** The definition of the run that waits; absent: no run does. */
  readonly definition?: string;
  /** How many go first, counted from 1 for the next. */
  readonly position: number;
  /** When it was asked for. */
  readonly since: Date;
}

/** A lock as it is now. */
export interface LockInfo {
  /** Where its name is unique. */
  readonly namespace: string;
  /** Its name. */
  readonly name: string;
  /** What it is used as. */
  readonly kind: LockKind;
  /** Permits there are. */
  readonly permits: number;
  /** The last token that was given. */
  readonly lastToken: number;
  /** Who holds it. */
  readonly holders: readonly LockHolderView[];
  /** How many wait. */
  readonly waiting: number;
  /** The first of them, at most 100. */
  readonly waiters: readonly LockWaiterView[];
}

/** Which locks to list. */
export interface LockQuery extends LockPlace {
  /** Locks at most; default and maximum `limits.pageMax`. */
  readonly limit?: number;
  /** From the page before. */
  readonly cursor?: string;
}

/** One page of locks. */
export interface LockPage {
  /** By name. */
  readonly items: readonly Omit<LockInfo, "waiters">[];
  /** Where the next page begins; absent: there is none. */
  readonly cursor?: string;
}

/** Which hold is to end. */
export interface ForceReleaseOptions extends LockPlace {
  /** Only the hold of this token; default: all holds of the lock. */
  readonly token?: number;
  /** Why; kept in the histories of runs that lose it. */
  readonly reason?: string;
  /**
   * Grants it to the next before a run that holds it has been told. Until then two may take themselves for its holder, and
   * only the token tells them apart.
   */
  readonly force?: boolean;
}

/** Locks of several names, and what operators need. */
export interface LockVerbs {
  /**
   * Several locks of one namespace, granted together or not at all.
   *
   * @param names Their names.
   * @param place `namespace`.
   * @returns One lock of all of them.
   */
  all(names: readonly string[], place?: LockPlace): Lock;
  /**
   * A lock as it is now; `undefined`: nobody has ever asked for it.
   *
   * @param name Its name.
   * @param place `namespace`.
   * @returns Who has it, and who waits.
   */
  inspect(name: string, place?: LockPlace): Promise<LockInfo | undefined>;
  /**
   * One page of the locks of a namespace.
   *
   * @param query `namespace`, page size, and the cursor of the page before.
   * @returns The locks, and the cursor of the next page if there is one.
   */
  list(query?: LockQuery): Promise<LockPage>;
  /**
   * Takes a lock away from its holders. A run is told first, in its record: what its step comes to lands no more.
   *
   * @param name Its name.
   * @param options `namespace`, `force`.
   * @returns How many held it.
   * @throws {PawlError} `UNKNOWN_DEFINITION` when a run of a definition holds it that this engine does not carry.
   */
  forceRelease(name: string, options?: ForceReleaseOptions): Promise<number>;
}

/** Waiters that are shown. */
const waitersMax = 100;

/**
 * @param context The engine.
 * @param locks Its locks.
 * @param share What of the lock.
 * @param require Refuses a verb of a stopped engine.
 * @returns The lock.
 * @throws {PawlError} `INVALID_ARGUMENT`.
 */
export function lockOf(
  context: EngineContext,
  locks: Locks,
  names: string | readonly string[],
  share: LockShare & LockPlace,
  require: (verb: string) => void,
): Lock {
  const { namespace = defaultNamespace, ...of } = share;
  checkName(namespace, "lock namespace", context.limits.nameLengthMax);
  const wanted: Wanted = { namespace, wants: lockDemands(names, of, context.limits) };
  return {
    name: wanted.wants[0]!.name,
    namespace,
    async acquire(options = {}) {
      require("acquire a lock");
      return (await locks.clients.acquire(wanted, options, true))!;
    },
    async tryAcquire(options = {}) {
      require("acquire a lock");
      return await locks.clients.acquire(wanted, options, false);
    },
  };
}

/** The verbs of `engine.locks`. */
export function lockVerbs(
  context: EngineContext,
  locks: Locks,
  require: (verb: string) => void,
): LockVerbs {
  const read = (name: string, namespace = defaultNamespace) => readLock(context, locks, namespace, name);
  return {
    all: (names, place = {}) => lockOf(context, locks, names, place, require),
    async inspect(name, { namespace } = {}) {
      require("inspect a lock");
      const found = await read(name, namespace);
      return found && { ...viewOf(found.lock), waiters: found.waiters.map(waiterView) };
    },
    async list(query = {}) {
      require("list locks");
      return await listLocks(context, locks, query);
    },
    async forceRelease(name, options = {}) {
      require("release a lock");
      const found = await read(name, options.namespace);
      const held = (found?.lock.holders ?? []).filter(({ token }) => (options.token ?? token) === token);
      for (const { run } of held) checkCarried(context, run);
      const reason = cutReason(options.reason, context.limits.messageLengthMax, "released by an operator");
      for (const holder of held) await locks.revoke(found!.lock, holder, reason, options.force);
      return held.length;
    },
  };
}

function checkCarried({ definitions }: EngineContext, run: string | undefined): void {
  if (run === undefined || definitions.has(run)) return;
  throw new PawlError(
    "UNKNOWN_DEFINITION",
    `Cannot release the lock of a run of "${run}": this engine does not carry it, and it must be told first`,
  );
}

async function readLock(
  { reader, limits }: EngineContext,
  locks: Locks,
  namespace: string,
  name: string,
): Promise<{ readonly lock: LockRecord; readonly waiters: readonly LockWaiter[] } | undefined> {
  checkName(namespace, "lock namespace", limits.nameLengthMax);
  checkName(name, "lock name", limits.nameLengthMax);
  const [[entry], waiters] = await reader.read(locks.table.shardOf(namespace), [
    { get: keyspace.lock.key(namespace, name) },
    { ...keyspace.wait.range(namespace, name), limit: waitersMax },
  ]) as [Awaited<ReturnType<typeof reader.read>>[0], Awaited<ReturnType<typeof reader.read>>[0]];
  return entry && { lock: decodeLock(namespace, name, entry), waiters: waiters.map(decodeWaiter) };
}

function viewOf(lock: LockRecord): Omit<LockInfo, "waiters"> {
  const { namespace, name, kind, capacity, tokens, holders, waiters } = lock;
  return {
    namespace,
    name,
    kind,
    permits: capacity,
    lastToken: tokens,
    holders: holders.map((holder) => holderView(lock, holder)),
    waiting: waiters,
  };
}

function holderView(
  lock: LockRecord,
  { holder, run, token, weight, since, until }: LockHolder,
): LockHolderView {
  return {
    holder,
    token,
    permits: shareOf(lock, weight),
    since: new Date(since),
    ...(run !== undefined && { definition: run }),
    ...(until !== undefined && { until: new Date(until) }),
  };
}

function waiterView({ holder, run, since }: LockWaiter, index: number): LockWaiterView {
  return {
    holder,
    position: index + 1,
    since: new Date(since),
    ...(run !== undefined && { definition: run }),
  };
}

async function listLocks(
  { reader, limits }: EngineContext,
  locks: Locks,
  { namespace = defaultNamespace, limit = limits.pageMax, cursor }: LockQuery,
): Promise<LockPage> {
  checkName(namespace, "lock namespace", limits.nameLengthMax);
  if (!Number.isInteger(limit) || limit < 1 || limit > limits.pageMax) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot list locks: got limit ${limit}, want 1 to ${limits.pageMax}`,
    );
  }
  if (cursor !== undefined) checkName(cursor, "cursor", limits.nameLengthMax);
  const range = keyspace.lock.range(namespace);
  const start = cursor === undefined ? range.start : keyAfter(keyspace.lock.key(namespace, cursor));
  const [entries] = await reader.read(locks.table.shardOf(namespace), [{ ...range, start, limit }]);
  const items = entries!.map((entry) =>
    viewOf(decodeLock(namespace, unescapeText(splitKey(entry.key)[2]!), entry))
  );
  return { items, ...(items.length === limit && { cursor: items.at(-1)!.name }) };
}
