/**
 * Export and import over random lives of runs: whatever a store holds, another of any kind and shard count holds after.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { libsqlStore } from "../../adapters/libsql/mod.ts";
import { memoryStore } from "../../adapters/memory/mod.ts";
import {
  type Engine,
  type HistoryRow,
  type ListItem,
  type ListQuery,
  machine,
  type Store,
  type StoreLimits,
} from "../../mod.ts";
import { patient, World } from "../engine/stores.ts";

interface Data {
  plan: string;
  done: string[];
}

/** Each letter of the plan is what the next step does. */
function life(name: string) {
  const next = (run: { data: Data; attempt: number }) => {
    const act = run.data.plan[run.data.done.length] ?? "m";
    if (act === "e" && run.attempt < 3) throw new Error("an error of the step");
    run.data.done.push(act);
    return act;
  };
  return machine<Data>(name, { pauseRetry: "1d" })
    .step("a", ["b"], (run) => {
      const act = next(run);
      if (act === "r") return run.repeat();
      if (act === "p") return run.pause("as planned");
      return act === "f" ? run.fail("as planned") : "b";
    })
    .step("b", ["a", "c"], (run) => next(run) === "a" ? "a" : "c", { lag: "1h" })
    .step("c", ["d"], () => "d")
    .build();
}

const definitions = [life("one"), life("two x")];

interface Act {
  readonly kind: "trigger" | "pause" | "cancel" | "resume" | "advance";
  readonly definition: number;
  readonly key: string;
  readonly plan: string;
  readonly once: boolean;
}

const acts = fc.array(
  fc.record<Act>({
    kind: fc.constantFrom("trigger", "trigger", "trigger", "pause", "cancel", "cancel", "resume", "advance"),
    definition: fc.nat(1),
    key: fc.constantFrom("k1", "k 2", "ключ"),
    plan: fc.string({ unit: fc.constantFrom("m", "e", "r", "p", "f", "a"), maxLength: 6 }),
    once: fc.boolean(),
  }),
  { minLength: 1, maxLength: 25 },
);

/** An idempotency key that was used, and its answer. */
interface Answer {
  readonly act: Act;
  readonly runId: string;
}

const triggerAs = (engine: Engine, { definition, key, plan, once }: Act) =>
  engine.trigger(definitions[definition]!, key, {
    data: { plan, done: [] },
    ...(once && { idempotencyKey: `${plan} once` }),
  });

async function live(world: World, engine: Engine, script: readonly Act[]): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const act of script) {
    const { kind, definition, key, plan, once } = act;
    const doing: Promise<unknown> = kind === "trigger"
      ? triggerAs(engine, act).then(({ runId }) => once && answers.push({ act, runId }))
      : kind === "advance"
      ? world.advance(plan.length * 1_800_000)
      : engine[kind](definitions[definition]!, key);
    await doing.catch((error) => assert.ok(error.code, String(error)));
    await world.settle();
  }
  return answers;
}

/** Every item, page by page: a tight store gives three at a time. */
async function listAll(engine: Engine, query: ListQuery): Promise<ListItem[]> {
  const found: ListItem[] = [];
  let next: { readonly cursor?: string } = {};
  for (;;) {
    const { items, cursor } = await engine.list({ ...query, ...next, limit: 3 });
    found.push(...items);
    if (cursor === undefined) return found;
    next = { cursor };
  }
}

async function historyOf(engine: Engine, runId: string): Promise<Omit<HistoryRow, "position">[]> {
  const found: HistoryRow[] = [];
  for (;;) {
    const page = await engine.history({ runId, after: found.at(-1)?.position ?? 0 });
    if (page.length === 0) break;
    found.push(...page);
  }
  return found.map(({ position: _, ...row }) => row);
}

