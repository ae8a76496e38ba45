// deno-lint-ignore-file no-console -- a benchmark's product is its table.
/**
 * Pawl beside what else does such work:
 * `deno task bench:peers [--runs 3] [--only pawl,bullmq] [--jobs chains,latency] [--short]
 * [--docs]`; the last writes the tables into `docs/benchmarks.md`.
 *
 * Every measurement has a process and a store of its own; the rounds are interleaved. It needs PostgreSQL and Redis from
 * the system for the peers that need them, and Chromium for IndexedDB. Speeds on a shared machine move by a factor of two:
 * read the ratios.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { run } from "../../npm/command.ts";
import { type Limits, limitsReport, measureLimits } from "./limits.ts";
import { type Node, nodeVersion, prepare } from "./packages.ts";
import { type Column, type Outcome, report } from "./report.ts";
import { Servers } from "./servers.ts";
import { type Subject, subjects } from "./subjects.ts";

/** A job at a size. */
interface Job extends Omit<Column, "title"> {
  readonly task: string;
  readonly count: number;
  readonly short: number;
  readonly title: string;
}

const rate = { number: "rate" };
const jobs: readonly Job[] = [
  { job: "chains-1000", task: "chains", count: 1_000, short: 100, title: "# chains, steps/s", ...rate },
  { job: "chains-10000", task: "chains", count: 10_000, short: 1_000, title: "# chains, steps/s", ...rate },
  {
    job: "latency",
    task: "latency",
    count: 300,
    short: 50,
    title: "start to result, ms; p99",
    number: "p50",
    beside: "p99",
    less: true,
  },
  {
    job: "timers",
    task: "timers",
    count: 1_000,
    short: 200,
    title: "# timers late by, ms; last",
    number: "p50",
    beside: "max",
    less: true,
  },
  { job: "backlog", task: "backlog", count: 10_000, short: 1_000, title: "backlog of #, runs/s", ...rate },
  { job: "callbacks", task: "callbacks", count: 1_000, short: 200, title: "# callbacks, /s", ...rate },
];

/** So long a measurement may take; who needs longer is not asked again. */
const secondsMax = 90;

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    runs: { type: "string" },
    only: { type: "string" },
    jobs: { type: "string" },
    short: { type: "boolean", default: false },
    docs: { type: "boolean", default: false },
  },
});

/** Those that are named, wholly or by what stands before a hyphen. */
function chosen<Each>(all: readonly Each[], names: string | undefined, idOf: (each: Each) => string): Each[] {
  const wanted = names?.split(",");
  return all.filter((each) =>
    !wanted || wanted.some((name) => idOf(each) === name || idOf(each).startsWith(`${name}-`))
  );
}

const sizeOf = ({ count, short }: Job) => options.short ? short : count;
const titled = (job: Job) => ({ ...job, title: job.title.replace("#", sizeOf(job).toLocaleString("en-US")) });

/** What must be gone when this process is. */
interface Host {
  readonly node: Node;
  readonly folder: string;
  readonly servers: Servers;
  readonly interrupted: AbortSignal;
}

