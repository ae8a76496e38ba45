import type { ShardOverlay } from "../../core/store/overlay.ts";
import type { Version } from "../../core/store/store.ts";
import type { Handle } from "./database.ts";

/** Keys of a shard that are remembered; a key that is forgotten is asked for. */
const keysMax = 10_000;

/** What is known of a shard as long as its counter stands where it was left: every commit of every tab moves it. */
export class RememberedShard {
  #counter: Version | undefined;
  readonly #versions = new Map<string, Version | null>();
  readonly #outcomes = new Map<string, string>();

  /** Whether nobody has written since. */
  isCurrent(counter: Version): boolean {
    return counter === this.#counter;
  }

  /** The version of a key; `null`: it is absent; `undefined`: not known. */
  versionOf(key: string): Version | null | undefined {
    return this.#versions.get(key);
  }

  /** The value of an outcome row. */
  outcomeOf(key: string): string | undefined {
    return this.#outcomes.get(key);
  }

  /** A commit has been made: what it found and what it wrote is true now. */
  learn(overlay: ShardOverlay, outcomeKeys: readonly string[]): void {
    if (!this.isCurrent(overlay.found)) this.#forget();
    this.#counter = overlay.counter;
    for (const [key, version] of overlay.known) this.#versions.set(key, version);
    for (const [key, row] of overlay.written) this.#versions.set(key, row?.version ?? null);
    for (const key of outcomeKeys) this.#outcomes.set(key, overlay.valueOf(key)!);
    if (this.#versions.size > keysMax || this.#outcomes.size > keysMax) this.#forget();
  }

  #forget(): void {
    this.#counter = undefined;
    this.#versions.clear();
    this.#outcomes.clear();
  }
}

const byHandle = new WeakMap<Handle, Map<number, RememberedShard>>();

/** What is remembered of a shard while this handle is open: under the next one, the database may be another. */
export function rememberedBy(handle: Handle, shard: number): RememberedShard {
  let shards = byHandle.get(handle);
  if (!shards) byHandle.set(handle, shards = new Map());
  let remembered = shards.get(shard);
  if (!remembered) shards.set(shard, remembered = new RememberedShard());
  return remembered;
}
