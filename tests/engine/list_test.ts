import assert from "node:assert/strict";
import { type Engine, type ListItem, type ListQuery, machine } from "../../mod.ts";
import { testInMemory, testOnStores, type World } from "./stores.ts";

interface Note {
  n: number;
}

const notes = machine<Note>("notes")
  .step("a", ["b", "end"], (run) => run.data.n % 2 === 0 ? "end" : run.skip())
  .step("b", ["end"], () => "end")
  .build();
const other = machine<Note>("other").step("x", ["y"], () => "y").build();
const definitions = [notes, other];

const ids = (items: readonly ListItem[]) => items.map((item) => item.runId);

async function everyPage(engine: Engine, query: ListQuery): Promise<readonly ListItem[]> {
  const all: ListItem[] = [];
  let cursor: string | undefined;
  do {
    const page = await engine.list({ ...query, ...(cursor !== undefined && { cursor }) });
    if (query.limit !== undefined) assert.ok(page.items.length <= query.limit);
    all.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return all;
}

/** Ten runs of notes and five of other, a second apart: even notes end, odd ones wait, two are paused or cancelled. */
async function filled(world: World) {
  const engine = await world.started({ definitions });
  const runIds: string[] = [];
  for (let n = 0; n < 10; n++) {
    runIds.push((await engine.trigger(notes, `n${n}`, { data: { n } })).runId);
    if (n < 5) await engine.trigger(other, `o${n}`, { data: { n } });
    await world.advance(1_000);
  }
  await engine.pause(notes, "n1");
  await engine.cancel(notes, "n3");
  return { engine, runIds };
}

testOnStores("list() gives every run in order of creation, newest first by default", async (world) => {
  const { engine, runIds } = await filled(world);
  assert.deepEqual(ids((await engine.list({ definition: "notes" })).items), [...runIds].reverse());
  assert.deepEqual(ids((await engine.list({ definition: "notes", order: "oldest" })).items), runIds);
  const all = await engine.list({ order: "oldest" });
  assert.equal(all.items.length, 15);
  assert.equal(all.cursor, undefined);
  assert.deepEqual(ids(all.items), [...ids(all.items)].sort());
});

testOnStores("list() pages through everything once, in both orders and at every limit", async (world) => {
  const { engine, runIds } = await filled(world);
  for (const limit of [1, 2, 3, 4, 7, 10, 11]) {
    assert.deepEqual(ids(await everyPage(engine, { definition: "notes", limit, order: "oldest" })), runIds);
    assert.deepEqual(ids(await everyPage(engine, { definition: "notes", limit })), [...runIds].reverse());
    assert.equal((await everyPage(engine, { limit })).length, 15);
  }
});

testOnStores("list() filters by status, run state and several of them", async (world) => {
  const { engine } = await filled(world);
  const keys = async (query: ListQuery) =>
    (await engine.list({ ...query, order: "oldest" })).items.map((i) => i.key);
  assert.deepEqual(await keys({ runState: "completed", definition: "notes" }), [
    "n0",
    "n2",
    "n4",
    "n6",
    "n8",
  ]);
  assert.deepEqual(await keys({ runState: "paused" }), ["n1"]);
  assert.deepEqual(await keys({ runState: ["paused", "cancelled"], definition: "notes" }), ["n1", "n3"]);
  assert.deepEqual(await keys({ runState: "running", definition: "notes" }), ["n5", "n7", "n9"]);
  assert.deepEqual(await keys({ runState: "initiated", definition: "notes" }), []);
  assert.deepEqual(await keys({ status: "y" }), ["o0", "o1", "o2", "o3", "o4"]);
  assert.deepEqual(await keys({ status: ["y", "end"], definition: "other" }), ["o0", "o1", "o2", "o3", "o4"]);
  assert.deepEqual(await keys({ status: [], definition: "other" }), ["o0", "o1", "o2", "o3", "o4"]);
  assert.deepEqual(await keys({ status: "__proto__" }), []);
  assert.deepEqual(await keys({ definition: "nobody" }), []);
});

testOnStores("list() by creation time takes what lies strictly between", async (world) => {
  const { engine, runIds } = await filled(world);
  const views = (await engine.list({ definition: "notes", order: "oldest" })).items;
  const [after, before] = [views[2]!.createdAt, views[6]!.createdAt];
  const range = { definition: "notes", createdAfter: after, createdBefore: before };
  assert.deepEqual(ids((await engine.list({ ...range, order: "oldest" })).items), runIds.slice(3, 6));
  assert.deepEqual(ids(await everyPage(engine, { ...range, limit: 2 })), runIds.slice(3, 6).reverse());
  assert.deepEqual((await engine.list({ ...range, createdBefore: after })).items, []);
  const always = { createdAfter: new Date(-1), createdBefore: new Date(8.64e15) };
  assert.equal((await engine.list({ ...always, limit: 100 })).items.length, 15);
});

testOnStores("list() by key gives the runs of that key, by pages too", async (world) => {
  const engine = world.engine({ definitions });
  const made: string[] = [];
  for (let n = 0; n < 7; n++) {
    made.push((await engine.trigger(notes, "same", { data: { n } })).runId);
    await engine.trigger(notes, `other ${n}`, { data: { n } });
    if (n < 6) await engine.cancel(notes, "same");
  }
  const query = { definition: "notes", key: "same" };
  assert.deepEqual(ids((await engine.list(query)).items), [...made].reverse());
  for (const limit of [1, 2, 3, 7]) {
    assert.deepEqual(ids(await everyPage(engine, { ...query, limit })), [...made].reverse());
    assert.deepEqual(ids(await everyPage(engine, { ...query, limit, order: "oldest" })), made);
  }
  assert.deepEqual(ids((await engine.list({ ...query, runState: "initiated" })).items), made.slice(6));
  assert.deepEqual((await engine.list({ ...query, key: "nobody" })).items, []);
});

testOnStores("list() by key loses no run behind its bound on what one page looks at", async (world) => {
  const engine = world.engine({ definitions, limits: { scanMax: 3 } });
  const made: string[] = [];
  for (let n = 0; n < 8; n++) {
    made.push((await engine.trigger(notes, "same", { data: { n } })).runId);
    await engine.cancel(notes, "same");
  }
  const all = await everyPage(engine, { definition: "notes", key: "same" });
  assert.deepEqual(ids(all), [...made].reverse());
});

testOnStores(
  "list() looks at a bounded number of rows per page and gives a cursor for the rest",
  async (world) => {
    const engine = world.engine({ definitions, limits: { scanMax: 10 } });
    const made: string[] = [];
    for (let n = 0; n < 40; n++) made.push((await engine.trigger(notes, `k${n}`, { data: { n } })).runId);
    await engine.cancel(notes, "k0");
    const query: ListQuery = { status: "a", runState: "cancelled", limit: 5 };
    const first = await engine.list(query);
    assert.deepEqual(first.items, []);
    assert.ok(first.cursor);
    assert.deepEqual(ids(await everyPage(engine, query)), [made[0]]);
    assert.deepEqual(ids(await everyPage(engine, { ...query, order: "oldest" })), [made[0]]);
  },
);

testInMemory(
  "list() finds one run among many that its filter lets not pass in a few trips",
  async (world) => {
    const engine = world.engine({ definitions });
    const { runId } = await engine.trigger(notes, "first", { data: { n: 0 } });
    for (let n = 0; n < 300; n++) {
      await engine.trigger(notes, "many", { data: { n } });
      await engine.cancel(notes, "many");
    }
    const before = engine.admin.counts().reads;
    const { items } = await engine.list({ runState: "initiated", limit: 1 });
    assert.deepEqual(ids(items), [runId]);
    assert.ok(engine.admin.counts().reads - before <= 20, "not two trips for each run that does not match");
  },
);

testOnStores("list() cursors stay true while runs come and go", async (world) => {
  const engine = world.engine({ definitions });
  const made: string[] = [];
  for (let n = 0; n < 20; n++) made.push((await engine.trigger(notes, `k${n}`, { data: { n } })).runId);
  for (const order of ["oldest", "newest"] as const) {
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 100; page++) {
      const found = await engine.list({ definition: "notes", order, limit: 3, ...(cursor && { cursor }) });
      seen.push(...ids(found.items));
      cursor = found.cursor;
      if (!cursor) break;
      const { runId } = await engine.trigger(notes, `${order} ${page}`, { data: { n: 1 } });
      if (order === "newest") made.push(runId);
      await engine.cancel(notes, `${order} ${page}`);
    }
    assert.equal(new Set(seen).size, seen.length, "none twice");
    const before = new Set(made.slice(0, 20));
    assert.equal(seen.filter((id) => before.has(id)).length, 20, "each of those that were there");
  }
});

