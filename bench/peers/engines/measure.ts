/**
 * One measurement in a process of its own: `node measure.ts '{"engine":"pawl","job":"chains","count":1000,...}'`. It
 * prints one line of JSON.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { type Order, order, type Peer, type PeerModule, type Results } from "./peer.ts";

/** What is to be measured. */
export interface Task {
  readonly engine: string;
  readonly variant: string;
  readonly job: "chains" | "latency" | "timers" | "backlog" | "callbacks";
  readonly count: number;
  readonly folder: string;
  readonly server: string;
}

type Numbers = Record<string, number>;

const quantile = (values: readonly number[], at: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * at))]!;

const keysOf = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name}-${index}`);

/** Whoever has not done the work has no number. */
function verify(keys: readonly string[], orders: readonly Order[], is: (order: Order) => boolean): void {
  const wanted = new Set(keys);
  const { notes } = order("");
  for (const each of orders) {
    if (!is(each) || each.notes !== notes) throw new Error(`A run came to ${JSON.stringify(each)}`);
    wanted.delete(each.key);
  }
  if (wanted.size > 0) throw new Error(`${wanted.size} of ${keys.length} runs did not come to an end`);
}

const hasCounted = (steps: number) => (each: Order) => each.done === steps;

async function chains(peer: Peer, count: number): Promise<Numbers> {
  // A second of the same work, so that a server is measured and not the compiler of its first moments.
  const warmUntil = performance.now() + 1_000;
  for (let wave = 0; wave === 0 || performance.now() < warmUntil; wave++) {
    const warm = keysOf(`warm-${wave}`, 300);
    verify(warm, await (await peer.chains(warm))(), hasCounted(3));
  }
  const keys = keysOf("chain", count);
  const startedAt = performance.now();
  const results = await peer.chains(keys);
  const seconds = (performance.now() - startedAt) / 1_000;
  verify(keys, await results(), hasCounted(3));
  return { rate: count * 3 / seconds };
}

async function latency(peer: Peer, count: number): Promise<Numbers> {
  const times: number[] = [];
  const warm = Math.min(100, count >> 1);
  for (const [index, key] of keysOf("single", warm + count).entries()) {
    const startedAt = performance.now();
    const result = await peer.single(key);
    if (index >= warm) times.push(performance.now() - startedAt);
    verify([key], [result], hasCounted(1));
  }
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

async function timers(peer: Peer, count: number): Promise<Numbers> {
  const warmAt = performance.now();
  const first = await peer.arm(keysOf("warm", 100), Date.now() + 1_500);
  const lead = 1_500 + (performance.now() - warmAt) * count / 100 * 1.5;
  await first.fired();
  const keys = keysOf("timer", count);
  const dueAt = Date.now() + Math.min(30_000, Math.round(lead));
  const armed = await peer.arm(keys, dueAt);
  const early = dueAt - Date.now();
  if (early < 200) {
    throw new Error(`The timers were set ${Math.round(200 - early)} ms too late to be measured`);
  }
  const { at, results } = await armed.fired();
  verify(keys, await results(), (each) => each.dueAt === dueAt);
  const late = at.map((each) => each - dueAt);
  if (late.length !== count || Math.min(...late) < -1) {
    throw new Error(`Timers fired at ${Math.min(...late)} ms`);
  }
  return { p50: quantile(late, 0.5), max: Math.max(...late) };
}

async function backlog(peer: Peer, count: number): Promise<Numbers> {
  const keys = keysOf("job", count);
  const startedAt = performance.now();
  await peer.fill(keys);
  const filledAt = performance.now();
  const results: Results = await peer.drain();
  const drainedAt = performance.now();
  verify(keys, await results(), hasCounted(1));
  const rate = (from: number, to: number) => count * 1_000 / (to - from);
  return { rate: rate(startedAt, drainedAt), in: rate(startedAt, filledAt), out: rate(filledAt, drainedAt) };
}

async function callbacks(peer: Peer, count: number): Promise<Numbers | undefined> {
  if (!peer.wait || !peer.answer) return undefined;
  const warm = keysOf("warm", 100);
  await peer.wait(warm);
  await peer.answer(warm);
  const keys = keysOf("call", count);
  await peer.wait(keys);
  const startedAt = performance.now();
  const results = await peer.answer(keys);
  const seconds = (performance.now() - startedAt) / 1_000;
  verify(keys, await results(), (each) => each.answer === each.key);
  return { rate: count / seconds };
}

const jobs = { chains, latency, timers, backlog, callbacks };

const task = JSON.parse(process.argv[2]!) as Task;
const { open } = await import(`./${task.engine}.ts`) as PeerModule;
const peer = await open({ ...task, idle: task.job === "backlog" });
const stalls = monitorEventLoopDelay({ resolution: 5 });
stalls.enable();
const cpu = process.cpuUsage();
const numbers = await jobs[task.job](peer, task.count);
const used = process.cpuUsage(cpu);
const { rss } = process.memoryUsage();
const outcome = {
  numbers,
  cpuMs: (used.user + used.system) / 1_000,
  rssMb: rss / 2 ** 20,
  stallMs: stalls.max / 1e6,
};
process.stdout.write(`\n${JSON.stringify(outcome)}\n`);
// Some engines leave a connection open that would keep the process; what counts is on disk and checked.
await Promise.race([peer.close(), new Promise((resolve) => setTimeout(resolve, 3_000))]);
process.exit(0);
