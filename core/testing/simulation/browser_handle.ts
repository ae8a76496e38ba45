import type { Host } from "./host.ts";
import type { World } from "./world.ts";

/** How long the browser takes to open the database again, in virtual ms. */
const reopensMsMax = 2_500;

/** Something a page has asked of its database. */
export interface UnderWay {
  /** It is answered, or nobody waits for it any more. */
  end(): void;
}

/** A page's handle on the database: the browser may close it at any moment, and the page opens another. */
export class BrowserHandle {
  readonly #world: World;
  readonly #host: Host;
  readonly #underWay = new Set<() => void>();
  #openAt = 0;

  constructor(world: World, host: Host) {
    this.#world = world;
    this.#host = host;
  }

  /** How long it is until it is open again, in virtual ms. */
  get closedForMs(): number {
    return Math.max(0, this.#openAt - this.#world.time);
  }

  /**
   * Something is asked of the database.
   *
   * @param fail Called at once when the handle is lost before that has ended.
   */
  begin(fail: () => void): UnderWay {
    this.#underWay.add(fail);
    return { end: () => void this.#underWay.delete(fail) };
  }

  /** The browser closes it. */
  lose(): void {
    if (!this.#host.alive) return;
    this.#openAt = this.#world.time + this.#world.between(0, reopensMsMax);
    const failed = [...this.#underWay];
    this.#underWay.clear();
    this.#world.log(
      `${this.#host.name} loses its handle with ${failed.length} requests for ${
        this.closedForMs.toFixed(0)
      } ms`,
    );
    for (const fail of failed) fail();
  }
}
