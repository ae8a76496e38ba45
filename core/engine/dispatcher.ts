import { Fifo } from "./fifo.ts";

/** Where a ready run comes from. */
export interface RunSource {
  /** Scopes the concurrency of its statuses. */
  readonly name: string;
  /**
   * Makes sure the run may start now.
   *
   * @returns Its status and bound, or `undefined` when it may not.
   */
  prepare(runId: string): Ready | undefined | Promise<Ready | undefined>;
  /** Runs the prepared step to its landing; never rejects. */
  run(runId: string): Promise<void>;
}

/** A run that may start. */
export interface Ready {
  readonly status: string;
  /** Steps of this status at once; 0: no bound of its own. */
  readonly concurrency: number;
}

interface Task {
  readonly source: RunSource;
  readonly runId: string;
  /** The lane that gave it a free slot, which it passes on if it does not take it. */
  readonly freed?: string;
}

/** Starts ready runs, first come first served, within the engine's bound and each status's own. */
export class Dispatcher {
  readonly #inFlightMax: number;
  readonly #ready = new Fifo<Task>();
  readonly #running = new Map<string, number>();
  readonly #blocked = new Map<string, Fifo<Task>>();
  #idle: (() => void)[] = [];
  #stopped = false;
  /** Runs being prepared or running. */
  inFlight = 0;
  /** Steps that have come to an end since the start. */
  processed = 0;

  /**
   * @param inFlightMax Runs in flight at once.
   */
  constructor(inFlightMax: number) {
    this.#inFlightMax = inFlightMax;
  }

  /** Queues a run that is due. */
  ready(source: RunSource, runId: string): void {
    this.#ready.push({ source, runId });
    this.#pump();
  }

  /** Starts nothing more; what runs goes on. */
  stop(): void {
    this.#stopped = true;
  }

  /** Starts again after {@linkcode stop}. */
  resume(): void {
    this.#stopped = false;
    this.#pump();
  }

  /** Whether it starts nothing at present. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Whether anything is in flight or, unless stopped, ready. */
  get busy(): boolean {
    return this.inFlight > 0 || (!this.#stopped && this.#ready.size > 0);
  }

  /** Resolves when nothing is in flight and nothing is ready to start. */
  drained(): Promise<void> {
    if (!this.busy) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #pump(): void {
    while (!this.#stopped && this.inFlight < this.#inFlightMax) {
      const task = this.#ready.shift();
      if (!task) break;
      this.inFlight++;
      this.#prepare(task);
    }
    if (!this.busy) { for (const resolve of this.#idle.splice(0)) resolve(); }
  }

  #prepare(task: Task): void {
    const ready = task.source.prepare(task.runId);
    if (ready instanceof Promise) ready.then((value) => this.#start(task, value), () => this.#end());
    else this.#start(task, ready);
  }

  #start(task: Task, ready: Ready | undefined): void {
    const lane = ready && `${task.source.name} ${ready.status}`;
    if (task.freed !== undefined && task.freed !== lane) this.#unblock(task.freed);
    if (!ready || lane === undefined) return this.#end();
    const running = this.#running.get(lane) ?? 0;
    if (ready.concurrency > 0 && running >= ready.concurrency) {
      this.#block(lane, task);
      return this.#end();
    }
    if (ready.concurrency > 0) this.#running.set(lane, running + 1);
    task.source.run(task.runId).then(() => {
      this.processed++;
      if (ready.concurrency > 0) this.#free(lane);
      this.#end();
    });
  }

  #block(lane: string, task: Task): void {
    const blocked = this.#blocked.get(lane) ?? new Fifo<Task>();
    this.#blocked.set(lane, blocked);
    blocked.push({ source: task.source, runId: task.runId });
  }

  #free(lane: string): void {
    this.#running.set(lane, this.#running.get(lane)! - 1);
    this.#unblock(lane);
  }

  #unblock(lane: string): void {
    const next = this.#blocked.get(lane)?.shift();
    if (next) this.#ready.push({ ...next, freed: lane });
  }

  #end(): void {
    this.inFlight--;
    this.#pump();
  }
}
