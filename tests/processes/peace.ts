/**
 * Waits until a fleet that nobody harms any more has come to rest: nothing is left that is due, owed or waited for.
 *
 * @module
 */
import type { RunView, Store } from "pawl";
import { keyspace } from "../../core/store/keyspace.ts";
import type { Clients } from "./clients.ts";
import type { LedgerReader } from "./ledger_reader.ts";
import { removed, topics } from "./machines.ts";
import { sleep } from "./trail.ts";

/** Longest time in which nothing may happen although something is left to do. Much more than needed: who is late is stuck. */
const stillMsMax = 60_000;
/** Longest that the last runs may take, whatever happens: who does things for ever comes to nothing. */
const peaceMsMax = 600_000;
/** How long nobody must have received anything: many polls. */
const silenceMs = 700;
const lookMs = 150;

/** A run without its data. */
export type Listed = Omit<RunView, "data">;

/** What is not at rest, and for how long nothing has happened. */
export interface Unrest {
  readonly stillMs: number;
  /** Runs that have not ended, are not deleted, or not removed, as they should be. */
  readonly runs: readonly Listed[];
  /** What else there is. */
  readonly rest: readonly string[];
}

/**
 * Waits for peace, and does what operators do: retries what is parked, takes up what waits for somebody.
 *
 * @returns What does not come to rest; `undefined`: all has.
 */
export async function peace(
  store: Store,
  clients: Clients,
  reader: LedgerReader,
): Promise<Unrest | undefined> {
  const until = performance.now() + peaceMsMax;
  for (let [seen, since] = [0, performance.now()];;) {
    const unrest = await unrestOf(store, clients, reader);
    if (unrest === undefined) return undefined;
    const done = doneIn(reader);
    const now = performance.now();
    if (done > seen) [seen, since] = [done, now];
    if (now - since > stillMsMax || now > until) return { ...unrest, stillMs: Math.round(now - since) };
    const isLeftAlone = (run: Listed) =>
      run.status === "waiting" && run.runState === "running" && Date.now() - run.updatedAt.getTime() > 1_000;
    await clients.takeUp(unrest.runs.filter(isLeftAlone));
    const { admin } = clients.engine;
    const { items } = await admin.parked();
    // One that has succeeded meanwhile is none any more.
    await Promise.all(items.map(({ id }) => admin.retry(id).catch(() => {})));
    await sleep(lookMs);
  }
}

/** How much has been done. */
function doneIn(reader: LedgerReader): number {
  return reader.read().filter((line) =>
    line.what === "effect" || line.what === "handled" || line.what === "got" ||
    (line.what === "hook" && line.phase === "ended")
  ).length;
}

async function unrestOf(
  store: Store,
  clients: Clients,
  reader: LedgerReader,
): Promise<Omit<Unrest, "stillMs"> | undefined> {
  const runState = ["initiated", "running", "paused", "stalled", "deletion-requested"] as const;
  const [unfinished, brief] = await Promise.all([
    listAll(clients, { runState }),
    listAll(clients, { definition: removed.name }),
  ]);
  const runs = [...unfinished, ...brief.filter((each) => !runState.some((state) => state === each.runState))];
  if (runs.length > 0) return { runs, rest: [] };
  const rest = [...await choresOf(store), ...await relaysOf(clients), ...eventsOf(reader)];
  if (rest.length > 0) return { runs: [], rest };
  const last = reader.lines.findLast(({ what }) => what === "got" || what === "hook" || what === "handled");
  const isSilent = last === undefined || Date.now() - last.at > silenceMs;
  return isSilent ? undefined : { runs: [], rest: [`something was said at ${last.at}`] };
}

async function choresOf(store: Store): Promise<string[]> {
  const shards = Array.from({ length: store.shards }, (_, shard) => shard);
  const found = await store.read(
    shards.map((shard) => ({ shard, ops: [{ ...keyspace.chore.range(), limit: 10 }] })),
  );
  return found.flat(2).map(({ key }) => `hook ${key} is to run`);
}

async function relaysOf(clients: Clients): Promise<string[]> {
  const relays = await clients.engine.admin.relays();
  return relays.filter(({ lagMs, held }) => lagMs > 0 || held.length > 0)
    .map(({ definition, shard, lagMs, held }) =>
      `the relay of "${definition}" in shard ${shard} is ${lagMs} ms behind and holds ${held.length} runs back`
    );
}

/** Events that were acknowledged, and not handled. */
function eventsOf(reader: LedgerReader): string[] {
  const sent = new Map<string, string>();
  const open = new Set<string>();
  for (const line of reader.read()) {
    if (line.what === "asked" && line.verb === "send") {
      sent.set(line.id, `${topics[line.definition as keyof typeof topics]} ${line.token}`);
    }
    const event = line.what === "told" && sent.get(line.id);
    if (event) open.add(event);
  }
  for (const line of reader.lines) {
    if (line.what === "handled") open.delete(`${line.connector} ${line.eventId}`);
  }
  return [...open].map((event) => `event ${event} is not handled`);
}

type Query = Parameters<Clients["engine"]["list"]>[0];

/** Every run that fits. */
export async function listAll(
  clients: Clients,
  query: Query,
): Promise<(Listed & { readonly data?: unknown })[]> {
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
