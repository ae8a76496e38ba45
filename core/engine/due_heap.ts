/** A run and when it is due. */
export interface Item {
  readonly id: string;
  readonly due: number;
}

/** Runs that are due later, earliest first. */
export class DueHeap {
  readonly #items: Item[] = [];
  readonly #due = new Map<string, number>();

  /** How many runs wait. */
  get size(): number {
    return this.#due.size;
  }

  /** Adds a run, or moves it to another time. */
  set(id: string, due: number): void {
    if (this.#due.get(id) === due) return;
    this.#due.set(id, due);
    this.#items.push({ id, due });
    this.#up(this.#items.length - 1);
  }

  /** Forgets a run; its entry is dropped when it comes up. */
  delete(id: string): void {
    this.#due.delete(id);
  }

  /**
   * Forgets all but the earliest.
   *
   * @param count How many stay.
   * @returns The first of those forgotten.
   */
  keepEarliest(count: number): Item | undefined {
    const all = [...this.#due].map(([id, due]) => ({ id, due }));
    all.sort((a, b) => a.due - b.due || (a.id < b.id ? -1 : 1));
    this.#items.length = 0;
    this.#due.clear();
    // What is sorted is a heap.
    for (const item of all.slice(0, count)) {
      this.#items.push(item);
      this.#due.set(item.id, item.due);
    }
    return all[count];
  }

  /** When the earliest run is due. */
  peek(): number | undefined {
    this.#dropStale();
    return this.#items[0]?.due;
  }

  /** Takes the earliest run that is due by now. */
  take(now: number): string | undefined {
    this.#dropStale();
    const first = this.#items[0];
    if (!first || first.due > now) return undefined;
    this.#shift();
    this.#due.delete(first.id);
    return first.id;
  }

  #dropStale(): void {
    while (this.#items.length > 0 && this.#due.get(this.#items[0]!.id) !== this.#items[0]!.due) this.#shift();
  }

  #shift(): void {
    const last = this.#items.pop()!;
    if (this.#items.length === 0) return;
    this.#items[0] = last;
    this.#down(0);
  }

  #up(index: number): void {
    const items = this.#items;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (items[parent]!.due <= items[index]!.due) return;
      [items[parent], items[index]] = [items[index]!, items[parent]!];
      index = parent;
    }
  }

  #down(index: number): void {
    const items = this.#items;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= items.length) return;
      const right = left + 1;
      const child = right < items.length && items[right]!.due < items[left]!.due ? right : left;
      if (items[index]!.due <= items[child]!.due) return;
      [items[child], items[index]] = [items[index]!, items[child]!];
      index = child;
    }
  }
}
