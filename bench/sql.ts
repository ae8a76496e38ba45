// deno-lint-ignore-file no-console -- a benchmark's product is its table.
/**
 * What `sqlIndexes` costs a step, and what it gives to those who ask: `deno run -A bench/sql.ts [--runs 200000]`.
 *
 * Both stores take turns within one run, as speeds of a shared machine move; read the ratio.
 */
import process from "node:process";
import Database from "libsql";
import { libsqlStore } from "pawl/adapters/libsql";
import { createEngine, type Engine, machine } from "pawl";

const orders = machine<{ text: string; done: number }>("orders")
  .step("placed", ["paid"], (run) => (run.data.done++, "paid"))
  .step("paid", ["packed"], (run) => (run.data.done++, "packed"))
  .step("packed", ["shipped"], (run) => (run.data.done++, "shipped"))
  .build();

/** As large as a small order. */
const data = { text: "x".repeat(400), done: 0 };

const wavesOf = 1_000;
const rounds = 15;

const questions = {
  "counts by status": "select definition, status, state, runs from pawl_counts",
  "counts of a definition":
    "select status, sum(runs) from pawl_counts where definition = 'orders' group by status",
  "stuck runs": "select key, status, reason from pawl_stuck order by updated_at limit 20",
  "what ran last": "select key, status from pawl_runs where updated_at > 0 order by updated_at desc limit 20",
  "oldest that waits": "select key, due_at from pawl_work order by due_at limit 20",
  "history of a key":
    "select at, kind from pawl_history where definition = 'orders' and key = 'wave-1-7' order by run_id, position",
};

interface Subject {
  readonly path: string;
  readonly engine: Engine;
  readonly cpus: number[];
  readonly seconds: number[];
  close(): Promise<void>;
}

async function subject(folder: string, sqlIndexes: boolean): Promise<Subject> {
  const path = `${folder}/${sqlIndexes}.db`;
  const store = libsqlStore({ url: `file:${path}`, durability: "normal", sqlIndexes });
  const engine = createEngine({ store, definitions: [orders] });
  await engine.start();
  const close = async () => {
    await engine.stop();
    await store.close();
  };
  return { path, engine, cpus: [], seconds: [], close };
}

let waves = 0;
async function wave({ engine }: Subject): Promise<void> {
  const prefix = `wave-${waves++}-`;
  await Promise.all(Array.from({ length: wavesOf }, async (_, index) => {
    const { runId } = await engine.trigger(orders, prefix + index, { data });
    await engine.await(orders, prefix + index, { runId });
  }));
}

async function measure(subject: Subject): Promise<void> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await wave(subject);
  subject.seconds.push((performance.now() - startedAt) / 1_000);
  const { user, system } = process.cpuUsage(cpu);
  subject.cpus.push((user + system) / (wavesOf * 3));
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

function ask(path: string, sql: string): number {
  const db = new Database(path);
  const times = Array.from({ length: 5 }, () => {
    const startedAt = performance.now();
    db.prepare(sql).all([]);
    return performance.now() - startedAt;
  });
  db.close();
  return median(times);
}

async function main(): Promise<void> {
  const at = Deno.args.indexOf("--runs");
  const runs = at < 0 ? 200_000 : Number(Deno.args[at + 1]);
  const folder = await Deno.makeTempDir();
  const plain = await subject(folder, false);
  const indexed = await subject(folder, true);
  const both = [plain, indexed];
  for (const each of [...both, ...both]) await wave(each);
  for (let round = 0; round < rounds; round++) for (const each of both) await measure(each);

  const cost = (name: string, of: (each: Subject) => number) => ({
    what: name,
    without: of(plain).toFixed(1),
    with: of(indexed).toFixed(1),
    ratio: (of(indexed) / of(plain)).toFixed(2),
  });
  console.log(
    `\nA step of ${wavesOf} concurrent 3-step runs on a file, median and best of ${rounds} rounds\n`,
  );
  console.table([
    cost("CPU us/step, median", (each) => median(each.cpus)),
    cost("CPU us/step, best", (each) => Math.min(...each.cpus)),
    cost("us/step, median", (each) => median(each.seconds) / (wavesOf * 3) * 1e6),
  ]);

  for (let made = (rounds + 2) * wavesOf; made < runs; made += wavesOf) {
    for (const each of both) await wave(each);
  }
  for (const each of both) await each.close();
  console.log(`\nMilliseconds of a question over ${runs} runs, median of 5\n`);
  console.table(
    Object.entries(questions).map(([name, sql]) => ({
      what: name,
      without: ask(plain.path, sql).toFixed(2),
      with: ask(indexed.path, sql).toFixed(2),
    })),
  );
  await Deno.remove(folder, { recursive: true });
}

if (import.meta.main) await main();
