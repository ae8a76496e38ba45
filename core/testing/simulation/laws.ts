/**
 * What is checked with every batch at the moment it is applied: reads each change of a run out of the batch once, and
 * shows it to all laws.
 *
 * @module
 */
import type { Behaviour, StepCall } from "../../engine/behaviour.ts";
import type { HistoryRow } from "../../parts/history.ts";
import { isFinished, type RunRecord } from "../../parts/run_record.ts";
import { decodeRecord } from "../../parts/run_row.ts";
import type { Batch, Put } from "../../store/store.ts";
import { AttemptLaws } from "./attempt_laws.ts";
import { ConnectorLaws } from "./connector_laws.ts";
import { DisposalLaws } from "./disposal_laws.ts";
import { HookLaws } from "./hook_laws.ts";
import type { Host } from "./host.ts";
import { LockLaws } from "./lock_laws.ts";
import { OwnerLaws } from "./owner_laws.ts";
import { RunLaws } from "./run_laws.ts";
import type { Shadow } from "./shadow.ts";
import { ScheduleLaws } from "./schedule_laws.ts";
import { StreamLaws } from "./stream_laws.ts";
import { checkTimers } from "./timer_laws.ts";
import type { Weather } from "./weather.ts";
import type { World } from "./world.ts";

/** What history says of a change. */
export type ToldEvent = Omit<HistoryRow, "at" | "position">;

/** A change of a run, about to be applied. */
export interface RunChange {
  readonly host: Host;
  readonly shard: number;
  readonly batch: Batch;
  readonly event: ToldEvent;
  /** Absent: the run begins. */
  readonly before: RunRecord | undefined;
  readonly after: RunRecord;
}

/** What the laws must know of a world. */
export interface LawOptions {
  /** What every host carries, by name. */
  readonly behaviours: ReadonlyMap<string, Behaviour>;
  /** Every lost reply is settled in this world, so no result is told twice. */
  readonly settles: boolean;
  /** A pause is heard of soon; where replies get lost for long, that is never sure. */
  readonly pauseIsHeard: boolean;
  /** The store takes enough rows at once for histories as long as these: a removal is not seen half done. */
  readonly removesWhole: boolean;
  /** Where the code of one kind may lead; `name` is a timer's. Default: what the definition says of its transitions. */
  readonly edges?: (definition: string, status: string, by: string, name?: string) => readonly string[];
  /** Timers that a run must have when it enters a status; default: none is known. */
  readonly timersOf?: (definition: string, status: string) => readonly string[];
  /** What must be nowhere once the data of a run is deleted; default: nothing is known of that. */
  readonly secretOf?: (run: RunRecord) => string | undefined;
  /** The JSON text of a run's data, where a codec seals it; default: its payload. */
  readonly dataTextOf?: (run: RunRecord) => string;
  /** What a codec makes of a secret wherever it stands in the data; default: there is none. */
  readonly disguiseOf?: (secret: string) => string;
  /** Whether an attempt failed by a codec, maybe before its code began; default: never. */
  readonly isCodecFailure?: (event: ToldEvent) => boolean;
  /** What engines keep events of streams for; default: the default of engines. */
  readonly keepEventsMs?: number;
  /** What is around the hosts; absent: they are servers. */
  readonly weather?: Weather;
  /** Laws of a scenario's own. */
  readonly changed?: (change: RunChange) => void;
  /** A power cut: these forget all changes, and are shown those that are left. */
  readonly forget?: () => void;
}

/** Laws that know what was written. Others know what was seen outside, which no power cut takes back. */
interface FollowedLaws {
  readonly runs: RunLaws;
  readonly hooks: HookLaws;
  readonly disposal: DisposalLaws;
  readonly attempts: AttemptLaws;
  readonly schedules: ScheduleLaws;
}

export class Laws {
  readonly owners: OwnerLaws;
  readonly streams: StreamLaws;
  readonly connectors: ConnectorLaws;
  readonly locks: LockLaws;
  readonly #world: World;
  readonly #shadow: Shadow;
  readonly #options: LawOptions;
  #followed: FollowedLaws;
  #written: RunChange | undefined;
  /** When something was last found to be due, and until when. */
  #unquiet: { readonly revision: number; readonly until: number } | undefined;

  constructor(world: World, shadow: Shadow, options: LawOptions) {
    this.#world = world;
    this.#shadow = shadow;
    this.#options = options;
    this.#followed = this.#anew();
    this.owners = new OwnerLaws(world, shadow);
    this.streams = new StreamLaws(world, shadow, options);
    this.connectors = new ConnectorLaws(world, options);
    this.locks = new LockLaws(world, shadow);
  }

  get runs(): RunLaws {
    return this.#followed.runs;
  }

  get hooks(): HookLaws {
    return this.#followed.hooks;
  }

  get disposal(): DisposalLaws {
    return this.#followed.disposal;
  }

  get attempts(): AttemptLaws {
    return this.#followed.attempts;
  }

  get schedules(): ScheduleLaws {
    return this.#followed.schedules;
  }

  /** Some of what was written is no more: what follows the store begins anew, and is then shown what is left. */
  forget(): void {
    this.#followed = this.#anew();
    this.#written = undefined;
    this.#options.forget?.();
  }

