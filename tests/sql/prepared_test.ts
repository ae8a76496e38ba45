import assert from "node:assert/strict";
import { createClient } from "@libsql/client";
import fc from "fast-check";
import { type LibsqlOptions, libsqlStore } from "pawl/adapters/libsql";
import { memoryStore } from "pawl/adapters/memory";
import { type Engine, machine, type PreparedTrigger, RunInProgressError } from "../../mod.ts";
import { World } from "../engine/stores.ts";
import { inWorld, SqlFile, type SqlLibrary, testOnFile } from "./sql_store.ts";

interface Order {
  cents: number;
}

const orders = machine<Order>("orders").step("placed", ["paid"], () => "paid").build();
const data = { cents: 5 };

/** A user's own database connection: the native driver, or a client. */
interface User {
  readonly name: string;
  /** Inserts an own row for each name, and commits it with what was prepared; all or nothing. */
  commit(rows: readonly string[], ...prepared: readonly PreparedTrigger[]): Promise<void>;
  end(): void;
}

const ownTable = "create table if not exists mine (name text primary key)";
const ownRow = "insert into mine (name) values (?)";

function nativeUser(file: SqlFile): User {
  const db = file.connect();
  db.exec(ownTable);
  return {
    name: file.library,
    commit(rows, ...prepared) {
      db.exec("begin immediate");
      try {
        for (const row of rows) db.prepare(ownRow).run([row]);
        for (const { sql, args } of prepared.flatMap((each) => each.statements)) db.prepare(sql).run(args);
        db.exec("commit");
        return Promise.resolve();
      } catch (error) {
        db.exec("rollback");
        return Promise.reject(error);
      }
    },
    end: () => {},
  };
}

function clientUser(file: SqlFile): User {
  const db = createClient({ url: file.url });
  return {
    name: "client",
    async commit(rows, ...prepared) {
      await db.batch([
        ownTable,
        ...rows.map((row) => ({ sql: ownRow, args: [row] })),
        ...prepared.flatMap((each) => each.statements),
      ], "write");
    },
    end: () => db.close(),
  };
}

/** What a user's commit came to, in Pawl's words. */
async function fate(user: User, rows: readonly string[], ...prepared: PreparedTrigger[]): Promise<string> {
  try {
    await user.commit(rows, ...prepared);
    return "ok";
  } catch (error) {
    const reasons = await Promise.all(prepared.map((each) => each.refusal(error)));
    const codes = reasons.filter((each) => each !== undefined).map((each) => each.code);
    if (codes.length === 0) throw error;
    return codes.join();
  }
}

/** Registers a test for each way in which users may commit. */
function testOnUsers(name: string, body: (world: World, user: User, file: SqlFile) => Promise<void>): void {
  const users: readonly (readonly [(file: SqlFile) => User, LibsqlOptions, SqlLibrary])[] = [
    [nativeUser, { shards: 1 }, "libsql"],
    [nativeUser, { shards: 4, sqlIndexes: true }, "libsql"],
    [clientUser, { shards: 1 }, "libsql"],
    [clientUser, { shards: 4, sqlIndexes: true }, "libsql"],
    [nativeUser, { shards: 4, sqlIndexes: true }, "node:sqlite"],
  ];
  for (const [userOf, options, library] of users) {
    const title = `prepareTrigger() ${name} (${userOf.name}, ${options.shards} shards)`;
    testOnFile(title, async (file) => {
      await inWorld(await file.open(options), async (world) => {
        const user = userOf(file);
        try {
          await body(world, user, file);
          await checkSound(world.engine({ definitions: [orders] }), file);
        } finally {
          user.end();
        }
      });
    }, library);
  }
}

/** No invariant is broken, and no version was given out twice. */
async function checkSound(engine: Engine, file: SqlFile): Promise<void> {
  assert.deepEqual((await engine.admin.verify()).findings, []);
  const runRows = "from pawl_kv where key >= 'run ' and key < 'run!'";
  assert.deepEqual(file.rows(`select shard, version ${runRows} group by 1, 2 having count(*) > 1`), []);
  const overtaken =
    "select 1 from pawl_kv k join pawl_shard s on s.shard = k.shard where k.version > s.version";
  assert.deepEqual(file.rows(overtaken), []);
}

const mine = (file: SqlFile) => file.rows("select name from mine order by name").map((row) => row.name);
const keys = (file: SqlFile) => file.rows("select key from pawl_runs order by key").map((row) => row.key);

