import assert from "node:assert/strict";
import { type AllowedOverride, createEngine, integration, machine, type PolicyOverride } from "../../mod.ts";
import { libsqlStore } from "../../adapters/libsql/mod.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { patient, testInMemory, testOnStores } from "./stores.ts";

const never = () => new Promise<never>(() => {});

/** A machine whose steps fail as they are told, in an integration that allows policies. */
function worksOf(work: () => "b" | Promise<"b">, allowPolicyOverride: AllowedOverride = true) {
  const jobs = machine<{ n: number }>("jobs", { pauseRetry: false })
    .step("a", ["b"], work, { retry: { initial: "1h", jitter: false }, timeout: "10m" })
    .step("b", ["c"], () => {
      throw new Error("not yet");
    }, { retry: { initial: "1h", jitter: false } })
    .step("data", ["c"], () => "c")
    .build();
  return { jobs, works: integration({ name: "works", definitions: [jobs], allowPolicyOverride }) };
}

const failing = () => {
  throw new Error("no");
};

testOnStores(
  "a run's own policy goes over its definition's, by run, by status and field by field",
  async (world) => {
    const { jobs, works } = worksOf(failing);
    const engine = world.engine({ definitions: [], ...patient });
    engine.use(works);
    await world.during(engine.start());
    const policy = {
      retry: { initial: "1s", factor: 3 },
      pauseAfterErrors: 3,
      at: { b: { pauseAfterErrors: 2 } },
    } as const;
    const own = await world.during(engine.trigger(jobs, "own", { data: { n: 1 }, policy }));
    const plain = await world.during(engine.trigger(jobs, "plain", { data: { n: 1 } }));
    await world.during(engine.trigger(jobs, "b", { data: { n: 1 }, policy, startAt: "b" }));
    const attempts = async () => (await engine.get(jobs, "own"))!.attempt;
    assert.equal(await attempts(), 1);
    await world.advance(999);
    assert.equal(await attempts(), 1);
    await world.advance(1);
    assert.equal(await attempts(), 2);
    await world.advance(2_999);
    assert.equal(await attempts(), 2);
    await world.advance(1);
    const run = (await engine.get(jobs, "own"))!;
    assert.deepEqual([run.attempt, run.runState], [3, "paused"]);
    assert.deepEqual(run.policies, [
      { pauseAfterErrors: 3, retryInitialMs: 1_000, retryFactor: 3 },
      { at: "b", pauseAfterErrors: 2 },
    ]);
    const b = (await engine.get(jobs, "b"))!;
    assert.deepEqual([b.attempt, b.runState], [2, "paused"]);
    const other = (await engine.get(jobs, "plain"))!;
    assert.deepEqual([other.attempt, other.runState, other.policies], [1, "initiated", undefined]);
    await world.during(engine.resume(jobs, "own"));
    await world.advance(4_000);
    assert.equal(
      (await engine.get(jobs, "own"))!.runState,
      "paused",
      "it has lost its policy with the resume",
    );
    assert.deepEqual((await engine.admin.verify()).findings, []);
    assert.notEqual(own.runId, plain.runId);
  },
);

testOnStores(
  "a run keeps its policy over a crash, under an engine that would not allow it",
  async (world) => {
    const first = worksOf(never);
    const dead = world.mortal({ definitions: [] });
    dead.engine.use(first.works);
    await world.during(dead.engine.start());
    const policy: PolicyOverride<"a" | "b"> = {
      timeout: "3s",
      pauseAfterErrors: 2,
      retry: { initial: "2s", jitter: false },
    };
    await world.during(dead.engine.trigger(first.jobs, "k", { data: { n: 1 }, policy }));
    await world.advance(1_000);
    dead.kill();
    const { jobs, works } = worksOf(never, false);
    const heir = world.engine({ definitions: [] });
    heir.use(works);
    await world.during(heir.start());
    for (
      let ms = 0;
      ms < 20_000 && (await heir.get(jobs, "k"))!.runState !== "paused";
      ms += 500
    ) await world.advance(500);
    const run = (await heir.get(jobs, "k"))!;
    assert.deepEqual([run.runState, run.attempt, run.lastError?.code], ["paused", 2, "STEP_TIMEOUT"]);
    const rows = await heir.history({ runId: run.runId });
    const errors = rows.filter((row) => row.kind === "error");
    assert.deepEqual(errors.map((row) => row.durationMs), [3_000, 3_000]);
    assert.equal(errors[1]!.at.getTime() - errors[0]!.at.getTime(), 5_000);
  },
);