  #anew(): FollowedLaws {
    const args = [this.#world, this.#shadow, this.#options] as const;
    const disposal = new DisposalLaws(...args);
    return {
      disposal,
      hooks: new HookLaws(...args, disposal),
      runs: new RunLaws(...args),
      attempts: new AttemptLaws(...args, this),
      schedules: new ScheduleLaws(this.#world, this.#shadow),
    };
  }

  /** User code of a step or timer begins. */
  started(host: Host, call: StepCall, timer?: string): void {
    this.#shadow.chronicle.show(() => this.attempts.started(host, call, timer));
    if (timer === undefined) this.locks.started(host, call);
  }

  /** What every host carries under a name. */
  behaviourOf(definition: string): Behaviour {
    return this.#options.behaviours.get(definition)!;
  }

  /** A batch is about to be applied. */
  before(host: Host, shard: number, batch: Batch): void {
    let run: Put | undefined;
    let told: Put | undefined;
    for (const put of batch.puts) {
      if (put.key.startsWith("run ")) run = put;
      else if (put.key.startsWith("hist ") && put.stamped) told = put;
      else if (put.key.startsWith("owner ")) this.owners.handedOver(host, shard, put);
    }
    this.disposal.before(host, shard, batch);
    this.locks.before(host, shard, batch);
    if (!this.#world.recalls) this.streams.before(host, shard, batch);
    this.schedules.before(host, shard, batch);
    this.#written = undefined;
    if (told) return this.#told(host, shard, batch, run, told);
    this.#world.expect(run === undefined, "I2", () => `${host.name} writes ${run!.key} without history`);
  }

  /** The batch has been applied. */
  after(shard: number, batch: Batch): void {
    this.locks.after(shard);
    this.hooks.applied(batch);
    this.disposal.after(shard, batch, this.#written?.after);
    if (this.#written) this.runs.applied(this.#written);
    if (this.#written) this.attempts.applied(this.#written);
  }

  #told(host: Host, shard: number, batch: Batch, run: Put | undefined, told: Put): void {
    const runId = told.key.split(" ")[1]!;
    const before = this.#shadow.runIn(shard, runId);
    // A late row puts the record as it is.
    const isSame = run?.value === this.#shadow.rows[shard]!.get(`run ${runId}`)?.value;
    const after = run && !isSame ? decodeRecord(run.value) : undefined;
    const event = JSON.parse(told.value) as ToldEvent;
    const now = after
      ? `v${after.version} ${after.state} at ${after.status} visit ${after.visit}`
      : "unchanged";
    this.#world.log(`${host.name} writes ${event.kind} by ${event.by}: run ${short(runId)} ${now}`);
    const known = after ?? before;
    const isKnown = this.#world.expect(
      known !== undefined,
      "retention",
      () => `${event.kind} is told of no run ${runId}`,
    );
    if (!isKnown) return;
    if (after) this.#changed({ host, shard, batch, event, before, after });
    this.owners.wrote(host, shard, known!, event);
    this.attempts.told(known!, event);
  }

  #changed(change: RunChange): void {
    const { before, after, batch } = change;
    this.#written = change;
    if (!before) this.disposal.created(after);
    if (!before) this.schedules.created(after);
    this.runs.changed(change);
    this.locks.changed(change);
    checkTimers(this.#world, this.#options, change);
    if (before) this.hooks.changed(before, after, batch);
    if (!this.#world.recalls) this.streams.changed(change);
    this.#options.changed?.(change);
  }

  /** Every run has ended, and nothing is left to do for one: no hook, no erasure, no removal that has begun. */
  get areAtRest(): boolean {
    return this.runs.allFinished && this.#nothingIsLeft();
  }

  /** Nothing is due before `until`, and nothing left to do: what has not ended waits for the outside world. */
  isQuietUntil(until: number): boolean {
    const { revision } = this.#shadow;
    // What is due until then is due until later, too; it is asked after every single event.
    if (this.#unquiet?.revision === revision && this.#unquiet.until <= until) return false;
    const isWaiting = ({ state, due }: RunRecord) => isFinished(state) || (due ?? Infinity) > until;
    const isQuiet = this.#shadow.runs().every(isWaiting) && this.schedules.isQuietUntil(until) &&
      this.locks.isQuietUntil(until);
    if (!isQuiet) this.#unquiet = { revision, until };
    return isQuiet && this.#nothingIsLeft();
  }

  #nothingIsLeft(): boolean {
    if (this.disposal.isBusy || !this.connectors.areAtRest || !this.streams.areAtRest) return false;
    if (!this.locks.areAtRest) return false;
    for (const rows of this.#shadow.rows) {
      for (const key of rows.keys()) {
        if (key.startsWith("chore ") || key.includes(" deletion-requested ")) return false;
      }
    }
    return true;
  }
}

/** The JSON text of a run's data. */
export function dataTextOf({ dataTextOf }: LawOptions, run: RunRecord): string {
  return dataTextOf ? dataTextOf(run) : run.payload;
}

/** Enough of a run id to tell it from others in a trace. */
export function short(runId: string): string {
  return runId.slice(9, 20);
}
