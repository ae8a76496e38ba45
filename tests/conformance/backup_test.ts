import assert from "node:assert/strict";
import Database from "libsql";
import { backupStore, libsqlStore, restoreStore } from "pawl/adapters/libsql";
import { restoreSkip } from "../../adapters/sql/backup.ts";
import type { CommitCall, Store } from "../../core/store/store.ts";
import { createEngine, type Engine, machine, silentLogger } from "../../mod.ts";
import { World } from "../engine/stores.ts";
import { besideAnother, chain } from "./other_process.ts";

/** A test with a folder of its own. */
function inFolder(name: string, run: (folder: string, url: string) => Promise<void>): void {
  Deno.test(name, async () => {
    const folder = await Deno.makeTempDir({ prefix: "pawl-" });
    try {
      await run(folder, `file:${folder}/pawl.db`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function withEngine<T>(url: string, use: (engine: Engine, store: Store) => Promise<T>): Promise<T> {
  const store = libsqlStore({ url });
  const engine = createEngine({ store, definitions: [chain], logger: silentLogger });
  try {
    return await use(engine, store);
  } finally {
    await engine.stop({ grace: 0 });
    await store.close();
  }
}

function sql(path: string, ...statements: string[]): unknown[] {
  const db = new Database(path);
  const rows = statements.map((each) => db.prepare(each).all([]));
  db.close();
  return rows.flat();
}

/** Files of a folder, without the logs that SQLite keeps beside an open database. */
const filesOf = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name)
    .filter((name) => !/\.db-(wal|shm)$/.test(name) || name.startsWith("logged")).sort();

inFolder("backupStore() copies a store at one moment while engines work on it", async (folder, url) => {
  await withEngine(url, async (engine) => {
    await engine.start();
    const runs = Array.from({ length: 600 }, (_, n) => engine.trigger(chain, `k${n}`, { data: { n: 0 } }));
    const ends: Promise<unknown>[] = [];
    for (let copy = 0; copy < 3; copy++) {
      await Promise.all(runs.slice(0, 200 * (copy + 1)));
      for (let n = copy * 200; n < (copy + 1) * 200; n++) ends.push(engine.await(chain, `k${n}`));
      const { bytes } = await backupStore({ url, to: `${folder}/${copy}.db` });
      assert.equal(bytes, (await Deno.stat(`${folder}/${copy}.db`)).size);
    }
    await Promise.all(ends);
  });
  for (let copy = 0; copy < 3; copy++) {
    const again = `file:${folder}/again${copy}.db`;
    assert.deepEqual(await restoreStore({ from: `${folder}/${copy}.db`, url: again }), { shards: 1 });
    await withEngine(again, async (heir) => {
      const before = await heir.admin.verify();
      assert.deepEqual(before.findings, []);
      assert.ok(before.runs >= 200 * (copy + 1));
      const unfinished = await heir.list({ runState: ["initiated", "running"], limit: 1_000 });
      await heir.tick();
      for (const { key, runId } of unfinished.items) {
        assert.deepEqual((await heir.get(chain, key, { runId }))!.data, { n: 2 });
      }
      assert.deepEqual((await heir.admin.verify()).findings, []);
    });
  }
});

inFolder("backupStore() copies a store that another process works on", async (folder, url) => {
  await besideAnother(url, async (more) => {
    for (let copy = 0; copy < 3; copy++) {
      await more();
      await backupStore({ url, to: `${folder}/${copy}.db` });
    }
  });
  for (let copy = 0; copy < 3; copy++) {
    const again = `file:${folder}/again${copy}.db`;
    await restoreStore({ from: `${folder}/${copy}.db`, url: again });
    await withEngine(again, async (heir) => {
      assert.deepEqual((await heir.admin.verify()).findings, []);
      // The lease of the other process is not in the way.
      assert.deepEqual([await heir.admin.engines(), await heir.admin.shards()], [[], []]);
      assert.equal((await heir.tick()).heldElsewhere, 0);
      assert.deepEqual((await heir.list({ runState: ["initiated", "running"] })).items, []);
    });
  }
});

const slow = machine<{ n: number }>("slow")
  .step("a", ["b"], (run) => ((run.data.n += 1), "b"))
  .step("b", ["c"], () => "c", { lag: "1h" })
  .build();

/** A store whose guarded calls are remembered. */
function spied(store: Store): { readonly store: Store; readonly guarded: CommitCall[] } {
  const guarded: CommitCall[] = [];
  return {
    guarded,
    store: {
      limits: store.limits,
      shards: store.shards,
      read: (requests) => store.read(requests),
      commit(calls) {
        guarded.push(...calls.filter((call) => call.guard));
        return store.commit(calls);
      },
      close: () => store.close(),
    },
  };
}

inFolder(
  "restoreStore() fences off engines of the lost time, which a plain copy may not",
  async (folder, url) => {
    const path = url.slice("file:".length);
    const copied = `file:${folder}/copied.db`;
    const restored = `file:${folder}/restored.db`;
    const first = libsqlStore({ url });
    await createEngine({ store: first, definitions: [slow] }).trigger(slow, "k", { data: { n: 0 } });
    await first.close();
    await backupStore({ url, to: `${folder}/backup.db` });
    await Deno.copyFile(path, `${folder}/copied.db`);
    await restoreStore({ from: `${folder}/backup.db`, url: restored });

    // The lost time: an engine opens the store again, and owns its shard from then on.
    const { store, guarded } = spied(libsqlStore({ url }));
    const lost = new World(store);
    const zombie = await lost.started({ definitions: [slow] });
    await lost.settle();
    assert.equal((await zombie.get(slow, "k"))!.status, "b");
    const late = guarded.at(-1)!;
    const fates: Record<string, string> = {};
    for (const [name, of] of [["copied", copied], ["restored", restored]] as const) {
      const there = new World(libsqlStore({ url: of }));
      await there.started({ definitions: [slow] });
      await there.settle();
      const committer = { id: "zombie", callId: "1" };
      const batches = [{ checks: [], puts: [{ key: "bell slow", value: "1" }], deletes: [] }];
      const [result] = await there.store.commit([{ shard: 0, committer, guard: late.guard!, batches }]);
      fates[name] = result!.outcome;
      const [again] = await there.store.commit([{ ...late, committer: { id: "late", callId: "1" } }]);
      if (name === "restored") assert.equal(again!.outcome, "guard-failed");
      await there.end();
      await there.store.close();
    }
    // Both skipped the same versions on opening, and gave the next one to their owner: why restoreStore() is there.
    assert.deepEqual(fates, { copied: "done", restored: "guard-failed" });
    await lost.end();
    await store.close();
  },
);

inFolder("restoreStore() leaves cursors of lists and histories good", async (folder, url) => {
  const first = new World(libsqlStore({ url, shards: 3 }));
  const engine = await first.started({ definitions: [slow] });
  for (let n = 0; n < 9; n++) await engine.trigger(slow, `k${n}`, { data: { n } });
  await first.settle();
  const page = await engine.list({ limit: 4 });
  const { runId } = page.items[0]!;
  const seen = await engine.history({ runId });
  await first.end();
  await backupStore({ url, to: `${folder}/backup.db` });
  await first.store.close();
  const again = `file:${folder}/again.db`;
  assert.deepEqual(await restoreStore({ from: `${folder}/backup.db`, url: again }), { shards: 3 });
  const wrong = libsqlStore({ url: again });
  await assert.rejects(wrong.read([{ shard: 0, ops: [] }]), { code: "STORE_INCOMPATIBLE" });
  await wrong.close();
  const there = new World(libsqlStore({ url: again, shards: 3 }));
  await there.advance(first.clock.now() - there.clock.now());
  const heir = await there.started({ definitions: [slow] });
  const rest = await heir.list({ cursor: page.cursor! });
  assert.equal(rest.items.length, 5);
  await there.advance(3_700_000);
  const after = await heir.history({ runId, after: seen.at(-1)!.position });
  assert.deepEqual(after.map((row) => row.to), ["c"]);
  assert.ok(after[0]!.position > restoreSkip);
  assert.deepEqual((await heir.admin.verify()).findings, []);
  await there.end();
  await there.store.close();
});

inFolder(
  "restoreStore() gives each store another identity, and refuses when versions run out",
  async (folder, url) => {
    await withEngine(url, (engine) => engine.trigger(chain, "k", { data: { n: 0 } }));
    const ids = new Set([url.slice(5)].map((path) => JSON.stringify(sql(path, idOf))));
    let from = url.slice("file:".length);
    for (let generation = 0; generation < 5; generation++) {
      const to = `${folder}/${generation}.db`;
      await restoreStore({ from, url: `file:${to}` });
      ids.add(JSON.stringify(sql(to, idOf)));
      from = to;
    }
    assert.equal(ids.size, 6);
    await withEngine(`file:${from}`, async (engine) => {
      await engine.trigger(chain, "k2", { data: { n: 0 } });
      assert.deepEqual((await engine.admin.verify()).findings, []);
      await engine.tick();
    });
    sql(from, "update pawl_shard set version = 281474976710656 - 1099511627776 - 274877906944 + 1");
    const worn = restoreStore({ from, url: `file:${folder}/worn.db` });
    await assert.rejects(worn, { code: "LIMIT_EXCEEDED", message: /admin.export\(\) and admin.import\(\)/ });
    assert.ok(!(await filesOf(folder)).some((name) => name.includes("worn")));
    await withEngine(`file:${from}`, (engine) => engine.trigger(chain, "k3", { data: { n: 0 } }));
  },
);

const idOf = "select value from pawl_meta where name = 'id'";

inFolder(
  "backupStore() and restoreStore() refuse what they cannot do, and leave nothing behind",
  async (folder, url) => {
    await withEngine(url, (engine) => engine.trigger(chain, "k", { data: { n: 0 } }));
    await Deno.writeTextFile(`${folder}/taken.db`, "mine");
    await Deno.writeTextFile(`${folder}/text.db`, "this is a text and no database ".repeat(100));
    await Deno.writeTextFile(`${folder}/logged.db-wal`, "of another");
    sql(`${folder}/foreign.db`, "create table t (x)");
    await backupStore({ url, to: `${folder}/newer.db` });
    sql(`${folder}/newer.db`, "update pawl_meta set value = '2' where name = 'format'");
    const whole = await Deno.readFile(`${folder}/pawl.db`);
    await Deno.writeFile(`${folder}/cut.db`, whole.slice(0, whole.length / 2));
    const before = await filesOf(folder);
    const to = `${folder}/to.db`;
    const cases: [() => Promise<unknown>, string, RegExp][] = [
      [
        () => backupStore({ url, to: `${folder}/taken.db` }),
        "INVALID_ARGUMENT",
        /taken.db" is there already/,
      ],
      [
        () => backupStore({ url, to: `${folder}/logged.db` }),
        "INVALID_ARGUMENT",
        /logged.db-wal" is there already/,
      ],
      [() => backupStore({ url, to: `${folder}/none/to.db` }), "STORE_FAILED", /does its folder exist/],
      [() => backupStore({ url: `file:${folder}/none.db`, to }), "STORE_FAILED", /there is no file/],
      [() => backupStore({ url: `file:${folder}/text.db`, to }), "STORE_CORRUPT", /no SQLite database/],
      [() => backupStore({ url: `file:${folder}/cut.db`, to }), "STORE_CORRUPT", /damaged/],
      [
        () => backupStore({ url: `file:${folder}/foreign.db`, to }),
        "STORE_INCOMPATIBLE",
        /holds no Pawl store/,
      ],
      [
        () => backupStore({ url: `file:${folder}/newer.db`, to }),
        "STORE_INCOMPATIBLE",
        /has format 2, .* newer Pawl/,
      ],
      [() => backupStore({ url: ":memory:", to }), "INVALID_ARGUMENT", /admin.export/],
      [() => backupStore({ url: "http://localhost:1", to }), "INVALID_ARGUMENT", /admin.export/],
      [() => backupStore({ url, to: `file:${to}` }), "INVALID_ARGUMENT", /path of a file/],
      [
        () => restoreStore({ from: `${folder}/none.db`, url: `file:${to}` }),
        "STORE_FAILED",
        /there is no file/,
      ],
      [
        () => restoreStore({ from: `${folder}/newer.db`, url: `file:${to}` }),
        "STORE_INCOMPATIBLE",
        /has format 2/,
      ],
      [() => restoreStore({ from: `${folder}/pawl.db`, url }), "INVALID_ARGUMENT", /is there already/],
    ];
    for (const [doing, code, message] of cases) await assert.rejects(doing(), { code, message });
    assert.deepEqual(await filesOf(folder), before);
    assert.equal(await Deno.readTextFile(`${folder}/taken.db`), "mine");
  },
);

inFolder("backupStore() twice to one path makes one backup, and refuses the other", async (folder, url) => {
  await withEngine(url, (engine) => engine.trigger(chain, "k", { data: { n: 0 } }));
  const both = [1, 2].map(() => backupStore({ url, to: `${folder}/backup.db` }));
  const results = await Promise.allSettled(both);
  assert.deepEqual(results.map((each) => each.status).sort(), ["fulfilled", "rejected"]);
  const lost = results.find((each) => each.status === "rejected")!;
  assert.equal(lost.reason.code, "INVALID_ARGUMENT");
  assert.deepEqual(await filesOf(folder), ["backup.db", "pawl.db"]);
});
