import assert from "node:assert/strict";
import * as v from "valibot";
import { z } from "zod";
import { createEngine, InvalidDataError, machine, type PawlError, type StandardSchema } from "../../mod.ts";
import { libsqlStore } from "../../adapters/libsql/mod.ts";
import { testInMemory, testOnStores, type World } from "./stores.ts";

interface Order {
  cents: number;
  lines: { sku: string }[];
  note: string;
}

/** Made by hand: what a user without a library would write. */
function handmade(isAsync: boolean): StandardSchema<unknown, Order> {
  const judge = (value: unknown) => {
    const { cents, lines, note = "none" } = Object(value) as Partial<Order>;
    if (typeof cents !== "number") return { issues: [{ message: "want a number", path: ["cents"] }] };
    if (!Array.isArray(lines)) return { issues: [{ message: "want lines", path: [{ key: "lines" }] }] };
    const bad = lines.flatMap((line, index) =>
      typeof line.sku === "string" ? [] : [{ message: "want text", path: ["lines", { key: index }, "sku"] }]
    );
    return bad.length > 0 ? { issues: bad } : { value: { cents, lines, note } };
  };
  return {
    "~standard": {
      version: 1,
      vendor: "hand",
      validate: (value) => isAsync ? Promise.resolve(judge(value)) : judge(value),
    },
  };
}

const schemas: readonly (readonly [string, StandardSchema<unknown, Order>])[] = [
  [
    "zod",
    z.object({
      cents: z.number(),
      lines: z.array(z.object({ sku: z.string() })),
      note: z.string().default("none"),
    }),
  ],
  [
    "valibot",
    v.object({
      cents: v.number(),
      lines: v.array(v.object({ sku: v.string() })),
      note: v.optional(v.string(), "none"),
    }),
  ],
  ["a schema made by hand", handmade(false)],
  ["an async schema made by hand", handmade(true)],
];

/** An order that its step spoils until it is told not to. */
function ordersOf(schema: StandardSchema<unknown, Order>, step: { pauseAfterErrors?: number } = {}) {
  const state = { spoils: true, tries: 0 };
  const orders = machine("orders", { schema, pauseRetry: false })
    .step("placed", ["paid"], (run) => {
      state.tries++;
      run.data.cents++;
      if (state.spoils) run.data.lines[1]!.sku = 5 as never;
      return "paid";
    }, { retry: { initial: "1s", factor: 1, jitter: false }, ...step })
    .build();
  return { orders, state };
}

async function refused(world: World, promise: Promise<unknown>): Promise<PawlError> {
  try {
    await world.during(promise);
  } catch (error) {
    return error as PawlError;
  }
  assert.fail("it was not refused");
}

for (const [name, schema] of schemas) {
  testOnStores(
    `a trigger stores what ${name} makes of its data, and nothing that it refuses`,
    async (world) => {
      const { orders, state } = ordersOf(schema);
      state.spoils = false;
      const engine = await world.started({ definitions: [orders] });
      const bad = { cents: 5, lines: [{ sku: "a" }, { sku: 7 }], note: "x" } as never;
      const error = await refused(world, engine.trigger(orders, "k", { data: bad }));
      assert.ok(error instanceof InvalidDataError);
      assert.equal(error.code, "INVALID_DATA");
      assert.match(error.message, /Cannot trigger "orders" for key "k": .*data\.lines\[1\]\.sku: /);
      assert.deepEqual(error.issues.map(({ path }) => path), [["lines", 1, "sku"]]);
      assert.ok(error.issues[0]!.message.length > 3);
      assert.equal(await world.during(engine.get(orders, "k")), undefined);

      const good = { cents: 5, lines: [{ sku: "a" }], extra: 1 } as unknown as Order;
      await world.during(engine.trigger(orders, "k", { data: good }));
      const run = await world.during(engine.await(orders, "k"));
      assert.deepEqual(run.data, { cents: 6, lines: [{ sku: "a" }], note: "none" });
    },
  );

  testInMemory(`a step whose data ${name} refuses has failed, and has written nothing`, async (world) => {
    const { orders, state } = ordersOf(schema, { pauseAfterErrors: 3 });
    const engine = await world.started({ definitions: [orders] });
    const data: Order = { cents: 5, lines: [{ sku: "a" }, { sku: "b" }], note: "n" };
    await world.during(engine.trigger(orders, "k", { data }));
    await world.settle();
    const once = (await world.during(engine.get(orders, "k")))!;
    assert.deepEqual([once.status, once.attempt, once.data], ["placed", 1, data]);
    assert.deepEqual([once.lastError!.name, once.lastError!.code], ["InvalidDataError", "INVALID_DATA"]);
    assert.match(once.lastError!.message, /land step "placed" of "orders": .*data\.lines\[1\]\.sku: /);
    await world.advance(2_000);
    const paused = (await world.during(engine.get(orders, "k")))!;
    assert.deepEqual([paused.runState, paused.attempt, state.tries, paused.data], ["paused", 3, 3, data]);
    state.spoils = false;
    await world.during(engine.resume(orders, "k"));
    const run = await world.during(engine.await(orders, "k"));
    assert.deepEqual(run.data, { ...data, cents: 6 });
  });
}

