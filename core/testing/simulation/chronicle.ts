/**
 * All that the laws of a world were shown, in order: what a power cut leaves of it, they are shown again.
 *
 * @module
 */
import type { CommitCall } from "../../store/store.ts";
import type { Dice } from "./dice.ts";
import type { World } from "./world.ts";

interface Page {
  readonly at: number;
  readonly show: () => void;
  /** Absent: nothing was written. */
  readonly calls?: readonly CommitCall[];
}

export class Chronicle {
  readonly #world: World;
  #pages: Page[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Something happens; `calls`: it is a commit. */
  show(show: () => void, calls?: readonly CommitCall[]): void {
    this.#pages.push({ at: this.#world.time, show, ...(calls && { calls }) });
    show();
  }

  /** All commits, in the order in which they were applied. */
  get commits(): (readonly CommitCall[])[] {
    return this.#pages.flatMap(({ calls }) => calls ? [calls] : []);
  }

  /** How many commits a power cut may take. */
  get unsafe(): number {
    return this.#unsafePages().length;
  }

  /**
   * Takes back commits that were applied last, and none before the last that is safe.
   *
   * @param dice Decide how many: every other time all that may go.
   * @returns Those that are gone.
   */
  takeBack(dice: Dice): (readonly CommitCall[])[] {
    const written = this.#unsafePages();
    const kept = dice.chance(0.5) ? 0 : Math.floor(dice.between(0, written.length + 1));
    const gone = new Set(written.slice(kept));
    this.#pages = this.#pages.filter((page) => !gone.has(page));
    return [...gone].map(({ calls }) => calls!);
  }

  #unsafePages(): Page[] {
    return this.#pages.slice(this.#pages.findLastIndex(isSafe) + 1).filter(({ calls }) => calls);
  }

  /** Shows all that is left once more. */
  recall(): void {
    for (const { at, show } of this.#pages) this.#world.recall(at, show);
  }
}

function isSafe({ calls = [] }: Page): boolean {
  return calls.some(({ batches }) => batches.some(({ relaxed }) => !relaxed));
}
