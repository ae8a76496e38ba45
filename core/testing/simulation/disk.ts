import { memoryStore, type MemoryStoreOptions } from "../../../adapters/memory/mod.ts";
import type { CommitCall, Store } from "../../store/store.ts";
import type { BrowserHandle } from "./browser_handle.ts";

/** What the one store of a world lies on. */
export class Disk {
  /** The store as it is now. */
  store: Store;
  /** Grows with each power cut: what is on its way to the store of an earlier one never arrives. */
  era = 0;
  /** All that were ever opened. */
  readonly handles = new Set<BrowserHandle>();
  readonly #options: MemoryStoreOptions;

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
    this.store = memoryStore(options);
  }

  /** A power cut: another store holds these commits and no others. Nobody is left who knows the one before. */
  cut(commits: readonly (readonly CommitCall[])[]): void {
    this.era++;
    this.handles.clear();
    this.store = memoryStore(this.#options);
    // It applies at once, and what it has taken before it takes again.
    for (const calls of commits) this.store.commit(calls).catch(() => {});
  }
}
