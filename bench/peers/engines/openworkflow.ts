import { DatabaseSync } from "node:sqlite";
import { OpenWorkflow } from "openworkflow";
import { BackendSqlite } from "openworkflow/sqlite";
import { Countdown, type Order, order, type Peer, type Place, step, until } from "./peer.ts";

const ring = new Countdown();
const ended = new Countdown();

/** OpenWorkflow on a SQLite file: 100 runs at a time. It polls for work, and for results once a second. */
export async function open({ folder, idle }: Place): Promise<Peer> {
  const path = `${folder}/openworkflow.db`;
  const backend = BackendSqlite.connect(path);
  const ow = new OpenWorkflow({ backend });
  const chain = ow.defineWorkflow<Order, Order>({ name: "chain" }, async ({ input, step: api }) => {
    const paid = await api.run({ name: "pay" }, () => step(input));
    const packed = await api.run({ name: "pack" }, () => step(paid));
    return await api.run({ name: "ship" }, () => (ended.hit(), step(packed)));
  });
  const one = ow.defineWorkflow<Order, Order>(
    { name: "one" },
    ({ input, step: api }) => api.run({ name: "pay" }, () => (ended.hit(), step(input))),
  );
  const timer = ow.defineWorkflow<Order, Order>({ name: "timer" }, async ({ input, step: api }) => {
    await api.sleep("wait", `${Math.max(0, input.dueAt! - Date.now())}ms`);
    return await api.run({ name: "wake" }, () => (ring.hit(), input));
  });
  const asked = ow.defineWorkflow<Order, Order>({ name: "asked" }, async ({ input, step: api }) => {
    const answer = await api.waitForSignal<string>({ signal: input.key });
    ended.hit();
    return { ...input, answer: answer!.data };
  });
  const worker = ow.newWorker({ concurrency: 100 });
  if (!idle) await worker.start();

  const db = new DatabaseSync(path, { readOnly: true });
  const countOf = (sql: string) => {
    const statement = db.prepare(sql);
    return (...values: (string | number)[]) => (statement.get(...values) as { n: number }).n;
  };
  const completed = countOf(
    "select count(*) n from workflow_runs where namespace_id = 'default' and status = 'completed'",
  );
  const waits = countOf("select count(*) n from step_attempts where kind = ?");
  const outputs = db.prepare(
    "select output from workflow_runs where workflow_name = ? and status = 'completed'",
  );
  const results = (name: string, keys: readonly string[]) => () => {
    const among = new Set(keys);
    const all = outputs.all(name).map(({ output }) => JSON.parse(output as string) as Order);
    return Promise.resolve(all.filter(({ key }) => among.has(key)));
  };
  const start = (of: typeof chain, orders: readonly Order[]) =>
    Promise.all(orders.map((each) => of.run(each, { idempotencyKey: each.key })));
  let total = 0;
  /** The functions have returned, and then the store says so. */
  const completion = async (end: Promise<unknown>, count: number) => {
    total += count;
    await end;
    await until(() => completed() === total);
  };
  let waiting = 0;
  const wait = async (kind: string, count: number) => {
    waiting += count;
    await until(() => waits(kind) === waiting);
  };
  let filled: readonly string[] = [];

  return {
    async chains(keys) {
      const end = ended.of(keys.length);
      await start(chain, keys.map(order));
      await completion(end, keys.length);
      return results("chain", keys);
    },
    async single(key) {
      const [run] = await start(one, [order(key)]);
      return await run!.result();
    },
    async arm(keys, dueAt) {
      const hits = ring.of(keys.length);
      await start(timer, keys.map((key) => ({ ...order(key), dueAt })));
      await wait("sleep", keys.length);
      return {
        async fired() {
          await completion(hits, keys.length);
          return { at: await hits, results: results("timer", keys) };
        },
      };
    },
    async fill(keys) {
      await start(one, keys.map(order));
      filled = keys;
    },
    async drain() {
      const end = ended.of(filled.length);
      await worker.start();
      await completion(end, filled.length);
      return results("one", filled);
    },
    async wait(keys) {
      await start(asked, keys.map(order));
      await wait("signal-wait", keys.length);
    },
    async answer(keys) {
      const end = ended.of(keys.length);
      await Promise.all(keys.map((key) => ow.sendSignal({ signal: key, data: key })));
      await completion(end, keys.length);
      return results("asked", keys);
    },
    async close() {
      await worker.stop();
      db.close();
      await backend.stop();
    },
  };
}
