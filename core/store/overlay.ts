import type { ShardView } from "./settle.ts";
import type { CommitCall, Version } from "./store.ts";

/** One shard during one commit: what the database held of the keys that matter, under what the commit writes. */
export class ShardOverlay implements ShardView {
  /** The shard. */
  readonly shard: number;
  /** Versions of all checked keys. At first the versions they are expected to have. */
  readonly known = new Map<string, Version | null>();
  /** What the commit has written so far; `null`: removed. */
  readonly written = new Map<string, { readonly value: string; readonly version: Version } | null>();
  readonly #values = new Map<string, string>();
  #counter = 0;
  #loaded = 0;

  /**
   * @param shard The shard.
   */
  constructor(shard: number) {
    this.shard = shard;
  }

  /** Notes a key that will be checked. */
  expect(key: string, version: Version | null): void {
    if (!this.known.has(key)) this.known.set(key, version);
  }

  /** The shard's version counter, as the database has it. */
  load(counter: Version): void {
    this.#counter = counter;
    this.#loaded = counter;
  }

  /** The shard's version counter, as the database had it. */
  get found(): Version {
    return this.#loaded;
  }

  /** The shard's version counter, as the commit leaves it. */
  get counter(): Version {
    return this.#counter;
  }

  /** Whether a version was given out, be it to a batch that writes nothing. */
  get isDirty(): boolean {
    return this.#counter > this.#loaded;
  }

  versionOf(key: string): Version | undefined {
    const written = this.written.get(key);
    if (written !== undefined) return written?.version;
    return this.known.get(key) ?? undefined;
  }

  /** The value of an outcome row, as the database has it; only where replies can be lost. */
  loadValue(key: string, value: string): void {
    this.#values.set(key, value);
  }

  valueOf(key: string): string | undefined {
    return this.written.get(key)?.value ?? this.#values.get(key);
  }

  nextVersion(): Version {
    return ++this.#counter;
  }

  put(key: string, value: string, version: Version): void {
    this.written.set(key, { value, version });
  }

  delete(key: string): void {
    this.written.set(key, null);
  }
}

/**
 * An overlay for each shard of a commit, with all keys noted that it checks.
 *
 * @param calls The commit.
 * @returns Overlays by shard.
 */
export function overlaysOf(calls: readonly CommitCall[]): Map<number, ShardOverlay> {
  const overlays = new Map<number, ShardOverlay>();
  for (const call of calls) {
    let overlay = overlays.get(call.shard);
    if (!overlay) overlays.set(call.shard, overlay = new ShardOverlay(call.shard));
    if (call.guard) overlay.expect(call.guard.key, call.guard.version);
    for (const batch of call.batches) {
      for (const check of batch.checks) overlay.expect(check.key, check.version);
    }
  }
  return overlays;
}
