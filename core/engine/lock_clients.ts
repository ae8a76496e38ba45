/**
 * Those who wait for locks and hold them without being runs: callers of `acquire`. A grant made by this engine wakes
 * exactly the one it is for; others' grants are found by one read per lock, however many wait for it here.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import { type Duration, durationMs } from "../duration.ts";
import { giveUp, type LockDemand, type LockRequest, requestLocks, tokensOf } from "../parts/lock_ops.ts";
import { decodeLock } from "../parts/lock_record.ts";
import type { LockGrant } from "../parts/lock_view.ts";
import { keyspace } from "../store/keyspace.ts";
import { checkName } from "./check_input.ts";
import type { EngineContext } from "./context.ts";
import { ClientHold, type Hold } from "./lock_hold.ts";
import { holdMsOf } from "./lock_wish.ts";
import type { Locks } from "./locks.ts";

/** How a lock is asked for. */
export interface AcquireOptions {
  /** Ends the wait with `LOCK_TIMEOUT`; default: it waits as long as it takes. */
  readonly timeout?: Duration;
  /** How long it outlives its last renewal, should this process die; default 30 s, at least 1 s. */
  readonly hold?: Duration;
  /** Ends the wait by rejecting with its reason. */
  readonly signal?: AbortSignal;
  /**
   * Who asks, default somebody new each time. Say so where one holds several locks, asked for one by one: then a wait that
   * could never end is refused with `DEADLOCK`. In a step, say `run.runId`.
   */
  readonly holder?: string;
  /** Whether a holder may be granted what he holds already, under the same token; default: `ALREADY_HELD`. */
  readonly reenter?: boolean;
}

/** Locks of one request. */
export interface Wanted {
  readonly namespace: string;
  readonly wants: readonly LockDemand[];
}

/** Past its deadline a request is taken for one of a dead process, once clocks that differ have all passed it. */
const lateMs = 30_000;

type Tokens = Readonly<Record<string, number>>;

/** A grant, as it was heard of. */
interface Heard {
  readonly tokens: Tokens;
  /** Since when, by the monotonic clock, it surely holds; absent: others have made it, some time ago. */
  readonly since?: number;
  /** The request that it is held under, where its holder has entered again. */
  readonly under?: string;
}

interface Waiting {
  readonly namespace: string;
  readonly names: readonly string[];
  granted(heard: Heard): void;
  failed(error: unknown): void;
}

/** Asks for them. */
export class LockClients {
  readonly #context: EngineContext;
  readonly #locks: Locks;
  readonly #waiting = new Map<string, Waiting>();
  readonly #asking = new Set<Promise<unknown>>();
  readonly #holds = new Set<ClientHold>();
  /** Why nobody waits here any more. */
  #over: PawlError | undefined;

  /**
   * @param context The engine.
   * @param locks Its locks.
   */
  constructor(context: EngineContext, locks: Locks) {
    this.#context = context;
    this.#locks = locks;
  }

  /** Whether anybody waits here. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /**
   * Asks for locks, and waits for them.
   *
   * @param mayWait Else they are granted now or not.
   * @returns The hold; `undefined`: not now.
   * @throws {PawlError} `LOCK_TIMEOUT`, `ALREADY_HELD`, `DEADLOCK`, `INVALID_ARGUMENT`, or what the store says.
   */
  async acquire(wanted: Wanted, options: AcquireOptions, mayWait: boolean): Promise<Hold | undefined> {
    const asking = this.#acquire(wanted, options, mayWait);
    this.#asking.add(asking);
    try {
      return await asking;
    } finally {
      this.#asking.delete(asking);
    }
  }

