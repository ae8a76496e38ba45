/**
 * THE store contract: an ordered key-value store with atomic conditional batches, cut into shards.
 *
 * It is the only port that touches disks, and all of it is in this file. Adapters are proved by `storeConformance`
 * of `pawl/testing`. There are no transaction handles and no callbacks: IndexedDB commits a transaction when anything
 * foreign is awaited, and a remote SQL transaction costs a round trip per statement.
 *
 * 1. Calls, and the batches of a call, are independent and take effect in order. A batch sees what earlier batches of
 *    the commit wrote. A refused batch leaves nothing behind and harms no other.
 * 2. Versions are unique and strictly increasing per shard, and never reused, not even by delete and recreate.
 * 3. A call whose `guard` does not hold is refused as a whole.
 * 4. A lost reply is `OutcomeUnknownError`. A store where replies can be lost keeps, per shard and committer, the last
 *    call's id and results; a call that does not follow that id is `superseded` and gets the kept answer. So a later
 *    empty call settles the lost one: either it lands, and the lost one is now refused for ever, or it gets the answer.
 * 5. Keys are ASCII; their order is that of their code units.
 * 6. A commit outside `limits` is refused whole with an error; the caller packs by them.
 * 7. A commit that surely was not applied because the store is locked rejects with `StoreBusyError`; because it is
 *    away, with `STORE_UNREACHABLE`.
 * 8. A commit with any batch not marked `relaxed` is durable when it resolves, and so is every commit before it.
 *
 * @module
 */

/** Version of an entry: a whole number, unique and increasing within its shard, below 2^48. */
export type Version = number;

/** A stored value with its key and the version of the batch that wrote it. */
export interface Entry {
  /** Encoded key. */
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  /** Version of the batch that wrote it. */
  readonly version: Version;
}

/** One key, or a range of keys from `start` (inclusive) to `end` (exclusive) in key order. */
export type ReadOp =
  | { readonly get: string }
  | { readonly start: string; readonly end: string; readonly limit: number; readonly reverse?: boolean };

/** Reads in one shard; all of them see one snapshot. */
export interface ReadRequest {
  /** The shard. */
  readonly shard: number;
  /** What to read. */
  readonly ops: readonly ReadOp[];
}

/** One list of entries per op, in the op's order: of a `get`, none or one. */
export type ReadResult = readonly (readonly Entry[])[];

/** The key must have this version; `null`: the key must be absent. */
export interface Check {
  /** Encoded key. */
  readonly key: string;
  /** The version it must have. */
  readonly version: Version | null;
}

/** A value to write. */
export interface Put {
  /** Encoded key, or the front of it when `stamped`. */
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  /** The store appends the batch's version to the key, as `stamp` of `key.ts` writes it. */
  readonly stamped?: boolean;
}

/** Checks, puts and deletes that apply together or not at all. A batch writes one key at most once. */
export interface Batch {
  /** All must hold. */
  readonly checks: readonly Check[];
  /** Values to write. */
  readonly puts: readonly Put[];
  /** Keys to remove; removing an absent key is no error. */
  readonly deletes: readonly string[];
  /** May be lost by a power cut after it was answered; only a suffix of the commit order may. */
  readonly relaxed?: boolean;
}

/** Who commits, and which of their calls in this shard this is. */
export interface Committer {
  /** Unique to one group committer. */
  readonly id: string;
  /** Unique to this call. */
  readonly callId: string;
  /** The committer's last call in this shard whose fate it knows; absent for its first. */
  readonly previous?: string;
}

/** Batches for one shard under one guard. */
export interface CommitCall {
  /** The shard. */
  readonly shard: number;
  /** Who commits. */
  readonly committer: Committer;
  /** Must hold, or the whole call is refused: the owner's fence. */
  readonly guard?: Check;
  /** In order. */
  readonly batches: readonly Batch[];
}

/** What became of a batch: its version, or the index of the first check that failed. */
export type BatchResult =
  | { readonly ok: true; readonly version: Version }
  | { readonly ok: false; readonly failed: number };

/** What became of a call. */
export type CallResult =
  | { readonly outcome: "done"; readonly results: readonly BatchResult[] }
  | { readonly outcome: "guard-failed" }
  | { readonly outcome: "superseded"; readonly last?: LastCall };

/** The kept answer of a committer's last call in a shard. */
export interface LastCall {
  /** Which call. */
  readonly callId: string;
  /** Its results; absent when its guard failed. */
  readonly results?: readonly BatchResult[];
}

/** What one commit and one read may hold. */
export interface StoreLimits {
  /** Characters of a key. */
  readonly keyBytesMax: number;
  /** Characters of a value. */
  readonly valueBytesMax: number;
  /** Puts and deletes of one commit. */
  readonly writesPerCommitMax: number;
  /** Characters of all keys and values written by one commit. */
  readonly bytesPerCommitMax: number;
  /** Ops of one read. */
  readonly opsPerReadMax: number;
  /** Entries of one range. */
  readonly entriesPerRangeMax: number;
}

/** Called with a shard in which that committer changed something: a hint, never the truth. */
export type OnHint = (shard: number, committerId: string) => void;

/** A statement for a transaction of the user's own. */
export interface SqlStatement {
  /** SQL text. */
  readonly sql: string;
  /** Values of its question marks. */
  readonly args: (string | number)[];
}

/** A batch that somebody else commits, together with rows of his own. */
export interface PreparedBatch {
  /** Fail, and with them the transaction they are in, when a check of the batch does not hold. */
  readonly statements: readonly SqlStatement[];
  /** Whether a driver's error says that a check of a prepared batch did not hold. */
  isRefusal(error: unknown): boolean;
  /** Hints at the change, once it is committed. */
  announce(): void;
}

/** An ordered key-value store with atomic conditional batches. */
export interface Store {
  /** What it accepts. */
  readonly limits: StoreLimits;
  /** Number of shards, fixed when the store was created. */
  readonly shards: number;
  /** One snapshot per shard, one trip for all. */
  read(requests: readonly ReadRequest[]): Promise<readonly ReadResult[]>;
  /** One durable write for all. */
  commit(calls: readonly CommitCall[]): Promise<readonly CallResult[]>;
  /**
   * Subscribes to hints.
   *
   * @returns Ends the subscription.
   */
  watch?(onHint: OnHint): () => void;
  /**
   * Whether there is room for new runs; absent: always. A store that is nearly full says no, so that what room there is
   * serves the runs that are there: engines refuse triggers then, and nothing else. It must answer at once.
   */
  admits?(): boolean;
  /**
   * Words a batch for the user's own transaction, where the database can be reached by others.
   *
   * @returns What to run there.
   */
  prepare?(shard: number, batch: Batch): PreparedBatch;
  /** Ends all work; later calls reject with `StoreClosedError`. */
  close(): Promise<void>;
}
