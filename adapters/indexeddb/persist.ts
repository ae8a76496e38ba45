/** What the browser said about keeping this site's data. */
export interface Persistence {
  /** Whether the browser has been asked: some have no such question, and pages without https cannot ask it. */
  readonly isSupported: boolean;
  /** Whether the browser has promised not to delete this site's data by itself. */
  readonly isPersisted: boolean;
  /** Bytes that this site uses, as far as the browser tells. */
  readonly usageBytes?: number;
  /** Bytes that this site may use. Chromium names 10 GiB more than are used, whatever there is. */
  readonly quotaBytes?: number;
  /** What is left of it. */
  readonly freeBytes?: number;
}

/**
 * Asks the browser not to delete this site's data by itself, as it otherwise may when the disk is full or the site was not
 * used for long. Call it after a click that made work that must last: Firefox asks the user, and answers when the user does;
 * Chromium and Safari decide by how much the site is used, so ask again on a later visit.
 *
 * @returns The answer; it never rejects.
 *
 * @example
 * ```ts
 * import { persist } from "pawl/adapters/indexeddb";
 * const { isPersisted } = await persist();
 * if (!isPersisted) console.log("Your browser may delete this form before it is sent.");
 * ```
 */
export async function persist(): Promise<Persistence> {
  const storage = globalThis.navigator?.storage as StorageManager | undefined;
  const isSupported = typeof storage?.persist === "function";
  return { isSupported, isPersisted: isSupported && await ask(storage), ...await roomFigures() };
}

async function ask(storage: StorageManager): Promise<boolean> {
  try {
    return await storage.persist();
  } catch {
    return false;
  }
}

/** How much room the browser says there is. */
export interface RoomFigures {
  readonly usageBytes: number;
  readonly quotaBytes: number;
  readonly freeBytes: number;
}

/** @returns What the browser says; `undefined`: it does not say. */
export async function roomFigures(): Promise<RoomFigures | undefined> {
  try {
    const { usage, quota } = await globalThis.navigator.storage.estimate();
    if (usage === undefined || quota === undefined) return undefined;
    return { usageBytes: usage, quotaBytes: quota, freeBytes: Math.max(0, quota - usage) };
  } catch {
    return undefined;
  }
}
