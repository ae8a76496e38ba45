import { DelayedError, type Job, Queue, QueueEvents, Worker } from "bullmq";
import { Redis } from "ioredis";
import { Countdown, type Order, order, type Peer, type Place, step, until } from "./peer.ts";

const far = 3_600_000;
const ring = new Countdown();
const ended = new Countdown();

/** The "process step jobs" pattern of its documentation: what has been done is in the job's data after each step. */
async function chain(job: Job<Order>): Promise<Order> {
  while (job.data.done < 2) await job.updateData(step(job.data));
  return step(job.data);
}

/** A job that steps aside until it is promoted, which is what comes nearest to a signal. */
async function asked(job: Job<Order>, token: string | undefined): Promise<Order> {
  if (job.data.answer !== undefined) return job.data;
  await job.moveToDelayed(Date.now() + far, token);
  throw new DelayedError();
}

function work(job: Job<Order>, token?: string): Promise<Order> | Order {
  switch (job.name) {
    case "chain":
      return chain(job);
    case "asked":
      return asked(job, token);
    case "timer":
      ring.hit();
      return job.data;
    default:
      return step(job.data);
  }
}

/** BullMQ: jobs go in by `addBulk`, 100 are worked on at a time, and results are kept. */
export async function open({ server, idle }: Place): Promise<Peer> {
  const { hostname, port } = new URL(server);
  const connect = () => new Redis(Number(port), hostname, { maxRetriesPerRequest: null });
  const connections = [connect(), connect(), connect()] as const;
  const queue = new Queue<Order>("bench", { connection: connections[0] });
  const worker = new Worker<Order>("bench", work, {
    connection: connections[1],
    concurrency: 100,
    autorun: !idle,
  });
  worker.on("completed", () => ended.hit());
  worker.on("error", () => {});
  const events = new QueueEvents("bench", { connection: connections[2] });
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady(), events.waitUntilReady()]);

  const add = async (name: string, orders: readonly Order[]) => {
    const jobs = [];
    for (let from = 0; from < orders.length; from += 1_000) {
      const batch = orders.slice(from, from + 1_000);
      const toJob = (data: Order) => ({
        name,
        data,
        opts: { jobId: data.key, ...(data.dueAt !== undefined && { delay: data.dueAt - Date.now() }) },
      });
      jobs.push(...await queue.addBulk(batch.map(toJob)));
    }
    return jobs;
  };
  const results = (keys: readonly string[]) => async () => {
    const jobs = await Promise.all(keys.map((key) => queue.getJob(key)));
    return jobs.map((job) => job!.returnvalue as Order);
  };
  let filled: readonly string[] = [];

  return {
    async chains(keys) {
      const end = ended.of(keys.length);
      await add("chain", keys.map(order));
      await end;
      return results(keys);
    },
    async single(key) {
      const job = await queue.add("one", order(key), { jobId: key });
      return await job.waitUntilFinished(events);
    },
    async arm(keys, dueAt) {
      const [hits, end] = [ring.of(keys.length), ended.of(keys.length)];
      await add("timer", keys.map((key) => ({ ...order(key), dueAt })));
      return { fired: async () => (await end, { at: await hits, results: results(keys) }) };
    },
    async fill(keys) {
      await add("one", keys.map(order));
      filled = keys;
    },
    async drain() {
      const end = ended.of(filled.length);
      void worker.run();
      await end;
      return results(filled);
    },
    async wait(keys) {
      await add("asked", keys.map(order));
      await until(async () => await queue.getDelayedCount() === keys.length);
    },
    async answer(keys) {
      const end = ended.of(keys.length);
      await Promise.all(keys.map(async (key) => {
        const job = (await queue.getJob(key))!;
        await job.updateData({ ...job.data, answer: key });
        await job.promote();
      }));
      await end;
      return results(keys);
    },
    async close() {
      await worker.close(true);
      await events.close();
      await queue.close();
      for (const connection of connections) connection.disconnect();
    },
  };
}
