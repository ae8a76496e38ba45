/** Remembers beside the database which store it held, so that one which the browser has deleted is missed. */
export interface KnownStore {
  /** Whether anything is remembered past the end of the page. */
  readonly isKept: boolean;
  /** The store that was last opened under this name. */
  get(): string | undefined;
  /** Remembers another. */
  set(id: string): void;
}

/**
 * What is known of a database by its name: in `localStorage`, where there is one. Workers have none, and a browser that
 * deletes a whole site deletes that too; but a page that is open, or data cleared by kind, shows the loss.
 */
export function knownStore(name: string): KnownStore {
  const key = `pawl store ${name}`;
  return {
    isKept: canKeep(),
    get() {
      try {
        return globalThis.localStorage?.getItem(key) ?? undefined;
      } catch {
        return undefined;
      }
    },
    set(id) {
      try {
        globalThis.localStorage?.setItem(key, id);
      } catch {
        // Where it may not be written, nothing is missed.
      }
    },
  };
}

function canKeep(): boolean {
  try {
    return globalThis.localStorage !== undefined;
  } catch {
    return false;
  }
}
