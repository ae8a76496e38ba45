/**
 * What is done to the fleet, and when: drawn from a seed. The seed fixes the plan, not the moment each process is at
 * when it is hit; that is what real processes are for.
 *
 * @module
 */
import { seededRandom } from "../../core/ports/random.ts";
import { type Fleet, termMs, type WorkerProcess } from "./fleet.ts";
import type { Ledger } from "./ledger.ts";
import type { SqldServer } from "../sqld/server.ts";

/** Resolves after so many milliseconds. */
export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Does harm for a while. */
export class Chaos {
  /** What was done how often. */
  readonly done = new Map<string, number>();
  readonly #fleet: Fleet;
  readonly #server: SqldServer | undefined;
  readonly #ledger: Ledger;
  readonly #random: ReturnType<typeof seededRandom>;
  readonly #under: Promise<void>[] = [];
  #serverIsWell = true;

  /**
   * @param seed Decides what is done and when.
   * @param fleet What it is done to.
   * @param ledger Where the server's fate is recorded.
   * @param server The store's server, if it has one.
   */
  constructor(seed: number, fleet: Fleet, ledger: Ledger, server: SqldServer | undefined) {
    this.#random = seededRandom(seed * 2_654_435_761 + 1);
    this.#fleet = fleet;
    this.#ledger = ledger;
    this.#server = server;
  }

  /** Does harm for so long, with about so many workers, then makes all good again. */
  async run(ms: number, workers: number): Promise<void> {
    const until = performance.now() + ms;
    while (performance.now() < until) {
      await pause(this.#between(100, 700));
      // Fewer than wished is the rule, none at all the exception.
      const { awake } = this.#fleet;
      if (this.#fleet.workers.length < workers && this.#chance(awake.length === 0 ? 0.8 : 0.5)) this.#start();
      this.#harm();
    }
    await this.end();
  }

  /** Lets everything go on that was stopped, and brings the server back. */
  async end(): Promise<void> {
    await Promise.all(this.#under.splice(0));
    for (const worker of this.#fleet.workers) if (worker.frozen) this.#fleet.thaw(worker);
  }

  #harm(): void {
    const { awake } = this.#fleet;
    const draw = this.#random.float();
    if (this.#server && this.#serverIsWell && draw > 0.92) return this.#harmServer(this.#server);
    const victim = awake[Math.floor(this.#random.float() * awake.length)];
    if (!victim) return;
    if (draw < 0.25) return this.#kill(victim);
    if (draw < 0.5) return this.#freeze(victim);
    if (draw < 0.65) return this.#leave(victim);
    // Otherwise it is left in peace for this time.
  }

  #start(): void {
    this.#count("start");
    this.#fleet.start();
  }

  #kill(victim: WorkerProcess): void {
    this.#count("kill");
    this.#under.push(this.#fleet.kill(victim));
  }

  #leave(victim: WorkerProcess): void {
    this.#count("leave");
    this.#under.push(this.#fleet.leave(victim));
  }

  /** Mostly for longer than a term, so that it comes back as a zombie; some never come back. */
  #freeze(victim: WorkerProcess): void {
    this.#count("freeze");
    const ms = this.#between(0.3, 2.5) * termMs;
    const dies = this.#chance(0.2);
    this.#fleet.freeze(victim);
    this.#under.push(pause(ms).then(() => dies ? this.#fleet.kill(victim) : this.#fleet.thaw(victim)));
  }

  #harmServer(server: SqldServer): void {
    this.#serverIsWell = false;
    const ms = this.#between(50, 1_500);
    const kills = this.#chance(0.6);
    this.#count(kills ? "server kill" : "server freeze");
    const back = async () => {
      this.#log(kills ? "kill" : "freeze");
      if (kills) await server.kill();
      else server.freeze();
      await pause(ms);
      if (kills) await server.restart();
      else server.thaw();
      this.#log(kills ? "restarted" : "thaw");
      this.#serverIsWell = true;
    };
    this.#under.push(back());
  }

  #log(name: string): void {
    this.#ledger.write({ what: "event", name, to: "server" });
  }

  #count(name: string): void {
    this.done.set(name, (this.done.get(name) ?? 0) + 1);
  }

  #between(low: number, high: number): number {
    return low + this.#random.float() * (high - low);
  }

  #chance(probability: number): boolean {
    return this.#random.float() < probability;
  }
}