testInMemory(
  "a policy is refused where nobody may bring one, or not that one, or it is none",
  async (world) => {
    const refused = async (allowed: AllowedOverride, policy: unknown, code: string, message: RegExp) => {
      const { jobs, works } = worksOf(failing, allowed);
      const engine = world.engine({ definitions: [], work: false });
      engine.use(works);
      const asked = engine.trigger(jobs, "k", { data: { n: 1 }, policy: policy as PolicyOverride<"a"> });
      await assert.rejects(world.during(asked), { code, message });
      assert.equal(await world.during(engine.get(jobs, "k")), undefined);
    };
    await refused(
      false,
      { timeout: "1s" },
      "POLICY_NOT_ALLOWED",
      /Cannot trigger "jobs" with a policy: none may be given/,
    );
    await refused(["retry"], { timeout: "1s" }, "POLICY_NOT_ALLOWED", /"timeout": only retry may be given/);
    await refused(["retry"], { at: { a: { timeout: "1s" } } }, "POLICY_NOT_ALLOWED", /"timeout"/);
    await refused(true, { lag: "1s" }, "INVALID_ARGUMENT", /lag of `policy` of a trigger of "jobs"/);
    await refused(true, { concurrency: 9 }, "INVALID_ARGUMENT", /concurrency/);
    await refused(true, { timeout: "soon" }, "INVALID_DURATION", /timeout of `policy`/);
    await refused(true, { pauseAfterErrors: -1 }, "INVALID_ARGUMENT", /pauseAfterErrors/);
    await refused(
      true,
      { retry: { initial: 0 } },
      "INVALID_ARGUMENT",
      /retry.initial of `policy` is 0 ms, want 100 ms or more/,
    );
    await refused(
      true,
      { retry: { initial: "2s", max: "1s" } },
      "INVALID_ARGUMENT",
      /retry.max is 1000 ms, below/,
    );
    await refused(
      true,
      { retry: { max: "1s" }, at: { a: { retry: { initial: "2s" } } } },
      "INVALID_ARGUMENT",
      /retry.max is 1000 ms at "a", below/,
    );
    await refused(true, { at: { c: {} } }, "UNKNOWN_STATUS", /it has steps at "a", "b", "data"/);
    await refused(true, "1s", "INVALID_ARGUMENT", /got "1s", want an object/);
  },
);

testInMemory("a machine that is of no integration takes no policies", async (world) => {
  const { jobs } = worksOf(failing);
  const engine = world.engine({ definitions: [jobs] });
  await assert.rejects(world.during(engine.trigger(jobs, "k", { data: { n: 1 }, policy: {} })), {
    code: "POLICY_NOT_ALLOWED",
  });
});

testOnStores("a policy is part of what an idempotency key stands for", async (world) => {
  const { jobs, works } = worksOf(never);
  const engine = world.engine({ definitions: [], work: false });
  engine.use(works);
  const ask = (timeout: string) =>
    world.during(engine.trigger(jobs, "k", { data: { n: 1 }, idempotencyKey: "i", policy: { timeout } }));
  const { runId } = await ask("1s");
  assert.deepEqual(await ask("1000ms"), { runId, created: false });
  await assert.rejects(ask("2s"), { code: "IDEMPOTENCY_MISMATCH" });
});

testOnStores("a run with a policy costs no row more, and one without no byte", async (world) => {
  const { jobs, works } = worksOf(never);
  const engine = world.engine({ definitions: [], work: false });
  engine.use(works);
  const cost = async (key: string, policy?: PolicyOverride<"data">) => {
    const before = engine.admin.counts().rows;
    const options = { data: { n: 1 }, ...(policy && { policy }) };
    const { runId } = await world.during(engine.trigger(jobs, key, options));
    const shard = parseInt(runId.slice(-4), 16) % world.store.shards;
    const ops = [{ get: keyspace.run.key(runId) }];
    const [found] = await world.during(world.store.read([{ shard, ops }]));
    return { rows: engine.admin.counts().rows - before, text: found![0]![0]!.value };
  };
  const plain = await cost("plain");
  const own = await cost("own", { at: { data: { timeout: "1s" } } });
  assert.equal(own.rows, plain.rows);
  assert.match(own.text, /"policies":\[{"at":"data","timeoutMs":1000}\]/);
  assert.doesNotMatch(plain.text, /polic/);
});

Deno.test("a run's policy moves with its export, and with a trigger in the user's own transaction", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pawl-" });
  const store = libsqlStore({ url: `file:${folder}/test.db` });
  const { jobs, works } = worksOf(never);
  const engine = createEngine({ store, definitions: [], work: false });
  engine.use(works);
  const policy = { timeout: "1s", at: { data: { pauseAfterErrors: 1 } } } as const;
  const { runId } = await engine.trigger(jobs, "k", { data: { n: 1 }, policy });
  const prepared = await engine.prepareTrigger(jobs, "p", { data: { n: 1 }, policy });
  assert.ok(prepared.statements.some(({ args }) => JSON.stringify(args).includes("policies")));
  const text = (await Array.fromAsync(engine.admin.export())).join("");
  const other = memoryStore();
  const target = createEngine({ store: other, definitions: [], work: false });
  target.use(worksOf(never).works);
  await target.admin.import([text]);
  const wanted = [{ timeoutMs: 1_000 }, { at: "data", pauseAfterErrors: 1 }];
  assert.deepEqual((await target.get(jobs, "k", { runId }))!.policies, wanted);
  const spoilt = text.replace('"timeoutMs":1000', '"timeoutMs":"long"');
  const third = createEngine({ store: memoryStore(), definitions: [], work: false });
  const report = await third.admin.import([spoilt]);
  assert.match(JSON.stringify(report), /policies of steps/);
  for (const each of [engine, target, third]) await each.stop();
  await store.close();
  await other.close();
  await Deno.remove(folder, { recursive: true });
});
