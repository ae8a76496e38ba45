import { PawlError } from "../errors.ts";
import type { Cancel } from "../ports/clock.ts";
import type { Readiness } from "../ports/platform.ts";
import type { EngineContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Ownership } from "./ownership.ts";
import type { Poll } from "./poll.ts";

/** What of an engine goes by the platform. */
interface Parts {
  readonly dispatcher: Dispatcher;
  readonly ownership: Ownership;
  readonly poll: Poll;
}

/**
 * Follows the platform for a started engine: steps that need the network start when it is back, the other engines hear
 * whether this one is fit for work, and before it is frozen it gives back what it owns. After anything that may have been
 * a long sleep it looks at everything anew.
 */
export class PlatformWatch {
  readonly #context: EngineContext;
  readonly #parts: Parts;
  #unwatch: (() => void) | undefined;
  #told: Readiness = "active";
  #turn: Promise<void> | undefined;
  #retry: Cancel | undefined;

  /**
   * @param context The engine.
   * @param parts What goes by it.
   */
  constructor(context: EngineContext, parts: Parts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Begins to follow. */
  start(): void {
    const { platform } = this.#context;
    const readiness = platform.readiness();
    // It may have been left while it started.
    this.#told = readiness === "suspended" ? "active" : readiness;
    this.#unwatch = platform.watch(() => this.#changed());
    if (readiness === "suspended") this.#changed();
  }

  /**
   * Follows no more.
   *
   * @returns Resolves when what it was about is done; `undefined`: nothing was.
   */
  stop(): Promise<void> | undefined {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#retry?.();
    return this.#turn;
  }

  #changed(): void {
    if (!this.#unwatch) return;
    this.#retry?.();
    const { dispatcher, ownership } = this.#parts;
    dispatcher.lookAgain();
    // A page that is left has hardly any time: at once, whatever is going on.
    if (this.#context.platform.readiness() === "suspended") ownership.hide();
    const following = this.#turn ? this.#turn.then(() => this.#follow()) : this.#follow();
    const turn = following.finally(() => {
      if (this.#turn === turn) this.#turn = undefined;
    });
    this.#turn = turn;
  }

  async #follow(): Promise<void> {
    if (!this.#unwatch) return;
    const { clock, logger, pollMs, platform } = this.#context;
    try {
      if (platform.readiness() === "suspended") await this.#suspend();
      else await this.#attend(platform.readiness());
    } catch (error) {
      logger.log("warn", "Cannot follow the platform; trying again", { error: String(error) });
      this.#retry = clock.after(pollMs, () => this.#changed());
    }
  }

  async #suspend(): Promise<void> {
    if (this.#told === "suspended") return;
    this.#told = "suspended";
    const { ownership, poll } = this.#parts;
    poll.stop();
    await ownership.release(new PawlError("LEASE_LOST", "The platform suspends the engine"));
  }

  async #attend(readiness: Readiness): Promise<void> {
    const { works, termMs } = this.#context;
    const { ownership, poll } = this.#parts;
    if (works && this.#told === "suspended") await this.#begin();
    else if (works) await ownership.renew(termMs, { isNews: readiness !== this.#told });
    this.#told = readiness;
    poll.start(true);
    poll.hurry();
  }

  async #begin(): Promise<void> {
    const { ownership } = this.#parts;
    try {
      await ownership.start();
    } catch (error) {
      await ownership.release(error);
      throw error;
    }
  }
}
