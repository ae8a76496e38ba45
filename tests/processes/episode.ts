/**
 * One life of a fleet: chaos, then peace until everything acknowledged has ended, then judgement.
 *
 * @module
 */
import type { HistoryRow, RunView, Store } from "pawl";
import { keyspace } from "../../core/store/keyspace.ts";
import { Chaos, pause } from "./chaos.ts";
import { Clients } from "./clients.ts";
import { Fleet } from "./fleet.ts";
import { judge, type StoredRun, type Verdict } from "./judge.ts";
import { Ledger, LedgerReader } from "./ledger.ts";
import type { Trail } from "./machines.ts";
import type { Place } from "./place.ts";

/** How to live. */
export interface EpisodeOptions {
  readonly place: Place;
  /** Unique within the place; begins the names of its workers and clients. */
  readonly name: string;
  readonly seed: number;
  readonly seconds: number;
  readonly workers: number;
  /** Calls of clients per second. */
  readonly load: number;
  /** Told how it goes, a line at a time. */
  readonly say: (line: string) => void;
}

/** Longest time that the last runs may take once all is well. Much more than needed: who is late is stuck. */
const peaceMsMax = 60_000;

/**
 * Lives through an episode.
 *
 * @returns The verdict over all that has happened at this place so far.
 */
export async function runEpisode(options: EpisodeOptions): Promise<Verdict> {
  const { place, name, seed, seconds, workers, say } = options;
  const ledger = new Ledger(place.ledger, name);
  const store = place.open();
  const clients = new Clients(store, ledger, seed, `${name}c`);
  const fleet = new Fleet(place, ledger, `${name}w`);
  const chaos = new Chaos(seed, fleet, ledger, place.server);
  const reader = new LedgerReader(place.ledger);
  const progress = setInterval(() => say(progressOf(reader, fleet, chaos)), 5_000);
  try {
    for (let index = 0; index < workers; index++) fleet.start();
    await Promise.race(fleet.workers.map((worker) => worker.started));
    const traffic = clients.run(options.load);
    await chaos.run(seconds * 1_000, workers);
    clients.end();
    await traffic;
    while (fleet.awake.length < workers) fleet.start();
    const stuck = await peace(clients);
    if (stuck.length > 0) return { violations: await tellStuck(store, clients, stuck), counts: {} };
    await clients.answered();
    // Orderly, so that what a worker that came back late still has to say is said before the judgement.
    await Promise.all(fleet.workers.map((worker) => fleet.leave(worker)));
    const report = await clients.engine.admin.verify();
    const findings = report.findings.map((each) => `${each.invariant}: ${each.problem} (key ${each.key})`);
    const verdict = judge(reader.read(), await runsOf(clients));
    say(progressOf(reader, fleet, chaos));
    return { ...verdict, violations: [...verdict.violations, ...findings, ...fleet.failed] };
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

function progressOf(reader: LedgerReader, fleet: Fleet, chaos: Chaos): string {
  const lines = reader.read();
  const count = (what: string) => lines.filter((line) => line.what === what).length;
  const harm = [...chaos.done].map(([what, times]) => `${what} ${times}`).join(", ");
  const { workers, awake } = fleet;
  return `${lines.length} events: ${count("asked")} asked, ${count("told")} acknowledged, ` +
    `${count("effect")} effects; workers ${awake.length} of ${workers.length} awake; ${
      harm || "no harm yet"
    }`;
}

type Listed = Omit<RunView, "data">;

/** Waits until every run has ended. Returns those that do not. */
async function peace(clients: Clients): Promise<readonly Listed[]> {
  const until = performance.now() + peaceMsMax;
  for (;;) {
    const open = await unfinished(clients);
    if (open.length === 0 || performance.now() > until) return open;
    const isLeftAlone = (run: Listed) =>
      run.status === "waiting" && run.runState === "running" && Date.now() - run.updatedAt.getTime() > 1_000;
    await clients.takeUp(open.filter(isLeftAlone));
    await pause(250);
  }
}

async function unfinished(clients: Clients): Promise<Listed[]> {
  return await listAll(clients, { runState: ["initiated", "running", "paused", "stalled"] });
}

type Query = Parameters<Clients["engine"]["list"]>[0];

async function listAll(clients: Clients, query: Query): Promise<(Listed & { readonly data?: unknown })[]> {
  const found = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await clients.engine.list({
      ...query,
      limit: 1_000,
      ...(cursor !== undefined && { cursor }),
    });
    found.push(...page.items);
    if (page.cursor === undefined) return found;
    cursor = page.cursor;
  }
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

/** All that helps to find out why runs do not end. */
async function tellStuck(store: Store, clients: Clients, stuck: readonly Listed[]): Promise<string[]> {
  const { admin } = clients.engine;
  const owners = (await admin.shards()).map((each) =>
    `  ${each.definition} in shard ${each.shard}: ${each.engineId ?? "nobody"}, epoch ${each.epoch}`
  );
  const engines = (await admin.engines()).map((each) =>
    `  ${each.engineId}: alive until ${each.expiresAt.toISOString()}`
  );
  const runs = await Promise.all(
    stuck.slice(0, 10).map(async (run) => {
      const shard = parseInt(run.runId.slice(-4), 16) % store.shards;
      const [record] = await store.read([{ shard, ops: [{ get: keyspace.run.key(run.runId) }] }]);
      const rows = await historyOf(clients, run.runId);
      return `  ${run.definition} "${run.key}" in shard ${shard}: ${JSON.stringify(record)}\n` +
        rows.slice(-6).map((row) => `    ${JSON.stringify(row)}`).join("\n");
    }),
  );
  const now = new Date().toISOString();
  return [[
    `${stuck.length} runs have not ended within ${peaceMsMax} ms of peace; now ${now}`,
    ...runs,
    "owners:",
    ...owners,
    "engines:",
    ...engines,
  ].join("\n")];
}
