/**
 * How an engine works off what is due: for as long as it lives (`start`), or within a budget (`tick`), and how it
 * stops.
 *
 * @module
 */
import { type Duration, durationMs } from "../duration.ts";
import { PawlError } from "../errors.ts";
import { sleep } from "../ports/clock.ts";
import type { Definition } from "./behaviour.ts";
import type { EngineContext } from "./context.ts";
import { Dispatcher } from "./dispatcher.ts";
import { featureOf } from "./feature.ts";
import { Ownership } from "./ownership.ts";
import { PlatformWatch } from "./platform_watch.ts";
import { Poll } from "./poll.ts";
import type { ProcessState } from "./metrics.ts";
import type { EnginePhase } from "./process_states.ts";
import type { StoreStreamer } from "./store_streamer.ts";
import { graceMs, reportOf, type TickOptions, type TickReport, Ticks } from "./ticks.ts";

type Phase = "new" | "starting" | "started" | "stopping" | "stopped";

/** Works, in one way or the other. */
export class Work {
  /** Which shards this engine owns. */
  readonly ownership: Ownership;
  readonly #context: EngineContext;
  readonly #dispatcher: Dispatcher;
  readonly #poll: Poll;
  readonly #streams: StoreStreamer | undefined;
  readonly #platform: PlatformWatch;
  readonly #ticks: Ticks;
  #phase: Phase = "new";
  /** Ticks that were asked for and have not been answered. */
  #ticking = 0;
  #hasTicked = false;
  #starting: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  /**
   * @param context The engine.
   */
  constructor(context: EngineContext) {
    this.#context = context;
    this.#dispatcher = new Dispatcher(context.limits, context);
    this.ownership = new Ownership(context, this.#dispatcher, () => this.#reportStates());
    const { streams } = context.features;
    this.#streams = streams && new streams.StoreStreamer(context);
    this.#poll = new Poll(context, this.ownership);
    this.#platform = new PlatformWatch(context, {
      dispatcher: this.#dispatcher,
      ownership: this.ownership,
      poll: this.#poll,
    });
    this.#ticks = new Ticks(context, {
      dispatcher: this.#dispatcher,
      ownership: this.ownership,
      poll: this.#poll,
      landed: (ms) => this.#landed(ms),
      relayed: (ms) => this.#relayed(ms),
    });
    this.carry([...context.definitions.values()]);
  }

  /** What the engine carries has become more. */
  carry(definitions: readonly Definition[]): void {
    const { metrics, relay, locks, works } = this.#context;
    for (const definition of definitions) {
      if (works) metrics?.begin(definition, relay);
      locks?.carry(definition);
    }
    this.#reportStates();
  }

  /** The engine's own streams; they end with it. */
  get streams(): StoreStreamer {
    featureOf(this.#context.features, "streams", "use engine.streams");
    return this.#streams!;
  }

  /** What each process is doing. */
  states(): Readonly<Record<string, ProcessState>> {
    const { processStates } = featureOf(this.#context.features, "telemetry", "tell states");
    return processStates(this.#context, this.#enginePhase, this.#ownedNames);
  }

  get #enginePhase(): EnginePhase {
    if (this.#phase === "new" || this.#phase === "stopped") return this.#phase;
    return "at work";
  }

  get #ownedNames(): ReadonlySet<string> {
    return new Set(this.ownership.owners.map((owner) => owner.name));
  }

  #reportStates(): void {
    const { metrics, features } = this.#context;
    if (metrics) features.telemetry?.reportStates(this.#context, this.#enginePhase, this.#ownedNames);
  }

  /** Attempts of steps that came to an end since the start. */
  get processed(): number {
    return this.#dispatcher.processed;
  }

  /** Refuses a verb once the engine is stopped. */
  require(verb: string): void {
    if (this.#phase !== "stopped") return;
    throw new PawlError("ENGINE_STOPPED", `Cannot ${verb}: the engine is stopped; create another one`);
  }

  /** Refuses what must be done before the engine begins to work. */
  requireNew(verb: string): void {
    this.require(verb);
    if (this.#phase === "new" && this.#ticking === 0 && !this.#hasTicked) return;
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot ${verb}: the engine has begun to work; do it before start() and tick()`,
    );
  }

  /** Lets waits hear of other engines' commits, also on an engine that never starts. */
  listen(): void {
    // A wait that begins while the engine stops hears its last landings, and then its end; a poll would outlive it.
    if (this.#phase !== "stopping") this.#poll.start(false);
  }

  /** Owns and works until `stop()`; an engine that does not work only listens. */
  async start(): Promise<void> {
    this.require("start");
    if (this.#phase !== "new") {
      throw new PawlError("INVALID_ARGUMENT", "Cannot start: the engine is started already");
    }
    if (this.#ticking > 0) throw new PawlError("INVALID_ARGUMENT", "Cannot start: a tick is going on");
    this.#phase = "starting";
    this.#reportStates();
    const starting = this.#start();
    this.#starting = starting.catch(() => {});
    await starting;
  }

  async #start(): Promise<void> {
    this.#dispatcher.resume();
    try {
      if (this.#context.works) {
        await this.#context.integrations?.open();
        await this.ownership.start();
      }
    } catch (error) {
      await this.ownership.release(error);
      await this.#context.integrations?.undo();
      this.#phase = "new";
      this.#reportStates();
      throw error;
    }
    this.#poll.start(true);
    this.#phase = "started";
    this.#platform.start();
  }

  /** Ends all work: what runs may land within the grace, then it is told to stop and its shards are released. */
  stop(grace: Duration = graceMs): Promise<void> {
    const ms = durationMs(grace, "grace");
    this.#ticks.end();
    this.#context.integrations?.end();
    // What is half started cannot be released: it would go on to own what nobody ends.
    this.#stopping ??= this.#starting.then(() => this.#stop(ms));
    return this.#stopping;
  }

  async #stop(grace: number): Promise<void> {
    this.#phase = "stopping";
    const following = this.#platform.stop();
    if (following) await following;
    const reason = new PawlError("ENGINE_STOPPED", "The engine was stopped");
    this.#poll.stop();
    this.ownership.retire();
    await this.#landed(grace);
    await this.#relayed(grace);
    this.#context.committer.hurry();
    this.#context.reader.hurry();
    await this.#context.locks?.clients.end(reason);
    await this.ownership.release(reason);
    // Nothing of theirs runs any more, and what they want of the engine at last is still possible.
    const failed = await this.#context.integrations?.close();
    await this.#context.committer.drain();
    this.#phase = "stopped";
    this.#streams?.end();
    this.#reportStates();
    this.#context.watch.end(reason);
    if (failed) throw failed;
  }

  /** Works off what is due within a budget, and gives everything back. */
  async tick({ budgetMs = 5_000, again = false }: TickOptions): Promise<TickReport> {
    this.require("tick");
    if (!this.#context.works) {
      throw new PawlError(
        "INVALID_ARGUMENT",
        "Cannot tick: the engine was created with work: false; tick one that works",
      );
    }
    const ms = durationMs(budgetMs, "budgetMs");
    this.#ticking++;
    try {
      await this.#context.integrations?.open();
      this.#hasTicked = true;
      if (this.#phase === "starting") await this.#starting;
      if (this.#phase === "started") return await this.#tickStarted(ms);
      return await (again ? this.#ticks.again(ms, (left) => this.#ticks.tick(left)) : this.#ticks.tick(ms));
    } finally {
      this.#ticking--;
    }
  }

  async #tickStarted(budgetMs: number): Promise<TickReport> {
    const before = this.#dispatcher.processed;
    const { heldElsewhere, nextDue } = await this.ownership.claim(() => true);
    await Promise.all(this.ownership.owners.map((owner) => owner.rescan()));
    for (const owner of this.ownership.owners) owner.wake();
    await this.#landed(budgetMs);
    return reportOf(
      this.#dispatcher.processed - before,
      this.#ticks.nextDue(nextDue),
      heldElsewhere,
      this.#dispatcher.inFlight,
    );
  }

  /** Waits until what landed has been relayed, at most so long: the next owner would send it again. */
  async #relayed(ms: number): Promise<void> {
    if (ms <= 0 || !this.#context.relay) return;
    const patience = new AbortController();
    const late = sleep(this.#context.clock, ms, patience.signal).catch(() => {});
    await Promise.race([this.ownership.relayed(), late]);
    patience.abort();
  }

  /** Waits until nothing is in flight, ready, or about to start within that time, and at most so long. */
  async #landed(ms: number): Promise<void> {
    // A dispatcher that is stopped starts no suspects, so nobody waits for theirs to end.
    const reading = () =>
      this.#dispatcher.stopped ? [] : this.ownership.owners.filter((owner) => owner.reading);
    const until = this.#context.clock.monotonic() + ms;
    if (ms <= 0 || (!this.#dispatcher.busy(until) && reading().length === 0)) return;
    const patience = new AbortController();
    const late = sleep(this.#context.clock, ms, patience.signal).catch(() => {});
    const quiet = async () => {
      do {
        await this.#dispatcher.drained(until);
        await Promise.all(reading().map((owner) => owner.readingDone()));
      } while ((this.#dispatcher.busy(until) || reading().length > 0) && !patience.signal.aborted);
    };
    await Promise.race([quiet(), late]);
    patience.abort();
  }
}
