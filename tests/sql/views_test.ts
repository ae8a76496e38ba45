import assert from "node:assert/strict";
import fc from "fast-check";
import { type Engine, machine } from "../../mod.ts";
import { preparedStatements } from "../../adapters/sql/prepared.ts";
import { createRunIndex, dropRunIndex, runIndexVersion } from "../../adapters/sql/run_index.ts";
import { viewStatements, viewsVersion } from "../../adapters/sql/views.ts";
import { hash32 } from "../../core/hash.ts";
import { patient } from "../engine/stores.ts";
import { inWorld, type Row, SqlFile, testOnFile, testOnFiles } from "./sql_store.ts";

interface Note {
  text: string;
  fail?: boolean;
}

const notesOf = (name: string) =>
  machine<Note>(name)
    .step("new", ["read", "lost"], (run) => {
      if (run.data.fail) throw new TypeError("cannot read");
      return run.data.text === "lose" ? run.fail("lost it") : "read";
    }, { retry: { initial: "1h", max: "1h", jitter: false } })
    .step("read", ["filed"], (run) => run.data.text === "wait" ? run.skip() : "filed")
    .build();
const notes = notesOf("notes !~ \u{1f600}é");
const others = notesOf("others");

/** The views that show what is in the store, each with a column order that is the same on every store. */
const shown = [
  "select * from pawl_runs order by run_id",
  "select * from pawl_counts order by definition, status, state",
  "select * from pawl_stuck order by run_id",
  "select * from pawl_work order by run_id",
  "select * from pawl_history order by run_id, position",
];

const show = (file: SqlFile) => shown.map((question) => file.rows(question));

/** All runs, as the engine tells of them. */
async function runsOf(engine: Engine): Promise<Row[]> {
  const { items } = await engine.list({ definition: notes.name, limit: 500, include: ["data"] });
  return items.map((run) => ({
    run_id: run.runId,
    key: run.key,
    state: run.runState,
    status: run.status,
    version: run.version,
    attempt: run.attempt,
    created_at: run.createdAt.getTime(),
    updated_at: run.updatedAt.getTime(),
    reason: run.reason ?? null,
    last_error: run.lastError?.message ?? null,
    data: run.data,
  })).sort((a, b) => a.run_id < b.run_id ? -1 : 1);
}

for (const shards of [1, 4]) {
  for (const sqlIndexes of [false, true]) {
    const on = `${shards} shards, ${sqlIndexes ? "with" : "without"} sqlIndexes`;

    // Its SQLite is a newer one.
    const test = shards === 4 ? testOnFiles : testOnFile;
    test(`the views tell of runs what the engine tells (${on})`, async (file) => {
      await inWorld(await file.open({ shards, sqlIndexes }), async (world) => {
        const engine = await world.started({ definitions: [notes] });
        const keys = [
          "plain",
          "with space",
          "ключ",
          "a!b~c",
          "\u{1f600}",
          '"quoted\\"',
          "wait",
          "lose",
          "fail",
        ];
        for (const key of keys) {
          await engine.trigger(notes, key, { data: { text: key, ...(key === "fail" && { fail: true }) } });
        }
        await world.advance(1_000);
        await engine.trigger(notes, "plain", { data: { text: "again" }, startAt: "read" });
        await world.advance(1_000);
        const paused = await engine.pause(notes, "wait", { reason: "by hand" });
        const names = (row: Row) => ({ ...row, data: JSON.parse(String(row.data)) });
        const seen = file.rows(
          `select run_id, key, state, status, version, attempt, created_at, updated_at, reason,
          last_error, data from pawl_runs where definition = '${notes.name}' order by run_id`,
        ).map(names);
        assert.deepEqual(seen, await runsOf(engine));

        assert.deepEqual(file.rows("select key, state, last_error_name from pawl_stuck order by key"), [
          { key: "fail", state: "initiated", last_error_name: "TypeError" },
          { key: "wait", state: "paused", last_error_name: null },
        ]);
        const work = file.rows("select key, due_at, definition from pawl_work where state <> 'paused'");
        assert.deepEqual(work.map((row) => [row.key, row.definition]), [["fail", notes.name]]);

        const rows = file.rows(
          "select * from pawl_history where run_id = '" + paused.runId + "' order by position",
        );
        const history = await engine.history({ runId: paused.runId });
        assert.deepEqual(
          rows.map((row) => [row.at, row.kind, row.actor, row.state, row.version, row.position, row.reason]),
          history.map((row) => [
            row.at.getTime(),
            row.kind,
            row.by,
            row.runState,
            row.version,
            row.position,
            row.reason ?? null,
          ]),
        );
        assert.ok(rows.every((row) => row.key === "wait" && row.definition === notes.name));

        const counts = file.rows(
          "select state, sum(runs) as runs from pawl_counts group by state order by state",
        );
        const total = counts.reduce((sum, row) => sum + Number(row.runs), 0);
        assert.equal(total, 10);
        assert.equal(counts.find((row) => row.state === "completed")?.runs, 7);

        const owners = file.rows("select * from pawl_leases order by shard");
        const owned = await engine.admin.shards();
        assert.deepEqual(
          owners.map((row) => [row.definition, row.shard, row.engine_id, row.epoch, row.since]),
          owned.map((each) => [each.definition, each.shard, each.engineId, each.epoch, each.since.getTime()]),
        );
        const [alive] = await engine.admin.engines();
        assert.equal(owners[0]!.expires_at, alive!.expiresAt.getTime());
        assert.deepEqual(file.rows("select engine_id, expires_at from pawl_engines"), [
          { engine_id: alive!.engineId, expires_at: alive!.expiresAt.getTime() },
        ]);
      });
    });
  }
}

