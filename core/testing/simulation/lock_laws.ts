import { decodeLock, fits, lockDue, type LockRecord, shareOf } from "../../parts/lock_record.ts";
import { decodeWaiter, type LockWaiter } from "../../parts/lock_rows.ts";
import { splitKey, unescapeText } from "../../store/key.ts";
import type { Batch } from "../../store/store.ts";
import { tokensByName } from "../../parts/run_record.ts";
import type { StepCall } from "../../engine/behaviour.ts";
import type { Host } from "./host.ts";
import { type RunChange, short } from "./laws.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** The locks of a store at one moment, by namespace and name. */
export interface LockPicture {
  readonly locks: ReadonlyMap<string, LockRecord>;
  /** Who waits for each, in order. */
  readonly queues: ReadonlyMap<string, readonly LockWaiter[]>;
}

/** Says what is wrong, if anything is. */
export type Judge = (condition: boolean, problem: () => string) => void;

/**
 * @param rows Rows of the store, in any order.
 * @returns The locks among them.
 */
export function pictureOf(
  rows: Iterable<readonly [key: string, row: { readonly value: string }]>,
): LockPicture {
  const locks = new Map<string, LockRecord>();
  const queues = new Map<string, LockWaiter[]>();
  for (const [key, { value }] of rows) {
    if (!key.startsWith("lock ") && !key.startsWith("wait ")) continue;
    const [space, namespace, name] = splitKey(key).map(unescapeText);
    const lock = `${namespace}/${name}`;
    const entry = { key, value, version: 0 };
    if (space === "lock") locks.set(lock, decodeLock(namespace!, name!, entry));
    else queues.set(lock, [...queues.get(lock) ?? [], decodeWaiter(entry)]);
  }
  for (const queue of queues.values()) queue.sort((a, b) => a.place - b.place);
  return { locks, queues };
}

/**
 * I11 of one commit: no more holders than permits, tokens that only grow, nobody before those who asked earlier, and nobody
 * left waiting for what is free.
 *
 * @param mostOf The most permits a lock may have had in between: requests of one commit may ask for other numbers of them.
 * @returns Grants to requests that had waited, and all.
 */
export function judgeLocks(
  before: LockPicture,
  after: LockPicture,
  judge: Judge,
  mostOf: (lock: LockRecord) => number = ({ capacity }) => capacity,
): readonly [number, number] {
  let waited = 0;
  let all = 0;
  for (const key of before.locks.keys()) judge(after.locks.has(key), () => `lock ${key} is gone`);
  for (const [key, lock] of after.locks) {
    const old = before.locks.get(key);
    const queue = after.queues.get(key) ?? [];
    judge(lock.waiters === queue.length, () => `${key} counts ${lock.waiters} waiters of ${queue.length}`);
    const last = old?.tokens ?? 0;
    judge(lock.tokens >= last, () => `the tokens of ${key} go back to ${lock.tokens}`);
    const fresh = lock.holders.filter(({ token }) => token > last);
    const known = new Set(old?.holders.map(({ token }) => token));
    for (const { token } of lock.holders) {
      judge(
        token <= lock.tokens && (token > last || known.has(token)),
        () => `${key} gives token ${token} twice`,
      );
    }
    const used = lock.holders.reduce((sum, { weight }) => sum + shareOf(lock, weight), 0);
    judge(
      fresh.length === 0 || used <= mostOf(lock),
      () => `${key} gives ${used} of ${lock.capacity} permits`,
    );
    all += fresh.length;
    for (const { request } of fresh) {
      const waiting = before.queues.get(key) ?? [];
      const place = waiting.find((each) => each.request === request)?.place ?? Infinity;
      if (place < Infinity) waited++;
      const isLeft = (each: LockWaiter) => queue.some((left) => left.place === each.place);
      const passed = waiting.find((each) => each.place < place && isLeft(each));
      judge(!passed, () => `${key} is granted to ${request} before ${passed!.request}`);
    }
    const [first] = queue;
    const isFree = first?.deadline === undefined && first?.wants.every(({ name, weight }) => {
      const each = `${lock.namespace}/${name}`;
      return after.queues.get(each)?.[0]?.place === first.place && fits(after.locks.get(each)!, weight);
    });
    judge(!isFree, () => `${first!.request} waits for ${key} though it is free`);
  }
  return [waited, all];
}

