import {
  InMemoryOrchestrationBackend,
  type OrchestrationContext,
  TestOrchestrationClient,
  TestOrchestrationWorker,
  type TOrchestrator,
} from "@microsoft/durabletask-js";
import { Countdown, type Order, order, type Peer, type Place, step } from "./peer.ts";

const ring = new Countdown();

// Its test worker prints some lines per step and takes no logger; what printing costs is not what is measured.
for (const level of ["debug", "info", "log", "warn"] as const) console[level] = () => {};

const count = (_: unknown, data: Order) => step(data);
const wake = (_: unknown, data: Order) => (ring.hit(), data);

const chain: TOrchestrator = async function* chain(context: OrchestrationContext, data: Order): any {
  const paid = yield context.callActivity(count, data);
  const packed = yield context.callActivity(count, paid);
  return yield context.callActivity(count, packed);
};
const one: TOrchestrator = async function* one(context: OrchestrationContext, data: Order): any {
  return yield context.callActivity(count, data);
};
const timer: TOrchestrator = async function* timer(context: OrchestrationContext, data: Order): any {
  yield context.createTimer(new Date(data.dueAt!));
  return yield context.callActivity(wake, data);
};
const asked: TOrchestrator = async function* asked(context: OrchestrationContext, data: Order): any {
  const answer = yield context.waitForExternalEvent("answer");
  return { ...data, answer };
};

/** durabletask-js in the backend that it has for tests: there is no other that runs inside a process. */
export async function open({ idle }: Place): Promise<Peer> {
  const backend = new InMemoryOrchestrationBackend();
  const worker = new TestOrchestrationWorker(backend);
  const client = new TestOrchestrationClient(backend);
  for (const each of [chain, one, timer, asked]) worker.addOrchestrator(each);
  worker.addActivity(count);
  worker.addActivity(wake);
  if (!idle) await worker.start();

  const start = (of: TOrchestrator, data: Order) => client.scheduleNewOrchestration(of, data, data.key);
  const startAll = (of: TOrchestrator, orders: readonly Order[]) =>
    Promise.all(orders.map((each) => start(of, each)));
  const resultOf = async (key: string) => {
    const state = await client.waitForOrchestrationCompletion(key, true, 120);
    return JSON.parse(state!.serializedOutput!) as Order;
  };
  const resultsOf = async (keys: readonly string[]) => {
    const results = await Promise.all(keys.map(resultOf));
    return () => Promise.resolve(results);
  };
  let filled: readonly string[] = [];

  return {
    async chains(keys) {
      await startAll(chain, keys.map(order));
      return await resultsOf(keys);
    },
    async single(key) {
      await start(one, order(key));
      return await resultOf(key);
    },
    async arm(keys, dueAt) {
      const hits = ring.of(keys.length);
      await startAll(timer, keys.map((key) => ({ ...order(key), dueAt })));
      return { fired: async () => ({ at: await hits, results: await resultsOf(keys) }) };
    },
    async fill(keys) {
      await startAll(one, keys.map(order));
      filled = keys;
    },
    async drain() {
      await worker.start();
      return await resultsOf(filled);
    },
    async wait(keys) {
      await startAll(asked, keys.map(order));
      await Promise.all(keys.map((key) => client.waitForOrchestrationStart(key)));
    },
    async answer(keys) {
      await Promise.all(keys.map((key) => client.raiseOrchestrationEvent(key, "answer", key)));
      return await resultsOf(keys);
    },
    close: () => worker.stop(),
  };
}
