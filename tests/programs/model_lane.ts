/** Who may run at once where a bound is set, first come first served. */
export class Lane<Item> {
  readonly #max: number;
  #waiting: { readonly place: number; readonly item: Item }[] = [];
  #running = 0;
  #next = 0;
  /** Who has come at this moment: several at once may come in any order. */
  readonly #came = new Set<Item>();

  /** @param max How many; 0: any number. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * It may start now, or waits.
   *
   * @param place Where it waited before.
   * @returns Where it waits, if it does.
   */
  enter(item: Item, place: number = this.#next++): number | undefined {
    this.#came.add(item);
    if (this.#max === 0 || (this.#waiting.length === 0 && this.#running < this.#max)) {
      this.#running++;
      return undefined;
    }
    this.#waiting.push({ place, item });
    this.#waiting.sort((a, b) => a.place - b.place);
    return place;
  }

  /** It waits no more. */
  leave(item: Item): void {
    this.#waiting = this.#waiting.filter((each) => each.item !== item);
  }

  /** What has run is done. */
  end(): void {
    this.#running--;
  }

  /** Who of those that wait may start now. */
  next(): Item | undefined {
    if (this.#waiting.length === 0 || this.#running >= this.#max) return undefined;
    this.#running++;
    return this.#waiting.shift()!.item;
  }

  /** The moment is over. @returns Whether it mattered who of several was first. */
  tick(): boolean {
    const { size } = this.#came;
    this.#came.clear();
    const isFull = size + this.#running > this.#max && this.#running + this.#waiting.length > 0;
    return this.#max > 0 && size > 1 && isFull;
  }
}
