// deno-lint-ignore-file no-console -- a benchmark's product is its tables.
/**
 * How what an engine does changes with what it has to carry, a table per question.
 *
 *     deno task bench:growth [--short] [--million] [--only finished,asleep,history,shards,workers,payload,disk] [--docs]
 *
 * `--docs` writes the tables into `docs/benchmarks.md`, too.
 *
 * Times on a shared machine move by a factor of two: read the columns of one table against each other.
 *
 * @module
 */
import process from "node:process";
import { defaultLimits, type Engine } from "pawl";
import {
  type Effort,
  engineOn,
  heapBytes,
  measure,
  msOf,
  onTurn,
  putToSleep,
  type Subject,
  subjects,
  turns,
  wave,
  withEngine,
} from "./grown.ts";
import { order, orders, single } from "./machine.ts";
import { table } from "./peers/report.ts";

type Row = Record<string, string | number>;

/** What was asked for on the command line. */
interface Sizes {
  readonly isShort: boolean;
  readonly isMillion: boolean;
  readonly effort: Effort;
}

/** A question, and what answers it on one kind of store. */
interface Question {
  readonly title: string;
  ask(subject: Subject, sizes: Sizes): Promise<Row[]>;
}

const upTo = (sizes: readonly number[], { isShort }: Sizes) => isShort ? sizes.slice(0, 2) : sizes;

async function finished(subject: Subject, sizes: Sizes): Promise<Row[]> {
  const rows: Row[] = [];
  const { effort, isShort, isMillion } = sizes;
  const goals = isShort ? [100, 1_000] : [1_000, 10_000, 100_000];
  // In memory they would be some gigabytes.
  if (isMillion && subject.name !== "memory") goals.push(1_000_000);
  await withEngine(subject, async (engine) => {
    let done = 0;
    for (const goal of goals) {
      for (let size = 0; done < goal; done += size) {
        size = Math.min(1_000, goal - done);
        await wave([engine], size, single);
      }
      rows.push({
        "finished runs": done,
        ...await measure([engine], effort),
        "list(25) ms": await msOf(() => engine.list({ definition: "single", limit: 25 })),
      });
      done += effort.runs * (effort.rounds + 1) + effort.alone;
    }
  });
  return rows;
}

async function asleep(subject: Subject, sizes: Sizes): Promise<Row[]> {
  const rows: Row[] = [];
  for (const count of sizes.isShort ? [0, 500, 2_000] : [0, 1_000, 10_000, 100_000]) {
    await withEngine(subject, async (engine) => {
      // What an engine holds at work is there before the runs are counted.
      await wave([engine], 500);
      await putToSleep(engine, 1);
      const before = heapBytes();
      await putToSleep(engine, count);
      const heap = before === undefined || count === 0 ? undefined : heapBytes()! - before;
      rows.push({
        "runs asleep": count,
        ...await measure([engine], sizes.effort),
        "heap MB": heap === undefined ? "-" : (heap / 2 ** 20).toFixed(2),
        "heap bytes/run": heap === undefined ? "-" : Math.round(heap / count),
      });
    });
  }
  return rows;
}

/** Steps at the end of a long run that are measured. */
const lastSteps = 500;

async function history(subject: Subject, sizes: Sizes): Promise<Row[]> {
  const rows: Row[] = [];
  for (const count of upTo([10, 1_000, 10_000], sizes)) {
    await withEngine(subject, async (engine) => {
      let [cpu, startedAt, seconds] = [process.cpuUsage(), 0, 0];
      onTurn.call = (left) => {
        if (left === lastSteps) [cpu, startedAt] = [process.cpuUsage(), performance.now()];
        if (left === 1) [cpu, seconds] = [process.cpuUsage(cpu), (performance.now() - startedAt) / 1_000];
      };
      const warm = await engine.trigger(turns, "warm", { data: { left: 2 * lastSteps } });
      await engine.await(turns, "warm", warm);
      const { runId } = await engine.trigger(turns, "long", { data: { left: count + lastSteps } });
      await engine.await(turns, "long", { runId, timeout: "1h" });
      rows.push({
        "repeats before": count,
        "its steps/s, one after another": Math.round((lastSteps - 1) / seconds),
        "CPU us/step": ((cpu.user + cpu.system) / (lastSteps - 1)).toFixed(1),
        "get() ms": await msOf(() => engine.get(turns, "long")),
        "history(25) ms": await msOf(() => engine.history({ runId, limit: 25 })),
      });
    });
  }
  return rows;
}

async function shards(subject: Subject, { effort }: Sizes): Promise<Row[]> {
  const rows: Row[] = [];
  for (const count of [1, 4, 16]) {
    const use = async (engine: Engine) =>
      void rows.push({ shards: count, ...await measure([engine], effort) });
    await withEngine(subject, use, count);
  }
  return rows;
}

async function workers(subject: Subject, { effort }: Sizes): Promise<Row[]> {
  const rows: Row[] = [];
  for (const count of [1, 2, 4]) {
    const { store, remove } = await subject.open(16);
    const engines = Array.from({ length: count }, () => engineOn(store));
    try {
      for (const engine of engines) await engine.start();
      await shared(engines[0]!, count);
      rows.push({ "engines on 16 shards": count, ...await measure(engines, effort) });
    } finally {
      await Promise.all(engines.map((engine) => engine.stop()));
      await remove();
    }
  }
  return rows;
}

