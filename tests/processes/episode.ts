/**
 * One life of a fleet: chaos, then peace until everything acknowledged has ended, then judgement.
 *
 * @module
 */
import type { HistoryRow, RunView, Store } from "pawl";
import { Chaos, type Crew, mixed, storm } from "./chaos.ts";
import { Clients } from "./clients.ts";
import { explain } from "./evidence.ts";
import { Fleet, termMs } from "./fleet.ts";
import { judge } from "./judge.ts";
import type { StoredRun, Violation } from "./judge_case.ts";
import { Ledger } from "./ledger.ts";
import { LedgerReader } from "./ledger_reader.ts";
import { listAll, peace, type Unrest } from "./peace.ts";
import type { Place } from "./place.ts";
import { scanStore } from "./store_scan.ts";
import { sleep, type Trail } from "./trail.ts";

/** How to live. */
export interface EpisodeOptions {
  readonly place: Place;
  /** Unique within the place; begins the names of its processes. */
  readonly name: string;
  readonly seed: number;
  /** How long there is chaos; with `kills`, at most. */
  readonly seconds: number;
  /** Until so many workers and servers were killed; absent: only time counts, and there are fewer kills. */
  readonly kills?: number;
  readonly workers: number;
  /** Processes of clients, beside the one that watches over the fleet. */
  readonly clients: number;
  readonly receivers: number;
  /** Calls of clients per second. */
  readonly load: number;
  /** How long ownerships outlive their engines. */
  readonly termMs?: number;
  /** Told how it goes, a line at a time. */
  readonly say: (line: string) => void;
}

/** What an episode came to. */
export interface Outcome {
  /** Broken promises, each with its evidence; none, or something is wrong. */
  readonly violations: readonly string[];
  /** What was seen how often, over all that has happened at this place so far. */
  readonly counts: Readonly<Record<string, number>>;
  /** Kills of this episode that were some, by what was killed and what it was at. */
  readonly kills: Readonly<Record<string, number>>;
  /** Kills of workers and servers. */
  readonly killed: number;
  /** What else was done. */
  readonly deeds: Readonly<Record<string, number>>;
}

/** How long nothing must begin once all has come to rest. */
const restMs = 500;

/** What takes part in an episode. */
interface Cast {
  readonly options: EpisodeOptions;
  readonly ledger: Ledger;
  readonly reader: LedgerReader;
  readonly store: Store;
  readonly clients: Clients;
  readonly fleet: Fleet;
  readonly chaos: Chaos;
}

/**
 * Lives through an episode.
 *
 * @returns The verdict over all that has happened at this place so far.
 */
export async function runEpisode(options: EpisodeOptions): Promise<Outcome> {
  const cast = castOf(options);
  const { ledger, store, clients, fleet, chaos } = cast;
  const progress = setInterval(() => options.say(progressOf(cast)), 5_000);
  try {
    await live(cast);
    const unrest = await peace(store, clients, cast.reader);
    const stuck = unrest ? await tellStuck(cast, unrest) : [];
    await rest(cast, unrest === undefined);
    const found = await verdictOf(cast);
    options.say(progressOf(cast));
    const { violations, counts } = found;
    return {
      ...{ counts, violations: [...stuck, ...violations, ...fleet.failed] },
      kills: Object.fromEntries([...chaos.kills].sort()),
      killed: chaos.killed,
      deeds: Object.fromEntries(chaos.done),
    };
  } finally {
    clearInterval(progress);
    clients.end();
    await chaos.end();
    await fleet.killAll();
    await clients.engine.stop({ grace: 0 });
    await store.close();
    ledger.close();
  }
}

function castOf(options: EpisodeOptions): Cast {
  const { place, name, seed, kills } = options;
  const ledger = new Ledger(place.ledger, name);
  const reader = new LedgerReader(place.ledger);
  const store = place.open();
  const clients = new Clients(store, ledger, seed, `${name}c`);
  const term = options.termMs ?? termMs;
  const fleet = new Fleet(place, ledger, name, term);
  const crew: Crew = {
    workers: options.workers,
    clients: options.clients,
    receivers: options.receivers,
    clientOptions: (index, again) => ({ seed: seed * 1_000 + index + 1, load: loadOf(options), again }),
  };
  const regime = kills === undefined ? mixed : storm;
  const chaos = new Chaos(seed, {
    ...{ fleet, crew, regime, ledger, reader },
    ...{ server: place.server, termMs: term },
  });
  return { options, ledger, reader, store, clients, fleet, chaos };
}