testOnUsers("makes a run with the user's own rows, and engines hear of it", async (world, user, file) => {
  const engine = await world.started({ definitions: [orders] });
  const prepared = await engine.prepareTrigger(orders, "ö 1", { data });
  assert.equal(prepared.created, true);
  assert.equal(await engine.get(orders, "ö 1"), undefined, "nothing is written before the user commits");
  await user.commit(["row"], prepared);
  assert.deepEqual(mine(file), ["row"]);
  const run = (await engine.get(orders, "ö 1"))!;
  assert.deepEqual([run.runId, run.runState, run.data], [prepared.runId, "initiated", data]);
  const ended = await world.during(engine.await(orders, "ö 1"), 600);
  assert.equal(ended.status, "paid");
  const history = await engine.history({ runId: prepared.runId });
  assert.deepEqual(history.map((row) => row.kind), ["trigger", "move"]);
});

testOnUsers("wakes the engines of its process when it is told that it landed", async (world, user) => {
  const engine = await world.started({ definitions: [orders] });
  await engine.trigger(orders, "first", { data });
  await world.during(engine.await(orders, "first"), 1_000);
  const prepared = await engine.prepareTrigger(orders, "a", { data });
  await user.commit([], prepared);
  await world.settle();
  assert.equal((await engine.get(orders, "a"))?.runState, "initiated");
  prepared.landed();
  assert.equal((await world.during(engine.await(orders, "a"))).status, "paid");
});

testOnUsers("leaves no run when the user's transaction fails", async (world, user, file) => {
  const engine = world.engine({ definitions: [orders] });
  await user.commit(["taken"]);
  const prepared = await engine.prepareTrigger(orders, "a", { data });
  const error = await user.commit(["new", "taken"], prepared).then(() => undefined, (thrown) => thrown);
  assert.match(String(error), /UNIQUE/);
  assert.equal(await prepared.refusal(error), undefined, "that error is the user's own");
  assert.deepEqual([mine(file), keys(file)], [["taken"], []]);
  assert.equal(await fate(user, ["new"], prepared), "ok", "and it may still be committed");
});

testOnUsers(
  "refuses a key with an unfinished run, at once and in the transaction",
  async (world, user, file) => {
    const engine = world.engine({ definitions: [orders] });
    const prepared = await engine.prepareTrigger(orders, "a", { data });
    const { runId } = await engine.trigger(orders, "a", { data });
    await assert.rejects(engine.prepareTrigger(orders, "a", { data }), { code: "RUN_IN_PROGRESS", runId });
    const error = await user.commit(["row"], prepared).then(() => undefined, (thrown) => thrown);
    const reason = await prepared.refusal(error);
    assert.ok(reason instanceof RunInProgressError);
    assert.equal(reason.runId, runId);
    // However the user's own layers may wrap it.
    assert.equal((await prepared.refusal(new Error("mine", { cause: error })))?.code, "RUN_IN_PROGRESS");
    assert.deepEqual([keys(file), file.rows("select * from pawl_history").length], [["a"], 1]);
    assert.ok(
      file.rows("select 1 from sqlite_schema where name = 'mine'").length === 0 || mine(file).length === 0,
    );
  },
);

testOnUsers("refuses statements that were committed before", async (world, user, file) => {
  const engine = world.engine({ definitions: [orders] });
  const prepared = await engine.prepareTrigger(orders, "a", { data });
  assert.equal(await fate(user, ["one"], prepared), "ok");
  assert.equal(await fate(user, ["two"], prepared), "ALREADY_APPLIED");
  await engine.start();
  await world.during(engine.await(orders, "a"), 1_000);
  assert.equal(await fate(user, ["two"], prepared), "ALREADY_APPLIED");
  assert.equal(await fate(user, ["two"], await engine.prepareTrigger(orders, "b", { data })), "ok");
  assert.deepEqual([mine(file), keys(file)], [["one", "two"], ["a", "b"]]);
});

