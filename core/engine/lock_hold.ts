import { PawlError } from "../errors.ts";
import { changeHold } from "../parts/lock_ops.ts";
import type { Cancel } from "../ports/clock.ts";
import type { EngineContext } from "./context.ts";
import type { Locks } from "./locks.ts";

/** A lock that is held by your own code, outside of any step. */
export interface Hold {
  /** The lock; of several, the first by name. */
  readonly name: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Greater than that of every hold of this lock before: hand it to what the lock guards, to refuse what comes late. */
  readonly token: number;
  /** The token for each lock, where several are held at once. */
  readonly tokens: Readonly<Record<string, number>>;
  /** Aborted with `LOCK_LOST` when it was taken away, or could not be renewed in time. */
  readonly signal: AbortSignal;
  /**
   * Gives it to the next.
   *
   * @returns False when it was lost before.
   */
  release(): Promise<boolean>;
}

/** What is held. */
export interface HeldLock {
  readonly namespace: string;
  readonly names: readonly string[];
  readonly holder: string;
  readonly request: string;
  readonly tokens: Readonly<Record<string, number>>;
  readonly holdMs: number;
  /** Since when, by the monotonic clock, it is surely held. */
  readonly since: number;
}

/** Renews what is held until it is released, and says when it is lost. */
export class ClientHold implements Hold {
  readonly namespace: string;
  readonly name: string;
  readonly tokens: Readonly<Record<string, number>>;
  readonly #context: EngineContext;
  readonly #locks: Locks;
  readonly #held: HeldLock;
  readonly #onEnd: (hold: ClientHold) => void;
  readonly #lost = new AbortController();
  #endsAt: number;
  #cancel: Cancel | undefined;
  #isOver = false;

  /**
   * @param context The engine.
   * @param locks Its locks.
   * @param held What is held.
   * @param onEnd Told when it is over.
   */
  constructor(context: EngineContext, locks: Locks, held: HeldLock, onEnd: (hold: ClientHold) => void) {
    this.#context = context;
    this.#locks = locks;
    this.#held = held;
    this.#onEnd = onEnd;
    this.namespace = held.namespace;
    this.name = held.names[0]!;
    this.tokens = held.tokens;
    this.#endsAt = held.since + held.holdMs;
    this.#arm();
  }

  get token(): number {
    return this.tokens[this.name]!;
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<boolean> {
    if (this.#isOver) return false;
    this.#end();
    const { namespace, names, holder, request } = this.#held;
    return await this.#locks.release(namespace, names, { holder, request }, true);
  }

  /** It is another's, or will be: whoever works under it is told. */
  lose(reason: PawlError): void {
    if (this.#isOver) return;
    this.#end();
    this.#lost.abort(reason);
  }

  #end(): void {
    this.#isOver = true;
    this.#cancel?.();
    this.#onEnd(this);
  }

  #arm(): void {
    const { clock } = this.#context;
    const left = Math.max(0, this.#endsAt - clock.monotonic());
    this.#cancel = clock.after(Math.min(left, this.#held.holdMs / 3), () => {
      if (clock.monotonic() >= this.#endsAt) return this.lose(this.#gone("it could not be renewed in time"));
      this.#arm();
      this.renew().catch(() => {});
    });
  }

  /**
   * Holds it for another while. A store that is away is asked again until the hold is over.
   *
   * @returns False when it is lost.
   */
  async renew(): Promise<boolean> {
    const { namespace, names, holder, request, holdMs } = this.#held;
    const { clock } = this.#context;
    const startedAt = clock.monotonic();
    const { result } = await this.#locks.table.do({
      namespace,
      names,
      ask: { holder, request },
      decide: (view) => changeHold(view, names, request, () => ({ until: view.now + holdMs })),
    });
    if (this.#isOver) return false;
    if (!result) {
      this.lose(this.#gone("it was taken away, or had not been renewed in time"));
      return false;
    }
    this.#endsAt = startedAt + holdMs;
    return true;
  }

  #gone(why: string): PawlError {
    return new PawlError(
      "LOCK_LOST",
      `Lock "${this.name}" of namespace "${this.namespace}" is held no more under token ${this.token}: ${why}`,
    );
  }
}
