import { Fifo } from "./fifo.ts";
import type { Limits } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { Platform } from "../ports/platform.ts";
import { type Bounds, isBounded, Lane } from "./lane.ts";

/** However small commits are to be: a few results that the store does not take must not hold up all others. */
const landingMin = 64;

/** Where a ready run comes from. */
export interface RunSource {
  /** Scopes the bounds of its statuses. */
  readonly name: string;
  /**
   * Makes sure the run may start now.
   *
   * @returns Its status and bounds, or `undefined` when it may not.
   */
  prepare(runId: string): Ready | undefined | Promise<Ready | undefined>;
  /** Runs the prepared step to its landing; never rejects. */
  run(runId: string): Promise<void>;
  /** Told that the run waits for its status; it does until it is prepared again. */
  waits?(runId: string, wait: Wait): void;
}

/** What a dispatcher goes by. */
export interface DispatcherPorts {
  /** Time, for what may start only so often. */
  readonly clock: Clock;
  /** The network, for what needs it; and nothing is started on a platform that is suspended. */
  readonly platform: Pick<Platform, "isOnline" | "readiness">;
}

/** A run that may start. */
export interface Ready extends Bounds {
  readonly status: string;
  /** Where it waited for this status before. */
  readonly place?: number;
}

/** A run's wait for its status. */
export interface Wait {
  readonly status: string;
  readonly place: number;
  /** Has the run prepared again now, and not only in its turn. */
  recall(): void;
}

interface Task {
  readonly source: RunSource;
  readonly runId: string;
  /** The lane that gave it a grant, which it gives back if it does not use it. */
  readonly grant?: Lane<Task>;
}

/** Who waits until nothing is left to do. */
interface Patience {
  /** Starts that must wait for longer than this, by the monotonic clock, are not waited for. */
  readonly until: number;
  readonly resolve: () => void;
}

/**
 * Starts ready runs, first come first served, within the engine's bound and each status's own. What waits for its
 * status holds no slot of the engine's, and nobody else up.
 */
export class Dispatcher {
  readonly #inFlightMax: number;
  readonly #landingMax: number;
  readonly #ports: DispatcherPorts;
  readonly #ready = new Fifo<Task>();
  readonly #lanes = new Map<string, Lane<Task>>();
  #idle: Patience[] = [];
  /** Runs whose record is on its way into memory. */
  #preparing = 0;
  #stopped = false;
  #pumping = false;
  /** Runs being prepared or running. */
  inFlight = 0;
  /** Runs in flight whose code has come to a result that is not stored yet. */
  landing = 0;
  /** Steps that have come to an end since the start. */
  processed = 0;

  /**
   * @param limits `runsInFlightMax`: runs in flight at once; `groupBatchesMax`: of these, results that wait to be stored, and
   * runs on their way into memory.
   * @param ports Time and platform.
   */
  constructor(limits: Pick<Limits, "runsInFlightMax" | "groupBatchesMax">, ports: DispatcherPorts) {
    this.#inFlightMax = limits.runsInFlightMax;
    this.#landingMax = Math.max(landingMin, limits.groupBatchesMax);
    this.#ports = ports;
  }

  /** Queues a run that is due. */
  ready(source: RunSource, runId: string): void {
    this.#ready.push({ source, runId });
    this.#pump();
  }

  /** An ownership has ended: nothing of it waits any more. */
  leave(source: RunSource): void {
    for (const lane of this.#lanes.values()) {
      lane.drop((task) => task.source === source);
      this.#pumpLane(lane);
    }
    this.#pump();
  }

