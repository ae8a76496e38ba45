import { type Job, PgBoss } from "pg-boss";
import { Countdown, type Order, order, type Peer, type Place, step, until } from "./peer.ts";

const ring = new Countdown();
const ended = new Countdown();
const batchSize = 200;
const polling = {
  batchSize,
  pollingIntervalSeconds: 0.5,
  // The shortest that it takes; NOTIFY does not tell of jobs whose time has come.
  notifyPollingIntervalSeconds: 0.5,
  burstWhenBatchFull: true,
  localConcurrency: 2,
} as const;

/** pg-boss: workers take 200 jobs at a time and hear of new ones by NOTIFY; a job's successor commits with its end. */
export async function open({ server, idle }: Place): Promise<Peer> {
  const boss = new PgBoss({
    connectionString: server,
    max: 20,
    useListenNotify: true,
    supervise: false,
    schedule: false,
  });
  boss.on("error", (error) => process.stderr.write(`${error}\n`));
  await boss.start();
  for (const name of ["placed", "paid", "packed", "one", "timer"]) {
    await boss.createQueue(name, { notify: true });
  }

  const rows = async (sql: string, values: unknown[]) => (await boss.getDb().executeSql(sql, values)).rows;
  const completed = async (name: string) =>
    Number(
      (await rows("select count(*) n from pgboss.job where name = $1 and state = 'completed'", [name]))[0].n,
    );
  const send = async (name: string, orders: readonly Order[]) => {
    for (let from = 0; from < orders.length; from += 1_000) {
      const toJob = (data: Order) => ({
        data,
        ...(data.dueAt !== undefined && { startAfter: new Date(data.dueAt) }),
      });
      await boss.insert(name, orders.slice(from, from + 1_000).map(toJob));
    }
  };
  /** What a job without a successor has come to lies in its output. */
  const results = (name: string, keys: readonly string[]) => async () => {
    const among = new Set(keys);
    const outputs = await rows("select output from pgboss.job where name = $1 and state = 'completed'", [
      name,
    ]);
    return outputs.map(({ output }) => output as Order).filter(({ key }) => among.has(key));
  };
  const totals = new Map<string, number>();
  /** The handlers have run, and then the store says so. */
  const completion = async (name: string, end: Promise<unknown>, count: number) => {
    const total = (totals.get(name) ?? 0) + count;
    totals.set(name, total);
    await end;
    await until(async () => await completed(name) === total);
  };

  const relay = (from: string, to: string) =>
    boss.work<Order>(from, { ...polling, transactional: true }, async (jobs, tx) => {
      await boss.insert(to, jobs.map(({ data }) => ({ data: step(data) })), { db: tx });
    });
  const settle = (jobs: Job<Order>[], settled: (data: Order) => Order) =>
    Promise.resolve(
      jobs.map(({ id, data }) => ({ id, status: "completed" as const, output: settled(data) })),
    );
  const work = (name: string, settled: (data: Order) => Order) =>
    boss.work<Order>(name, { ...polling, perJobResults: true }, (jobs) => settle(jobs, settled));
  const begin = async () => {
    await relay("placed", "paid");
    await relay("paid", "packed");
    await work("packed", (data) => (ended.hit(), step(data)));
    await work("one", (data) => (ended.hit(), step(data)));
    await work("timer", (data) => (ring.hit(), data));
  };
  if (!idle) await begin();
  let filled: readonly string[] = [];

  return {
    async chains(keys) {
      const end = ended.of(keys.length);
      await send("placed", keys.map(order));
      await completion("packed", end, keys.length);
      return results("packed", keys);
    },
    async single(key) {
      const id = (await boss.send("one", order(key)))!;
      let found;
      do found = (await boss.findJobs<Order>("one", { id }))[0]; while (found?.state !== "completed");
      return found.output as unknown as Order;
    },
    async arm(keys, dueAt) {
      const hits = ring.of(keys.length);
      await send("timer", keys.map((key) => ({ ...order(key), dueAt })));
      return {
        async fired() {
          await completion("timer", hits, keys.length);
          return { at: await hits, results: results("timer", keys) };
        },
      };
    },
    async fill(keys) {
      await send("one", keys.map(order));
      filled = keys;
    },
    async drain() {
      const end = ended.of(filled.length);
      await begin();
      await completion("one", end, filled.length);
      return results("one", filled);
    },
    close: () => boss.stop({ graceful: false }),
  };
}