/** I11: watches every batch that touches a lock, and what runs take themselves for. */
export class LockLaws {
  readonly #world: World;
  readonly #shadow: Shadow;
  #before: LockPicture | undefined;
  /** The token of the attempt that was begun last, by host, run and visit. */
  readonly #begun = new Map<string, number>();
  readonly #pictures: { revision: number; picture: LockPicture }[] = [];

  constructor(world: World, shadow: Shadow) {
    this.#world = world;
    this.#shadow = shadow;
  }

  /** A batch is about to be applied. */
  before(host: Host, shard: number, batch: Batch): void {
    const locks = batch.puts.filter(({ key }) => key.startsWith("lock "));
    this.#before = locks.length > 0 ? this.#picture(shard) : undefined;
    for (const { key, value } of locks) {
      const [, namespace, name] = splitKey(key).map(unescapeText);
      const { holders, waiters } = decodeLock(namespace!, name!, { key, value, version: 0 });
      const held = holders.map(({ holder, token }) => `${short(holder)} under ${token}`).join(", ") ||
        "nobody";
      this.#world.log(`${host.name} writes lock ${namespace}/${name}: ${held}; ${waiters} wait`);
    }
  }

  /** It has been applied. */
  after(shard: number): void {
    const before = this.#before;
    if (!before) return;
    const after = this.#picture(shard);
    judgeLocks(before, after, (condition, problem) => void this.#world.expect(condition, "I11", problem));
    for (const [key, { holders }] of before.locks) {
      const left = after.locks.get(key)?.holders ?? [];
      const gone = holders.filter(({ run, token }) =>
        run !== undefined && !left.some((each) => each.token === token)
      );
      for (const { holder, request } of gone) {
        const lock = this.#shadow.run(holder)?.lock;
        const isBetrayed = lock?.request === request && lock.tokens !== undefined;
        this.#world.expect(
          !isBetrayed,
          "I11",
          () => `${key} is taken from run ${holder}, which still counts on it`,
        );
      }
    }
  }

  #picture(shard: number): LockPicture {
    const { revision, rows } = this.#shadow;
    const known = this.#pictures[shard];
    if (known?.revision === revision) return known.picture;
    const picture = pictureOf(rows[shard]!);
    this.#pictures[shard] = { revision, picture };
    return picture;
  }

  get #all(): readonly LockPicture[] {
    return this.#shadow.rows.map((_, shard) => this.#picture(shard));
  }

  /** User code of a step begins. */
  started(host: Host, { runId, stepId, lock }: StepCall): void {
    if (lock) this.#begun.set(`${host.name} ${runId} ${stepId.split(":")[1]}`, lock.token);
  }

  /** A run has changed: what its step has done under a lock is told under that lock, and what it takes itself for it holds. */
  changed(change: RunChange): void {
    this.#landed(change);
    const { id, lock } = change.after;
    if (!lock?.tokens) return;
    for (const [name, token] of Object.entries(tokensByName(lock))) {
      const key = `${lock.namespace}/${name}`;
      const held = this.#lock(key)?.holders.find((each) => each.request === lock.request);
      this.#world.expect(
        held?.token === token,
        "I11",
        () => `run ${id} takes itself for the holder of ${key}`,
      );
    }
  }

  /** An attempt that has outlived its lock lands no more, whoever holds it now. */
  #landed({ host, event, before }: RunChange): void {
    if (!before || event.by !== "step" || event.kind === "error") return;
    const token = this.#begun.get(`${host.name} ${before.id} ${before.visit}`);
    if (token === undefined) return;
    this.#world.expect(
      before.lock?.tokens?.[0] === token,
      "I11",
      () => `run ${before.id} lands its ${event.kind} under token ${token}, and holds ${before.lock?.tokens}`,
    );
  }

  #lock(wanted: string): LockRecord | undefined {
    for (const { locks } of this.#all) {
      const found = locks.get(wanted);
      if (found) return found;
    }
    return undefined;
  }

  /** Every run that holds a lock knows of it: a grant that was lost on its way has come back. */
  get areAtRest(): boolean {
    return this.#all.every(({ locks }) =>
      [...locks.values()].every(({ holders }) =>
        holders.every(({ run, holder, request }) =>
          run === undefined || this.#shadow.run(holder)?.lock?.request === request
        )
      )
    );
  }

  /** What will be looked at by somebody: holds that end, and grants that may be unheard. */
  isQuietUntil(until: number): boolean {
    return this.#all.every(({ locks }) =>
      [...locks.values()].every((lock) => (lockDue(lock) ?? Infinity) > until)
    );
  }
}
