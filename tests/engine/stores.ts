/**
 * What the engine's tests share: stores to run on, and a world of engines on one store in virtual time.
 *
 * @module
 */
import "fake-indexeddb/auto";
import { indexedDbStore } from "../../adapters/indexeddb/mod.ts";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { seededRandom } from "../../core/ports/random.ts";
import { type VirtualClock, virtualClock } from "../../core/testing/virtual_clock.ts";
import {
  type Clock,
  createEngine,
  type Engine,
  type EngineOptions,
  silentLogger,
  type Store,
} from "../../mod.ts";
import { fileLibrary, fileStore } from "../file_store.ts";
import { letGo } from "../let_go.ts";

/** A kind of store, opened anew for each test. */
export interface StoreKind {
  readonly name: string;
  /** It answers by turns of the real event loop: virtual time stands still until it has. */
  readonly isAttended?: boolean;
  open(): Promise<{ readonly store: Store; close(): Promise<void> }>;
}

/** Every kind of store that the machine must work the same on. */
export const storeKinds: readonly StoreKind[] = [
  memoryKind("memory", 1),
  memoryKind("memory of 4 shards", 4),
  {
    name: fileLibrary === "libsql" ? "libSQL file" : `${fileLibrary} file`,
    async open() {
      const folder = await Deno.makeTempDir({ prefix: "pawl-" });
      const store = fileStore({ url: `file:${folder}/test.db`, durability: "normal" });
      return {
        store,
        async close() {
          await store.close();
          await Deno.remove(folder, { recursive: true });
        },
      };
    },
  },
  {
    name: "IndexedDB",
    isAttended: true,
    open() {
      const store = indexedDbStore({ name: `${life} ${databases++}` });
      return Promise.resolve({
        store,
        async close() {
          await store.close();
          await letGo();
        },
      });
    },
  },
];

/** Tells databases of different tests, and of different runs of them, apart. */
const life = crypto.randomUUID();
let databases = 0;

function memoryKind(name: string, shards: number): StoreKind {
  return {
    name,
    open() {
      const store = memoryStore({ shards });
      return Promise.resolve({ store, close: () => store.close() });
    },
  };
}

/** Registers a test on every kind of store. */
export function testOnStores(
  name: string,
  body: (world: World) => Promise<void>,
  kinds: readonly StoreKind[] = storeKinds,
): void {
  for (const kind of kinds) {
    Deno.test(`${name} (${kind.name})`, async () => {
      const { store, close } = await kind.open();
      const world = new World(store, kind.isAttended);
      try {
        await body(world);
      } finally {
        await world.end();
        await close();
      }
    });
  }
}

/** Registers a test on one memory store: for what cannot depend on the store. */
export function testInMemory(name: string, body: (world: World) => Promise<void>): void {
  testOnStores(name, body, storeKinds.slice(0, 1));
}

/** What a world gives to the engines it makes. */
export type WorldEngineOptions = Partial<EngineOptions> & Pick<EngineOptions, "definitions">;

/** An engine that can be killed: from then on it neither reads, writes, nor wakes. */
export interface Mortal {
  readonly engine: Engine;
  /** As if its process had been killed. */
  kill(): void;
  /** Its process is alive but stands still, as on a laptop that sleeps; `wake` lets all that was held go on. */
  freeze(): void;
  wake(): void;
}

/** Time that moves only when told to. */
export interface CountingClock extends VirtualClock {
  /** Timers that are set. */
  readonly timers: number;
}

/** A store that answers by the event loop never waits for virtual time: a slow machine is no reason to go on without it. */
export const storePatience = "30s";

/** A store that the clock waits for. */
export function attendedStore(inner: Store, clock: VirtualClock): Store {
  return {
    limits: inner.limits,
    shards: inner.shards,
    read: (requests) => clock.attend(inner.read(requests)),
    commit: (calls) => clock.attend(inner.commit(calls)),
    watch: (onHint) => inner.watch!(onHint),
    close: () => inner.close(),
  };
}

/** Engines on one store in virtual time. */
export class World {
  readonly store: Store;
  readonly clock = countingClock();
  readonly #engines: Engine[] = [];
  #seed = 1;