testOnUsers("asks to prepare again when a run of the key has come and gone", async (world, user, file) => {
  const engine = await world.started({ definitions: [orders] });
  for (const round of [1, 2]) {
    const prepared = await engine.prepareTrigger(orders, "a", { data });
    const { runId } = await engine.trigger(orders, "a", { data });
    await world.during(engine.await(orders, "a", { runId }), 1_000);
    assert.equal(await fate(user, ["row"], prepared), "CONFLICT", `round ${round}`);
  }
  const again = await engine.prepareTrigger(orders, "a", { data });
  assert.equal(await fate(user, ["row"], again), "ok");
  assert.deepEqual([mine(file), keys(file)], [["row"], ["a", "a", "a"]]);
  const { previous_run_id } = file.rows("select * from pawl_runs order by run_id desc")[0]!;
  assert.equal(previous_run_id, file.rows("select run_id from pawl_runs order by run_id")[1]!.run_id);
});

testOnUsers(
  "lets several prepared triggers share one transaction, and their fate",
  async (world, user, file) => {
    const engine = world.engine({ definitions: [orders] });
    const [a, b, c] = await Promise.all(
      ["a", "b", "c"].map((key) => engine.prepareTrigger(orders, key, { data })),
    );
    assert.equal(await fate(user, ["ab"], a!, b!), "ok");
    await engine.trigger(orders, "d", { data });
    assert.equal(await fate(user, ["ca"], c!, a!), "ALREADY_APPLIED");
    assert.deepEqual([mine(file), keys(file)], [["ab"], ["a", "b", "d"]]);
    const twice = await Promise.all(["e", "e"].map((key) => engine.prepareTrigger(orders, key, { data })));
    await assert.rejects(user.commit(["ee"], ...twice), /PAWL_STALE/);
    assert.deepEqual([mine(file), keys(file)], [["ab"], ["a", "b", "d"]]);
  },
);

testOnUsers("keeps to its idempotency key", async (world, user, file) => {
  const engine = world.engine({ definitions: [orders] });
  const options = { data, idempotencyKey: "click" };
  const first = await engine.prepareTrigger(orders, "a", options);
  const second = await engine.prepareTrigger(orders, "a", options);
  assert.equal(await fate(user, ["one"], first), "ok");
  assert.equal(await fate(user, ["two"], second), "CONFLICT", "prepared again, it is the first one's run");
  const third = await engine.prepareTrigger(orders, "a", options);
  assert.deepEqual([third.runId, third.created, third.statements], [first.runId, false, []]);
  assert.equal(await fate(user, ["three"], third), "ok");
  assert.deepEqual(await engine.trigger(orders, "a", options), { runId: first.runId, created: false });
  await assert.rejects(engine.prepareTrigger(orders, "a", { ...options, data: { cents: 6 } }), {
    code: "IDEMPOTENCY_MISMATCH",
  });
  assert.deepEqual(mine(file), ["one", "three"]);
});

testOnUsers("seals the data", async (world, user, file) => {
  const codec = {
    encode: (text: string) => Promise.resolve(btoa(text)),
    decode: (text: string) => atob(text),
  };
  const engine = await world.started({ definitions: [orders], codec });
  const prepared = await engine.prepareTrigger(orders, "a", { data: { cents: 77 } });
  assert.ok(!JSON.stringify(prepared.statements).includes("77"));
  await user.commit([], prepared);
  assert.deepEqual((await world.during(engine.await(orders, "a"), 1_000)).data, { cents: 77 });
  assert.equal(file.rows("select sealed from pawl_runs")[0]!.sealed, 1);
});

testOnFile("prepareTrigger() checks at the door what trigger() checks", async (file) => {
  await inWorld(await file.open(), async (world) => {
    const engine = world.engine({ definitions: [orders], limits: { payloadBytesMax: 50 } });
    const other = machine("other").step("new", ["old"], () => "old").build();
    await assert.rejects(engine.prepareTrigger(other, "a"), { code: "UNKNOWN_DEFINITION" });
    await assert.rejects(engine.prepareTrigger(orders, "", { data }), { code: "INVALID_ARGUMENT" });
    await assert.rejects(engine.prepareTrigger(orders, "a", { data: { cents: NaN } }), { code: "NOT_JSON" });
    const large = { data: { cents: 1, text: "x".repeat(60) } };
    await assert.rejects(engine.prepareTrigger(orders, "a", large), { code: "PAYLOAD_TOO_LARGE" });
    const startAt = "paid" as "placed";
    await assert.rejects(engine.prepareTrigger(orders, "a", { data, startAt }), { code: "UNKNOWN_STATUS" });
    await engine.stop();
    await assert.rejects(engine.prepareTrigger(orders, "a", { data }), { code: "ENGINE_STOPPED" });
  });
});

