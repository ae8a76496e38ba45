import type { Event, Line } from "./ledger.ts";

/** How long a process may not know what it has lost, before or after it was harmed. */
const causeMsMax = 3_000;

const causes: ReadonlySet<string> = new Set(["kill", "freeze", "thaw", "restarted", "leave", "log"]);

/**
 * What was done to whom. What a process has done may be forgotten when it dies, loses its shard, is told to leave or cannot
 * write; without any of these it counts, and is not done again.
 */
export class Harm {
  readonly #events: ReadonlyMap<string, readonly Event[]>;

  /**
   * @param lines The ledger.
   */
  constructor(lines: readonly Line[]) {
    const harmful = lines.filter((line) => line.what === "event").filter(({ name }) => causes.has(name));
    this.#events = Map.groupBy(harmful, ({ to }) => to);
  }

  /**
   * Whether what a process did may be lost when it is done again.
   *
   * @param done When, and by whom, it was done.
   * @param again When it is done again.
   */
  excuses(done: Pick<Line, "by" | "at">, again: Pick<Line, "at">): boolean {
    const isCause = ({ name, at }: Event) => {
      if (name === "leave") return at <= again.at;
      // That it has lost a shard, or could not write, it says when it learns so.
      return at >= done.at - causeMsMax && at <= again.at + (name === "log" ? causeMsMax : 0);
    };
    return [done.by, "server"].some((name) => this.#events.get(name)?.some(isCause) ?? false);
  }
}
