import { fileURLToPath } from "node:url";
import type { Offset } from "./recorder.ts";
import { linesOf, type RoundOrder, type TimeOrder, type WorkerLine, type WorkerOptions } from "./worker.ts";

const workerPath = fileURLToPath(new URL("./worker.ts", import.meta.url));
const configPath = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** Questions for the time before each round; the best of them count. */
const timeQuestions = 8;

/** A clock is not finer than this, so two readings of one moment may differ by it. */
const clockGrainMs = 0.1;

/** A worker, as seen by who has started it. */
export class WorkerProcess {
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #errors: Promise<string>;

  /**
   * @param options What it is told.
   */
  constructor(options: WorkerOptions) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--config", configPath, workerPath, JSON.stringify(options)],
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#lines = linesOf(this.#child.stdout);
    this.#input = this.#child.stdin.getWriter();
    this.#errors = new Response(this.#child.stderr).text();
  }

  /**
   * Finds out how its clock stands to this process's: both run alike, from different starts. What it says was true
   * between question and answer.
   *
   * @returns What to add to its moments.
   */
  async offset(): Promise<Offset> {
    let [least, most] = [-Infinity, Infinity];
    for (let question = 0; question < timeQuestions; question++) {
      const asked = performance.now();
      await this.#order({ order: "time" });
      const line = await this.#line();
      const told = performance.now();
      if (line === undefined || typeof line === "string" || !("time" in line)) throw await this.#broken(line);
      least = Math.max(least, asked - line.time - clockGrainMs);
      most = Math.min(most, told - line.time + clockGrainMs);
    }
    if (least > most) throw new Error(`The clocks of two processes do not run alike: ${least} > ${most}`);
    return { least, most };
  }

  /**
   * Has it live through a round.
   *
   * @param order The round.
   * @param onHalfway Called when it says so.
   * @returns False if it died of SIGKILL meanwhile.
   */
  async round(order: RoundOrder, onHalfway: () => void): Promise<boolean> {
    await this.#order(order);
    for (;;) {
      const line = await this.#line();
      if (line === "done") return true;
      if (line === "halfway") onHalfway();
      else if (line === undefined && (await this.#child.status).signal === "SIGKILL") return false;
      else throw await this.#broken(line);
    }
  }

  /** Ends it at whatever instruction it is. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  /** Ends it if it is there, and all that was opened for it. */
  async close(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* It has ended before. */ }
    await this.#child.status;
    await this.#input.close().catch(() => {});
    // To the end, as a stream that is left before stays open.
    while (await this.#line() !== undefined);
    await this.#errors;
  }

  async #order(order: TimeOrder | RoundOrder): Promise<void> {
    await this.#input.write(new TextEncoder().encode(JSON.stringify(order) + "\n"));
  }

  async #line(): Promise<WorkerLine | undefined> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : JSON.parse(value) as WorkerLine;
  }

  async #broken(line: WorkerLine | undefined): Promise<Error> {
    if (line !== undefined) return new Error(`A worker said ${JSON.stringify(line)}`);
    const { code, signal } = await this.#child.status;
    return new Error(`A worker has ended with ${signal ?? code}: ${await this.#errors}`);
  }
}
