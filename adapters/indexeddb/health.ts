import type { Medium } from "./medium.ts";

/** How a store is. */
export type HealthState =
  | "unopened" // nothing was read or written yet
  | "ok"
  | "blocked" // another tab holds an older form of the database open
  | "reopening" // the browser has closed the database; the next call opens it again
  | "full" // there is no room for new runs; those that are there go on
  | "lost" // the browser has deleted the store that was known here
  | "failing" // the last call failed for another reason
  | "closed";

/** How a store is, and what is known of where it lies. */
export interface StoreHealth {
  /** How it is. */
  readonly state: HealthState;
  /** What is wrong; absent: nothing. */
  readonly problem?: string;
  /** Made when the store was created; another one means that the browser has deleted the store. */
  readonly storeId?: string;
  /** When it was created. */
  readonly createdAt?: Date;
  /** Whether there was nothing under its name when it was last opened here. */
  readonly isNew?: boolean;
  /** The store that was known here before and is gone, with all that was in it. */
  readonly lostStoreId?: string;
  /**
   * Whether a store that the browser deletes between two visits would be missed here. Workers would not: they cannot know
   * more than that it is new.
   */
  readonly noticesLoss: boolean;
  /** Where it lies; `unknown` until it is opened. */
  readonly medium: Medium;
  /** Bytes that this site used when there was last a look, if the browser tells. */
  readonly usageBytes?: number;
  /** Bytes that this site might use then. Chromium names 10 GiB more than are used, whatever there is. */
  readonly quotaBytes?: number;
}

/** Remembers how a store is, and tells of changes. */
export class Health {
  #now: StoreHealth;
  readonly #listeners = new Set<(health: StoreHealth) => void>();

  constructor(noticesLoss: boolean) {
    this.#now = { state: "unopened", noticesLoss, medium: "unknown" };
  }

  get now(): StoreHealth {
    return this.#now;
  }

  /** Something more is known; how it is stays. */
  note(facts: Partial<Pick<StoreHealth, "medium" | "usageBytes" | "quotaBytes">>): void {
    const isNews = facts.medium !== undefined && facts.medium !== this.#now.medium;
    this.#now = { ...this.#now, ...facts };
    if (isNews) this.#tell();
  }

  /** Something has changed; what is not given stays, but for the problem. */
  set(change: Partial<StoreHealth> & Pick<StoreHealth, "state">): void {
    const { problem: _, ...rest } = this.#now;
    // What was lost stays so, whatever works since.
    const state = rest.lostStoreId !== undefined && change.state === "ok" ? "lost" : change.state;
    const next = { ...rest, ...change, state };
    const isSame = next.state === this.#now.state && next.problem === this.#now.problem &&
      next.storeId === this.#now.storeId;
    this.#now = next;
    if (!isSame) this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) tell(listener, this.#now);
  }

  /** @returns Ends it. */
  listen(listener: (health: StoreHealth) => void): () => void {
    const own = (health: StoreHealth) => listener(health);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }
}

function tell(listener: (health: StoreHealth) => void, health: StoreHealth): void {
  try {
    listener(health);
  } catch {
    // Whoever listens is not to harm the store.
  }
}
