// deno-lint-ignore-file no-console -- a benchmark's product is its table.
/**
 * What a server costs, and what more processes bring:
 * `deno run -A bench/processes.ts [--runs 1000] [--rounds 5] [--most 4]`.
 *
 * First one process on a file and on sqld, by HTTP and by WebSocket; then 1, 2 and 4 worker processes on each, with the
 * clients in a process of their own. Times on a shared machine move by a factor of two: read the ratios of one run.
 */
import { fileURLToPath } from "node:url";
import { createEngine, type Engine, silentLogger, type Store } from "pawl";
import { libsqlStore } from "pawl/adapters/libsql";
import { bareRate } from "./bare.ts";
import { latency, median, option, order, orders, single, throughput } from "./machine.ts";
import { CountingProxy, startSqld } from "./sqld.ts";

/** A store that several processes can open. */
interface Place {
  readonly name: string;
  readonly url: string;
  readonly shards: number;
  /** The server's port, if there is a server. */
  readonly port: number | undefined;
  remove(): Promise<void>;
}

type Kind = "file" | "http" | "ws";

async function makePlace(kind: Kind): Promise<Place | string> {
  if (kind === "file") {
    const folder = await Deno.makeTempDir();
    const remove = () => Deno.remove(folder, { recursive: true });
    return { name: "libSQL file", url: `file:${folder}/bench.db`, shards: 16, port: undefined, remove };
  }
  const server = await startSqld();
  if (typeof server === "string") return server;
  const { port } = server;
  return { name: `sqld, ${kind}`, url: `${kind}://127.0.0.1:${port}`, shards: 16, port, remove: server.stop };
}

async function withEngine<T>(
  url: string,
  shards: number,
  use: (engine: Engine, store: Store) => Promise<T>,
): Promise<T> {
  const store = libsqlStore({ url, shards });
  const engine = createEngine({ store, definitions: [orders, single], poll: 50, logger: silentLogger });
  try {
    return await use(engine, store);
  } finally {
    await engine.stop();
    await store.close();
  }
}

/** One process that triggers, works and waits. */
async function oneProcess(
  kind: Kind,
  runs: number,
  rounds: number,
): Promise<Record<string, string | number>> {
  const bare = await inPlace(kind, (place) => withBare(place, runs, rounds));
  return await inPlace(kind, async (place) => {
    const fast = await withEngine(place.url, place.shards, async (engine) => {
      await engine.start();
      return { ...await throughput(engine, runs, rounds), ...await latency(engine, 200) };
    });
    const wire = place.port === undefined ? undefined : await measureWire(place.port, kind, runs);
    return {
      store: place.name,
      "steps/s": Math.round(fast.rate),
      "bare store": Math.round(bare),
      "ratio": (fast.rate / bare).toFixed(2),
      "CPU us/step": fast.cpu.toFixed(1),
      "p50 ms": fast.p50.toFixed(2),
      "p99 ms": fast.p99.toFixed(2),
      "requests/step": (fast.commits + fast.reads).toFixed(4),
      "bytes/step out": wire?.out ?? "-",
      "bytes/step in": wire?.in ?? "-",
    };
  });
}

async function withBare({ url, shards }: Place, runs: number, rounds: number): Promise<number> {
  const store = libsqlStore({ url, shards });
  const rate = await bareRate(store, runs, rounds);
  await store.close();
  return rate;
}

/** Bytes are counted in a wave of their own, as whoever counts costs time. */
async function measureWire(port: number, kind: Kind, runs: number) {
  const proxy = new CountingProxy(port);
  const counted = await withEngine(`${kind}://127.0.0.1:${proxy.port}`, 16, async (engine) => {
    await engine.start();
    await throughput(engine, runs, 0);
    const before = { sent: proxy.sent, received: proxy.received };
    await throughput(engine, runs, 0);
    return { out: proxy.sent - before.sent, in: proxy.received - before.received };
  });
  proxy.close();
  return { out: Math.round(counted.out / (runs * 3)), in: Math.round(counted.in / (runs * 3)) };
}

/** With the definition there is an index for it: the look costs the same however much has finished. */
const unfinished = { definition: "orders", runState: ["initiated", "running"] } as const;

/** So many worker processes; this one only triggers and looks when all is done. */
async function manyProcesses(kind: Kind, workers: number, runs: number, rounds: number): Promise<number> {
  return await inPlace(kind, ({ url, shards }) =>
    withEngine(url, shards, async (engine) => {
      const children = await Promise.all(Array.from({ length: workers }, () => startWorker(url, shards)));
      const rates: number[] = [];
      for (let round = 0; round <= rounds; round++) {
        const startedAt = performance.now();
        const keys = Array.from({ length: runs }, (_, index) => `${round}-${index}`);
        await Promise.all(keys.map((key) => engine.trigger(orders, key, { data: order() })));
        while ((await engine.list({ ...unfinished, limit: 1 })).items.length > 0) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        rates.push(runs * 3 / ((performance.now() - startedAt) / 1_000));
      }
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(children.map((child) => child.status));
      return median(rates.slice(1));
    }));
}

async function startWorker(url: string, shards: number): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", fileURLToPath(import.meta.url), "--work", url, String(shards)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  return child;
}

/** A worker process: it works until it is killed. */
async function work(url: string, shards: number): Promise<void> {
  const store = libsqlStore({ url, shards });
  const engine = createEngine({ store, definitions: [orders, single], poll: 50, logger: silentLogger });
  await engine.start();
  console.log("started");
}

async function inPlace<T>(kind: Kind, use: (place: Place) => Promise<T>): Promise<T> {
  const place = await makePlace(kind);
  if (typeof place === "string") throw new Error(place);
  try {
    return await use(place);
  } finally {
    await place.remove();
  }
}

async function main(): Promise<void> {
  const runs = option("runs", 1_000);
  const rounds = option("rounds", 5);
  const counts = [1, 2, 4].filter((each) => each <= option("most", 4));
  const server = await makePlace("http");
  const kinds: Kind[] = typeof server === "string" ? ["file"] : ["file", "http", "ws"];
  if (typeof server === "string") console.log(`\nWithout a server: ${server}`);
  else await server.remove();
  const alone: Record<string, string | number>[] = [];
  for (const kind of kinds) alone.push(await oneProcess(kind, runs, rounds));
  console.log(`\nOne process, ${runs} concurrent 3-step runs, median of ${rounds} rounds\n`);
  console.table(alone);
  const together: Record<string, string | number>[] = [];
  for (const kind of kinds) {
    const row: Record<string, string | number> = { store: kind };
    for (const workers of counts) {
      const rate = await manyProcesses(kind, workers, runs, rounds);
      row[`${workers} workers`] = Math.round(rate);
      if (workers > 1) row[`ratio ${workers}:1`] = (rate / Number(row["1 workers"])).toFixed(2);
    }
    together.push(row);
  }
  console.log("\nSteps per second by worker processes, clients in a process of their own\n");
  console.table(together);
}

const working = Deno.args.indexOf("--work");
if (import.meta.main && working >= 0) await work(Deno.args[working + 1]!, Number(Deno.args[working + 2]));
else if (import.meta.main) await main();