async function measure(host: Host, subject: Subject, job: Job): Promise<Omit<Outcome, "round">> {
  const folder = await Deno.makeTempDir({ dir: host.folder });
  try {
    const count = sizeOf(job);
    const task = {
      engine: subject.engine,
      variant: subject.variant ?? "",
      job: job.task,
      count: job.task === "latency" ? Math.min(count, subject.latencies ?? count) : count,
      folder,
      server: subject.server ? await host.servers.database(subject.server) : "",
    };
    const late = AbortSignal.timeout(secondsMax * 1_000);
    const outcome = await host.node("measure.ts", task, AbortSignal.any([late, host.interrupted]));
    return { subject: subject.id, job: job.job, ...outcome as object };
  } catch (error) {
    const { name, message } = error as Error;
    const late = name === "TimeoutError";
    return { subject: subject.id, job: job.job, error: late ? `longer than ${secondsMax} s` : message };
  } finally {
    if (subject.server) await host.servers.rest(subject.server);
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

/** What one engine has left to the disk is not to be paid by the next. */
async function settleDisk(): Promise<void> {
  await new Deno.Command("sync").output();
}

const isLate = ({ error }: Outcome) => error?.startsWith("longer than") === true;

async function rounds(host: Host, who: readonly Subject[], what: readonly Job[]) {
  const outcomes: Outcome[] = [];
  const limits: Limits[] = [];
  const runs = Number(options.runs ?? (options.short ? 1 : 3));
  for (let round = 1; round <= runs; round++) {
    if (!options.jobs || options.jobs.includes("limits")) {
      limits.push(await measureLimits(host.node, host.folder, host.interrupted, options.short));
    }
    for (const job of what) {
      // Who begins changes with the round, and so does the direction: nobody always works behind the same neighbour.
      const order = round % 2 === 0 ? [...who].reverse() : who;
      for (let turn = 0; turn < who.length; turn++) {
        host.interrupted.throwIfAborted();
        const subject = order[(turn + round - 1) % order.length]!;
        if (outcomes.some((each) => isLate(each) && each.subject === subject.id && each.job === job.job)) {
          continue;
        }
        await settleDisk();
        const startedAt = performance.now();
        const outcome = await measure(host, subject, job);
        host.interrupted.throwIfAborted();
        outcomes.push({ ...outcome, round });
        const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
        console.error(
          `${round}/${runs} ${job.job} ${subject.id}: ${
            outcome.error ?? JSON.stringify(outcome.numbers ?? "none")
          } (${seconds} s)`,
        );
      }
    }
  }
  return { outcomes, limits };
}

async function writeDocs(text: string): Promise<void> {
  const page = new URL("../../docs/benchmarks.md", import.meta.url);
  const [begin, end] = ["<!-- tables -->", "<!-- end of tables -->"];
  const [before, , after] = (await Deno.readTextFile(page)).split(new RegExp(`${begin}|${end}`));
  await Deno.writeTextFile(page, `${before}${begin}\n\n${text}\n\n${end}${after}`);
  await run(Deno.execPath(), ["fmt", "--quiet", page.pathname]);
}

async function main(): Promise<void> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort(new Error("Interrupted"));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(signal, interrupt);
  const folder = await Deno.makeTempDir({ prefix: "pawl-peers-" });
  const servers = new Servers(folder);
  const who = chosen(subjects, options.only, ({ id }) => id);
  const what = chosen(jobs, options.jobs, ({ job }) => job);
  try {
    const node = await prepare();
    interruption.signal.throwIfAborted();
    const host = { node, folder, servers, interrupted: interruption.signal };
    const { outcomes, limits } = await rounds(host, who, what);
    const machine =
      `Node ${nodeVersion}, ${navigator.hardwareConcurrency} cores, ${Deno.build.os} ${Deno.build.arch}, shared with others`;
    const text = [
      `${new Date().toISOString().slice(0, 10)}, ${machine}${options.short ? ", short" : ""}`,
      ...(what.length > 0 ? [report(outcomes, who, what.map(titled))] : []),
      ...(limits.length > 0 ? [limitsReport(limits)] : []),
    ].join("\n\n");
    console.log(`\n${text}\n`);
    const out = new URL("out/", import.meta.url);
    await Deno.mkdir(out, { recursive: true });
    await Deno.writeTextFile(new URL("table.md", out), `${text}\n`);
    await Deno.writeTextFile(
      new URL("outcomes.json", out),
      JSON.stringify({ machine, outcomes, limits }, null, 2),
    );
    if (options.docs) await writeDocs(text);
    if (outcomes.some(({ error }) => error)) Deno.exitCode = 1;
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    console.error("Interrupted: servers are stopped, and nothing is written");
    Deno.exitCode = 130;
  } finally {
    await servers.close();
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      Deno.removeSignalListener(signal, interrupt);
    }
  }
}

await main();
