import type { Random } from "../../core/ports/random.ts";
import type { SqldServer } from "../sqld/server.ts";
import type { Ledger, Line } from "./ledger.ts";
import { sleep } from "./trail.ts";

/** How long it takes to start. */
const startMsMax = 60;
const afterLineMsMax = 6;

/** What is done to the store's server: killed, also while it starts, and stopped where it stands. */
export class ServerChaos {
  /** Kills that counted, by what it was at. */
  readonly kills = new Map<string, number>();
  /** Whether nothing is being done to it. */
  isWell = true;
  readonly #server: SqldServer;
  readonly #ledger: Ledger;
  readonly #random: Pick<Random, "float">;

  /**
   * @param server The server.
   * @param ledger Where its fate is recorded.
   * @param random Decides what is done and when.
   */
  constructor(server: SqldServer, ledger: Ledger, random: Pick<Random, "float">) {
    this.#server = server;
    this.#ledger = ledger;
    this.#random = random;
  }

  /**
   * Does it some harm, and brings it back.
   *
   * @param line Waits for the next line of the ledger.
   * @param count Told of what is no kill.
   */
  async harm(line: () => Promise<Line | undefined>, count: (name: string) => void): Promise<void> {
    this.isWell = false;
    const draw = this.#random.float();
    const ms = this.#between(50, 1_200);
    const delay = this.#between(0, afterLineMsMax);
    try {
      if (draw < 0.25) return await this.#freeze(ms, count);
      const seen = draw < 0.8 ? await line() : undefined;
      if (seen) await sleep(delay);
      await this.#kill(seen ? `after ${seen.what}` : "at any moment");
      await sleep(ms);
      await this.#restart(draw < 0.4);
    } finally {
      this.isWell = true;
    }
  }

  async #freeze(ms: number, count: (name: string) => void): Promise<void> {
    count("freeze server");
    this.#log("freeze");
    this.#server.freeze();
    await sleep(ms);
    this.#server.thaw();
    this.#log("thaw");
  }

  async #restart(dies: boolean): Promise<void> {
    if (dies) {
      let isUp = false;
      const starting = this.#server.restart().then(() => void (isUp = true), () => {});
      await sleep(this.#between(0, startMsMax));
      await this.#kill(isUp ? "just started" : "starting");
      await starting;
    }
    await this.#server.restart();
    this.#log("restarted");
  }

  async #kill(at: string): Promise<void> {
    this.#log("kill", at);
    if (!await this.#server.kill()) return;
    this.kills.set(`server ${at}`, (this.kills.get(`server ${at}`) ?? 0) + 1);
  }

  #log(name: string, about?: string): void {
    this.#ledger.write({ what: "event", name, to: "server", ...(about !== undefined && { about }) });
  }

  #between(low: number, high: number): number {
    return low + this.#random.float() * (high - low);
  }
}
