import { DBOS } from "@dbos-inc/dbos-sdk";
import { Client } from "pg";
import { Countdown, type Order, order, type Peer, type Place, step, until } from "./peer.ts";

const ring = new Countdown();
const ended = new Countdown();

const chain = DBOS.registerWorkflow(async function chain(data: Order) {
  const paid = await DBOS.runStep(() => Promise.resolve(step(data)), { name: "pay" });
  const packed = await DBOS.runStep(() => Promise.resolve(step(paid)), { name: "pack" });
  return await DBOS.runStep(() => Promise.resolve(step(packed)), { name: "ship" });
}, { name: "chain" });
const one = DBOS.registerWorkflow(async function one(data: Order) {
  return await DBOS.runStep(() => Promise.resolve((ended.hit(), step(data))), { name: "pay" });
}, { name: "one" });
const timer = DBOS.registerWorkflow(async function timer(data: Order) {
  await DBOS.sleep(data.dueAt! - Date.now());
  return await DBOS.runStep(() => Promise.resolve((ring.hit(), data)), { name: "wake" });
}, { name: "timer" });
const asked = DBOS.registerWorkflow(async function asked(data: Order) {
  const answer = await DBOS.recv<string>("answer", { timeoutSeconds: 600 });
  return { ...data, answer: answer! };
}, { name: "asked" });

/** DBOS: a pool of 20 connections; a backlog waits in a queue that takes 100 at a time and is polled every 100 ms. */
export async function open({ server }: Place): Promise<Peer> {
  DBOS.setConfig({
    name: "bench",
    systemDatabaseUrl: server,
    systemDatabasePoolSize: 20,
    logLevel: "error",
  });
  await DBOS.launch();
  const db = new Client({ connectionString: server });
  await db.connect();
  const started = async (of: typeof chain, data: Order, queueName?: string) =>
    await DBOS.startWorkflow(of, { workflowID: data.key, ...(queueName && { queueName }) })(data);
  const succeeded = async () =>
    Number(
      (await db.query("select count(*) n from dbos.workflow_status where status = 'SUCCESS'")).rows[0].n,
    );
  const through = async (of: typeof chain, data: Order) => await (await started(of, data)).getResult();
  const throughAll = async (of: typeof chain, keys: readonly string[]) => {
    const results = await Promise.all(keys.map((key) => through(of, order(key))));
    return () => Promise.resolve(results);
  };
  const handles = new Map<string, { getResult(): Promise<Order> }>();
  const startAll = async (of: typeof chain, orders: readonly Order[]) => {
    await Promise.all(orders.map(async (each) => handles.set(each.key, await started(of, each))));
  };
  const resultsOf = async (keys: readonly string[]) => {
    const results = await Promise.all(keys.map((key) => handles.get(key)!.getResult()));
    return () => Promise.resolve(results);
  };
  let filled: readonly string[] = [];

  return {
    chains: (keys) => throughAll(chain, keys),
    single: (key) => through(one, order(key)),
    async arm(keys, dueAt) {
      const hits = ring.of(keys.length);
      await startAll(timer, keys.map((key) => ({ ...order(key), dueAt })));
      return { fired: async () => ({ at: await hits, results: await resultsOf(keys) }) };
    },
    async fill(keys) {
      await Promise.all(keys.map((key) => started(one, order(key), "backlog")));
      filled = keys;
    },
    async drain() {
      const end = ended.of(filled.length);
      // A queue is listened to as soon as it is registered.
      await DBOS.registerQueue("backlog", { minPollingIntervalMs: 20, workerConcurrency: 500 });
      await end;
      await until(async () => await succeeded() === filled.length);
      return () => Promise.all(filled.map((key) => DBOS.getResult<Order>(key) as Promise<Order>));
    },
    async wait(keys) {
      await startAll(asked, keys.map(order));
    },
    async answer(keys) {
      await Promise.all(keys.map((key) => DBOS.send(key, key, "answer")));
      return await resultsOf(keys);
    },
    async close() {
      await db.end();
      await DBOS.shutdown();
    },
  };
}
