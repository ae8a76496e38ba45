/** Keys per block: small enough that a splice is cheap, large enough that blocks are few. */
const blockSizeMax = 512;

/** Removals that are put in order though nobody asks: keys that come and go must not heap up. */
const removalsMax = 1_024;

/**
 * A sorted set of keys that is put in order only when somebody asks for a range: until then a write costs no more than a
 * place in a list.
 */
export class OrderedKeys {
  #blocks: string[][] = [];
  /** Keys that were added or removed since, some of them more than once. */
  #changed: string[] = [];
  #removals = 0;
  #has: (key: string) => boolean;

  /**
   * @param has Whether a key is in the set now: the owner's own map.
   */
  constructor(has: (key: string) => boolean) {
    this.#has = has;
  }

  /** Notes that a key was added. */
  added(key: string): void {
    this.#changed.push(key);
  }

  /** Notes that a key was removed. */
  removed(key: string): void {
    this.#changed.push(key);
    if (++this.#removals > removalsMax && this.#removals * 4 > this.#changed.length) this.#settle();
  }

  /** Up to `limit` keys from `start` (inclusive) to `end` (exclusive), in order or in reverse. */
  range(start: string, end: string, limit: number, reverse: boolean): string[] {
    this.#settle();
    if (this.#blocks.length === 0) return [];
    const found: string[] = [];
    if (reverse) {
      for (let block = this.#blockOf(end); block >= 0; block--) {
        const keys = this.#blocks[block]!;
        for (let index = lowerBound(keys, end) - 1; index >= 0; index--) {
          if (found.length === limit || keys[index]! < start) return found;
          found.push(keys[index]!);
        }
      }
      return found;
    }
    for (let block = this.#blockOf(start); block < this.#blocks.length; block++) {
      const keys = this.#blocks[block]!;
      for (let index = lowerBound(keys, start); index < keys.length; index++) {
        if (found.length === limit || keys[index]! >= end) return found;
        found.push(keys[index]!);
      }
    }
    return found;
  }

  #settle(): void {
    if (this.#changed.length === 0) return;
    const changed = this.#changed.sort();
    this.#changed = [];
    this.#removals = 0;
    for (let index = 0; index < changed.length; index++) {
      const key = changed[index]!;
      if (key === changed[index + 1]) continue;
      if (this.#has(key)) this.#insert(key);
      else this.#remove(key);
    }
  }

  #insert(key: string): void {
    if (this.#blocks.length === 0) this.#blocks.push([]);
    const at = this.#blockOf(key);
    const block = this.#blocks[at]!;
    const index = lowerBound(block, key);
    if (block[index] === key) return;
    block.splice(index, 0, key);
    if (block.length > blockSizeMax) {
      // Keys mostly grow at the end: leave the left part nearly full, so that blocks do not stay half empty.
      const cut = index === block.length - 1 ? blockSizeMax : blockSizeMax >> 1;
      this.#blocks.splice(at + 1, 0, block.splice(cut));
    }
  }

  #remove(key: string): void {
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    const index = block ? lowerBound(block, key) : 0;
    if (block?.[index] !== key) return;
    block.splice(index, 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  /** The last block that starts at or before the key, or the first. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#blocks[middle]![0]! <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

/** Index of the first key that is not before `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