testInMemory(
  "a control saves no data that the schema refuses, and data not looked at is not checked",
  async (world) => {
    let checks = 0;
    const schema = z.object({ n: z.number() }).refine(() => ++checks > 0);
    const flow = machine("flow", { schema, pauseRetry: false })
      .step("a", ["b"], () => "b")
      .step("b", ["c"], (run) => {
        run.data.n = "x" as never;
        return run.pause("later");
      }, { retry: { initial: "1h" } })
      .build();
    const engine = await world.started({ definitions: [flow] });
    await world.during(engine.trigger(flow, "k", { data: { n: 1 } }));
    await world.settle();
    const run = (await world.during(engine.get(flow, "k")))!;
    assert.deepEqual([run.status, run.runState, run.attempt, run.data], ["b", "running", 1, { n: 1 }]);
    assert.equal(run.lastError!.code, "INVALID_DATA");
    assert.equal(checks, 1);
  },
);

testInMemory(
  "a schema that throws, rejects or answers nonsense is a typed error, at the door and in a step",
  async (world) => {
    let act: () => unknown = () => ({ value: { n: 1 } });
    const schema = { "~standard": { version: 1, vendor: "x", validate: () => act() } } as StandardSchema<
      unknown,
      { n: number }
    >;
    const flow = machine("flow", { schema }).step("a", ["b"], (run) => (run.data.n++, "b"), {
      lag: 1,
      retry: { initial: "1h" },
    }).build();
    const engine = await world.started({ definitions: [flow] });
    for (
      const [wrong, message] of [
        [() => {
          throw new Error("oops");
        }, /Cannot trigger "flow" for key "k": its schema failed: oops/],
        [() => Promise.reject(new Error("late")), /failed: late/],
        [() => null, /failed: it answered null, want \{ value \} or \{ issues \}/],
        [() => Promise.resolve(7), /failed: it answered 7/],
      ] as const
    ) {
      act = wrong;
      const error = await refused(world, engine.trigger(flow, "k", { data: { n: 1 } }));
      assert.equal(error.code, "SCHEMA_FAILED");
      assert.match(error.message, message);
    }
    act = () => ({ value: { n: 1 } });
    await world.during(engine.trigger(flow, "k", { data: { n: 1 } }));
    act = () => {
      throw new Error("oops");
    };
    await world.advance(1);
    const run = (await world.during(engine.get(flow, "k")))!;
    assert.deepEqual([run.attempt, run.lastError!.code], [1, "SCHEMA_FAILED"]);
  },
);

testInMemory("a schema that never settles is ended by the step's timeout", async (world) => {
  let hangs = false;
  const schema = {
    "~standard": {
      version: 1,
      vendor: "x",
      validate: (value: unknown) => hangs ? new Promise(() => {}) : { value },
    },
  } as StandardSchema<unknown, { n: number }>;
  const flow = machine("flow", { schema })
    .step("a", ["b"], (run) => (run.data.n++, "b"), { lag: 1, timeout: "5s", retry: { initial: "1h" } })
    .build();
  const engine = await world.started({ definitions: [flow] });
  const triggered = engine.trigger(flow, "k", { data: { n: 1 } });
  await world.during(triggered.then(() => hangs = true));
  await world.advance(5_001);
  const run = (await world.during(engine.get(flow, "k")))!;
  assert.deepEqual([run.attempt, run.lastError!.code, run.data], [1, "STEP_TIMEOUT", { n: 1 }]);
});

