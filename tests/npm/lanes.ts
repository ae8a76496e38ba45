/**
 * Runs bundles of tests in a user's runtime, in as many processes as there are cores; each takes one bundle after another.
 *
 * @module
 */
import { statfs } from "node:fs/promises";
import { TextLines } from "./text_lines.ts";
import type { Outcome } from "./deno_shim.ts";
import type { Suite } from "./suites.ts";

/** Fewer runs of properties than in the project's own runs: what is looked for here is what differs between runtimes. */
const fewerRuns = { LOCK_RUNS: "20", RELAY_RUNS: "20", RECURRENCE_RUNS: "150", STORE_MODEL_RUNS: "40" };

const suiteMsMax = 300_000;

interface LaneOptions {
  readonly runtime: string;
  readonly worker: string;
  /** Where tests make their files. */
  readonly scratch: string;
}

/** A process that runs what it is handed. */
class Lane {
  readonly #process: Deno.ChildProcess;
  readonly #said: TextLines;
  readonly #complaints: Promise<string>;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;

  constructor({ runtime, worker, scratch }: LaneOptions) {
    this.#process = new Deno.Command(runtime, {
      args: [worker],
      cwd: worker.slice(0, worker.lastIndexOf("/")),
      env: { ...fewerRuns, TMPDIR: scratch },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#said = new TextLines(this.#process.stdout);
    this.#complaints = new Response(this.#process.stderr).text();
    this.#orders = this.#process.stdin.getWriter();
  }

  /** @returns What came of the bundle; `undefined` when the process has ended before it said so. */
  async run({ file }: Suite): Promise<Outcome | undefined> {
    const alarm = setTimeout(() => this.kill(), suiteMsMax);
    try {
      await this.#orders.write(new TextEncoder().encode(`${file}\n`));
      const outcome = await this.#said.find((line) => line.startsWith('{"tests":'));
      return outcome === undefined ? undefined : JSON.parse(outcome);
    } catch {
      return undefined;
    } finally {
      clearTimeout(alarm);
    }
  }

  kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }

  /** @returns What it has complained of. */
  async end(): Promise<string> {
    this.kill();
    await this.#process.status;
    return await this.#complaints;
  }
}

/** Runs suites in runtime after runtime. */
export class SuiteRunner {
  readonly #suites: readonly Suite[];
  readonly #worker: string;
  /** How long each took in the runtime before, so that the longest begin first. */
  readonly #took = new Map<Suite, number>();

  /**
   * @param suites What is run.
   * @param worker The program that runs them.
   */
  constructor(suites: readonly Suite[], worker: string) {
    this.#suites = suites;
    this.#worker = worker;
  }

  /**
   * Runs all. What fails is run once more in a process of its own, and that is told: some wait for real work in real
   * milliseconds, which a busy machine does not have.
   *
   * @param runtime What runs them.
   * @returns How many tests have passed.
   * @throws {Error} With the failures of all suites.
   */
  async run(runtime: string): Promise<string> {
    const scratch = await scratchFolder();
    try {
      return await this.#run({ runtime, worker: this.#worker, scratch });
    } finally {
      await Deno.remove(scratch, { recursive: true });
    }
  }

  async #run(options: LaneOptions): Promise<string> {
    const took = (suite: Suite) => this.#took.get(suite) ?? 0;
    const waiting = [...this.#suites].sort((a, b) => took(b) - took(a));
    const failed: Suite[] = [];
    let tests = 0;
    const lane = async () => {
      let process = new Lane(options);
      for (let suite = waiting.shift(); suite; suite = waiting.shift()) {
        const begun = performance.now();
        const outcome = await process.run(suite);
        this.#took.set(suite, performance.now() - begun);
        if (outcome?.failures.length === 0) tests += outcome.tests;
        else {
          failed.push(suite);
          await process.end();
          process = new Lane(options);
        }
      }
      await process.end();
    };
    await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, lane));
    const failures: string[] = [];
    for (const suite of failed) {
      const process = new Lane(options);
      const outcome = await process.run(suite);
      const complaints = await process.end();
      const found = outcome?.failures ?? [`it ended without a result: ${complaints}`];
      tests += (outcome?.tests ?? 1) - found.length;
      failures.push(...found.map((failure) => `${suite.path}: ${failure}`));
    }
    if (failures.length > 0) {
      throw new Error(`${tests} tests passed, and these failed:\n${failures.join("\n")}`);
    }
    const again = failed.length > 0 ? `; once more: ${failed.map(({ path }) => path).join(", ")}` : "";
    return `${tests} tests of ${this.#suites.length} files${again}`;
  }

  /** The suites that took longest in the runtime before. */
  longest(count: number): string {
    const all = [...this.#took].sort(([, a], [, b]) => b - a).slice(0, count);
    return all.map(([{ path }, ms]) => `${path} ${(ms / 1_000).toFixed(1)} s`).join(", ");
  }
}

/** What the stores of all tests need at most, with room to spare. */
const scratchBytes = 1e9;

/** In memory where there is room: what `kill -9` leaves is the same there, and nobody waits for a disk. */
async function scratchFolder(): Promise<string> {
  const prefix = "pawl-suites-";
  const memory = await statfs("/dev/shm").catch(() => undefined);
  const hasRoom = memory !== undefined && memory.bavail * memory.bsize > scratchBytes;
  return await Deno.makeTempDir(hasRoom ? { prefix, dir: "/dev/shm" } : { prefix });
}
