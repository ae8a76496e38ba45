import assert from "node:assert/strict";
import { createEngine, type Engine, machine } from "pawl";
import { libsqlStore } from "pawl/adapters/libsql";
import { seededRandom } from "pawl/testing";
import { pause, schemes, testOverWires, until, withEngine } from "./lab.ts";
import { type Fate, startProxy } from "./proxy.ts";
import { startSqld, testWithSqld } from "./server.ts";

const gates = new Map<string, PromiseWithResolvers<void>>();
const gateOf = (key: string) => {
  const gate = gates.get(key) ?? Promise.withResolvers<void>();
  gates.set(key, gate);
  return gate;
};

const failed = new Set<string>();
const order = machine<{ steps: string[]; gate?: string; fails?: string }>("order")
  .step("new", ["paid"], async ({ data }) => {
    if (data.gate !== undefined) await gateOf(data.gate).promise;
    if (data.fails !== undefined && failed.size !== failed.add(data.fails).size) throw new Error("once");
    data.steps.push("pay");
    return "paid";
  }, { retry: { initial: 10 } })
  .step("paid", ["sent"], ({ data }) => {
    data.steps.push("send");
    return "sent";
  })
  .step("sent", ["done"], ({ data }) => {
    data.steps.push("tell");
    return "done";
  })
  .build();

const steps = ["pay", "send", "tell"];

testOverWires("the verbs of an engine work over a server", async (server, scheme) => {
  await withEngine(libsqlStore({ url: server.url(scheme) }), { definitions: [order] }, async (engine) => {
    await engine.start();
    await engine.trigger(order, "plain", { data: { steps: [] } });
    assert.deepEqual((await engine.await(order, "plain")).data.steps, steps);

    await engine.trigger(order, "fails", { data: { steps: [], fails: scheme } });
    assert.deepEqual((await engine.await(order, "fails")).data.steps, steps);
    const rows = await engine.history({ runId: (await engine.get(order, "fails"))!.runId });
    assert.deepEqual(rows.map((row) => row.kind), ["trigger", "error", "move", "move", "move"]);

    const gate = `${scheme} held`;
    await engine.trigger(order, "held", { data: { steps: [], gate } });
    await engine.pause(order, "held");
    gateOf(gate).resolve();
    await engine.await(order, "held", { status: "paid" });
    assert.equal((await engine.get(order, "held"))?.runState, "paused");
    await engine.resume(order, "held");
    assert.deepEqual((await engine.await(order, "held")).data.steps, steps);

    const other = `${scheme} never`;
    await engine.trigger(order, "cancelled", { data: { steps: [], gate: other } });
    assert.equal((await engine.cancel(order, "cancelled")).runState, "cancelled");
    gateOf(other).resolve();

    const { items } = await engine.list({ definition: "order", runState: ["completed"] });
    assert.deepEqual(items.map((item) => item.key).sort(), ["fails", "held", "plain"]);
    assert.deepEqual((await engine.admin.verify()).findings, []);
  });
});

testOverWires("an engine takes over from one whose connection is gone", async (server, scheme) => {
  const proxy = startProxy(server.port);
  const dying = libsqlStore({ url: proxy.url(scheme), requestTimeoutMs: 200 });
  const lease = { term: 300 };
  const gate = `${scheme} zombie`;
  const lines: string[] = [];
  const logger = { log: (_level: string, message: string) => void lines.push(message) };
  await withEngine(
    dying,
    { definitions: [order], lease, logger, limits: { busyMsMax: 1, settlesMax: 1 } },
    async (first) => {
      await first.start();
      await first.trigger(order, "k", { data: { steps: [], gate } });
      await until(async () => (await first.get(order, "k")) !== undefined);
      proxy.decide = () => "lose request";
      await withEngine(
        libsqlStore({ url: server.url(scheme) }),
        { definitions: [order], lease },
        async (second) => {
          await second.start();
          gateOf(gate).resolve();
          assert.deepEqual((await second.await(order, "k")).data.steps, steps);
          proxy.decide = () => "pass";
          await until(() => lines.includes("Lost a shard to another engine"));
          assert.deepEqual((await second.admin.verify()).findings, []);
        },
      );
    },
  );
  await proxy.close();
});

