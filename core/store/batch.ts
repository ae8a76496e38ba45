import { invariant } from "../invariant.ts";
import type { Batch, Check, Put, Version } from "./store.ts";

/** Gathers the checks, puts and deletes of one atomic change. */
export class BatchBuilder implements Batch {
  /** All must hold. */
  readonly checks: Check[] = [];
  /** Values to write. */
  readonly puts: Put[] = [];
  /** Keys to remove. */
  readonly deletes: string[] = [];
  /** May be lost by a power cut after it was answered. */
  readonly relaxed: boolean;

  /**
   * @param options `relaxed`: step progress only; what anybody outside was told must be strict.
   */
  constructor(options: { readonly relaxed?: boolean } = {}) {
    this.relaxed = options.relaxed ?? false;
  }

  /**
   * Requires a version of a key; `null` requires its absence.
   *
   * @returns This builder.
   */
  check(key: string, version: Version | null): this {
    this.checks.push({ key, version });
    return this;
  }

  /**
   * Writes a value.
   *
   * @returns This builder.
   */
  put(key: string, value: string): this {
    this.puts.push({ key, value });
    return this;
  }

  /**
   * Writes a value under a key that ends in this batch's version.
   *
   * @returns This builder.
   */
  putStamped(front: string, value: string): this {
    this.puts.push({ key: front, value, stamped: true });
    return this;
  }

  /**
   * Removes a key.
   *
   * @returns This builder.
   */
  delete(key: string): this {
    this.deletes.push(key);
    return this;
  }
}

/**
 * Asserts the shape every store relies on: one write per key.
 *
 * @param batch A batch.
 */
export function assertBatch(batch: Batch): void {
  const written = [...batch.puts.map((put) => put.key), ...batch.deletes];
  invariant(new Set(written).size === written.length, `a batch writes a key twice: ${written.join(", ")}`);
}
