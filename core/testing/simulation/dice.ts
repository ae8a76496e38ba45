import { type Random, seededRandom } from "../../ports/random.ts";

/** Choices from one seed. */
export class Dice {
  /** Where they come from. */
  readonly random: Random;

  /**
   * @param seed Any integer: one seed, one sequence.
   */
  constructor(seed: number) {
    this.random = seededRandom(Math.imul(seed, 2_654_435_761) + 1);
  }

  /** A number from `low` to `high`. */
  between(low: number, high: number): number {
    return low + this.random.float() * (high - low);
  }

  /** True with that probability. */
  chance(probability: number): boolean {
    return this.random.float() < probability;
  }

  /** One of the items, each as likely as the others. */
  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.random.float() * items.length)]!;
  }

  /** A seed for dice of their own, so that what they decide changes nothing here. */
  seed(): number {
    return Math.floor(this.random.float() * 2 ** 31);
  }
}