/** Resolves when each engine owns shards of the runs that are measured. */
async function shared(engine: Engine, count: number): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const owned = (await engine.admin.shards()).filter((each) => each.definition === orders.name);
    if (new Set(owned.map((each) => each.engineId)).size === count) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`The shards were not shared among ${count} engines within a minute`);
}

async function payload(subject: Subject, sizes: Sizes): Promise<Row[]> {
  const rows: Row[] = [];
  const bare = JSON.stringify({ ...order(), notes: "" }).length;
  const all = [400, 4_096, 65_536, defaultLimits.payloadBytesMax];
  for (const size of sizes.isShort ? [all[0]!, all[1]!, all[3]!] : all) {
    const data = { ...order(), notes: "x".repeat(size - bare) };
    // Each wave carries some 16 MB at most: what is asked is the price of a step, not of a full heap.
    const runs = Math.max(4, Math.min(sizes.effort.runs, Math.floor(2 ** 24 / size)));
    await withEngine(subject, async (engine) => {
      const cost = await measure([engine], { ...sizes.effort, runs }, data);
      rows.push({ "payload chars": size, "runs at once": runs, ...cost });
    });
  }
  return rows;
}

async function disk(subject: Subject, sizes: Sizes): Promise<Row[]> {
  const rows: Row[] = [];
  if (subject.name === "memory") return rows;
  const empty = await bytesWith(subject, () => Promise.resolve());
  for (const count of sizes.isShort ? [200, 1_000] : [1_000, 10_000, 100_000]) {
    const inWaves = async (engine: Engine) => {
      for (let done = 0; done < count; done += 200) await wave([engine], 200);
    };
    const full = await bytesWith(subject, inWaves);
    rows.push({
      "finished 3-step runs": count,
      "file MB": (full / 2 ** 20).toFixed(2),
      "bytes/run": Math.round((full - empty) / count),
    });
  }
  return rows;
}

async function bytesWith(subject: Subject, use: (engine: Engine) => Promise<void>): Promise<number> {
  const place = await subject.open();
  const engine = engineOn(place.store);
  await engine.start();
  await use(engine);
  await engine.stop();
  const bytes = await place.closedBytes();
  await place.remove();
  return bytes;
}

const questions: Record<string, Question> = {
  finished: { title: "Runs that have finished, and are kept", ask: finished },
  asleep: { title: "Runs that wait for a timer, and what an owner holds of them", ask: asleep },
  history: { title: "One run, with a long history", ask: history },
  shards: { title: "Shards, one engine", ask: shards },
  workers: { title: "Engines on one store, in one process", ask: workers },
  payload: { title: "Size of a run's data, which each step changes", ask: payload },
  disk: { title: "Bytes of a file, of runs with some 400 bytes of data and their history", ask: disk },
};

/** The columns are those of the fullest row, in its order. */
function markdown(rows: readonly Row[]): string {
  const columns = Object.keys(
    rows.reduce((most, row) => Object.keys(row).length > Object.keys(most).length ? row : most),
  );
  return table(columns, rows.map((row) => columns.map((column) => String(row[column] ?? ""))));
}

async function writeDocs(text: string): Promise<void> {
  const page = new URL("../docs/benchmarks.md", import.meta.url);
  const [begin, end] = ["<!-- growth -->", "<!-- end of growth -->"];
  const [before, , after] = (await Deno.readTextFile(page)).split(new RegExp(`${begin}|${end}`));
  await Deno.writeTextFile(page, `${before}${begin}\n\n${text}\n\n${end}${after}`);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", page.pathname] }).output();
}

async function main(): Promise<void> {
  const isShort = Deno.args.includes("--short");
  const at = Deno.args.indexOf("--only");
  const names = at < 0 ? Object.keys(questions) : Deno.args[at + 1]!.split(",");
  const unknown = names.find((name) => !questions[name]);
  if (unknown !== undefined) {
    throw new Error(`There is no question "${unknown}", only ${Object.keys(questions).join()}`);
  }
  const effort = isShort ? { runs: 100, rounds: 2, alone: 40 } : { runs: 1_000, rounds: 5, alone: 200 };
  const sizes = { isShort, isMillion: Deno.args.includes("--million"), effort };
  const texts = [
    `${
      new Date().toISOString().slice(0, 10)
    }, Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores: ` +
    `${effort.runs} 3-step runs at once, the median of ${effort.rounds} rounds; the median of ${effort.alone} lone ` +
    `1-step runs from start to result`,
  ];
  console.log(`${texts[0]}\n`);
  // The first figures are not to be those of a cold program.
  await withEngine(subjects[0]!, async (engine) => void await measure([engine], effort));
  for (const name of names) {
    const { title, ask } = questions[name]!;
    const rows: Row[] = [];
    for (const subject of subjects) {
      for (const row of await ask(subject, sizes)) rows.push({ store: subject.name, ...row });
    }
    texts.push(`${title}:\n\n${markdown(rows)}`);
    console.log(`${texts.at(-1)}\n`);
  }
  if (Deno.args.includes("--docs")) await writeDocs(texts.join("\n\n"));
}

await main();
