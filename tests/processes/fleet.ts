/**
 * The worker processes: started, killed, stopped where they stand, let go on, and told to leave.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Ledger } from "./ledger.ts";
import type { Place } from "./place.ts";
import type { WorkerOptions } from "./worker.ts";

const workerPath = fileURLToPath(new URL("./worker.ts", import.meta.url));
const configPath = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** How long an engine's ownership outlives its last sign of life. Short, so that take-overs come often. */
export const termMs = 1_500;
/** How often it looks for what others wrote. */
export const pollMs = 150;

/** One worker process. */
export interface WorkerProcess {
  readonly name: string;
  /** Stopped where it stands. */
  frozen: boolean;
  /** Told to leave. */
  leaving: boolean;
  readonly child: Deno.ChildProcess;
  /** Resolves when it has printed that it has started, or has ended. */
  readonly started: Promise<void>;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

/** Starts and ends workers, and writes into the ledger what it did to them. */
export class Fleet {
  readonly #place: Place;
  readonly #ledger: Ledger;
  readonly #prefix: string;
  readonly #all = new Set<WorkerProcess>();
  #started = 0;
  /** Workers that ended with an error of their own. */
  readonly failed: string[] = [];

  /**
   * @param place Where it lives.
   * @param ledger Where it is recorded.
   * @param prefix Begins the names of its workers, which are unique within the ledger.
   */
  constructor(place: Place, ledger: Ledger, prefix = "w") {
    this.#place = place;
    this.#ledger = ledger;
    this.#prefix = prefix;
  }

  /** Every worker whose process is there, frozen ones and leaving ones included. */
  get workers(): readonly WorkerProcess[] {
    return [...this.#all];
  }

  /** Workers that work. */
  get awake(): readonly WorkerProcess[] {
    return this.workers.filter((each) => !each.frozen && !each.leaving);
  }

  /** Starts a worker; it is up when `started` resolves. */
  start(): WorkerProcess {
    const name = `${this.#prefix}${++this.#started}`;
    const { url, shards, ledger, folder } = this.#place;
    const options: WorkerOptions = { name, url, shards, ledger, termMs, pollMs };
    this.#log("start", name);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--config", configPath, workerPath, JSON.stringify(options)],
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const ups = Promise.withResolvers<void>();
    const out = keep(child.stdout, `${folder}/${name}.log`, ups.resolve);
    const err = keep(child.stderr, `${folder}/${name}.err`);
    const ended = Promise.all([child.status, out, err]).then(([status]) => {
      this.#all.delete(worker);
      ups.resolve();
      child.stdin.close().catch(() => {});
      // Told to leave before it listens to signals, it just ends.
      const isWished = status.signal === "SIGKILL" || (worker.leaving && status.signal === "SIGTERM");
      if (status.code !== 0 && !isWished) {
        this.failed.push(`${name} ended with ${status.signal ?? status.code}; see ${folder}/${name}.err`);
      }
      this.#log("ended", name);
    });
    const worker = { name, child, frozen: false, leaving: false, started: ups.promise, ended };
    this.#all.add(worker);
    return worker;
  }

  /** Ends it at whatever instruction it is. */
  async kill(worker: WorkerProcess): Promise<void> {
    this.#signal("kill", worker, "SIGKILL");
    await worker.ended;
  }

  /** Stops it where it stands: it neither works nor knows. */
  freeze(worker: WorkerProcess): void {
    worker.frozen = true;
    this.#signal("freeze", worker, "SIGSTOP");
  }

  /** Lets it go on. */
  thaw(worker: WorkerProcess): void {
    worker.frozen = false;
    this.#signal("thaw", worker, "SIGCONT");
  }

  /** Tells it to stop in order. Resolves when it has ended. */
  async leave(worker: WorkerProcess): Promise<void> {
    worker.leaving = true;
    this.#signal("leave", worker, "SIGTERM");
    await worker.ended;
  }

  /** Ends all, however they are. */
  async killAll(): Promise<void> {
    await Promise.all(this.workers.map((worker) => this.kill(worker)));
  }

  #signal(name: string, worker: WorkerProcess, signal: Deno.Signal): void {
    // Written first: what the signal brings about comes later in the ledger.
    this.#log(name, worker.name);
    try {
      worker.child.kill(signal);
    } catch { /* It has just ended by itself. */ }
  }

  #log(name: string, to: string): void {
    this.#ledger.write({ what: "event", name, to });
  }
}

/** Copies what a process prints into a file. */
async function keep(from: ReadableStream<Uint8Array>, path: string, onFirst?: () => void): Promise<void> {
  using file = Deno.openSync(path, { create: true, append: true });
  for await (const piece of from) {
    file.writeSync(piece);
    onFirst?.();
  }
}