  constructor(store: Store, isAttended = false) {
    this.store = isAttended ? attendedStore(store, this.clock) : store;
  }

  /** An engine that is stopped at the end of the test. */
  engine(options: WorldEngineOptions): Engine {
    const engine = createEngine({ ...this.#common(), ...options });
    this.#engines.push(engine);
    return engine;
  }

  /** A started one. */
  async started(options: WorldEngineOptions): Promise<Engine> {
    const engine = this.engine(options);
    await this.during(engine.start());
    return engine;
  }

  /** An engine whose process can be killed or frozen. Stop it, or kill it, before the test ends. */
  mortal(options: WorldEngineOptions): Mortal {
    const fate = new Fate();
    const common = this.#common();
    const engine = createEngine({
      ...common,
      store: fatedStore(this.store, fate),
      clock: fatedClock(this.clock, fate),
      ...options,
    });
    return { engine, kill: () => fate.kill(), freeze: () => fate.freeze(), wake: () => fate.wake() };
  }

  /** Lets `ms` go by, and everything that falls due in it happen. */
  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  /** Lets everything happen that can happen without time going by. */
  async settle(): Promise<void> {
    await this.clock.settle();
  }

  /** The value of a promise that needs no time to go by, or at most `ms` of it. */
  async during<Value>(promise: Promise<Value>, ms = 0): Promise<Value> {
    let over = false;
    const done = () => over = true;
    promise.then(done, done);
    await this.settle();
    for (let spent = 0; !over && spent < ms; spent += 50) await this.advance(50);
    if (!over) throw new Error(`nothing came of it within ${ms} ms of virtual time`);
    return promise;
  }

  async end(): Promise<void> {
    const stops = Promise.all(this.#engines.map((engine) => engine.stop({ grace: 0 })));
    await this.during(stops, 5_000);
  }

  #common() {
    return { store: this.store, clock: this.clock, random: seededRandom(this.#seed++), logger: silentLogger };
  }
}

/** Counts the timers that are set, so that a test can see one that was left behind. */
function countingClock(): CountingClock {
  const clock = virtualClock({ now: Date.UTC(2030, 0, 1), patience: storePatience });
  const timers = new Set<object>();
  return {
    ...clock,
    get timers() {
      return timers.size;
    },
    after(ms, callback) {
      const timer = {};
      timers.add(timer);
      const cancel = clock.after(ms, () => {
        timers.delete(timer);
        callback();
      });
      return () => {
        timers.delete(timer);
        cancel();
      };
    },
  };
}

/** Whether a process is alive, frozen or dead, and what it has not done for it. */
class Fate {
  #state: "alive" | "frozen" | "dead" = "alive";
  #held: (() => void)[] = [];

  kill(): void {
    this.#state = "dead";
    this.#held = [];
  }

  freeze(): void {
    this.#state = "frozen";
  }

  wake(): void {
    this.#state = "alive";
    for (const act of this.#held.splice(0)) act();
  }

  /** Now, later, or never. */
  act(act: () => void): void {
    if (this.#state === "alive") act();
    else if (this.#state === "frozen") this.#held.push(act);
  }
}

function fatedStore(store: Store, fate: Fate): Store {
  const fated = <Value>(call: () => Promise<Value>) =>
    new Promise<Value>((resolve, reject) => {
      fate.act(() =>
        call().then((value) => fate.act(() => resolve(value)), (error) => fate.act(() => reject(error)))
      );
    });
  return {
    ...store.watch && { watch: (onHint) => store.watch!((shard, id) => fate.act(() => onHint(shard, id))) },
    limits: store.limits,
    shards: store.shards,
    read: (requests) => fated(() => store.read(requests)),
    commit: (calls) => fated(() => store.commit(calls)),
    close: () => store.close(),
  };
}

function fatedClock(clock: Clock, fate: Fate): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    soon: (callback) => clock.soon(() => fate.act(callback)),
    after: (ms, callback) => clock.after(ms, () => fate.act(callback)),
  };
}

/** Options for tests over days: with the default poll they would be hundreds of thousands of looks at the store. */
export const patient = { poll: "1d", lease: { term: "60d" } } as const;

/** A promise and its ends: how tests hold a step in the middle. */
export function gate<Value = void>() {
  return Promise.withResolvers<Value>();
}
