import type { Clock } from "../ports/clock.ts";
import { wavesOf } from "../parts/relay_plan.ts";
import { eventOfLog, type LoggedChange } from "../parts/run_log.ts";
import type { Version } from "../store/store.ts";
import type { RelayMeter } from "./relay_meter.ts";
import type { RelayPolicy } from "./relay_policy.ts";

/** Sends in a row that may fail before a topic is left alone for this round: enough to find one bad event among 1,000. */
const failuresMax = 12;

/** An event that could not be sent even alone. */
export interface FailedSend {
  readonly row: LoggedChange;
  readonly error: string;
  /** Something else was sent after it failed: it is the event, not the streamer. */
  isAlone: boolean;
}

/** What a round needs. */
export interface RoundOptions {
  readonly policy: RelayPolicy;
  readonly clock: Clock;
  /** Aborted when this engine owns the shard no more: nothing more is sent. */
  readonly ended: AbortSignal;
  /** The last round got nothing through: events are sent one by one until one passes. */
  readonly isWary: boolean;
  /** Measures each send. */
  readonly meter?: RelayMeter | undefined;
}

/**
 * One try to send a piece of a log. What fails together is halved until it is known which event fails alone; what comes
 * after that in its run is not sent.
 */
export class RelayRound {
  /** Rows that were sent. */
  readonly sent = new Set<Version>();
  /** By run: what failed alone. */
  readonly failed = new Map<string, FailedSend>();
  /** Runs of which a row was not sent, so that none after it may be. */
  readonly #blocked = new Set<string>();
  readonly #options: RoundOptions;
  #isWary: boolean;

  /**
   * @param options How to send.
   */
  constructor(options: RoundOptions) {
    this.#options = options;
    this.#isWary = options.isWary;
  }

  /** Sends rows of a log, in order per run. */
  async send(rows: readonly LoggedChange[]): Promise<void> {
    for (const wave of wavesOf(rows)) {
      const before = this.sent.size;
      for (const { topic, rows: group } of wave) await this.#sendGroup(topic, group);
      // No topic lets anything through: the next wave would find the same.
      if (this.sent.size === before && wave.length > 0) break;
    }
  }

  async #sendGroup(topic: string, group: readonly LoggedChange[]): Promise<void> {
    let pieces: (readonly LoggedChange[])[] = this.#isWary ? group.map((row) => [row]) : [group];
    let failures = 0;
    while (pieces.length > 0 && failures < failuresMax && !this.#options.ended.aborted) {
      const piece = pieces.shift()!.filter((row) => !this.#blocked.has(row.runId));
      if (piece.length === 0) continue;
      const error = await this.#trySend(topic, piece);
      if (error === undefined) {
        failures = 0;
        this.#passed(piece);
        if (this.#isWary) pieces = pieces.length > 0 ? [pieces.flat()] : [];
        this.#isWary = false;
        continue;
      }
      failures++;
      const middle = piece.length >> 1;
      if (middle === 0) this.#fail(piece[0]!, error);
      else pieces.unshift(piece.slice(0, middle), piece.slice(middle));
    }
    for (const row of pieces.flat()) this.#blocked.add(row.runId);
  }

  #passed(piece: readonly LoggedChange[]): void {
    for (const row of piece) this.sent.add(row.version);
    for (const each of this.failed.values()) each.isAlone = true;
  }

  #fail(row: LoggedChange, error: string): void {
    this.#blocked.add(row.runId);
    this.failed.set(row.runId, { row, error, isAlone: false });
  }

  async #trySend(topic: string, piece: readonly LoggedChange[]): Promise<string | undefined> {
    const { policy, clock, meter } = this.#options;
    const startedAt = clock.monotonic();
    let cancel: (() => void) | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        const about = `The streamer did not answer within ${policy.timeoutMs} ms`;
        cancel = clock.after(policy.timeoutMs, () => reject(new Error(about)));
      });
      const events = piece.map((row) => {
        const { topic: _topic, at: _at, ...event } = eventOfLog(row);
        return event;
      });
      await Promise.race([policy.streamer.send(topic, events), late]);
      meter?.sent(clock.monotonic() - startedAt);
      return undefined;
    } catch (error) {
      meter?.failed();
      return String(error);
    } finally {
      cancel?.();
    }
  }
}
