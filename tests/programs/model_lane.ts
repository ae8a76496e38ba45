/** Who may run at once where a bound is set, first come first served. */
export class Lane<Item> {
  readonly #max: number;
  readonly #waiting: Item[] = [];
  #running = 0;
  /** Who has come at this moment: several at once may come in any order. */
  readonly #came = new Set<Item>();

  /** @param max How many; 0: any number. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Whether it may start now; else it waits. */
  enter(item: Item): boolean {
    this.#came.add(item);
    if (this.#max > 0 && (this.#waiting.length > 0 || this.#running >= this.#max)) {
      this.#waiting.push(item);
      return false;
    }
    this.#running++;
    return true;
  }

  /** It waits no more. */
  leave(item: Item): void {
    const at = this.#waiting.indexOf(item);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** What has run is done. */
  end(): void {
    this.#running--;
  }

  /** Who of those that wait may start now. */
  next(): Item | undefined {
    if (this.#waiting.length === 0 || this.#running >= this.#max) return undefined;
    this.#running++;
    return this.#waiting.shift();
  }

  /** The moment is over. @returns Whether it mattered who of several was first. */
  tick(): boolean {
    const { size } = this.#came;
    this.#came.clear();
    return this.#max > 0 && size > 1 && this.#running + this.#waiting.length > 0 &&
      size + this.#running > this.#max;
  }
}
