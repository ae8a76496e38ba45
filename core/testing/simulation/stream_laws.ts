/**
 * I8: every transition of a definition with a stream is told, at least once and in order per run, wherever its stream goes.
 *
 * @module
 */
import { type LogRow, readLog } from "../../parts/run_log.ts";
import { readSent } from "../../parts/stream_rows.ts";
import { topicOfChange } from "../../parts/stream_topics.ts";
import type { NewEvent } from "../../ports/event_streamer.ts";
import type { Batch } from "../../store/store.ts";
import type { ArrivedEvent, Broker } from "./broker.ts";
import type { Host } from "./host.ts";
import type { LawOptions, RunChange } from "./laws.ts";
import { ReaderLaws, type SentEvent } from "./reader_laws.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** A week: what engines keep events for by default. */
const keepEventsMsDefault = 604_800_000;

/** A transition that is to be told. */
interface Owed extends SentEvent {
  hasArrived: boolean;
}

export class StreamLaws {
  /** What receivers of `engine.streams` are given. */
  readonly readers: ReaderLaws;
  readonly #world: World;
  readonly #shadow: Shadow;
  readonly #options: LawOptions;
  readonly #owed = new Map<string, Owed>();
  /** By run: the version of its last event that has arrived outside. */
  readonly #told = new Map<string, number>();
  #hasRelay = false;
  #missing = 0;

  constructor(world: World, shadow: Shadow, options: LawOptions) {
    this.#world = world;
    this.#shadow = shadow;
    this.#options = options;
    this.readers = new ReaderLaws(world);
  }

  /** Every engine of this world relays to this broker, and nobody else sends to it. */
  relaysTo(broker: Broker): void {
    this.#hasRelay = true;
    broker.watch({ arrived: (event) => this.#arrived(event) });
  }

  /** Whether all is told that is to be. */
  get areAtRest(): boolean {
    if (!this.readers.areAtRest) return false;
    return !this.#hasRelay || (this.#missing === 0 && [...this.#shadow.under("held ")].length === 0);
  }

  /** A change of a run is about to be applied: its log row is in the same batch, and says what it says. */
  changed({ before, after, event, batch }: RunChange): void {
    const { definition, id: runId, key, status, state: runState, version: recordVersion } = after;
    const { stream } = this.#options.behaviours.get(definition)!;
    const topic = stream ? topicOfChange(before, after) : undefined;
    const row = batch.puts.find((put) => put.stamped && put.key.startsWith("log "));
    this.#world.expect(
      (row === undefined) === (topic === undefined),
      "I8",
      () => `${event.kind} of run ${runId} to ${runState} at ${status} is logged as ${row?.value}`,
    );
    if (!row || topic === undefined) return;
    const logged = JSON.parse(row.value) as LogRow;
    const { at, kind } = logged;
    const wanted = { topic, runId, key, status, runState, recordVersion, at, kind: event.kind };
    this.#world.expect(
      JSON.stringify(logged) === JSON.stringify(wanted),
      "I8",
      () => `run ${runId} is logged as ${row.value}, want ${JSON.stringify(wanted)}`,
    );
    const time = new Date(at).toISOString();
    const headers = {
      definition,
      key,
      runId,
      runState,
      recordVersion: String(recordVersion),
      kind,
      at: time,
    };
    const id = `${runId}-${recordVersion}`;
    const owed = owedOf({ topic, id, key: runId, order: recordVersion }, { type: status, headers });
    this.#owed.set(id, owed);
    this.#missing++;
    this.readers.maySend(owed);
    this.readers.sent(owed);
  }

  /** A batch is about to be applied: rows of a log go when they are old, and were sent; cursors move forward. */
  before(host: Host, shard: number, { deletes, puts }: Batch): void {
    for (const { key, value } of puts) {
      if (key.startsWith("cursor ")) {
        this.readers.moved(key, this.#shadow.rows[shard]!.get(key)?.value, value);
      }
    }
    for (const key of deletes) {
      const row = this.#shadow.rows[shard]!.get(key);
      // Who sweeps twice, as he was not heard, does no harm.
      if (row && key.startsWith("event ")) this.#isOld(host, key, readSent({ key, ...row }).at);
      if (row && key.startsWith("log ")) this.#swept(host, readLog({ key, ...row }));
    }
  }

  #swept(host: Host, { runId, recordVersion, at }: LogRow): void {
    const owed = this.#owed.get(`${runId}-${recordVersion}`)!;
    this.#isOld(host, owed.id, at);
    this.#world.expect(
      !this.#hasRelay || owed.hasArrived,
      "I8",
      () => `${host.name} sweeps event ${owed.id}, which was not sent`,
    );
    this.readers.swept(owed);
  }

  #isOld(host: Host, what: string, at: number): void {
    const { keepEventsMs = keepEventsMsDefault } = this.#options;
    this.#world.expect(
      host.latest - at > keepEventsMs,
      "I8",
      () => `${host.name} sweeps ${what}, which is not old`,
    );
  }

  /** Of what was logged, no power cut takes anything: it may have been told. */
  checkKept(): void {
    for (const { id, key: runId, order } of this.#owed.values()) {
      const run = this.#shadow.run(runId);
      this.#world.expect(
        run === undefined || run.version >= order,
        "I8",
        () => `event ${id} was logged, and its run is back at version ${run?.version}`,
      );
    }
  }

  /** What was never told. */
  checkEnd(): void {
    this.readers.checkEnd();
    if (!this.#hasRelay) return;
    for (const { id, topic, hasArrived } of this.#owed.values()) {
      this.#world.expect(hasArrived, "I8", () => `event ${id} was never sent to "${topic}"`);
    }
    for (const [key] of this.#shadow.under("held ")) {
      this.#world.expect(false, "I8", () => `all was sent, and yet ${key} is held back`);
    }
  }

  #arrived(event: ArrivedEvent): void {
    const world = this.#world;
    const owed = this.#owed.get(event.id);
    const isOwed = world.expect(
      owed?.topic === event.topic,
      "I8",
      () => `event ${event.id} arrives in "${event.topic}", where nobody is to hear of it`,
    );
    if (!isOwed || !owed) return;
    const problem = owed.problemOf({ ...event, at: new Date(0) });
    world.expect(problem === undefined, "I8", () => `event ${event.id} arrives with ${problem}`);
    if (owed.hasArrived) return;
    owed.hasArrived = true;
    this.#missing--;
    const last = this.#told.get(owed.key) ?? 0;
    world.expect(
      owed.order > last,
      "I8",
      () => `event ${owed.id} arrives for the first time after version ${last} of its run`,
    );
    this.#told.set(owed.key, owed.order);
  }
}

function owedOf(
  { topic, id, key, order }: Omit<SentEvent, "problemOf">,
  { type, headers }: Pick<NewEvent, "type" | "headers">,
): Owed {
  const wanted = JSON.stringify({ id, key, type, headers });
  return {
    topic,
    id,
    key,
    order,
    hasArrived: false,
    problemOf(event) {
      if ("data" in event) return `data: ${JSON.stringify(event.data)}`;
      const seen = JSON.stringify({ id: event.id, key: event.key, type: event.type, headers: event.headers });
      return seen === wanted ? undefined : `${seen}, want ${wanted}`;
    },
  };
}
