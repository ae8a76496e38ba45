import { begin, type Handle } from "./database.ts";
import { isQuota } from "./errors.ts";
import { inTime } from "./in_time.ts";
import { metaKey, reserveKey, type Row } from "./schema.ts";

const doing = "keep a reserve";

/** Whether the reserve is in its place. */
export async function isReserveLaid(handle: Handle, timeoutMs: number): Promise<boolean> {
  const { store, done } = begin(handle, "readonly", "relaxed", doing);
  done.catch(() => {});
  return await inTime(store.getKey(reserveKey), timeoutMs, doing, () => {}) !== undefined;
}

/**
 * Puts bytes in reserve, which no browser can press together.
 *
 * @returns Whether they fitted.
 */
export async function layReserve(handle: Handle, bytes: number, timeoutMs: number): Promise<boolean> {
  const noise = new Uint8Array(bytes);
  // The browser fills so many at once.
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536));
  try {
    const row = { k: reserveKey, v: noise, n: 0 } as unknown as Row;
    await change(handle, async (store) => {
      // What somebody has emptied is to be found empty.
      if (await store.getKey(metaKey) !== undefined) await store.put(row);
    }, timeoutMs);
    return true;
  } catch (error) {
    if (isQuota(error)) return false;
    throw error;
  }
}

/** Gives it up. Browsers take a transaction that only deletes also when their quota is used up. */
export function releaseReserve(handle: Handle, timeoutMs: number): Promise<void> {
  return change(handle, (store) => store.delete(reserveKey), timeoutMs);
}

type Rows = ReturnType<typeof begin<"readwrite">>["store"];

async function change(
  handle: Handle,
  work: (store: Rows) => Promise<unknown>,
  timeoutMs: number,
): Promise<void> {
  const tx = begin(handle, "readwrite", "relaxed", doing);
  tx.done.catch(() => {});
  work(tx.store).catch(() => {});
  await inTime(tx.done, timeoutMs, doing, () => {});
}
