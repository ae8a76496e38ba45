import { createEngine, machine, silentLogger, type Store } from "pawl";
import { libsqlStore } from "pawl/adapters/libsql";
import { memoryStore } from "pawl/adapters/memory";
import { Countdown, type Order, order, type Peer, type Place } from "./peer.ts";

const ring = new Countdown();

const chain = machine<Order>("chain")
  .step("placed", ["paid"], (run) => (run.data.done++, "paid"))
  .step("paid", ["packed"], (run) => (run.data.done++, "packed"))
  .step("packed", ["shipped"], (run) => (run.data.done++, "shipped"))
  .build();
const one = machine<Order>("one").step("placed", ["paid"], (run) => (run.data.done++, "paid")).build();
const timer = machine<Order>("timer")
  .timeout("asleep", ["awake"], (run) => new Date(run.data.dueAt!), () => (ring.hit(), "awake"))
  .build();
const asked = machine<Order>("asked")
  .callback("asked", ["answered"], (run, answer: string) => (run.data.answer = answer, "answered"))
  .build();

const stores: Record<string, (folder: string) => Store | Promise<Store>> = {
  libsql: (folder) => libsqlStore({ url: `file:${folder}/pawl.db`, durability: "full" }),
  async sqlite(folder) {
    const { sqliteStore } = await import("pawl/adapters/sqlite");
    return sqliteStore({ url: `file:${folder}/pawl.db`, durability: "full" });
  },
  memory: () => memoryStore(),
};

/** Pawl, with nothing tuned; `await` is how its users get a result. */
export async function open({ folder, variant, idle }: Place): Promise<Peer> {
  const store = await stores[variant]!(folder);
  const engine = createEngine({ store, definitions: [chain, one, timer, asked], logger: silentLogger });
  if (!idle) await engine.start();

  const start = (of: typeof chain, data: Order) => engine.trigger(of, data.key, { data });
  const resultOf = async (of: typeof chain, key: string) => (await engine.await(of, key)).data;
  const all = <Each>(keys: readonly string[], each: (key: string) => Promise<Each>) =>
    Promise.all(keys.map(each));
  const through = async (of: typeof chain, key: string) => {
    await start(of, order(key));
    return await resultOf(of, key);
  };
  let filled: readonly string[] = [];

  return {
    async chains(keys) {
      const results = await all(keys, (key) => through(chain, key));
      return () => Promise.resolve(results);
    },
    single: (key) => through(one, key),
    async arm(keys, dueAt) {
      const hits = ring.of(keys.length);
      await all(keys, (key) => start(timer, { ...order(key), dueAt }));
      return {
        async fired() {
          const at = await hits;
          const results = await all(keys, (key) => resultOf(timer, key));
          return { at, results: () => Promise.resolve(results) };
        },
      };
    },
    async fill(keys) {
      await all(keys, (key) => start(one, order(key)));
      filled = keys;
    },
    async drain() {
      await engine.start();
      const results = await all(filled, (key) => resultOf(one, key));
      return () => Promise.resolve(results);
    },
    async wait(keys) {
      await all(keys, (key) => start(asked, order(key)));
    },
    async answer(keys) {
      await all(keys, (key) => engine.callback(asked, key, "asked", key));
      return () => all(keys, (key) => resultOf(asked, key));
    },
    async close() {
      await engine.stop();
      await store.close();
    },
  };
}
