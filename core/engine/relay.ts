/**
 * The relay of one definition in one shard: it sends the log of transitions to another streamer, at least once and in
 * order per run. An event that cannot be sent while others can holds back only its run.
 *
 * @module
 */
import { LeaseLostError } from "../errors.ts";
import type { HeldRow } from "../parts/relay_rows.ts";
import type { LoggedChange } from "../parts/run_log.ts";
import type { Version } from "../store/store.ts";
import type { EngineContext } from "./context.ts";
import { reportRelayLag } from "./relay_lag.ts";
import type { RelayMeter } from "./relay_meter.ts";
import { relayBackoffMs, type RelayPolicy } from "./relay_policy.ts";
import { type FailedSend, RelayRound } from "./relay_round.ts";
import { type RelayedRow, RelayState } from "./relay_state.ts";
import type { Fenced } from "./ring_surely.ts";

/** Rounds in which an event fails alone after which it is held back, whether or not anything else passes. */
const strikesMax = 3;
/** Runs that are held back and tried again in one round, and rows of their log that are read at a time. */
const retriesMax = 8;
const pageRows = 256;

/** The owner of the log, as the relay needs it. */
export interface RelayOwner extends Fenced {
  /** Told when a commit was refused: another engine owns this now. */
  lost(): void;
}

/** When the next round is: after so long, or as soon as something is written. */
interface Rest {
  /** Absent: there is nothing to wait for but news. */
  readonly ms: number | undefined;
  /** News ends it. */
  readonly isWakeable: boolean;
}

/** Sends a log. */
export class Relay {
  readonly #context: EngineContext;
  readonly #policy: RelayPolicy;
  readonly #owner: RelayOwner;
  readonly #state: RelayState;
  /** Sent, but not passed yet, as something before it was not. */
  readonly #ahead = new Set<Version>();
  /** By run: rounds in a row in which its next event failed alone. */
  readonly #strikes = new Map<string, number>();
  #isLoaded = false;
  #failures = 0;
  #isLate = false;
  #isNews = true;
  #resume: (() => void) | undefined;
  #waiting: (() => void)[] = [];
  #isBackingOff = false;
  #restsUntil: number | undefined;

  /**
   * @param context The engine.
   * @param policy Where to and how.
   * @param owner Whose log; when its ownership ends, so does this.
   */
  constructor(context: EngineContext, policy: RelayPolicy, owner: RelayOwner) {
    this.#context = context;
    this.#policy = policy;
    this.#owner = owner;
    this.#state = new RelayState(context, owner);
  }