Deno.test("prepareTrigger() says that a store which nobody else reaches cannot do it", async () => {
  const memory = libsqlStore({ url: ":memory:" });
  await assert.rejects(
    new World(memory).engine({ definitions: [orders] }).prepareTrigger(orders, "a", { data }),
    {
      code: "UNSUPPORTED",
    },
  );
  await memory.close();
  const world = new World(memoryStore());
  const engine = world.engine({ definitions: [orders] });
  await assert.rejects(engine.prepareTrigger(orders, "a", { data }), {
    code: "UNSUPPORTED",
    message: /libsqlStore/,
  });
  await world.end();
});

const deeds = fc.array(
  fc.record({
    deed: fc.constantFrom("prepare", "prepare", "commit", "commit both", "trigger", "cancel", "work"),
    key: fc.constantFrom("a", "b"),
    which: fc.nat(3),
  }),
  { maxLength: 20 },
);

Deno.test("prepareTrigger() keeps one unfinished run per key in any interleaving with triggers", async () => {
  await fc.assert(
    fc.asyncProperty(deeds, fc.constantFrom(1, 3), fc.boolean(), async (plan, shards, isNative) => {
      const file = new SqlFile(await Deno.makeTempDir({ prefix: "pawl-" }));
      try {
        await inWorld(await file.open({ shards }), async (world) => {
          const user = isNative ? nativeUser(file) : clientUser(file);
          await interleave(world, user, file, plan).finally(() => user.end());
        });
      } finally {
        await file.end();
      }
    }),
    { numRuns: 25 },
  );
});

type Deeds = readonly { readonly deed: string; readonly key: string; readonly which: number }[];

async function interleave(world: World, user: User, file: SqlFile, plan: Deeds): Promise<void> {
  const engine = world.engine({ definitions: [orders] });
  const ready: PreparedTrigger[] = [];
  const made: string[] = [];
  let rows = 0;
  const pick = (which: number) => ready.splice(which % Math.max(1, ready.length), 1);
  const commit = async (prepared: PreparedTrigger[]) => {
    const result = await fate(user, [`row ${rows}`], ...prepared).catch((error) => {
      // Two of one key, of which neither is in the store.
      assert.match(String(error), /PAWL_STALE/);
      return "each other";
    });
    if (result !== "ok") return;
    rows++;
    made.push(...prepared.map((each) => each.runId));
  };
  for (const { deed, key, which } of plan) {
    if (deed === "prepare") {
      await engine.prepareTrigger(orders, key, { data }).then((it) => ready.push(it), () => {});
    } else if (deed === "commit") await commit(pick(which));
    else if (deed === "commit both") await commit([...pick(which), ...pick(which)]);
    else if (deed === "trigger") {
      await engine.trigger(orders, key, { data }).then(({ runId }) => made.push(runId), () => {});
    } else if (deed === "cancel") await engine.cancel(orders, key).catch(() => {});
    else await world.during(engine.tick(), 5_000);
  }
  const ids = file.rows("select run_id from pawl_runs order by run_id").map((row) => row.run_id);
  assert.deepEqual(ids, made.sort(), "a run for each commit that succeeded, and no other");
  assert.equal(rows === 0 ? 0 : mine(file).length, rows);
  await checkSound(engine, file);
}

testOnFile("prepareTrigger() holds while engines commit to the same file", async (file) => {
  const store = await file.open({ shards: 2 });
  await inWorld(store, async (world) => {
    const engine = await world.started({ definitions: [orders] });
    const user = clientUser(file);
    let landed = 0;
    for (let round = 0; round < 10; round++) {
      const names = Array.from({ length: 8 }, (_, index) => `${round}-${index}`);
      const prepared = await Promise.all(names.map((name) => engine.prepareTrigger(orders, name, { data })));
      const rivals = names.filter((_, index) => index % 4 === 0).map((name) =>
        engine.trigger(orders, name, { data }).catch(() => {})
      );
      const fates = await Promise.all(prepared.map((each, index) => fate(user, [names[index]!], each)));
      await Promise.all(rivals);
      landed += fates.filter((each) => each === "ok").length;
      assert.ok(fates.every((each) => ["ok", "RUN_IN_PROGRESS", "CONFLICT"].includes(each)), fates.join());
      await world.advance(700);
    }
    user.end();
    assert.equal(mine(file).length, landed);
    assert.deepEqual(file.rows("select state, runs from pawl_counts"), [{ state: "completed", runs: 80 }]);
    await checkSound(engine, file);
  });
});
