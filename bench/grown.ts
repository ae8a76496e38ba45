/**
 * What the questions of `growth.ts` share: stores that can be large, and one way to measure an engine.
 *
 * @module
 */
import process from "node:process";
import { libsqlStore } from "pawl/adapters/libsql";
import { memoryStore } from "pawl/adapters/memory";
import { createEngine, type Engine, type Machine, machine, silentLogger, type Store } from "pawl";
import { median, type Order, order, orders, quantile, single } from "./machine.ts";

/** A run that does nothing for a year. */
export const sleepers = machine<Order>("sleepers")
  .timeout("asleep", ["awake"], { after: "365d" }, () => "awake")
  .build();

/** What a repeating run carries. */
export interface Turns {
  left: number;
}

/** Called at each turn of a run of {@linkcode turns}. */
export const onTurn = { call: (_left: number) => {} };

/** A run with as long a history as is asked for. */
export const turns = machine<Turns>("turns")
  .step("turning", ["done"], (run) => {
    onTurn.call(run.data.left);
    return run.data.left-- > 1 ? run.repeat() : "done";
  })
  .build();

/** Where to measure. */
export interface Subject {
  readonly name: string;
  /** Opens a new, empty store. `remove` closes it, too. */
  open(shards?: number): Promise<Place>;
}

/** An open store. */
export interface Place {
  readonly store: Store;
  /** Bytes on disk once closed; 0 in memory. */
  closedBytes(): Promise<number>;
  remove(): Promise<void>;
}

/** In memory, and on a file that syncs each commit. */
export const subjects: readonly Subject[] = [
  {
    name: "memory",
    open(shards = 1) {
      const store = memoryStore({ shards });
      const remove = () => store.close();
      return Promise.resolve({ store, remove, closedBytes: () => Promise.resolve(0) });
    },
  },
  {
    name: "libSQL file",
    async open(shards = 1) {
      const folder = await Deno.makeTempDir({ prefix: "pawl-growth-" });
      const store = libsqlStore({ url: `file:${folder}/growth.db`, shards });
      return {
        store,
        async closedBytes() {
          // The last connection checkpoints when it is closed, and takes its log away.
          await store.close();
          return bytesIn(folder);
        },
        async remove() {
          await store.close();
          await Deno.remove(folder, { recursive: true });
        },
      };
    },
  },
];

function bytesIn(folder: string): number {
  return [...Deno.readDirSync(folder)].reduce(
    (sum, { name }) => sum + Deno.statSync(`${folder}/${name}`).size,
    0,
  );
}

/** An engine for all that growth asks of one. */
export function engineOn(store: Store): Engine {
  return createEngine({ store, definitions: [orders, single, sleepers, turns], logger: silentLogger });
}

/** Opens a store, starts an engine on it, and clears all away after its use. */
export async function withEngine(
  subject: Subject,
  use: (engine: Engine, place: Place) => Promise<void>,
  shards?: number,
): Promise<void> {
  const place = await subject.open(shards);
  const engine = engineOn(place.store);
  try {
    await engine.start();
    await use(engine, place);
  } finally {
    await engine.stop();
    await place.remove();
  }
}

let serial = 0;

/** Runs at once, spread over the engines, each awaited where it was triggered. */
export async function wave(
  engines: readonly Engine[],
  count: number,
  of: Machine<Order> = orders,
  data = order(),
): Promise<void> {
  const prefix = `wave-${serial++}-`;
  await Promise.all(Array.from({ length: count }, async (_, index) => {
    const engine = engines[index % engines.length]!;
    const { runId } = await engine.trigger(of, prefix + index, { data });
    await engine.await(of, prefix + index, { runId });
  }));
}

/** Runs that fall asleep, some hundreds at once. */
export async function putToSleep(engine: Engine, count: number): Promise<void> {
  for (let done = 0; done < count;) {
    const size = Math.min(1_000, count - done);
    const prefix = `sleeper-${serial++}-`;
    await Promise.all(
      Array.from({ length: size }, (_, index) => engine.trigger(sleepers, prefix + index, { data: order() })),
    );
    done += size;
  }
}

/** How much is measured at each size. */
export interface Effort {
  /** 3-step runs at once. */
  readonly runs: number;
  /** Waves of them, of which the median counts. */
  readonly rounds: number;
  /** Lone 1-step runs, of which the median counts. */
  readonly alone: number;
}

/** The figures that every table shows. */
export async function measure(
  engines: readonly Engine[],
  { runs, rounds, alone }: Effort,
  data = order(),
): Promise<Record<string, string | number>> {
  const rates: number[] = [];
  const cpus: number[] = [];
  await wave(engines, runs, orders, data);
  for (let round = 0; round < rounds; round++) {
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    await wave(engines, runs, orders, data);
    rates.push(runs * 3_000 / (performance.now() - startedAt));
    const { user, system } = process.cpuUsage(cpu);
    cpus.push((user + system) / (runs * 3));
  }
  const times: number[] = [];
  for (let index = 0; index < alone; index++) {
    const startedAt = performance.now();
    await wave(engines.slice(0, 1), 1, single, data);
    times.push(performance.now() - startedAt);
  }
  return {
    "steps/s": Math.round(median(rates)),
    // The least disturbed round says most about work; the rate is what one gets.
    "CPU us/step": Math.min(...cpus).toFixed(1),
    "start-to-result p50 ms": quantile(times.slice(alone >> 2), 0.5).toFixed(3),
  };
}

/** Milliseconds of one call, on average of some. */
export async function msOf(call: () => Promise<unknown>, times = 20): Promise<string> {
  const startedAt = performance.now();
  for (let index = 0; index < times; index++) await call();
  return ((performance.now() - startedAt) / times).toFixed(2);
}

/** Bytes of the heap that are in use; `undefined` without `--v8-flags=--expose-gc`. */
export function heapBytes(): number | undefined {
  const { gc } = globalThis as { gc?: () => void };
  if (!gc) return undefined;
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}