  /** Relays until the ownership ends. */
  async run(): Promise<void> {
    const shards = new Set([this.#owner.shard]);
    const unlisten = this.#context.hub.listen(shards, () => this.#wake());
    while (!this.#owner.over) await this.#rest(await this.#roundSurely());
    unlisten();
    this.#meter?.lag(this.#owner.shard, undefined);
    this.#tellWaiting();
  }

  /** Resolves when all that is written now was sent, or has to wait for another try. */
  caughtUp(): Promise<void> {
    if (this.#owner.over || this.#isBackingOff) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#wake();
    });
  }

  /** When it tries again what it could not send; `undefined`: there is nothing of that. */
  get nextDue(): number | undefined {
    return this.#restsUntil;
  }

  #wake(): void {
    this.#isNews = true;
    this.#resume?.();
  }

  #tellWaiting(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #rest({ ms, isWakeable }: Rest): Promise<void> {
    if (ms === 0 || (isWakeable && this.#isNews) || this.#owner.over) return;
    this.#isBackingOff = !isWakeable;
    this.#restsUntil = ms === undefined ? undefined : this.#context.clock.now() + ms;
    this.#tellWaiting();
    const { ended } = this.#owner;
    let cancel: (() => void) | undefined;
    let onEnd!: () => void;
    await new Promise<void>((resolve) => {
      onEnd = () => resolve();
      if (isWakeable) this.#resume = resolve;
      if (ms !== undefined) cancel = this.#context.clock.after(ms, resolve);
      ended.addEventListener("abort", onEnd, { once: true });
    });
    ended.removeEventListener("abort", onEnd);
    cancel?.();
    this.#resume = undefined;
    this.#restsUntil = undefined;
    this.#isBackingOff = false;
  }

  /** Whatever fails is tried again, from what the store says. */
  async #roundSurely(): Promise<Rest> {
    this.#isNews = false;
    try {
      if (!this.#isLoaded) await this.#state.load();
      this.#isLoaded = true;
      return await this.#round();
    } catch (error) {
      this.#isLoaded = false;
      if (this.#owner.over) return { ms: 0, isWakeable: false };
      if (error instanceof LeaseLostError) {
        this.#owner.lost();
        return { ms: 0, isWakeable: false };
      }
      return this.#backOff(String(error));
    }
  }

  async #round(): Promise<Rest> {
    await this.#retryHeld();
    const batchMax = this.#pageOf(this.#policy.batchMax);
    const rows = await this.#state.rowsAfter(this.#state.passed, batchMax);
    const unsent = rows.filter((row) => !this.#isSettled(row)).map((row) => row.change!);
    this.#reportLag(unsent[0]);
    if (rows.length === 0) return this.#idle();
    const round = this.#newRound(this.#failures > 0);
    await round.send(unsent);
    if (this.#owner.over) return this.#idle();
    for (const version of round.sent) this.#ahead.add(version);
    if (round.sent.size > 0) this.#flows();
    const held = [...round.failed.values()].filter((each) => this.#isBad(each)).map((each) =>
      this.#heldBy(each)
    );
    const passed = await this.#moveOn(rows, held.slice(0, this.#heldRoom()));
    const last = rows.at(-1)!.version;
    if (passed === last) return rows.length < batchMax ? this.#idle() : { ms: 0, isWakeable: true };
    if (round.sent.size > 0 && round.failed.size === 0) return { ms: 0, isWakeable: true };
    const [failed] = round.failed.values();
    return this.#backOff(failed?.error ?? "as many runs are held back as may be");
  }

  /** A page that is cut shorter by the store would be taken for the last. */
  #pageOf(rows: number): number {
    return Math.min(rows, this.#context.store.limits.entriesPerRangeMax);
  }

  /** Sent already, held back, or damaged. */
  #isSettled({ version, change }: RelayedRow): boolean {
    return change === undefined || this.#ahead.has(version) || this.#state.held.has(change.runId);
  }

  #newRound(isWary: boolean): RelayRound {
    const { clock } = this.#context;
    const { ended } = this.#owner;
    return new RelayRound({ policy: this.#policy, clock, ended, isWary, meter: this.#meter });
  }

  get #meter(): RelayMeter | undefined {
    return this.#context.metrics?.relay(this.#owner.name, this.#policy);
  }

  /** Something was sent. If nothing was before, what is held back is tried at once. */
  #flows(): void {
    if (this.#failures > 0) {
      for (const row of this.#state.held.values()) this.#state.held.set(row.runId, { ...row, due: 0 });
    }
    this.#failures = 0;
  }

  /** Whether it is the event that cannot be sent, and not the streamer that is away. */
  #isBad({ row, isAlone }: FailedSend): boolean {
    const strikes = (this.#strikes.get(row.runId) ?? 0) + 1;
    this.#strikes.set(row.runId, strikes);
    return isAlone || strikes >= strikesMax;
  }

  #heldBy({ row, error }: FailedSend): HeldRow {
    const since = this.#context.clock.now();
    const kept = error.slice(0, this.#context.limits.messageLengthMax);
    return {
      runId: row.runId,
      version: row.version,
      since,
      attempts: 1,
      due: since + this.#backoffMs(1),
      error: kept,
    };
  }

  #heldRoom(): number {
    const { heldRunsMax, readPageMax } = this.#context.limits;
    return Math.max(0, Math.min(heldRunsMax, readPageMax) - this.#state.held.size);
  }

  /** @returns Up to where all is sent or held back now. */
  async #moveOn(rows: readonly RelayedRow[], held: readonly HeldRow[]): Promise<Version> {
    const newlyHeld = new Set(held.map(({ runId }) => runId));
    let { passed } = this.#state;
    for (const row of rows) {
      if (!this.#isSettled(row) && !newlyHeld.has(row.change!.runId)) break;
      passed = row.version;
    }
    if (passed > this.#state.passed || held.length > 0) await this.#state.moveOn(passed, held);
    for (const { runId, error } of held) this.#log("warn", "The relay holds back a run", { runId, error });
    for (const version of this.#ahead) if (version <= passed) this.#ahead.delete(version);
    if (passed === rows.at(-1)!.version) this.#strikes.clear();
    for (const { runId } of held) this.#strikes.delete(runId);
    return passed;
  }

  async #retryHeld(): Promise<void> {
    const now = this.#context.clock.now();
    const due = [...this.#state.held.values()].filter((row) => row.due <= now);
    for (const row of due.slice(0, retriesMax)) if (!this.#owner.over) await this.#retry(row);
  }

  /** First the event that failed, then all of its run that the relay has passed meanwhile, in order. */
  async #retry(held: HeldRow): Promise<void> {
    const limit = this.#pageOf(pageRows);
    for (let from = held.version - 1;;) {
      const page = await this.#state.rowsAfter(from, limit);
      const passed = page.filter(({ version }) => version <= this.#state.passed);
      const rows = passed.flatMap(({ change }) => change?.runId === held.runId ? [change] : []);
      const round = this.#newRound(true);
      await round.send(rows);
      if (this.#owner.over) return;
      const next = rows.find(({ version }) => !round.sent.has(version));
      if (next) return await this.#holdOn(held, next, round.failed.get(held.runId)?.error ?? held.error);
      if (passed.length < page.length || page.length < limit) break;
      from = page.at(-1)!.version;
    }
    await this.#state.release(held.runId);
    this.#log("info", "The relay has sent what it held back", { runId: held.runId });
  }

  async #holdOn(held: HeldRow, { version }: LoggedChange, error: string): Promise<void> {
    const attempts = (version === held.version ? held.attempts : 0) + 1;
    const due = this.#context.clock.now() + this.#backoffMs(attempts);
    const kept = error.slice(0, this.#context.limits.messageLengthMax);
    await this.#state.holdOn({ ...held, version, attempts, due, error: kept });
  }

  #backoffMs(failures: number): number {
    return relayBackoffMs(this.#policy, failures, this.#context.random.float());
  }

  #backOff(error: string): Rest {
    this.#failures++;
    this.#log("warn", "The relay could not go on; trying again", { error });
    return { ms: Math.max(1, this.#backoffMs(this.#failures)), isWakeable: false };
  }

  /** Until news, or until what is held back is due. */
  #idle(): Rest {
    this.#failures = 0;
    const now = this.#context.clock.now();
    const dues = [...this.#state.held.values()].map(({ due }) => Math.max(1, due - now));
    return { ms: dues.length > 0 ? Math.min(...dues) : undefined, isWakeable: true };
  }

  #reportLag(oldest: LoggedChange | undefined): void {
    const { name: definition, shard } = this.#owner;
    const lagMs = oldest ? Math.max(0, this.#context.clock.now() - oldest.at) : 0;
    this.#isLate = reportRelayLag(this.#context, this.#policy, { definition, shard, lagMs }, this.#isLate);
  }

  #log(level: "info" | "warn", message: string, about: Readonly<Record<string, unknown>>): void {
    const { name: definition, shard } = this.#owner;
    this.#context.logger.log(level, message, { definition, shard, ...about });
  }
}
