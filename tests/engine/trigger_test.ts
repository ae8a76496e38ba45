import assert from "node:assert/strict";
import { machine, PawlError, RunInProgressError } from "../../mod.ts";
import { testInMemory, testOnStores } from "./stores.ts";

interface Order {
  cents: number;
  seen?: string[];
}

const orders = machine<Order>("orders")
  .step("placed", ["paid", "declined"], (run) => run.data.cents > 100 ? "declined" : "paid")
  .step("paid", ["shipped"], () => "shipped")
  .build();

const data = { cents: 5 };

testOnStores(
  "trigger() called 64 times at once for one key makes one run and refuses 63 times",
  async (world) => {
    for (
      const engine of [
        world.engine({ definitions: [orders] }),
        await world.started({ definitions: [orders] }),
      ]
    ) {
      const key = engine.admin.engineId;
      const calls = Array.from({ length: 64 }, () => engine.trigger(orders, key, { data }));
      const settled = await Promise.allSettled(calls);
      const made = settled.filter((each) => each.status === "fulfilled");
      assert.equal(made.length, 1);
      const { runId } = made[0]!.value;
      for (const each of settled) {
        if (each.status === "fulfilled") continue;
        assert.ok(each.reason instanceof RunInProgressError, String(each.reason));
        assert.equal(each.reason.code, "RUN_IN_PROGRESS");
        assert.equal(each.reason.runId, runId);
      }
      const { items } = await engine.list({ definition: "orders", key });
      assert.deepEqual(items.map((item) => item.runId), [runId]);
    }
  },
);

testOnStores("trigger() from 8 engines at once makes one run of each of 16 keys", async (world) => {
  const engines = Array.from({ length: 8 }, () => world.engine({ definitions: [orders] }));
  await Promise.all(engines.slice(0, 4).map((engine) => engine.start()));
  const calls = engines.flatMap((engine) =>
    Array.from({ length: 16 }, (_, index) => engine.trigger(orders, `key ${index}`, { data }))
  );
  const codes = (await Promise.allSettled(calls)).map((each) =>
    each.status === "fulfilled" ? "ok" : each.reason.code
  );
  // A quick run may have ended before a slow trigger looks, so that this one makes the next: none is unaccounted for.
  assert.ok(codes.every((code) => code === "ok" || code === "RUN_IN_PROGRESS"), codes.join());
  await world.advance(1_000);
  const { items } = await engines[7]!.list({ definition: "orders", limit: 500 });
  assert.equal(items.length, codes.filter((code) => code === "ok").length);
  assert.ok((await engines[7]!.admin.verify()).ok);
});

testOnStores("trigger() makes a new run once the one before has ended", async (world) => {
  const engine = await world.started({ definitions: [orders] });
  const ids: string[] = [];
  for (let round = 0; round < 3; round++) {
    const { runId, created } = await engine.trigger(orders, "order-1", { data });
    assert.ok(created);
    ids.push(runId);
    const run = await engine.await(orders, "order-1");
    assert.deepEqual([run.runId, run.runState, run.status], [runId, "completed", "shipped"]);
  }
  assert.equal(new Set(ids).size, 3);
  assert.deepEqual(ids, [...ids].sort(), "later ids order after earlier ones");
});

testOnStores("trigger() makes an initiated run that waits for an engine", async (world) => {
  const engine = world.engine({ definitions: [orders] });
  const before = world.clock.now();
  const { runId } = await engine.trigger(orders, "order-1", { data });
  const run = (await engine.get(orders, "order-1"))!;
  assert.deepEqual(
    [run.runId, run.runState, run.status, run.version, run.attempt, run.data],
    [runId, "initiated", "placed", 1, 0, data],
  );
  assert.equal(run.createdAt.getTime(), before);
});

testOnStores("trigger() starts at the status that startAt names", async (world) => {
  const engine = await world.started({ definitions: [orders] });
  const { runId } = await engine.trigger(orders, "order-1", { data, startAt: "paid" });
  await engine.await(orders, "order-1");
  const moves = (await engine.history({ runId })).map((row) => [row.kind, row.from, row.to]);
  assert.deepEqual(moves, [["trigger", undefined, "paid"], ["move", "paid", "shipped"]]);
});