/** What each of the clients asks in a second. */
const loadOf = ({ load, clients }: EpisodeOptions) => load / (clients + 1);

/** Chaos, and then what a fleet needs to come to rest: all that work, and nobody who asks. */
async function live({ options, clients, fleet, chaos }: Cast): Promise<void> {
  const { seconds, kills, workers, receivers } = options;
  chaos.begin();
  await Promise.race(fleet.workers.map((worker) => worker.started));
  const traffic = clients.run(loadOf(options));
  await chaos.run(seconds * 1_000, kills);
  clients.end();
  await traffic;
  while (fleet.awake().length < workers) fleet.start();
  while (fleet.awake("receiver").length < receivers) fleet.start("receiver");
  await Promise.all(fleet.members("client").map((client) => fleet.leave(client)));
  clients.takeOver(chaos.takeOver());
  await clients.settled();
}

/** Nothing may begin any more; then all leave in order, so that what a late one has to say is said before the judgement. */
async function rest({ ledger, clients, fleet }: Cast, isAtRest: boolean): Promise<void> {
  if (isAtRest) {
    ledger.write({ what: "event", name: "rest", to: "all" });
    await sleep(restMs);
    await clients.answered();
  }
  const members = [...fleet.workers, ...fleet.members("receiver")];
  await Promise.all(members.map((member) => fleet.leave(member)));
}

async function verdictOf({ reader, store, clients }: Cast) {
  const report = await clients.engine.admin.verify();
  const findings = [...report.findings, ...report.notes];
  const scan = await scanStore(store);
  const [lines, runs] = [reader.read(), await runsOf(clients)];
  const { violations, counts } = judge({ lines, torn: reader.torn, runs, scan });
  const all = [...violations, ...findings.map(violationOf)];
  const known = { ...counts, "torn lines": reader.torn.length, "rows of the store": scan.rows };
  return { violations: await explain(all, { store, clients, lines }), counts: known };
}

/** What `admin.verify()` has found. No machine has changed, so what it only notes is a fault as well. */
function violationOf(
  found: { readonly invariant: string; readonly key: string; readonly problem: string },
): Violation {
  const runId = /[0-9a-f]{30}/.exec(found.key)?.[0];
  const problem = `${found.invariant}: ${found.problem} (key ${found.key})`;
  return { promise: 3, problem, ...(runId !== undefined && { runId }) };
}

function progressOf({ reader, fleet, chaos, options }: Cast): string {
  const lines = reader.read();
  const count = (what: string) => lines.filter((line) => line.what === what).length;
  const wish = options.kills === undefined ? "" : ` of ${options.kills}`;
  const all = [...chaos.kills.values()].reduce((sum, times) => sum + times, 0);
  return `${lines.length} lines: ${count("asked")} asked, ${count("told")} acknowledged, ` +
    `${count("effect")} effects; workers ${fleet.awake().length} of ${fleet.workers.length} awake; ` +
    `${chaos.killed}${wish} workers and servers killed, ${all - chaos.killed} others`;
}

async function runsOf(clients: Clients): Promise<StoredRun[]> {
  const views = await listAll(clients, { include: ["data"] }) as RunView<Trail>[];
  const runs: StoredRun[] = [];
  for (let from = 0; from < views.length; from += 100) {
    const page = views.slice(from, from + 100);
    runs.push(
      ...await Promise.all(page.map(async (view) => ({ view, rows: await historyOf(clients, view.runId) }))),
    );
  }
  return runs;
}

async function historyOf({ engine }: Clients, runId: string): Promise<HistoryRow[]> {
  const rows = await engine.history({ runId });
  return rows.sort((a, b) => a.position - b.position);
}

/** What does not come to rest, while the fleet is still there. */
async function tellStuck(
  { reader, store, clients }: Cast,
  { runs, rest, stillMs }: Unrest,
): Promise<string[]> {
  const late = `in peace, and nothing has happened for ${stillMs} ms`;
  const stuck = runs.map(({ runId, definition, key, status, runState }): Violation => ({
    promise: 1,
    problem: `run ${runId} of ${definition} "${key}" is ${runState} at "${status}" ${late}`,
    runId,
  }));
  const others = rest.map((problem): Violation => {
    const runId = /[0-9a-f]{30}/.exec(problem)?.[0];
    return { promise: 1, problem: `${problem} ${late}`, ...(runId !== undefined && { runId }) };
  });
  return await explain([...stuck, ...others], { store, clients, lines: reader.read() });
}
