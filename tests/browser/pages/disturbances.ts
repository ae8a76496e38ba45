/** What a tab is to suffer, of what no driver can do to it. */
export interface Disturbances {
  /** It does not hear that it is frozen, as where a browser does not say so. */
  readonly isDeaf?: boolean;
  /** Its timers fire only at whole multiples of so many milliseconds, as those of hidden tabs do. */
  readonly timersEveryMs?: number;
  /** What `navigator.onLine` says, for browsers whose driver cannot take the network away. */
  readonly isOnline?: boolean;
  /** By how much its clock is wrong from the start. */
  readonly clockMs?: number;
}

let shiftMs = 0;
let longestMs = 0;
let transactions = 0;

/** How many transactions of this tab are under way. */
export function openTransactions(): number {
  return transactions;
}

/** Counts them from here on. */
function countTransactions(): void {
  const begin = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (...args) {
    const transaction = begin.apply(this, args);
    transactions++;
    for (const end of ["complete", "abort"]) transaction.addEventListener(end, () => transactions--);
    return transaction;
  };
}

/** Sets the tab's clock, which pages cannot: by so much more than it is wrong already. */
export function shiftClock(ms: number): void {
  if (shiftMs === 0) {
    const real = Date.now;
    Date.now = () => real.call(Date) + shiftMs;
  }
  shiftMs += ms;
}

/** The longest time that was asked of `setTimeout`, which takes 31 bits. */
export function longestTimeout(): number {
  return longestMs;
}

/** Begins them, before there is an engine. */
export function disturb({ isDeaf, timersEveryMs, isOnline, clockMs }: Disturbances): void {
  if (isDeaf) globalThis.addEventListener("freeze", (event) => event.stopImmediatePropagation(), true);
  if (clockMs !== undefined) shiftClock(clockMs);
  if (isOnline !== undefined) setOnline(isOnline);
  countTransactions();
  const native = globalThis.setTimeout;
  const setTimeout = (callback: () => void, ms = 0, ...rest: unknown[]) => {
    longestMs = Math.max(longestMs, ms);
    if (timersEveryMs === undefined) return native(callback, ms, ...rest);
    const at = performance.now() + ms;
    return native(callback, Math.ceil(at / timersEveryMs) * timersEveryMs - performance.now(), ...rest);
  };
  Object.assign(globalThis, { setTimeout });
}

/** Says that the network has come or gone. */
export function setOnline(isOnline: boolean): void {
  Object.defineProperty(navigator, "onLine", { configurable: true, get: () => isOnline });
  globalThis.dispatchEvent(new Event(isOnline ? "online" : "offline"));
}