/** All that users can see of a store's runs. */
async function picture(engine: Engine, definition?: string) {
  const items = await listAll(engine, { order: "oldest", include: ["data"] });
  const mine = items.filter((item) => definition === undefined || item.definition === definition);
  const runs = await Promise.all(
    mine.map(async (item) => ({ ...item, history: await historyOf(engine, item.runId) })),
  );
  const keys: Record<string, readonly string[]> = {};
  for (const { key, definition } of mine) {
    keys[`${definition} ${key}`] = (await listAll(engine, { definition, key })).map((item) => item.runId);
  }
  return { runs, keys };
}

async function textOf(engine: Engine, definition?: string): Promise<string> {
  return (await Array.fromAsync(engine.admin.export(definition === undefined ? {} : { definition }))).join(
    "",
  );
}

/** Text in pieces that know nothing of lines. */
function* inPieces(text: string, length: number): Generator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
}

async function withFile<T>(use: (store: Store) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "pawl-" });
  const store = libsqlStore({ url: `file:${folder}/test.db`, durability: "normal" });
  try {
    return await use(store);
  } finally {
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const inMemory =
  (shards: number, limits: Partial<StoreLimits> = {}) => <T>(use: (store: Store) => Promise<T>) =>
    use(memoryStore({ shards, limits }));

/** Small enough that most runs need several batches. */
const tight: Partial<StoreLimits> = { writesPerCommitMax: 9, opsPerReadMax: 12, entriesPerRangeMax: 3 };

const targets = [inMemory(1), inMemory(4), inMemory(2, tight), withFile];

Deno.test("admin.import() makes of an export the same runs, keys, answers and ends, in any store", async () => {
  const property = fc.asyncProperty(
    acts,
    fc.constantFrom(1, 3),
    fc.constantFrom(...targets),
    fc.integer({ min: 1, max: 400 }),
    async (script, shards, target, cut) => {
      const world = new World(memoryStore({ shards }));
      const source = await world.started({ definitions, ...patient });
      const answers = await live(world, source, script);
      const before = await picture(source);
      const text = await textOf(source);
      await target(async (store) => {
        const there = new World(store);
        await there.advance(world.clock.now() - there.clock.now());
        const engine = there.engine({ definitions, ...patient });
        const report = await engine.admin.import(inPieces(text, cut));
        assert.deepEqual(report.refusals, []);
        assert.equal(report.runs, before.runs.length);
        const after = await picture(engine);
        assert.deepEqual(after, before);
        assert.deepEqual((await engine.admin.verify()).findings, []);
        assert.equal((await engine.admin.import([text])).skipped, before.runs.length, "again");
        assert.deepEqual(await picture(engine), before);
        for (const { act, runId } of answers) {
          assert.deepEqual(await triggerAs(engine, act), { runId, created: false });
        }
        // Both go on, each by itself, to the same ends.
        await there.during(engine.start());
        for (const each of [world, there]) await each.advance(10 * 86_400_000);
        assert.deepEqual(endsOf(await picture(engine)), endsOf(await picture(source)));
        assert.deepEqual((await engine.admin.verify()).findings, []);
        await there.end();
      });
      await world.end();
    },
  );
  await fc.assert(property, { numRuns: 120 });
});

const endsOf = ({ runs }: Awaited<ReturnType<typeof picture>>) =>
  runs.map(({ runId, runState, status, data }) => ({ runId, runState, status, data }));

Deno.test("admin.export() of one definition leaves out the runs of others", async () => {
  await fc.assert(
    fc.asyncProperty(acts, async (script) => {
      const world = new World(memoryStore({ shards: 3 }));
      const source = await world.started({ definitions, ...patient });
      await live(world, source, script);
      const there = new World(memoryStore());
      const engine = there.engine({ definitions, ...patient });
      await engine.admin.import([await textOf(source, "two x")]);
      assert.deepEqual(await picture(engine), await picture(source, "two x"));
      assert.deepEqual((await engine.admin.verify()).findings, []);
      await world.end();
    }),
    { numRuns: 20 },
  );
});