/** Repeats a trigger until it is answered: with an idempotency key that is safe. */
async function triggerSurely(engine: Engine, key: string): Promise<void> {
  for (;;) {
    try {
      await engine.trigger(order, key, { data: { steps: [] }, idempotencyKey: key });
      return;
    } catch (error) {
      const { code } = error as { code?: string };
      assert.ok(code === "OUTCOME_UNKNOWN" || code === "STORE_UNREACHABLE", String(error));
    }
  }
}

for (const scheme of schemes) {
  for (const seed of [1, 2]) {
    testWithSqld(
      `an engine loses and repeats nothing on a wire that fails at random, seed ${seed} (${scheme})`,
      async () => {
        const server = await startSqld();
        const proxy = startProxy(server.port);
        const random = seededRandom(seed);
        const store = libsqlStore({ url: proxy.url(scheme), shards: 4, requestTimeoutMs: 400 });
        const keys = Array.from({ length: 120 }, (_, n) => `k${n}`);
        const limits = { runsInFlightMax: 8 };
        const seen = new Map<Fate, number>();
        await withEngine(store, { definitions: [order], limits, lease: { term: "5s" } }, async (engine) => {
          await engine.start();
          proxy.decide = () => {
            const fates: Fate[] = ["lose request", "lose reply", "late", "hang"];
            const fate = fates[Math.floor(random.float() * 40)] ?? "pass";
            seen.set(fate, (seen.get(fate) ?? 0) + 1);
            if (fate === "late") pause(random.float() * 200).then(() => proxy.deliver());
            return fate;
          };
          const waits = keys.map(async (key, n) => {
            await pause(n * 5);
            await triggerSurely(engine, key);
            for (;;) {
              const run = await engine.await(order, key).catch(() => undefined);
              if (run) return run;
            }
          });
          await pause(150);
          await server.kill();
          await pause(random.float() * 200);
          await server.restart();
          const runs = await Promise.all(waits);
          proxy.decide = () => "pass";
          await proxy.deliver();
          for (const run of runs) assert.deepEqual(run.data.steps, steps);
          assert.deepEqual((await engine.admin.verify()).findings, []);
          const { items } = await engine.list({ definition: "order", limit: 500 });
          assert.equal(items.length, keys.length);
          for (const { runId } of items) {
            const kinds = (await engine.history({ runId })).map((row) => row.kind);
            assert.deepEqual(kinds.filter((kind) => kind !== "interrupted"), [
              "trigger",
              "move",
              "move",
              "move",
            ]);
          }
          const faults = [...seen].filter(([fate]) => fate !== "pass").reduce(
            (sum, [, count]) => sum + count,
            0,
          );
          assert.ok(faults >= 5, `only ${faults} faults`);
        });
        await proxy.close();
        await server.stop();
      },
    );
  }
}

/** Lines are bounded by time, not by how much there is to do. */
testOverWires(
  "an engine whose server is away keeps its runs, says little, and goes on when it is back",
  async (server, scheme) => {
    const lines: string[] = [];
    const logger = { log: (_level: string, message: string) => void lines.push(message) };
    const store = libsqlStore({ url: server.url(scheme), requestTimeoutMs: 300 });
    const engine = createEngine({ store, logger, definitions: [order], poll: 50, lease: { term: "1s" } });
    await engine.start();
    const gate = `${scheme} away`;
    const keys = Array.from({ length: 50 }, (_, n) => `k${n}`);
    await Promise.all(keys.map((key) => engine.trigger(order, key, { data: { steps: [], gate } })));
    await server.kill();
    gateOf(gate).resolve();
    await pause(2_500);
    assert.ok(lines.length < 100, `${lines.length} lines: ${lines.slice(0, 5)}`);
    await server.restart();
    const runs = await Promise.all(keys.map(async (key) => {
      for (;;) {
        const run = await engine.await(order, key).catch(() => undefined);
        if (run) return run;
      }
    }));
    for (const run of runs) assert.deepEqual(run.data.steps, steps);
    assert.deepEqual((await engine.admin.verify()).findings, []);
    await engine.stop();
    await store.close();
  },
);
