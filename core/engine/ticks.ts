/**
 * Ticks of an engine that is not started. Those that are going on at the same time share what is owned: each claims what has
 * become due, and the last one gives everything back.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { type Cancel, sleep } from "../ports/clock.ts";
import type { EngineContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { earliest } from "./earliest.ts";
import type { Sighting } from "./look.ts";
import type { ClaimReport, Ownership } from "./ownership.ts";
import type { Poll } from "./poll.ts";

/** What a tick may do. */
export interface TickOptions {
  /** Milliseconds in which steps may start; default 5,000. Those that run then have 5 s more to land. */
  readonly budgetMs?: number;
  /**
   * Ticks again as long as there is time: for what becomes due within the budget, and for what other engines own that may
   * be left lying. In between nothing is owned.
   */
  readonly again?: boolean;
}

/** What a tick did. */
export interface TickReport {
  /** Attempts of steps, timers, hooks and handlers of connectors that came to an end meanwhile. */
  readonly processed: number;
  /** When there is something to do next, as far as this engine sees; absent: nothing is waiting. */
  readonly nextDueAt?: Date;
  /** Shards with work due that other engines own. */
  readonly heldElsewhere: number;
  /** Steps that were still running at the end; they were told to stop, and run again later, unless another tick goes on. */
  readonly running: number;
}

/** How long running steps may take to land after the budget of a tick, or after `stop()`. */
export const graceMs = 5_000;

/** How soon what is due and was not done is looked at again: at first, and at most. */
const againMsMin = 250;
const againMsMax = 4_000;

/** What ticks work with. */
export interface TickTools {
  readonly dispatcher: Dispatcher;
  readonly ownership: Ownership;
  readonly poll: Poll;
  /** Waits until nothing is in flight or about to start, at most so long. */
  landed(ms: number): Promise<void>;
  /** Waits until what landed has been relayed, at most so long. */
  relayed(ms: number): Promise<void>;
}

/** Ticks. */
export class Ticks {
  readonly #context: EngineContext;
  readonly #tools: TickTools;
  readonly #end = new AbortController();
  #going = 0;
  /** When the last of them has given up on what runs, by the monotonic clock. */
  #until = -Infinity;
  /** For how long this engine has said that it is alive, by the monotonic clock. */
  #aliveUntil = -Infinity;
  /** Nothing more starts; what runs may land. */
  #isClosing = false;
  #nextRenewal: Cancel | undefined;
  /** The latest look that has begun, and the one that is to begin after it. */
  #claims: Promise<unknown> = Promise.resolve();
  #nextClaim: Promise<ClaimReport> | undefined;
  #releasing: Promise<void> | undefined;

  /**
   * @param context The engine.
   * @param tools What ticks work with.
   */
  constructor(context: EngineContext, tools: TickTools) {
    this.#context = context;
    this.#tools = tools;
  }

  /** The engine stops: nothing more is claimed or started. */
  end(): void {
    this.#end.abort(stopped("The engine was stopped"));
    this.#nextRenewal?.();
  }

