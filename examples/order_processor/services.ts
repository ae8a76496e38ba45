/** What the order processor asks of the outside world. The same `id` twice is the same request: it is answered once. */
export interface Services {
  /** Sets goods aside. Throws while there are none. */
  reserve(id: string, sku: string): Promise<void>;
  /** Gives goods back. */
  release(id: string, sku: string): Promise<void>;
  /** Asks the customer for money; the answer comes by a webhook. */
  bill(id: string, cents: number): Promise<void>;
  /** Writes an invoice. */
  invoice(id: string): Promise<string>;
  /** Fetches the goods from the shelf. */
  pick(id: string, sku: string): Promise<void>;
  /** Books a parcel. */
  ship(id: string): Promise<string>;
  /** Tells the customer. */
  tell(id: string, text: string): Promise<void>;
}

/** Services that only write down what they were asked for, in the order of the first time. */
export class RecordedServices implements Services {
  /** What was done. */
  readonly done: string[] = [];
  /** Goods that are out of stock. */
  readonly missing = new Set<string>();
  /** How often the carrier does not answer. */
  carrierFailures = 0;
  readonly #seen = new Set<string>();
  readonly #onDone: (line: string) => void;

  /** @param onDone Told of each thing that is done. */
  constructor(onDone: (line: string) => void = () => {}) {
    this.#onDone = onDone;
  }

  reserve(id: string, sku: string): Promise<void> {
    if (this.missing.has(sku)) return Promise.reject(new Error(`there is no ${sku}`));
    return this.#do(id, `reserve ${sku}`);
  }
  release(id: string, sku: string): Promise<void> {
    return this.#do(id, `release ${sku}`);
  }
  bill(id: string, cents: number): Promise<void> {
    return this.#do(id, `bill ${cents}`);
  }
  async invoice(id: string): Promise<string> {
    await this.#do(id, "invoice");
    return `invoice-${id}`;
  }
  pick(id: string, sku: string): Promise<void> {
    return this.#do(id, `pick ${sku}`);
  }
  async ship(id: string): Promise<string> {
    if (this.carrierFailures-- > 0) throw new Error("the carrier does not answer");
    await this.#do(id, "ship");
    return `parcel-${id}`;
  }
  tell(id: string, text: string): Promise<void> {
    return this.#do(id, `tell: ${text}`);
  }

  #do(id: string, what: string): Promise<void> {
    const once = `${id} ${what}`;
    if (!this.#seen.has(once)) {
      this.#seen.add(once);
      this.done.push(what);
      this.#onDone(what);
    }
    return Promise.resolve();
  }
}
