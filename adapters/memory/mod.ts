/**
 * The memory store: the reference of the store contract, for tests and for work that may die with its process.
 *
 * @module
 */
import { PawlError, StoreClosedError } from "../../core/errors.ts";
import { checkCommit, checkRead, settleCall, type ShardView } from "../../core/store/settle.ts";
import type {
  CallResult,
  CommitCall,
  Entry,
  OnHint,
  ReadOp,
  ReadRequest,
  ReadResult,
  Store,
  StoreLimits,
  Version,
} from "../../core/store/store.ts";
import { KeyFamilies } from "./key_families.ts";

/** Options of {@linkcode memoryStore}. */
export interface MemoryStoreOptions {
  /** Number of shards; default 1. */
  readonly shards?: number;
  /** Smaller limits, for tests. */
  readonly limits?: Partial<StoreLimits>;
  /** Keep the outcome rows of rule 4: only where a wrapper may lose replies. Default false. */
  readonly keepOutcomes?: boolean;
}

const memoryLimits: StoreLimits = {
  keyBytesMax: 8_192,
  valueBytesMax: 16 * 1024 * 1024,
  writesPerCommitMax: 100_000,
  bytesPerCommitMax: 256 * 1024 * 1024,
  opsPerReadMax: 10_000,
  entriesPerRangeMax: 10_000,
};

/**
 * A store in this process's memory.
 *
 * @param options Shards and limits.
 * @returns A store; its content is gone when it is.
 *
 * @example
 * ```ts
 * import { memoryStore } from "pawl/adapters/memory";
 * const store = memoryStore();
 * await store.close();
 * ```
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const shards = options.shards ?? 1;
  if (!Number.isInteger(shards) || shards < 1 || shards > 65_536) {
    throw new PawlError("INVALID_ARGUMENT", `Cannot open store: got shards ${shards}, want 1 to 65536`);
  }
  return new MemoryStore(shards, { ...memoryLimits, ...options.limits }, options.keepOutcomes ?? false);
}

class MemoryShard implements ShardView {
  readonly entries = new Map<string, { value: string; version: Version }>();
  readonly #order = new KeyFamilies((key) => this.entries.has(key));
  #version = 0;

  versionOf(key: string) {
    return this.entries.get(key)?.version;
  }

  valueOf(key: string) {
    return this.entries.get(key)?.value;
  }

  nextVersion() {
    return ++this.#version;
  }

  put(key: string, value: string, version: number) {
    const held = this.entries.get(key);
    if (held) {
      held.value = value;
      held.version = version;
      return;
    }
    this.#order.added(key);
    this.entries.set(key, { value, version });
  }

  delete(key: string) {
    if (this.entries.delete(key)) this.#order.removed(key);
  }

  read(op: ReadOp): Entry[] {
    const keys = "get" in op ? [op.get] : this.#order.range(op.start, op.end, op.limit, op.reverse ?? false);
    const found: Entry[] = [];
    for (const key of keys) {
      const held = this.entries.get(key);
      if (held) found.push({ key, value: held.value, version: held.version });
    }
    return found;
  }
}

class MemoryStore implements Store {
  readonly limits: StoreLimits;
  readonly shards: number;
  readonly #shards: MemoryShard[];
  readonly #keepOutcomes: boolean;
  readonly #watchers = new Set<OnHint>();
  #closed = false;

  constructor(shards: number, limits: StoreLimits, keepOutcomes: boolean) {
    this.shards = shards;
    this.limits = limits;
    this.#keepOutcomes = keepOutcomes;
    this.#shards = Array.from({ length: shards }, () => new MemoryShard());
  }

  // deno-lint-ignore require-await
  async read(requests: readonly ReadRequest[]): Promise<readonly ReadResult[]> {
    if (this.#closed) throw new StoreClosedError("read");
    checkRead(requests, this.limits, this.shards);
    return requests.map((request) => request.ops.map((op) => this.#shards[request.shard]!.read(op)));
  }

  // deno-lint-ignore require-await
  async commit(calls: readonly CommitCall[]): Promise<readonly CallResult[]> {
    if (this.#closed) throw new StoreClosedError("commit");
    checkCommit(calls, this.limits, this.shards);
    const results = calls.map((call) => settleCall(call, this.#shards[call.shard]!, this.#keepOutcomes));
    for (const call of calls) {
      for (const watcher of this.#watchers) watcher(call.shard, call.committer.id);
    }
    return results;
  }

  watch(onHint: OnHint): () => void {
    this.#watchers.add(onHint);
    return () => this.#watchers.delete(onHint);
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}
