import { type Clock, consoleLogger, type Engine, type Logger, systemClock, type TickReport } from "pawl";
import { defaultTag, tickMessage } from "./ask_to_tick.ts";

/** Options of {@linkcode tickOn}. */
export interface TickOnOptions {
  /** For how long an event may start steps; default 20,000. Those that run then have 5 s more to land. */
  readonly budgetMs?: number;
  /** Which syncs and messages are meant; default `pawl`. Give each engine of a worker its own. */
  readonly tag?: string;
  /** Hears what became of each event's work. */
  readonly onReport?: (report: TickReport) => void;
  /** Hears of work that failed, beside the logger. */
  readonly onError?: (error: unknown) => void;
  /** Default: {@linkcode consoleLogger}. */
  readonly logger?: Logger;
  /** Default: {@linkcode systemClock}. */
  readonly clock?: Clock;
}

/** What the port of a message is answered: a report, or why there is none. */
export type TickReply = { readonly report: TickReport } | { readonly error: string };

/** An event of a service worker, as far as it matters here; the types of pages do not know it. */
interface WorkerEvent extends Event {
  readonly tag?: string;
  readonly data?: unknown;
  readonly ports?: readonly { postMessage(message: unknown): void }[];
  waitUntil(work: Promise<unknown>): void;
}

/** What is due and was not done is looked at again, as the page that owns it may be gone by then; how soon, at first. */
const againMsMin = 500;

/** A browser is asked to come again for what is due within this time, and not for a timer in a month. */
const soonMs = 3_600_000;

const kinds = ["sync", "periodicsync", "message", "push"] as const;

/**
 * Lets a service worker work off what is due: on `sync` and `periodicsync` with the tag, on a {@linkcode tickMessage}, and
 * on every `push`. Call it while the worker's script is first run, as the browser wants its listeners at once. Where a
 * browser has none of these events, the next page that opens does the work.
 *
 * There is one tick at a time: events that come meanwhile get one more, together. Within the budget the worker waits for what
 * is due in a moment, and looks again at what a page owns, as the page may have been closed just now. A `sync` that leaves something to do
 * is refused, so that the browser repeats it. Nothing is thrown at the browser otherwise.
 *
 * @param scope The worker's `self`.
 * @param engine Created, and not started.
 * @param options The budget, the tag, and who hears of it.
 * @returns Ends the listening; what was begun goes on.
 *
 * @example
 * ```ts
 * import { createEngine, machine } from "pawl";
 * import { memoryStore } from "pawl/adapters/memory"; // in a browser: indexedDbStore()
 * import { tickOn } from "pawl/plugins/browser";
 * const form = machine("form").step("filled", ["sent"], () => "sent", { needs: "network" }).build();
 * const engine = createEngine({ store: memoryStore(), definitions: [form] });
 * const end = tickOn(self, engine, { budgetMs: 20_000 });
 * end();
 * ```
 */
export function tickOn(
  scope: EventTarget,
  engine: Pick<Engine, "tick">,
  options: TickOnOptions = {},
): () => void {
  const { tag = defaultTag, clock = systemClock() } = options;
  const ticker = new Ticker(engine, options);
  const isMeant = ({ type, tag: itsTag, data }: WorkerEvent) => {
    if (type === "push") return true;
    return type === "message" ? isTickMessage(data, tag) : itsTag === tag;
  };
  const listener = (event: Event) => {
    const own = event as WorkerEvent;
    if (!isMeant(own)) return;
    const ticked = ticker.ask();
    for (const port of own.ports ?? []) ticked.then((reply) => port.postMessage(reply)).catch(() => {});
    own.waitUntil(own.type === "sync" ? ticked.then((reply) => refuseLeft(reply, clock)) : ticked);
  };
  for (const kind of kinds) scope.addEventListener(kind, listener);
  return () => {
    for (const kind of kinds) scope.removeEventListener(kind, listener);
  };
}

function isTickMessage(data: unknown, tag: string): boolean {
  const { type, tag: itsTag } = Object(data) as { readonly type?: unknown; readonly tag?: unknown };
  return type === tickMessage().type && itsTag === tag;
}

/** A browser repeats a sync whose work was refused. */
function refuseLeft(reply: TickReply, clock: Clock): void {
  if ("error" in reply) throw new Error(reply.error);
  const { running, heldElsewhere, nextDueAt } = reply.report;
  const isDueSoon = nextDueAt !== undefined && nextDueAt.getTime() <= clock.now() + soonMs;
  if (running > 0 || heldElsewhere > 0 || isDueSoon) {
    throw new Error(
      "Cannot end sync: there is work left; the browser repeats it later, or a page does the work",
    );
  }
}

interface Wish {
  /** By the monotonic clock. */
  readonly endsAt: number;
  readonly answer: (reply: TickReply) => void;
}

/** One tick at a time; those who ask meanwhile share the next. */
class Ticker {
  readonly #engine: Pick<Engine, "tick">;
  readonly #options: TickOnOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #wishes: Wish[] = [];
  #isTicking = false;

  constructor(engine: Pick<Engine, "tick">, options: TickOnOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    this.#logger = options.logger ?? consoleLogger();
  }

  /** Resolves after a tick that began later than this call; never rejects. */
  ask(): Promise<TickReply> {
    const endsAt = this.#clock.monotonic() + (this.#options.budgetMs ?? 20_000);
    return new Promise((answer) => {
      this.#wishes.push({ endsAt, answer });
      if (!this.#isTicking) void this.#answerAll();
    });
  }

  async #answerAll(): Promise<void> {
    this.#isTicking = true;
    while (this.#wishes.length > 0) {
      const wishes = this.#wishes.splice(0);
      const reply = await this.#reply(Math.max(...wishes.map(({ endsAt }) => endsAt)));
      for (const { answer } of wishes) answer(reply);
    }
    this.#isTicking = false;
  }

  async #reply(endsAt: number): Promise<TickReply> {
    const { onReport, onError } = this.#options;
    try {
      const report = await this.#tickAgain(endsAt);
      this.#tell(() => onReport?.(report));
      return { report };
    } catch (error) {
      const { name, message } = Object(error) as Partial<Error>;
      this.#logger.log("error", "A tick of the service worker failed", {
        error: message ?? String(error),
        name,
      });
      this.#tell(() => onError?.(error));
      return { error: message ?? String(error) };
    }
  }

  /** Ticks again while there is time, and something to do in it: what others hold now, or what is due in a moment. */
  async #tickAgain(endsAt: number): Promise<TickReport> {
    let processed = 0;
    for (let againMs = againMsMin;; againMs *= 2) {
      const budgetMs = Math.max(0, Math.floor(endsAt - this.#clock.monotonic()));
      const report = await this.#engine.tick({ budgetMs });
      processed += report.processed;
      const leftMs = endsAt - this.#clock.monotonic();
      const dueMs = report.nextDueAt ? report.nextDueAt.getTime() - this.#clock.now() : Infinity;
      const waitMs = report.heldElsewhere > 0 || dueMs <= 0 ? Math.min(againMs, leftMs) : dueMs;
      if (leftMs <= 0 || waitMs > leftMs) return { ...report, processed };
      await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve));
    }
  }

  #tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#logger.log("error", "A listener of the service worker's ticks failed", {
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }
}
