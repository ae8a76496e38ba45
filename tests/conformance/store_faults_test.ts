/**
 * What a user meets when a store's file is not as it should be: each a typed error, and nothing half-written.
 *
 * @module
 */
import assert from "node:assert/strict";
import Database from "libsql";
import { libsqlDriver, type NativeClass } from "../../adapters/libsql/driver.ts";
import type { Driver } from "../../adapters/sql/driver.ts";
import { LocalStore } from "../../adapters/sql/local.ts";
import { type Host, sqliteDriver } from "../../adapters/sqlite/driver.ts";
import { seededRandom } from "../../core/ports/random.ts";
import { createEngine, machine, silentLogger, type Store, systemClock } from "../../mod.ts";
import { World } from "../engine/stores.ts";
import { fileStore } from "../file_store.ts";
import { ownSqlite } from "../own_sqlite.ts";
import { besideAnother, chain } from "./other_process.ts";

/** The libraries that the tests run on. */
type Library = "libsql" | "node:sqlite";

/** A test with a folder of its own, for each library. */
function inFolder(
  name: string,
  run: (folder: string, library: Library) => Promise<void>,
  ignore = false,
): void {
  for (const library of ["libsql", "node:sqlite"] as const) {
    Deno.test({
      name: `${name} (${library})`,
      ignore: ignore || library === "node:sqlite" && !ownSqlite,
      async fn() {
        const folder = await Deno.makeTempDir({ prefix: "pawl-" });
        try {
          await run(folder, library);
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      },
    });
  }
}

const job = machine<{ text: string }>("job")
  .step("a", ["b"], (run) => ((run.data.text += "!"), "b"))
  .step("b", ["c"], () => "c", { lag: "1m" })
  .build();

const engineOn = (store: Store) => createEngine({ store, definitions: [job], logger: silentLogger });

/** A connection of either library, as far as the tests use it. */
interface Opened {
  prepare(sql: string): { all(...args: unknown[]): unknown[] };
}

/** Drivers that tell what they have opened. */
const watched: Readonly<Record<Library, (opened: Opened[]) => Driver>> = {
  libsql: (opened) => libsqlDriver(watchedClass(Database as unknown as AnyClass, opened) as NativeClass),
  "node:sqlite"(opened) {
    const DatabaseSync = watchedClass(ownSqlite!.DatabaseSync as unknown as AnyClass, opened);
    return sqliteDriver({ getBuiltinModule: () => ({ DatabaseSync }) } as Host);
  },
};

// deno-lint-ignore no-explicit-any -- a class to be extended takes any arguments.
type AnyClass = new (...args: any[]) => Opened;

function watchedClass(native: AnyClass, opened: Opened[]): unknown {
  return class extends native {
    constructor(...args: unknown[]) {
      super(...args);
      opened.push(this);
    }
  };
}

/** A local store over a driver of the test's, and what that driver has opened. */
function faulty(path: string, library: Library) {
  const opened: Opened[] = [];
  const store = new LocalStore({
    url: `file:${path}`,
    path,
    durability: "full",
    busyTimeoutMs: 25,
    shards: 1,
    limits: {
      keyBytesMax: 8_192,
      valueBytesMax: 2 ** 24,
      writesPerCommitMax: 50_000,
      bytesPerCommitMax: 2 ** 27,
      opsPerReadMax: 10_000,
      entriesPerRangeMax: 10_000,
    },
    newId: seededRandom(7).hex(24),
    clock: systemClock(),
    loadDriver: () => watched[library](opened),
  });
  const pragma = (text: string) => opened.at(-1)!.prepare(`pragma ${text}`).all();
  return { store, pragma };
}

/** Fills a store until it is full, frees space, and looks whether everything goes on. */
async function livesThroughFull(store: Store, fill: () => Promise<void>, free: () => Promise<void>) {
  const world = new World(store);
  const engine = await world.started({ definitions: [job] });
  const { runId } = await engine.trigger(job, "before", { data: { text: "x" } });
  await world.settle();
  await fill();
  const refused = async () => {
    const big = { data: { text: "x".repeat(200_000) } };
    for (let n = 0; n < 200; n++) {
      try {
        await engine.trigger(job, `filler ${n}`, big);
      } catch (error) {
        return error as { code: string; message: string };
      }
    }
    throw new Error("the store never became full");
  };
  const error = await refused();
  assert.equal(error.code, "STORE_FULL");
  assert.match(error.message, /the disk or the quota is full/);
  // A step's result that is refused is kept, and tried again.
  await world.advance(61_000);
  await free();
  await world.advance(20_000);
  assert.equal((await engine.get(job, "before", { runId }))!.runState, "completed");
  await engine.trigger(job, "after", { data: { text: "y" } });
  await world.advance(70_000);
  assert.equal((await engine.get(job, "after"))!.data.text, "y!");
  assert.equal((await engine.list({ runState: ["initiated", "running", "paused"] })).items.length, 0);
  assert.deepEqual((await engine.admin.verify()).findings, []);
  await world.end();
  await store.close();
}

inFolder(
  "a store whose quota is full says so, and the same engine goes on when there is room",
  async (folder, library) => {
    const { store, pragma } = faulty(`${folder}/pawl.db`, library);
    const count = () => Object.values(pragma("page_count")[0] as object)[0] as number;
    await livesThroughFull(
      store,
      () => Promise.resolve(void pragma(`max_page_count = ${count()}`)),
      () => Promise.resolve(void pragma("max_page_count = 1000000")),
    );
  },
);

/** Mounts, if this user may; the tests that need it are ignored where not. */
async function mount(...args: string[]): Promise<boolean> {
  const command = new Deno.Command("mount", { args, stdout: "null", stderr: "null" });
  return (await command.output().catch(() => ({ success: false }))).success;
}

const unmount = (path: string) => new Deno.Command("umount", { args: ["-l", path] }).output();

const canMount = await (async () => {
  const folder = await Deno.makeTempDir();
  const may = await mount("-t", "tmpfs", "tmpfs", folder);
  if (may) await unmount(folder);
  await Deno.remove(folder);
  return may;
})();

inFolder(
  "a disk that is full is STORE_FULL, and the same engine goes on when there is room",
  async (folder, library) => {
    assert.ok(await mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", folder));
    try {
      await livesThroughFull(
        fileStore({ url: `file:${folder}/pawl.db` }, library),
        () => Promise.resolve(),
        async () => void await mount("-o", "remount,size=64m", folder),
      );
    } finally {
      await unmount(folder);
    }
  },
  !canMount,
);

/** Its code is `STORE_READ_ONLY` where the store tells that apart. */
const readOnly = (error: { readonly code: string; readonly message: string }) =>
  /^STORE_(READ_ONLY|FAILED)$/.test(error.code) && /read-only|only be read/.test(error.message);

inFolder("a store that may only be read says so, and nothing is half-written", async (folder, library) => {
  const { store, pragma } = faulty(`${folder}/pawl.db`, library);
  const engine = engineOn(store);
  await engine.trigger(job, "before", { data: { text: "x" } });
  pragma("query_only = 1");
  await assert.rejects(engine.trigger(job, "while", { data: { text: "x" } }), readOnly);
  await assert.rejects(engine.cancel(job, "before"), readOnly);
  assert.equal((await engine.get(job, "before"))!.runState, "initiated", "reading goes on");
  pragma("query_only = 0");
  await engine.trigger(job, "while", { data: { text: "x" } });
  assert.deepEqual((await engine.admin.verify()).findings, []);
  await store.close();
});

inFolder("a store on a disk that may only be read is refused when it is opened", async (folder, library) => {
  const url = `file:${folder}/pawl.db`;
  const first = fileStore({ url }, library);
  await engineOn(first).trigger(job, "k", { data: { text: "x" } });
  await first.close();
  assert.ok(await mount("--bind", folder, folder) && await mount("-o", "remount,bind,ro", folder));
  try {
    for (const each of [url, `file:${folder}/new.db`]) {
      const store = fileStore({ url: each }, library);
      await assert.rejects(
        engineOn(store).get(job, "k"),
        (error: { code: string; message: string }) =>
          readOnly(error) || /cannot be opened|Unable to open/.test(error.message),
      );
      await store.close();
    }
  } finally {
    await unmount(folder);
  }
  const again = fileStore({ url }, library);
  assert.equal((await engineOn(again).get(job, "k"))!.runState, "initiated");
  await again.close();
}, !canMount);

inFolder("a file that was cut off is STORE_CORRUPT, and no other error", async (folder, library) => {
  const path = `${folder}/pawl.db`;
  const first = fileStore({ url: `file:${path}` }, library);
  const engine = engineOn(first);
  for (let n = 0; n < 200; n++) await engine.trigger(job, `k${n}`, { data: { text: "x".repeat(1_000) } });
  await first.close();
  const whole = await Deno.readFile(path);
  let refused = 0;
  for (const part of [0.02, 0.1, 0.3, 0.5, 0.9]) {
    await Deno.writeFile(path, whole.slice(0, Math.floor(whole.length * part)));
    const store = fileStore({ url: `file:${path}` }, library);
    const reading = engineOn(store).admin.verify();
    await reading.catch((error) => {
      assert.equal(error.code, "STORE_CORRUPT", `${part}: ${error}`);
      assert.match(error.message, /store "file:.*damaged or no SQLite database/);
      refused++;
    });
    await store.close();
  }
  assert.equal(refused, 5);
  await Deno.writeFile(path, whole);
  const store = fileStore({ url: `file:${path}` }, library);
  assert.deepEqual((await engineOn(store).admin.verify()).findings, []);
  await store.close();
});

inFolder(
  "two processes work on one file, each with another library, and hear of each other's runs",
  async (folder, library) => {
    const url = `file:${folder}/pawl.db`;
    const store = fileStore({ url }, library);
    const engine = createEngine({
      store,
      definitions: [chain],
      logger: silentLogger,
      poll: 20,
      lease: { term: "1s" },
    });
    await engine.trigger(chain, "ours", { data: { n: 0 } });
    await besideAnother(url, async (more) => {
      assert.deepEqual(
        (await engine.await(chain, "ours", { timeout: "30s" })).data,
        { n: 2 },
        "the other runs it",
      );
      await engine.start();
      for (let n = 0; n < 6; n++) {
        await Promise.all([
          more(),
          engine.trigger(chain, `ours ${n}`, { data: { n } }),
          engine.await(chain, n === 0 ? "ours" : `ours ${n - 1}`, { timeout: "30s" }),
        ]);
      }
    }, library === "libsql" ? "node:sqlite" : "libsql");
    // It was killed while it owned the shard: what it held is taken over.
    await engine.await(chain, "ours 5", { timeout: "60s" });
    await engine.stop();
    assert.deepEqual((await engine.admin.verify()).findings, []);
    await store.close();
  },
);