testInMemory("trigger() refuses a terminal or unknown status and writes nothing", async (world) => {
  const engine = world.engine({ definitions: [orders] });
  for (const startAt of ["shipped", "declined", "nowhere", "", "__proto__", "constructor"] as never[]) {
    await assert.rejects(engine.trigger(orders, "order-1", { data, startAt }), {
      code: "UNKNOWN_STATUS",
      message: /"placed", "paid"/,
    });
  }
  assert.equal(await engine.get(orders, "order-1"), undefined);
});

testOnStores(
  "trigger() with an idempotency key answers a repeated call with the first run",
  async (world) => {
    const engine = await world.started({ definitions: [orders] });
    const options = { data, idempotencyKey: "click 1" };
    const first = await engine.trigger(orders, "order-1", options);
    assert.equal(first.created, true);
    assert.deepEqual(await engine.trigger(orders, "order-1", options), {
      runId: first.runId,
      created: false,
    });
    await engine.await(orders, "order-1");
    assert.deepEqual(await engine.trigger(orders, "order-1", options), {
      runId: first.runId,
      created: false,
    });
    const other = await engine.trigger(orders, "order-1", { data, idempotencyKey: "click 2" });
    assert.notEqual(other.runId, first.runId);
    assert.deepEqual(await engine.trigger(orders, "order-1", options), {
      runId: first.runId,
      created: false,
    });
  },
);

testOnStores(
  "trigger() looks at the idempotency key before it looks for an unfinished run",
  async (world) => {
    const engine = world.engine({ definitions: [orders] });
    const { runId } = await engine.trigger(orders, "order-1", { data, idempotencyKey: "k" });
    assert.equal((await engine.trigger(orders, "order-1", { data, idempotencyKey: "k" })).runId, runId);
    await assert.rejects(engine.trigger(orders, "order-1", { data, idempotencyKey: "other" }), {
      code: "RUN_IN_PROGRESS",
    });
  },
);

testOnStores(
  "trigger() refuses an idempotency key with other input, also after the run's end",
  async (world) => {
    const engine = await world.started({ definitions: [orders] });
    await engine.trigger(orders, "order-1", { data, idempotencyKey: "k" });
    const others = [{ data: { cents: 6 } }, { data, startAt: "paid" as const }];
    for (const other of others) {
      await assert.rejects(engine.trigger(orders, "order-1", { ...other, idempotencyKey: "k" }), {
        code: "IDEMPOTENCY_MISMATCH",
        message: /"k"/,
      });
    }
    await engine.await(orders, "order-1");
    await assert.rejects(engine.trigger(orders, "order-1", { ...others[0]!, idempotencyKey: "k" }), {
      code: "IDEMPOTENCY_MISMATCH",
    });
  },
);

testOnStores(
  "trigger() called 32 times at once with one idempotency key answers every call alike",
  async (world) => {
    const engines = [world.engine({ definitions: [orders] }), await world.started({ definitions: [orders] })];
    const answers = await Promise.all(
      Array.from(
        { length: 32 },
        (_, index) => engines[index % 2]!.trigger(orders, "order-1", { data, idempotencyKey: "k" }),
      ),
    );
    assert.equal(
      new Set(answers.map((each) => each.runId)).size,
      1,
    );
    assert.equal(answers.filter((each) => each.created).length, 1);
  },
);

testOnStores("trigger() scopes an idempotency key to its definition and key", async (world) => {
  const other = machine<Order>("other").step("a", ["b"], () => "b").build();
  const engine = world.engine({ definitions: [orders, other] });
  const ids = [
    await engine.trigger(orders, "order-1", { data, idempotencyKey: "k" }),
    await engine.trigger(orders, "order-2", { data, idempotencyKey: "k" }),
    await engine.trigger(other, "order-1", { data: { cents: 9 }, idempotencyKey: "k" }),
  ];
  assert.equal(new Set(ids.map((each) => each.runId)).size, 3);
});