testOnFile("pawl_runs does not show data that a codec has sealed", async (file) => {
  await inWorld(await file.open(), async (world) => {
    const codec = { encode: (text: string) => btoa(text), decode: (text: string) => atob(text) };
    const engine = world.engine({ definitions: [notes], codec });
    await engine.trigger(notes, "a", { data: { text: "secret" } });
    assert.deepEqual(file.rows("select key, sealed, data from pawl_runs"), [{
      key: "a",
      sealed: 1,
      data: null,
    }]);
  });
});

const deeds = fc.array(
  fc.record({
    deed: fc.constantFrom("trigger", "pause", "resume", "cancel", "wait"),
    kind: fc.constantFrom(notes, others),
    key: fc.constantFrom("a", "ü"),
    text: fc.constantFrom("read", "lose", "wait"),
    fail: fc.boolean(),
  }),
  { maxLength: 12 },
);

Deno.test("the views tell the same with and without sqlIndexes, whatever happened", async () => {
  await fc.assert(
    fc.asyncProperty(deeds, fc.boolean(), oneProgram),
    { numRuns: 30 },
  );
});

async function oneProgram(
  plan: readonly { deed: string; kind: typeof notes; key: string; text: string; fail: boolean }[],
  fromTheStart: boolean,
): Promise<void> {
  const file = new SqlFile(await Deno.makeTempDir({ prefix: "pawl-" }));
  try {
    const store = await file.open({ shards: 2, sqlIndexes: fromTheStart });
    await inWorld(store, async (world) => {
      const engine = await world.started({ definitions: [notes, others], ...patient });
      for (const { deed, kind, key, text, fail } of plan) {
        if (deed === "trigger") await engine.trigger(kind, key, { data: { text, fail } }).catch(() => {});
        else if (deed === "wait") await world.advance(3_600_000);
        else await engine[deed as "pause" | "resume" | "cancel"](kind, key).catch(() => {});
        await world.advance(100);
      }
    });
    await file.open({ shards: 2, sqlIndexes: true });
    const indexed = show(file);
    await file.open({ shards: 2, sqlIndexes: false });
    assert.deepEqual(file.rows("select name from sqlite_schema where name glob 'pawl_run_*'"), []);
    assert.deepEqual(indexed, show(file));
  } finally {
    await file.end();
  }
}

testOnFile(
  "opening a store leaves its views and indexes as they are, unless they are to change",
  async (file) => {
    const state = () => ({
      schema: file.rows("pragma schema_version")[0]!.schema_version,
      indexed: file.rows("select 1 from sqlite_schema where name = 'pawl_run_index'").length === 1,
    });
    await file.open();
    const plain = state();
    assert.equal(plain.indexed, false);
    await file.open();
    await file.open({ sqlIndexes: false });
    assert.deepEqual(state(), plain, "an up-to-date store is left alone");
    await file.open({ sqlIndexes: true });
    const indexed = state();
    assert.equal(indexed.indexed, true);
    await file.open();
    await file.open({ sqlIndexes: true });
    assert.deepEqual(state(), indexed, "left out, the option changes nothing");
    await file.open({ sqlIndexes: false });
    assert.equal(state().indexed, false);
  },
);

testOnFile("opening a store makes views of an older version anew", async (file) => {
  await file.open({ sqlIndexes: true });
  const user = file.connect();
  user.exec(`
    drop view pawl_runs;
    create view pawl_runs as select 'old' as run_id;
    drop view pawl_engines;
    drop view pawl_prepared;
    drop trigger pawl_run_changed;
    update pawl_meta set value = '0' where name in ('views', 'run_index')`);
  const store = await file.open();
  await inWorld(store, async (world) => {
    const engine = await world.started({ definitions: [notes] });
    await engine.trigger(notes, "a", { data: { text: "a" } });
    await world.during(engine.await(notes, "a"), 1_000);
    assert.deepEqual(file.rows("select key, status from pawl_runs"), [{ key: "a", status: "filed" }]);
    assert.equal(file.rows("select * from pawl_engines").length, 1);
    assert.equal(file.rows("select 1 from sqlite_schema where name = 'pawl_prepared_added'").length, 1);
  });
});

testOnFile("a store goes on while another one builds the indexes of its file", async (file) => {
  await inWorld(await file.open(), async (world) => {
    const engine = await world.started({ definitions: [notes] });
    await engine.trigger(notes, "a", { data: { text: "wait" } });
    await world.advance(1_000);
    await file.open({ sqlIndexes: true });
    await engine.trigger(notes, "b", { data: { text: "b" } });
    await engine.cancel(notes, "a");
    await world.during(engine.await(notes, "b"), 1_000);
    assert.deepEqual(file.rows("select status, state, runs from pawl_counts order by 1"), [
      { status: "filed", state: "completed", runs: 1 },
      { status: "read", state: "cancelled", runs: 1 },
    ]);
    assert.ok((await engine.admin.verify()).ok);
  });
});

Deno.test("the texts of views and indexes change only with their versions", () => {
  const views = hash32([...viewStatements(false), ...viewStatements(true), ...preparedStatements].join("\n"));
  const runIndex = hash32([...dropRunIndex, ...createRunIndex].join("\n"));
  const advice = "the text has changed: raise its version, then pin the new hash here";
  assert.deepEqual([viewsVersion, views], [1, 3244524599], advice);
  assert.deepEqual([runIndexVersion, runIndex], [1, 4285977201], advice);
});