testInMemory(
  "an idempotency key goes by what was given, not by what the schema made of it",
  async (world) => {
    let made = 0;
    const schema = z.object({ n: z.number(), id: z.number().default(() => ++made) });
    const flow = machine("flow", { schema }).step("a", ["b"], () => "b").build();
    const engine = await world.started({ definitions: [flow] });
    const options = { data: { n: 1 } as { n: number; id: number }, idempotencyKey: "i" };
    const first = await world.during(engine.trigger(flow, "k", options));
    const again = await world.during(engine.trigger(flow, "k", options));
    assert.deepEqual(again, { runId: first.runId, created: false });
    assert.equal(made, 2);
    const other = await refused(world, engine.trigger(flow, "k", { ...options, data: { n: 2, id: 1 } }));
    assert.equal(other.code, "IDEMPOTENCY_MISMATCH");
  },
);

Deno.test("prepareTrigger() refuses what the schema refuses, and stores what it makes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pawl-" });
  const store = libsqlStore({ url: `file:${folder}/test.db` });
  const { orders } = ordersOf(handmade(true));
  const engine = createEngine({ store, definitions: [orders] });
  await assert.rejects(
    engine.prepareTrigger(orders, "k", { data: { cents: "5" } as never }),
    (error) => error instanceof InvalidDataError && error.issues[0]!.path[0] === "cents",
  );
  const data = { cents: 5, lines: [], extra: 1 } as unknown as Order;
  const { statements } = await engine.prepareTrigger(orders, "k", { data });
  const texts = statements.flatMap(({ args }) => args.map((arg) => String(arg)));
  assert.ok(texts.some((text) => text.includes(`"note":"none"`) || text.includes(`\\"note\\":\\"none\\"`)));
  assert.ok(!texts.some((text) => text.includes("extra")));
  await engine.stop();
  await store.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("machine() refuses what is no schema", () => {
  for (const schema of [{}, 5, { "~standard": {} }, { "~standard": { version: 2, validate() {} } }]) {
    assert.throws(() => machine("m", { schema: schema as never }), {
      code: "INVALID_ARGUMENT",
      message: /schema of machine "m": it is no Standard Schema/,
    });
  }
});

Deno.test("InvalidDataError tells of some issues in its message and carries 20 of them", async () => {
  const { World } = await import("./stores.ts");
  const { memoryStore } = await import("../../adapters/memory/mod.ts");
  const world = new World(memoryStore());
  const schema = z.object({ list: z.array(z.number()), "odd name": z.string() });
  const flow = machine("flow", { schema }).step("a", ["b"], () => "b").build();
  const engine = world.engine({ definitions: [flow] });
  const data = { list: Array.from({ length: 30 }, () => "x") } as never;
  const error = await refused(world, engine.trigger(flow, "k", { data })) as InvalidDataError;
  assert.equal(error.issues.length, 20);
  assert.match(error.message, /data\.list\[0\]: .*; data\.list\[4\]: .*; and 15 more$/);
  const odd = await refused(
    world,
    engine.trigger(flow, "k", { data: { list: [] } as never }),
  ) as InvalidDataError;
  assert.match(odd.message, /data\["odd name"\]: /);
  await world.end();
});

Deno.test("a step that only looks at its data does not show it to the schema again", async () => {
  const { World } = await import("./stores.ts");
  const { memoryStore } = await import("../../adapters/memory/mod.ts");
  const world = new World(memoryStore());
  const schema = z.object({ cents: z.number().transform((value) => value * 100) });
  const flow = machine("flow", { schema })
    .step("a", ["b"], (run) => run.data.cents > 0 ? "b" : run.skip())
    .step("b", ["c"], (run) => run.data.cents > 0 ? "c" : run.skip())
    .build();
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k", { data: { cents: 1 } });
  await world.settle();
  const run = await engine.get(flow, "k");
  assert.deepEqual([run!.status, run!.data.cents], ["c", 100]);
  await world.end();
});