  async #acquire(wanted: Wanted, options: AcquireOptions, mayWait: boolean): Promise<Hold | undefined> {
    const { clock, random, limits } = this.#context;
    const { timeout, hold = "30s", signal, reenter = false } = options;
    signal?.throwIfAborted();
    if (options.holder !== undefined) checkName(options.holder, "holder", limits.nameLengthMax);
    const holdMs = holdMsOf(hold);
    const timeoutMs = timeout === undefined ? undefined : durationMs(timeout, "timeout");
    const until = timeoutMs === undefined ? undefined : clock.monotonic() + timeoutMs;
    for (;;) {
      if (this.#over) throw this.#over;
      const request = random.hex(24);
      const asked: LockRequest = {
        request,
        holder: options.holder ?? request,
        wants: wanted.wants,
        mayWait,
        holdMs,
        reenter,
        ...(timeoutMs !== undefined && { deadline: clock.now() + timeoutMs + lateMs }),
      };
      const found = await this.#granted(wanted.namespace, asked, until, signal);
      if (!found) return undefined;
      const { tokens, since, under = request } = found;
      const held = {
        namespace: wanted.namespace,
        names: Object.keys(tokens).sort(),
        holder: asked.holder,
        request: under,
        tokens,
        holdMs,
        since: since ?? clock.monotonic(),
      };
      const made = new ClientHold(this.#context, this.#locks, held, (each) => this.#holds.delete(each));
      this.#holds.add(made);
      // Of another engine's grant it is not known how old it is; one that was over by then is asked for anew.
      const isFresh = since !== undefined && clock.monotonic() < since + holdMs / 3;
      if (isFresh || await renewed(made)) return made;
    }
  }

  async #granted(
    namespace: string,
    asked: LockRequest,
    until: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Heard | undefined> {
    const { clock } = this.#context;
    const names = asked.wants.map(({ name }) => name);
    const since = clock.monotonic();
    const wait = this.#wait(namespace, names, asked.request);
    try {
      const answer = await this.#ask(namespace, names, asked);
      // What is granted to one who has stopped would be renewed for ever.
      if (this.#over) throw this.#over;
      if (answer.kind === "granted") {
        const under = answer.request === undefined ? {} : { under: answer.request };
        return { tokens: answer.tokens, since, ...under };
      }
      if (answer.kind === "busy") return undefined;
      if (answer.kind === "refused") throw new PawlError(answer.code, `Cannot acquire ${answer.why}`);
      this.#locks.listen();
      return await this.#patience(wait, asked, until, signal);
    } catch (error) {
      const late = await this.#withdraw(namespace, names, asked, error);
      if (late) return { tokens: late };
      throw error;
    } finally {
      this.#waiting.delete(asked.request);
    }
  }

  #wait(namespace: string, names: readonly string[], request: string): Promise<Heard> {
    const wait = new Promise<Heard>((granted, failed) => {
      this.#waiting.set(request, { namespace, names, granted, failed });
    });
    // It may fail before anybody waits for it.
    wait.catch(() => {});
    return wait;
  }

  async #ask(namespace: string, names: readonly string[], asked: LockRequest) {
    const decide = (view: Parameters<typeof requestLocks>[0]) =>
      requestLocks(view, asked, this.#locks.table.care);
    const { result, grants } = await this.#locks.table.do({ namespace, names, ask: asked, decide });
    await this.#locks.deliver(namespace, grants);
    return result;
  }

  /** Waits until it is granted, too late, or nobody wants it any more. */
  #patience(
    wait: Promise<Heard>,
    asked: LockRequest,
    until: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Heard> {
    const { clock } = this.#context;
    const waiting = this.#waiting.get(asked.request)!;
    const onAbort = () => waiting.failed(signal!.reason);
    const late = () => {
      const names = asked.wants.map(({ name }) => `"${name}"`).join(", ");
      const why = `Cannot acquire ${names} of namespace "${waiting.namespace}": it was not granted in time`;
      waiting.failed(new PawlError("LOCK_TIMEOUT", why));
    };
    const cancel = until === undefined
      ? undefined
      : clock.after(Math.max(0, until - clock.monotonic()), late);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    return wait.finally(() => {
      cancel?.();
      signal?.removeEventListener("abort", onAbort);
    });
  }

  /**
   * Takes a request back. The lock's record decides: what was granted before its time was over is granted.
   *
   * @returns The tokens of a grant that came first, to one who was only out of time.
   */
  async #withdraw(
    namespace: string,
    names: readonly string[],
    asked: LockRequest,
    because: unknown,
  ): Promise<Tokens | undefined> {
    const code = because instanceof PawlError ? because.code : undefined;
    // A refusal has left nothing behind.
    if (code === "ALREADY_HELD" || code === "DEADLOCK" || code === "INVALID_ARGUMENT") return undefined;
    const isLate = code === "LOCK_TIMEOUT";
    try {
      const { result, grants } = await this.#locks.table.do({
        namespace,
        names,
        ask: asked,
        decide(view) {
          const tokens = isLate ? tokensOf(view, names, asked.request) : undefined;
          if (!tokens) giveUp(view, names, asked);
          return tokens;
        },
      });
      await this.#locks.deliver(namespace, grants);
      return result;
    } catch {
      // Its hold ends by itself, and its place in the queue by its deadline.
      return undefined;
    }
  }

  /** Grants that this engine has made. */
  granted(namespace: string, grants: readonly LockGrant[], since: number): void {
    for (const { request, tokens } of grants) {
      const waiting = this.#waiting.get(request);
      if (waiting?.namespace === namespace) waiting.granted({ tokens, since });
    }
  }

  /** Looks for grants that others have made, and for holds that are over: one read per lock. */
  async look(): Promise<void> {
    const locks = new Map<string, Waiting>();
    for (const each of this.#waiting.values()) {
      locks.set(keyspace.lock.key(each.namespace, each.names[0]!), each);
    }
    await Promise.all([...locks].map(async ([key, { namespace, names: [name] }]) => {
      const entry = await this.#context.reader.get(this.#locks.table.shardOf(namespace), key);
      if (!entry) return;
      const lock = decodeLock(namespace, name!, entry);
      for (const { request } of lock.holders) await this.#heard(namespace, request);
      await this.#locks.lookAt(lock);
    }));
  }

  async #heard(namespace: string, request: string): Promise<void> {
    const waiting = this.#waiting.get(request);
    if (!waiting) return;
    const { names } = waiting;
    const decide = (view: Parameters<typeof tokensOf>[0]) => tokensOf(view, names, request);
    const { result } = await this.#locks.table.do({ namespace, names, decide });
    if (result) waiting.granted({ tokens: result });
  }

  /** The engine stops: nobody waits any more, and what is held ends by itself unless it is released. */
  async end(reason: PawlError): Promise<void> {
    this.#over = reason;
    for (const { failed } of [...this.#waiting.values()]) failed(reason);
    for (const hold of [...this.#holds]) hold.lose(reason);
    await Promise.allSettled(this.#asking);
  }
}

/** What its caller never gets is not to be renewed for ever. */
async function renewed(hold: ClientHold): Promise<boolean> {
  try {
    return await hold.renew();
  } catch (error) {
    hold.release().catch(() => {});
    throw error;
  }
}
