import { OrderedKeys } from "./ordered_keys.ts";

/**
 * A sorted set of keys in families, by what stands before their first space: a range puts in order only the families that
 * it reaches into, so what is written much and looked through rarely, such as history, costs little.
 */
export class KeyFamilies {
  readonly #has: (key: string) => boolean;
  readonly #families = new Map<string, OrderedKeys>();
  /** Names of families, in order; so are the families: no key of one stands between two of another. */
  #names: string[] = [];

  /**
   * @param has Whether a key is in the set now: the owner's own map.
   */
  constructor(has: (key: string) => boolean) {
    this.#has = has;
  }

  /** Notes that a key was added. */
  added(key: string): void {
    this.#familyOf(key).added(key);
  }

  /** Notes that a key was removed. */
  removed(key: string): void {
    this.#familyOf(key).removed(key);
  }

  /** Up to `limit` keys from `start` (inclusive) to `end` (exclusive), in order or in reverse. */
  range(start: string, end: string, limit: number, reverse: boolean): string[] {
    // A space is the lowest character of a key, so a family ends before its name with the next one.
    const reached = this.#names.filter((name) => name < end && start < `${name}!`);
    if (reverse) reached.reverse();
    const found: string[] = [];
    for (const name of reached) {
      const keys = this.#families.get(name)!.range(start, end, limit - found.length, reverse);
      if (reached.length === 1) return keys;
      for (const key of keys) found.push(key);
      if (found.length === limit) break;
    }
    return found;
  }

  #familyOf(key: string): OrderedKeys {
    const space = key.indexOf(" ");
    const name = space < 0 ? key : key.slice(0, space);
    return this.#families.get(name) ?? this.#begin(name);
  }

  #begin(name: string): OrderedKeys {
    const family = new OrderedKeys(this.#has);
    this.#families.set(name, family);
    this.#names = [...this.#names, name].sort();
    return family;
  }
}
