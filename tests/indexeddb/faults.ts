import "fake-indexeddb/auto";
import { forceCloseDatabase } from "fake-indexeddb";

/**
 * What befalls a transaction: the browser aborts it, also while it commits; the connection dies with it; there is no room; or
 * it is committed, and the page hears that it was aborted.
 */
export type Fault = "abort" | "close" | "full" | "unheard";

/** The requests that each may befall. */
const verbs: Readonly<Record<Fault, readonly string[]>> = {
  abort: ["get", "put", "delete"],
  close: ["get", "put", "delete"],
  full: ["put"],
  unheard: [],
};

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Lets one fault happen at the n-th request that any transaction makes, counted from its making. */
export class FaultAt implements Disposable {
  /** Whether it has happened. */
  hasHappened = false;
  #left: number;
  readonly #fault: Fault;
  readonly #undo: (() => void)[] = [];
  readonly #unheard = new WeakSet<IDBTransaction>();

  /**
   * @param n From 0.
   */
  constructor(fault: Fault, n: number) {
    this.#fault = fault;
    this.#left = n;
    for (const verb of verbs[fault]) {
      this.#patch(IDBObjectStore.prototype, verb, (original, store: IDBObjectStore, args) => {
        const strikes = this.#strikes();
        if (strikes && fault === "full") throw new DOMException("no room", "QuotaExceededError");
        const request = original.apply(store, args) as IDBRequest;
        // When the browser has done it, and before the adapter hears of that.
        if (strikes) request.addEventListener("success", () => this.#strike(store.transaction));
        return request;
      });
    }
    this.#patch(IDBTransaction.prototype, "commit", (original, tx: IDBTransaction) => {
      original.call(tx);
      if (fault === "unheard" && this.#strikes()) this.#unheard.add(tx);
      if ((fault === "close" || fault === "abort") && this.#strikes()) this.#strike(tx);
    });
    this.#patch(IDBDatabase.prototype, "transaction", (original, db: IDBDatabase, args) => {
      const tx = original.apply(db, args) as IDBTransaction;
      this.#listenFalsely(tx);
      return tx;
    });
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo();
  }

  #patch<Target>(
    prototype: object,
    name: string,
    work: (original: Method, target: Target, args: unknown[]) => unknown,
  ): void {
    const methods = prototype as Record<string, Method>;
    const original = methods[name]!;
    methods[name] = function (...args) {
      return work(original, this as Target, args);
    };
    this.#undo.push(() => methods[name] = original);
  }

  #strikes(): boolean {
    if (this.hasHappened || this.#left-- > 0) return false;
    return this.hasHappened = true;
  }

  #strike(transaction: IDBTransaction): void {
    // A page cannot abort what it has committed; a browser can.
    (transaction as unknown as { _abort(name: string): void })._abort("AbortError");
    if (this.#fault === "close") forceCloseDatabase(transaction.db as never);
  }

  /** Who waits for the end of an unheard transaction hears that it was aborted. */
  #listenFalsely(tx: IDBTransaction): void {
    const listen = tx.addEventListener.bind(tx) as (type: string, listener: () => void) => void;
    const aborted: (() => void)[] = [];
    const listenFalsely = (type: string, listener: () => void) => {
      if (type === "abort") aborted.push(listener);
      if (type !== "complete") return listen(type, listener);
      listen(type, () => this.#unheard.has(tx) ? aborted.forEach((each) => each()) : listener());
    };
    Object.assign(tx, { addEventListener: listenFalsely });
  }
}
