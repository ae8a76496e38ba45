/**
 * What happens in the demo: runs come in, people answer, somebody pauses something.
 *
 * @module
 */
import { type Engine, every } from "pawl";
import { deployments, imports, type Order, orders, reports, signUps } from "./machines.ts";
import { between } from "./pace.ts";

const names = ["Ann Meyer", "Bo Lindqvist", "Chidi Okafor", "Dina Haddad", "Eva Novák", "Fumiko Satō"];
const cities = ["Aarhus", "Berlin", "Lagos", "Kyoto", "Brno", "Porto"];
const repositories = ["shop", "billing", "search"];

const one = <Item>(items: readonly Item[]): Item => items[between(0, items.length)]!;

function makeOrder(): Order {
  const name = one(names);
  const items = Array.from({ length: between(1, 6) }, () => ({
    sku: `sku-${between(100, 999)}`,
    quantity: between(1, 4),
    cents: between(199, 19_900),
  }));
  const email = `${name.split(" ")[0]!.toLowerCase()}@example.com`;
  return { customer: { name, email, city: one(cities) }, items };
}

/** Each source of runs, and how often it sends one. */
const sources: readonly {
  readonly everyMs: number;
  start(engine: Engine, id: string): Promise<unknown>;
}[] = [
  {
    everyMs: 1_100,
    start: (engine, id) =>
      engine.trigger(orders, `order-${id}`, { data: makeOrder(), traceOrigin: "demo: web shop" }),
  },
  {
    everyMs: 4_000,
    start: (engine, id) =>
      engine.trigger(signUps, `${one(names).split(" ")[0]!.toLowerCase()}-${id}@example.com`, {
        data: { email: `${id}@example.com`, plan: one(["free", "team"] as const), reminders: 0 },
      }),
  },
  {
    everyMs: 7_000,
    start: (engine, id) =>
      engine.trigger(imports, `prices/${id}.csv`, {
        data: { file: `prices/${id}.csv`, rows: between(200, 3_000), done: 0 },
      }),
  },
  {
    everyMs: 5_000,
    start: (engine, id) =>
      engine.trigger(deployments, `deploy-${id}`, {
        data: { repository: one(repositories), commit: crypto.randomUUID().slice(0, 8) },
      }),
  },
];

/** Answers some of the sign-ups that wait. */
async function answerSignUps(engine: Engine): Promise<void> {
  const { items } = await engine.list({ definition: "sign-ups", status: "confirming", runState: "running" });
  for (const { key, runId } of items.filter(() => Math.random() < 0.15)) {
    await engine.callback(signUps, key, "confirming", { by: "link", isOdd: Math.random() < 0.3 }, { runId });
  }
}

/** Creates the schedules of the demo; those that are there stay. */
export async function createSchedules(engine: Engine): Promise<void> {
  await engine.schedules.create({
    id: "till-report",
    recurrence: every("20s"),
    target: reports,
    key: "till-{scheduledFor}",
    data: { shop: "main street" },
    note: "Often, so that there is something to see",
  });
  await engine.schedules.create({
    id: "nightly-report",
    recurrence: every("1d", { phase: "2h" }),
    target: reports,
    key: "night-{scheduledFor}",
    data: { shop: "main street" },
    pauseOnFailure: true,
  });
  await engine.schedules.create({
    id: "price-import",
    recurrence: every("1h", { phase: "5m" }),
    target: imports,
    key: "hourly-prices",
    data: { file: "prices.csv", rows: 100, done: 0 },
    enabled: false,
    note: "Paused while the supplier moves",
  });
}

/**
 * Lets runs come in until the signal says so.
 *
 * @param engine Where to.
 * @param signal Ends it.
 * @param first How many orders there are at once, at the beginning.
 */
export async function sendTraffic(engine: Engine, signal: AbortSignal, first = 60): Promise<void> {
  let count = Date.now() % 1_000_000;
  const nextId = () => (count++).toString(36);
  for (let n = 0; n < first; n++) await sources[n % sources.length]!.start(engine, nextId());
  const jobs = sources.map(({ everyMs, start }) =>
    setInterval(() => ignore(start(engine, nextId())), everyMs)
  );
  jobs.push(setInterval(() => ignore(answerSignUps(engine)), 3_000));
  signal.addEventListener("abort", () => jobs.forEach((job) => clearInterval(job)), { once: true });
}

/** What comes in while the demo stops is lost, and that is all. */
function ignore(work: Promise<unknown>): void {
  work.catch(() => {});
}
