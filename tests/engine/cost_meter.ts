/**
 * Counts what an engine asks of everything around it: the store, the clock, and JSON.
 *
 * @module
 */
import { memoryStore } from "../../adapters/memory/mod.ts";
import type { Clock, EngineOptions, Store } from "../../mod.ts";
import { patient, World } from "./stores.ts";

/** What something cost; figures of work, never of time. */
export interface Cost {
  /** Commits that went to the store. */
  commits: number;
  /** Rows put or deleted. */
  rows: number;
  /** UTF-16 units of the rows that were put, keys included. */
  bytes: number;
  /** Reads of the store. */
  reads: number;
  /** Calls of `JSON.parse`. */
  parses: number;
  /** Calls of `JSON.stringify`. */
  stringifies: number;
  /** Timers armed. */
  timers: number;
  /** Turns of the event loop asked for. */
  hops: number;
}

const nothing: Cost = {
  commits: 0,
  rows: 0,
  bytes: 0,
  reads: 0,
  parses: 0,
  stringifies: 0,
  timers: 0,
  hops: 0,
};

/** A world on one memory store whose engines are counted. */
export class MeteredWorld extends World {
  readonly #counted = { ...nothing };

  constructor() {
    super(memoryStore());
  }

  /** A started engine that is counted, and whose poll and renewals stay out of the way. */
  async metered(options: Pick<EngineOptions, "definitions">) {
    const store = countingStore(this.store, this.#counted);
    const clock = countingClock(this.clock, this.#counted);
    const engine = await this.started({ ...patient, ...options, store, clock });
    await this.settle();
    return engine;
  }

  /** What `work` costs, and all that follows from it. */
  async costOf(work: () => unknown): Promise<Cost> {
    const counted = Object.assign(this.#counted, nothing);
    const { parse, stringify } = JSON;
    JSON.parse = (...given: Parameters<typeof parse>) => (counted.parses++, parse(...given));
    JSON.stringify = ((...given: Parameters<typeof stringify>) => (
      counted.stringifies++, stringify(...given)
    )) as typeof stringify;
    try {
      await work();
      await this.settle();
      return { ...counted };
    } finally {
      Object.assign(JSON, { parse, stringify });
    }
  }
}

/** Registers a test in a metered world. */
export function testCost(name: string, body: (world: MeteredWorld) => Promise<void>): void {
  Deno.test(name, async () => {
    const world = new MeteredWorld();
    try {
      await body(world);
    } finally {
      await world.end();
      await world.store.close();
    }
  });
}

function countingStore(inner: Store, counted: Cost): Store {
  return {
    limits: inner.limits,
    shards: inner.shards,
    watch: (onHint) => inner.watch!(onHint),
    close: () => inner.close(),
    read: (requests) => (counted.reads++, inner.read(requests)),
    commit(calls) {
      counted.commits++;
      for (const { puts, deletes } of calls.flatMap((call) => call.batches)) {
        counted.rows += puts.length + deletes.length;
        for (const { key, value } of puts) counted.bytes += key.length + value.length;
      }
      return inner.commit(calls);
    },
  };
}

function countingClock(inner: Clock, counted: Cost): Clock {
  return {
    now: () => inner.now(),
    monotonic: () => inner.monotonic(),
    soon: (callback) => (counted.hops++, inner.soon(callback)),
    after: (ms, callback) => (counted.timers++, inner.after(ms, callback)),
  };
}