testOnStores("list() shows data only when asked to", async (world) => {
  const { engine } = await filled(world);
  const [bare] = (await engine.list({ limit: 1 })).items;
  assert.ok(!("data" in bare!));
  const [full] = (await engine.list({ limit: 1, include: ["data"] })).items;
  assert.deepEqual(full!.data, { n: 9 });
});

testInMemory("list() refuses what it cannot read with INVALID_ARGUMENT", async (world) => {
  const engine = world.engine({ definitions });
  const bad: unknown[] = [
    { limit: 0 },
    { limit: 1.5 },
    { limit: 100_000 },
    { limit: "5" },
    { order: "up" },
    { cursor: "x" },
    { cursor: "" },
    { key: "k" },
    { definition: "" },
    { definition: "notes", key: "" },
    { runState: "gone" },
    { runState: ["running", "gone"] },
    { createdAfter: new Date(NaN) },
    { createdBefore: "2020-01-01" },
    { createdBefore: 5 },
  ];
  for (const query of bad) {
    await assert.rejects(
      engine.list(query as ListQuery),
      { code: "INVALID_ARGUMENT" },
      JSON.stringify(query),
    );
  }
});

testOnStores("get() gives the latest run, an older one by id, and undefined for none", async (world) => {
  const engine = world.engine({ definitions });
  assert.equal(await engine.get(notes, "k"), undefined);
  const first = await engine.trigger(notes, "k", { data: { n: 1 } });
  await engine.cancel(notes, "k", { reason: "wrong" });
  const second = await engine.trigger(notes, "k", { data: { n: 2 } });
  assert.equal((await engine.get(notes, "k"))!.runId, second.runId);
  const old = (await engine.get(notes, "k", { runId: first.runId }))!;
  assert.deepEqual([old.runState, old.reason, old.data], ["cancelled", "wrong", { n: 1 }]);
  assert.equal(await engine.get(notes, "other", { runId: first.runId }), undefined);
  assert.equal(await engine.get(other, "k", { runId: first.runId }), undefined);
  await assert.rejects(engine.get(notes, "k", { runId: "x" }), { code: "INVALID_ARGUMENT" });
  await assert.rejects(engine.get(notes, ""), { code: "INVALID_ARGUMENT" });
});