  /** Starts nothing more; what runs goes on. */
  stop(): void {
    this.#stopped = true;
    for (const lane of this.#lanes.values()) lane.rest();
  }

  /** Starts again after {@linkcode stop}. */
  resume(): void {
    this.#stopped = false;
    this.lookAgain();
  }

  /** The platform has changed. */
  lookAgain(): void {
    if (this.#stopped) return;
    for (const lane of this.#lanes.values()) lane.pump();
    this.#pump();
  }

  /** Whether it starts nothing at present. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Whether anything is in flight, or, unless stopped, ready, or may start until that time by the monotonic clock. */
  busy(until: number): boolean {
    if (this.inFlight > 0) return true;
    if (!this.#isFit) return false;
    if (this.#ready.size > 0) return true;
    for (const { startsAt } of this.#lanes.values()) {
      if (startsAt !== undefined && startsAt <= until) return true;
    }
    return false;
  }

  /** Resolves when nothing is in flight, ready, or about to start until that time by the monotonic clock. */
  drained(until: number): Promise<void> {
    if (!this.busy(until)) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push({ until, resolve }));
  }

  /**
   * When the first of a source's queued runs can start.
   *
   * @param source Whose.
   * @param queued How many runs it has queued.
   * @returns By the wall clock: now, unless all of them wait for their rate; `Infinity` when it has none, or all of them wait
   * for the network.
   */
  nextDue(source: RunSource, queued: number): number {
    if (queued === 0) return Infinity;
    let first = Infinity;
    for (const lane of this.#lanes.values()) {
      if (lane.startsAt === undefined && !lane.isCut) continue;
      const count = lane.count((task) => task.source === source);
      if (count > 0) first = Math.min(first, lane.startsAt ?? Infinity);
      queued -= count;
    }
    const { clock } = this.#ports;
    const waitMs = queued === 0 ? Math.ceil(first - clock.monotonic()) : 0;
    return clock.now() + Math.max(0, waitMs);
  }

  /** Whether a run that comes to this status now waits for its rate, or for the network. */
  mustWait(source: RunSource, ready: Ready): boolean {
    return this.#laneOf(source, ready)?.isSlow ?? false;
  }

  #pump(): void {
    // A run that must wait ends its turn within the loop, which then goes on by itself.
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#isFit && this.inFlight < this.#inFlightMax && !this.#isPressed) {
        const task = this.#ready.shift();
        if (!task) break;
        this.inFlight++;
        this.#prepare(task);
      }
    } finally {
      this.#pumping = false;
    }
    if (this.#idle.length === 0 || this.inFlight > 0) return;
    const patient = this.#idle.filter((each) => this.busy(each.until));
    const over = this.#idle.filter((each) => !patient.includes(each));
    this.#idle = patient;
    for (const { resolve } of over) resolve();
  }

  get #isFit(): boolean {
    return !this.#stopped && this.#ports.platform.readiness() !== "suspended";
  }

  #prepare(task: Task): void {
    const ready = task.source.prepare(task.runId);
    if (!(ready instanceof Promise)) return this.#start(task, ready);
    this.#preparing++;
    const start = (value?: Ready) => {
      this.#preparing--;
      this.#start(task, value);
      this.#pump();
    };
    ready.then(start, () => start());
  }

  /** Whether what is about to be stored, or may be soon, fills a commit: a store that does not keep up is not flooded. */
  get #isPressed(): boolean {
    return this.landing + this.#preparing >= this.#landingMax;
  }

  #start(task: Task, ready: Ready | undefined): void {
    const lane = ready && this.#laneOf(task.source, ready);
    // It may be for another status now, or the network may have gone while it waited for a slot of the engine's.
    const isGranted = lane !== undefined && task.grant === lane && !lane.isCut;
    if (task.grant && !isGranted) {
      task.grant.giveBack();
      this.#pumpLane(task.grant);
    }
    if (!ready) return this.#end();
    if (this.#ports.platform.readiness() === "suspended") {
      // It was suspended while the run was prepared.
      if (isGranted) lane.giveBack();
      this.#ready.push({ source: task.source, runId: task.runId });
      return this.#end();
    }
    if (lane && !isGranted && !lane.enter()) {
      this.#wait(task, ready, lane);
      return this.#end();
    }
    lane?.start();
    task.source.run(task.runId).then(() => {
      this.processed++;
      lane?.end();
      if (lane) this.#pumpLane(lane);
      this.#end();
    });
  }

  #wait({ source, runId }: Task, { status, place: before }: Ready, lane: Lane<Task>): void {
    const place = lane.wait({ source, runId }, before);
    const recall = () => {
      if (lane.recall(place)) this.ready(source, runId);
    };
    source.waits?.(runId, { status, place, recall });
    this.#pumpLane(lane);
  }

  /** The lane of a status that has a bound of its own. */
  #laneOf(source: RunSource, ready: Ready): Lane<Task> | undefined {
    if (!isBounded(ready)) return undefined;
    const name = laneName(source, ready.status);
    let lane = this.#lanes.get(name);
    if (!lane) {
      const made: Lane<Task> = new Lane(
        ready,
        this.#ports,
        (task) => this.#ready.push({ ...task, grant: made }),
        () => {
          made.pump();
          this.#pump();
        },
      );
      lane = made;
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #pumpLane(lane: Lane<Task>): void {
    if (!this.#stopped) lane.pump();
  }

  #end(): void {
    this.inFlight--;
    this.#pump();
  }
}

/** Lanes are of a definition's status, over all its shards. */
function laneName(source: RunSource, status: string): string {
  return `${source.name}\n${status}`;
}
