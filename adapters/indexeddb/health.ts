/** How a store is. */
export type HealthState =
  | "unopened" // nothing was read or written yet
  | "ok"
  | "blocked" // another tab holds an older form of the database open
  | "reopening" // the browser has closed the database; the next call opens it again
  | "full" // the last commit met the site's quota
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
  /** The store that was known here before and is gone, with all that was in it. */
  readonly lostStoreId?: string;
}

/** Remembers how a store is, and tells of changes. */
export class Health {
  #now: StoreHealth = { state: "unopened" };
  readonly #listeners = new Set<(health: StoreHealth) => void>();

  get now(): StoreHealth {
    return this.#now;
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
    if (!isSame) { for (const listener of [...this.#listeners]) tell(listener, next); }
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
