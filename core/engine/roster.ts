import type { Clock } from "../ports/clock.ts";
import { readPresence } from "../parts/ownership_rows.ts";
import { splitKey, unescapeText } from "../store/key.ts";
import type { Entry } from "../store/store.ts";
import type { Member } from "./shares.ts";

/** How long past its term an engine is still taken for alive: clocks differ and replies are late. */
const skewMs = 500;

/** Terms past its end after which the presence of a dead engine is removed, so that they do not pile up. */
const staleTerms = 10;

const nobody: ReadonlySet<string> = new Set();

interface Seen {
  readonly version: number;
  /** When its row was last looked at. */
  lookedAt: number;
  /** When it is dead unless its row changes before. */
  readonly deadline: number;
}

/**
 * Which engines are alive, judged by this engine's own monotonic clock: wall clocks differ and jump. Only at first
 * sight must the row's own time be believed. All times in milliseconds.
 */
export class Roster {
  readonly #clock: Clock;
  readonly #seen = new Map<string, Seen>();
  /** Engines that were alive at the last look. */
  members: readonly Member[] = [];

  /**
   * @param clock This engine's.
   */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Looks at all presence rows.
   *
   * @param entries The rows.
   * @param gone Engines whose processes are surely gone.
   * @returns Rows of engines that are long dead, or gone.
   */
  look(entries: readonly Entry[], gone: ReadonlySet<string> = nobody): readonly Entry[] {
    const at = this.#clock.monotonic();
    const members: Member[] = [];
    const stale: Entry[] = [];
    const known = new Set<string>();
    for (const entry of entries) {
      const engineId = unescapeText(splitKey(entry.key)[1]!);
      const presence = readPresence(entry);
      known.add(engineId);
      const seen = this.#see(engineId, entry.version, presence, at);
      if (gone.has(engineId)) stale.push(entry);
      else if (at <= seen.deadline) members.push({ engineId, presence });
      else if (at > seen.deadline + staleTerms * presence.termMs) stale.push(entry);
    }
    for (const engineId of this.#seen.keys()) if (!known.has(engineId)) this.#seen.delete(engineId);
    this.members = members;
    return stale;
  }

  /** Milliseconds until the first member is dead unless it renews; `Infinity`: there is none but the given one. */
  msToNextDeath(except: string): number {
    const others = this.members.filter(({ engineId }) => engineId !== except);
    const deadlines = others.map(({ engineId }) => this.#seen.get(engineId)!.deadline);
    return Math.min(...deadlines) + 1 - this.#clock.monotonic();
  }

  #see(engineId: string, version: number, row: { expiresAt: number; termMs: number }, at: number): Seen {
    const before = this.#seen.get(engineId);
    if (before?.version === version) {
      before.lookedAt = at;
      return before;
    }
    const left = row.expiresAt - this.#clock.now();
    const { termMs } = row;
    // The renewal fell between the last look and this one; the row's own time tells when, as far as clocks agree.
    const leftAtMost = Math.min(left, termMs);
    const remaining = before ? Math.max(leftAtMost, termMs - (at - before.lookedAt)) : leftAtMost;
    const seen = { version, lookedAt: at, deadline: at + remaining + skewMs };
    this.#seen.set(engineId, seen);
    return seen;
  }
}
