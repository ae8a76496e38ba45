/**
 * What clients asked of a store and were told, with when.
 *
 * @module
 */
import type { CallResult, CommitCall, ReadRequest, ReadResult, Version } from "../../core/store/store.ts";

/** What every operation has. Moments are milliseconds of one clock, or numbers of one counter. */
interface Asked {
  /** Unique in the history; begins with the client's name. */
  readonly id: string;
  /** A moment surely before the store was asked. */
  readonly began: number;
  /** A moment surely after its answer; `Infinity`: it was never answered. */
  readonly ended: number;
}

/** A read that was answered. One that failed tells nothing, and is left out. */
export interface ReadOperation extends Asked {
  readonly kind: "read";
  readonly requests: readonly ReadRequest[];
  readonly answer: readonly ReadResult[];
}

/** A commit, whatever became of it. */
export interface CommitOperation extends Asked {
  readonly kind: "commit";
  readonly calls: readonly CommitCall[];
  /**
   * `unknown`: it may have happened at any moment since, or will, or never. `refused`: the store said that nothing was
   * written, as when it is busy.
   */
  readonly answer: readonly CallResult[] | "unknown" | "refused";
  /** Of an unknown one: it has happened by then or never will, as whoever could bring it about is gone. */
  readonly until?: number;
}

/** One request to the store. */
export type Operation = ReadOperation | CommitOperation;

/** A history: every write to the keys that it reads is in it, and these keys were absent at its start. */
export interface History {
  /** Whether the store keeps the outcome rows of rule 4. */
  readonly outcomes: boolean;
  /** Versions of each shard were at least this high before; default 0. */
  readonly floor?: readonly Version[];
  readonly operations: readonly Operation[];
}
