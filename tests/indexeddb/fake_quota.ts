import "fake-indexeddb/auto";

/** A quota for all databases in memory, and what `navigator.storage` tells of it. */
export class FakeQuota implements Disposable {
  /** Bytes that may be used. */
  quotaBytes: number;
  /** What the browser says may be used, if that is something else. */
  toldBytes: number | undefined;
  /** What was written, by name. */
  readonly #sizes = new Map<string, number>();
  readonly #pending = new WeakMap<IDBTransaction, Map<string, number>>();
  readonly #original = IDBObjectStore.prototype;
  readonly #put = IDBObjectStore.prototype.put;
  readonly #delete = IDBObjectStore.prototype.delete;
  readonly #storage = Object.getOwnPropertyDescriptor(navigator, "storage");

  constructor(quotaBytes: number) {
    this.quotaBytes = quotaBytes;
    // deno-lint-ignore no-this-alias -- the patched methods have a `this` of their own.
    const quota = this;
    this.#original.put = function (value, ...rest) {
      quota.#write(this, value.k, value.v.length);
      return quota.#put.call(this, value, ...rest);
    };
    this.#original.delete = function (key) {
      quota.#write(this, key as string, 0);
      return quota.#delete.call(this, key);
    };
    const estimate = () =>
      Promise.resolve({ usage: this.usageBytes, quota: this.toldBytes ?? this.quotaBytes });
    Object.defineProperty(navigator, "storage", { configurable: true, value: { estimate } });
  }

  get usageBytes(): number {
    return sum(this.#sizes);
  }

  /** Something else on the site takes that many bytes. */
  take(bytes: number): void {
    this.#sizes.set("else", bytes);
  }

  [Symbol.dispose](): void {
    this.#original.put = this.#put;
    this.#original.delete = this.#delete;
    if (this.#storage) Object.defineProperty(navigator, "storage", this.#storage);
    else delete (navigator as { storage?: unknown }).storage;
  }

  #write({ transaction }: IDBObjectStore, key: string, size: number): void {
    const name = `${transaction.db.name} ${key}`;
    let pending = this.#pending.get(transaction);
    if (!pending) {
      const own = pending = new Map();
      this.#pending.set(transaction, own);
      transaction.addEventListener(
        "complete",
        () => own.forEach((bytes, key) => this.#sizes.set(key, bytes)),
      );
    }
    pending.set(name, size);
    const after = sum(new Map([...this.#sizes, ...pending]));
    // Who takes less than before is never refused.
    if (size > 0 && after > this.quotaBytes) throw new DOMException("no room", "QuotaExceededError");
  }
}

function sum(sizes: ReadonlyMap<string, number>): number {
  return [...sizes.values()].reduce((total, size) => total + size, 0);
}