testOnStores("history() tells what happened, in order, by pages", async (world) => {
  const { engine, runIds } = await filled(world);
  const rows = await engine.history({ runId: runIds[3]! });
  assert.deepEqual(rows.map((row) => [row.kind, row.by, row.runState, row.version]), [
    ["trigger", "client", "initiated", 1],
    ["skip", "step", "running", 2],
    ["cancel", "operator", "cancelled", 3],
  ]);
  assert.deepEqual(rows.map((row) => row.position), rows.map((row) => row.position).sort((a, b) => a - b));
  const paged = [];
  for (let after = 0;;) {
    const page = await engine.history({ runId: runIds[3]!, after, limit: 1 });
    if (page.length === 0) break;
    paged.push(...page);
    after = page[0]!.position;
  }
  assert.deepEqual(paged, rows);
  assert.deepEqual(await engine.history({ runId: "0".repeat(30) }), []);
});

testInMemory("history() refuses what it cannot read with INVALID_ARGUMENT", async (world) => {
  const engine = world.engine({ definitions });
  const { runId } = await engine.trigger(notes, "k", { data: { n: 1 } });
  const bad = [
    { runId: "x" },
    {},
    { runId: 5 },
    { runId, limit: 0 },
    { runId, limit: 1e9 },
    { runId, after: -1 },
    {
      runId,
      after: NaN,
    },
    { runId, after: 0.5 },
    { runId, after: 2 ** 60 },
  ];
  for (const query of bad) {
    await assert.rejects(engine.history(query as never), { code: "INVALID_ARGUMENT" }, JSON.stringify(query));
  }
});

testOnStores("list() gives runs of several definitions, and those whose key begins so", async (world) => {
  const { engine, runIds } = await filled(world);
  const both = await everyPage(engine, {
    definition: ["notes", "other", "notes"],
    limit: 4,
    order: "oldest",
  });
  assert.deepEqual(ids(both), ids((await engine.list({ order: "oldest", limit: 100 })).items));
  assert.deepEqual(
    ids(await everyPage(engine, { definition: ["notes"], limit: 3, order: "oldest" })),
    runIds,
  );
  assert.deepEqual((await engine.list({ definition: [] })).items, []);
  for (const definition of [undefined, "other", ["other", "notes"]] as const) {
    const found = await everyPage(engine, {
      keyPrefix: "o",
      limit: 2,
      order: "oldest",
      ...(definition !== undefined && { definition }),
    });
    assert.deepEqual(found.map(({ key }) => key), ["o0", "o1", "o2", "o3", "o4"]);
  }
  assert.deepEqual((await engine.list({ keyPrefix: "n10" })).items, []);
  const query = { definition: ["notes", "other"], key: "n1" };
  await assert.rejects(engine.list(query), { code: "INVALID_ARGUMENT", message: /give one definition/ });
});