  /** One tick. */
  async tick(budgetMs: number): Promise<TickReport> {
    const { dispatcher, poll, landed, relayed } = this.#tools;
    const { clock, locks } = this.#context;
    const endsAt = clock.monotonic() + budgetMs;
    while (this.#releasing) await this.#releasing;
    this.#end.signal.throwIfAborted();
    const before = dispatcher.processed;
    this.#until = Math.max(this.#until, endsAt + graceMs);
    if (this.#going++ === 0) poll.hold();
    let claim: ClaimReport = { heldElsewhere: 0, nextDue: undefined };
    let running = 0;
    let nextDue: number | undefined;
    try {
      await this.#renew();
      claim = await this.#claim();
      await locks?.look(true);
      await landed(Math.max(0, endsAt - clock.monotonic()));
      if (this.#going === 1) {
        this.#isClosing = true;
        dispatcher.stop();
        await landed(graceMs);
        await relayed(graceMs);
      }
      running = dispatcher.inFlight;
      nextDue = this.nextDue(claim.nextDue);
    } finally {
      if (--this.#going === 0) await this.#release();
    }
    return reportOf(dispatcher.processed - before, nextDue, claim.heldElsewhere, running);
  }

  /**
   * Ticks, and again while there is time and something to do in it.
   *
   * @param budgetMs For how long.
   * @param tick Does it once.
   */
  async again(budgetMs: number, tick: (budgetMs: number) => Promise<TickReport>): Promise<TickReport> {
    const { clock } = this.#context;
    const endsAt = clock.monotonic() + budgetMs;
    let processed = 0;
    for (let againMs = againMsMin;; againMs = Math.min(2 * againMs, againMsMax)) {
      const report = await tick(Math.max(0, endsAt - clock.monotonic()));
      processed += report.processed;
      if (report.processed > 0) againMs = againMsMin;
      const leftMs = endsAt - clock.monotonic();
      const waitMs = waitOf(report, againMs, clock.now());
      if (leftMs <= 0 || waitMs > leftMs || this.#end.signal.aborted) return { ...report, processed };
      // The end of the engine ends the wait, and then there is nothing more to tell.
      const isOver = await sleep(clock, waitMs, this.#end.signal).then(() => false, () => true);
      if (isOver) return { ...report, processed };
    }
  }

  /** When there is something to do next, here or elsewhere. */
  nextDue(elsewhere: number | undefined): number | undefined {
    const { owners, relayDues } = this.#tools.ownership;
    return earliest(elsewhere, ...owners.map((owner) => owner.nextDue), ...relayDues);
  }

  /** One look at a time; ticks that begin meanwhile share the next. */
  #claim(): Promise<ClaimReport> {
    this.#nextClaim ??= this.#claims.then(() => {
      this.#nextClaim = undefined;
      const now = this.#context.clock.now();
      const claimed = this.#tools.ownership.claim((sighting) => this.#hasWork(sighting, now));
      this.#claims = claimed.catch(() => {});
      return claimed;
    });
    return this.#nextClaim;
  }

  /**
   * Says that this engine is alive, no longer than for a term: whoever is killed in the middle of a long tick holds nobody up for
   * the rest of it.
   */
  async #renew(): Promise<void> {
    const { clock, termMs } = this.#context;
    const { dispatcher, ownership } = this.#tools;
    const now = clock.monotonic();
    const aliveMs = Math.min(termMs, this.#until - now);
    // Ticks that come one after another share a sign of life that is fresh.
    if (now + aliveMs * 2 / 3 > this.#aliveUntil) {
      await ownership.renew(aliveMs);
      this.#aliveUntil = now + aliveMs;
      this.#end.signal.throwIfAborted();
      this.#nextRenewal?.();
      this.#nextRenewal = clock.after(termMs / 3, () => this.#renewAgain());
    }
    this.#end.signal.throwIfAborted();
    this.#isClosing = false;
    dispatcher.resume();
  }

  async #renewAgain(): Promise<void> {
    const { clock, logger, termMs } = this.#context;
    if (this.#going === 0 || this.#end.signal.aborted) return;
    this.#nextRenewal = clock.after(termMs / 3, () => this.#renewAgain());
    const now = clock.monotonic();
    const aliveMs = Math.min(termMs, this.#until - now);
    if (now + aliveMs <= this.#aliveUntil) return;
    this.#aliveUntil = now + aliveMs;
    const { dispatcher, ownership } = this.#tools;
    try {
      await ownership.renew(aliveMs);
      if (!this.#isClosing) dispatcher.resume();
    } catch (error) {
      logger.log("warn", "Cannot renew the leases of a tick", { error: String(error) });
    }
  }

  async #release(): Promise<void> {
    const { dispatcher, ownership, poll } = this.#tools;
    this.#nextRenewal?.();
    this.#aliveUntil = this.#until = -Infinity;
    dispatcher.stop();
    poll.letGo();
    this.#releasing = ownership.release(stopped("The tick has ended"));
    try {
      await this.#releasing;
    } finally {
      this.#releasing = undefined;
    }
  }

  /** Something is due, or a connector may be given events, which go to runs in every shard. */
  #hasWork({ definition, firstDue }: Sighting, now: number): boolean {
    if (firstDue !== undefined && firstDue <= now) return true;
    return this.#context.definitions.get(definition)!.behaviour.connectors !== undefined;
  }
}

function waitOf({ heldElsewhere, nextDueAt }: TickReport, againMs: number, now: number): number {
  const dueMs = nextDueAt ? nextDueAt.getTime() - now : Infinity;
  if (dueMs <= 0) return againMs;
  return heldElsewhere > 0 ? Math.min(againMs, dueMs) : dueMs;
}

function stopped(message: string): PawlError {
  return new PawlError("ENGINE_STOPPED", message);
}

/** A report. */
export function reportOf(
  processed: number,
  nextDue: number | undefined,
  heldElsewhere: number,
  running: number,
): TickReport {
  return {
    processed,
    heldElsewhere,
    running,
    ...(nextDue !== undefined && { nextDueAt: new Date(nextDue) }),
  };
}
