/**
 * Rates of the bare stores: what the engine's own rates are measured against.
 *
 * Run it with `deno run -A bench/store.ts [rounds]`.
 *
 * @module
 */
import { createClient } from "@libsql/client";
import { libsqlStore } from "pawl/adapters/libsql";
import { memoryStore } from "pawl/adapters/memory";
import { sqliteStore } from "pawl/adapters/sqlite";
import type { Batch, CommitCall, Store } from "../core/store/store.ts";

/** What was measured of one store. */
export interface StoreRate {
  /** The store. */
  readonly name: string;
  /** Batches per second, by the median commit. */
  readonly batches: number;
  /** Puts per second. */
  readonly rows: number;
  /** Milliseconds of the median commit. */
  readonly medianMs: number;
}

const runs = 2_048;
const rowsPerBatch = 3;

/**
 * Commits groups of batches that look like a machine's warm steps: a checked record, an index row, a history row.
 *
 * @param name The store's name in the table.
 * @param store An empty store; it stays open.
 * @param size Commits to measure, and batches per commit.
 * @returns Its rates; the first fifth of the commits is warm-up.
 */
export async function measureStore(
  name: string,
  store: Store,
  size: { readonly rounds: number; readonly batches: number },
): Promise<StoreRate> {
  const versions = new Map<number, number>();
  const times: number[] = [];
  for (let round = 0; round < size.rounds; round++) {
    const ids = Array.from({ length: size.batches }, (_, index) => (round * size.batches + index) % runs);
    const calls = callsOf(store, ids, versions, round);
    const start = performance.now();
    const results = await store.commit(calls);
    times.push(performance.now() - start);
    calls.forEach((call, index) => learn(call, results[index]!, versions));
  }
  const kept = times.slice(Math.ceil(size.rounds / 5)).sort((a, b) => a - b);
  const medianMs = kept[kept.length >> 1]!;
  const batches = size.batches / medianMs * 1_000;
  return { name, batches, rows: batches * rowsPerBatch, medianMs };
}

function callsOf(
  store: Store,
  ids: readonly number[],
  versions: Map<number, number>,
  round: number,
): CommitCall[] {
  const byShard = new Map<number, Batch[]>();
  for (const id of ids) {
    const shard = id % store.shards;
    const batches = byShard.get(shard) ?? [];
    byShard.set(shard, batches);
    batches.push(stepOf(id, versions.get(id) ?? null, round));
  }
  return [...byShard].map(([shard, batches]) => ({
    shard,
    committer: {
      id: `bench${shard}`,
      callId: String(round),
      ...(round > 0 && { previous: String(round - 1) }),
    },
    batches,
  }));
}

/** Ids are spread over the key space as random ids are; the record is of the size of a small order's. */
function stepOf(id: number, version: number | null, round: number): Batch {
  const runId = (id * 7_919 % runs).toString(16).padStart(12, "0");
  const data = {
    id,
    round,
    status: "running",
    text: 'hello "world" '.repeat(20),
    updatedAt: 1_700_000_000_000,
  };
  const small = JSON.stringify({ status: "running", updatedAt: 1_700_000_000_000 + round });
  return {
    relaxed: true,
    checks: [{ key: `run ${runId}`, version }],
    puts: [
      { key: `run ${runId}`, value: JSON.stringify(data) },
      { key: `list orders open ${runId}`, value: small },
      { key: `hist ${runId} `, value: small, stamped: true },
    ],
    deletes: [],
  };
}

function learn(
  call: CommitCall,
  result: Awaited<ReturnType<Store["commit"]>>[number],
  versions: Map<number, number>,
): void {
  if (result.outcome !== "done") throw new Error(`the bench was refused: ${result.outcome}`);
  result.results.forEach((each, index) => {
    const { id } = JSON.parse(call.batches[index]!.puts[0]!.value) as { id: number };
    if (!each.ok) throw new Error(`the bench's batch for run ${id} was refused`);
    versions.set(id, each.version);
  });
}

async function main(): Promise<void> {
  const rounds = Number(Deno.args[0] ?? 60);
  const folder = await Deno.makeTempDir();
  let files = 0;
  const file = () => `file:${folder}/${++files}.db`;
  const stores: Record<string, () => Store> = {
    "memory": () => memoryStore(),
    "libsql file full": () => libsqlStore({ url: file() }),
    "libsql file full, 16 shards": () => libsqlStore({ url: file(), shards: 16 }),
    "libsql file normal": () => libsqlStore({ url: file(), durability: "normal" }),
    "node:sqlite file full": () => sqliteStore({ url: file() }),
    "node:sqlite file normal": () => sqliteStore({ url: file(), durability: "normal" }),
    "libsql :memory:": () => libsqlStore({ url: ":memory:" }),
    "client, file": () => libsqlStore({ client: createClient({ url: file() }) }),
    "client, :memory:": () => libsqlStore({ client: createClient({ url: ":memory:" }) }),
  };
  const table: Record<string, Record<string, number>> = {};
  for (const [name, open] of Object.entries(stores)) {
    for (const batches of [512, 16, 1]) {
      const store = open();
      const rate = await measureStore(name, store, {
        rounds: batches === 512 ? rounds : rounds * 4,
        batches,
      });
      await store.close();
      table[`${name}, ${batches} per commit`] = {
        "batches/s": Math.round(rate.batches),
        "rows/s": Math.round(rate.rows),
        "median ms": Math.round(rate.medianMs * 1_000) / 1_000,
      };
    }
  }
  await Deno.remove(folder, { recursive: true });
  // deno-lint-ignore no-console
  console.table(table);
}

if (import.meta.main) await main();