testInMemory("trigger() refuses bad keys with INVALID_ARGUMENT", async (world) => {
  const engine = world.engine({ definitions: [orders] });
  for (const key of ["", "x".repeat(257), 5, null, undefined, {}, Symbol("x")] as never[]) {
    await assert.rejects(engine.trigger(orders, key, { data }), { code: "INVALID_ARGUMENT", message: /key/ });
  }
  for (const idempotencyKey of ["", "x".repeat(257), 5, null] as never[]) {
    await assert.rejects(engine.trigger(orders, "k", { data, idempotencyKey }), {
      code: "INVALID_ARGUMENT",
      message: /idempotencyKey/,
    });
  }
});

testInMemory(
  "trigger() refuses data that JSON cannot carry, naming the path, and writes nothing",
  async (world) => {
    const engine = world.engine({ definitions: [orders] });
    const cycle: Record<string, unknown> = {};
    cycle.me = cycle;
    const cases: [unknown, string, RegExp][] = [
      [{ cents: 5n }, "NOT_JSON", /data\.cents: got a bigint/],
      [{ cents: new Date() }, "NOT_JSON", /data\.cents: got a Date/],
      [{ cents: NaN }, "NOT_JSON", /data\.cents: got NaN/],
      [cycle, "NOT_JSON", /cycle/],
      [{ cents: "x".repeat(300_000) }, "PAYLOAD_TOO_LARGE", /262144/],
    ];
    for (const [bad, code, message] of cases) {
      await assert.rejects(engine.trigger(orders, "order-1", { data: bad as Order }), { code, message });
    }
    assert.equal(await engine.get(orders, "order-1"), undefined);
  },
);

testOnStores("trigger() takes any text for a key and gives it back unchanged", async (world) => {
  const engine = await world.started({ definitions: [orders] });
  const keys = [
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    " ",
    "a b\tc\n",
    "漢字",
    "\u{1f600}\u{1f1e9}\u{1f1ea}",
    "\u0000",
    '","data":{"x":1}',
    "~!",
    "\uffff",
    "%00'; drop table x; --",
    "x".repeat(256),
    "漢".repeat(256),
  ];
  for (const key of keys) {
    const { runId } = await engine.trigger(orders, key, { data: { cents: 1 }, idempotencyKey: key });
    const run = await engine.await(orders, key);
    assert.deepEqual([run.key, run.runId, run.runState], [key, runId, "completed"], JSON.stringify(key));
    assert.equal((await engine.list({ definition: "orders", key })).items[0]!.runId, runId);
  }
  assert.equal((await engine.list({ limit: 100 })).items.length, keys.length);
  assert.ok((await engine.admin.verify()).ok);
});

testOnStores("trigger() keeps data with the keys __proto__ and constructor as plain data", async (world) => {
  const odd = machine<Record<string, unknown>>("odd")
    .step("a", ["b"], (run) => {
      run.data.seen = Object.keys(run.data).sort().join();
      return "b";
    })
    .build();
  const engine = await world.started({ definitions: [odd] });
  const text = '{"__proto__":{"admin":true},"constructor":{"prototype":{}},"\u{1f600}":"漢\\u0000"}';
  await engine.trigger(odd, "k", { data: JSON.parse(text) });
  const run = await engine.await(odd, "k");
  assert.equal(run.data.seen, "__proto__,constructor,\u{1f600}");
  assert.equal(Object.hasOwn(run.data, "__proto__"), true);
  assert.equal(({} as { admin?: boolean }).admin, undefined);
  delete run.data.seen;
  assert.equal(JSON.stringify(run.data), JSON.stringify(JSON.parse(text)));
});

testInMemory("trigger() refuses a definition that the engine does not carry", async (world) => {
  const other = machine("other").step("a", ["b"], () => "b").build();
  const engine = world.engine({ definitions: [orders] });
  await assert.rejects(engine.trigger(other, "k"), { code: "UNKNOWN_DEFINITION", message: /"orders"/ });
  await assert.rejects(engine.trigger(undefined as never, "k"), (error) => error instanceof PawlError);
});

testInMemory("trigger() takes the longest names of every kind together", async (world) => {
  const long = machine("漢".repeat(128)).step("a", ["b"], () => "b").build();
  const engine = world.engine({ definitions: [long] });
  const key = "漢".repeat(256);
  const { runId } = await engine.trigger(long, key, { idempotencyKey: key });
  assert.equal((await engine.get(long, key))?.runId, runId);
});
