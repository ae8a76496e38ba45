interface Spot<Item> {
  readonly place: number;
  readonly item: Item;
}

/** First come, first served; who leaves for a while may come back to its place. */
export class PlaceQueue<Item> {
  /** By place; those before the head are gone. */
  #spots: Spot<Item>[] = [];
  #head = 0;
  #next = 0;

  /** How many wait. */
  get size(): number {
    return this.#spots.length - this.#head;
  }

  /**
   * Waits.
   *
   * @param item Who.
   * @param place Where it waited before; absent: behind all others.
   * @returns Its place.
   */
  enter(item: Item, place: number = this.#next++): number {
    this.#spots.splice(this.#indexOf(place), 0, { place, item });
    return place;
  }

  /**
   * Waits no more.
   *
   * @param place Where it waits.
   * @returns False when nobody waits there.
   */
  leave(place: number): boolean {
    const index = this.#indexOf(place);
    if (this.#spots[index]?.place !== place) return false;
    this.#spots.splice(index, 1);
    return true;
  }

  /** Takes the first. */
  shift(): Item | undefined {
    const spot = this.#spots[this.#head];
    if (!spot) return undefined;
    this.#head++;
    if (this.#head > 1_024 && this.#head * 2 > this.#spots.length) {
      this.#spots = this.#spots.slice(this.#head);
      this.#head = 0;
    }
    return spot.item;
  }

  /** Those of a kind wait no more. */
  drop(isOver: (item: Item) => boolean): void {
    this.#spots = this.#spots.slice(this.#head).filter(({ item }) => !isOver(item));
    this.#head = 0;
  }

  /** From the first to the last; nobody is taken. */
  *[Symbol.iterator](): Generator<Item> {
    for (let index = this.#head; index < this.#spots.length; index++) yield this.#spots[index]!.item;
  }

  /** Where the place is, or would be. */
  #indexOf(place: number): number {
    let [low, high] = [this.#head, this.#spots.length];
    // Nearly all come to the end.
    if (high > low && this.#spots[high - 1]!.place < place) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#spots[middle]!.place < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
