import assert from "node:assert/strict";
import { type Client, createClient } from "@libsql/client";
import Database from "libsql";
import { libsqlStore } from "pawl/adapters/libsql";
import { storeError } from "../../adapters/sql/errors.ts";
import { lostError, serverError, wasAnswered } from "../../adapters/libsql/server_errors.ts";
import type { Store } from "../../core/store/store.ts";
import { batch, fates, put, StoreProbe } from "../../core/testing/store_probe.ts";

/** A test with a folder of its own. */
function inFolder(name: string, run: (url: string, path: string) => Promise<void>): void {
  Deno.test(`libsqlStore() ${name}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await run(`file:${folder}/pawl.db`, `${folder}/pawl.db`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function withStore<T>(store: Store, use: (probe: StoreProbe) => Promise<T>): Promise<T> {
  try {
    return await use(new StoreProbe(store));
  } finally {
    await store.close();
  }
}

const use = (probe: StoreProbe) => probe.put("a", 1);

async function increment(probe: StoreProbe, times: number): Promise<void> {
  for (let done = 0; done < times;) {
    const entry = await probe.get("sum");
    const value = entry ? JSON.parse(entry.value) + 1 : 1;
    const [result] = await probe.commit([put("sum", value, { key: "sum", version: entry?.version ?? null })]);
    if (result!.ok) done++;
  }
}

inFolder("lets two stores of one file take turns and hint at each other's changes", async (url) => {
  const client = createClient({ url });
  await withStore(
    libsqlStore({ url }),
    (first) =>
      withStore(libsqlStore({ url }), (second) =>
        withStore(libsqlStore({ client }), async (third) => {
          for (const probe of [first, second, third]) await probe.get("sum");
          const hints = new Set<string>();
          first.store.watch!((shard, id) => hints.add(`${shard} ${id}`));
          const call = { ...second.call([put("hello", 1)]), committer: { id: "second", callId: "1" } };
          await second.store.commit([call]);
          await Promise.all([first, second, third].map((probe) => increment(probe, 20)));
          assert.equal(await first.value("sum"), 60);
          assert.ok(hints.has("0 second"));
        })),
  );
  client.close();
});

inFolder("says that a locked file is busy, and works when it no longer is", async (url, path) => {
  await withStore(libsqlStore({ url, busyTimeoutMs: 1 }), async (probe) => {
    await probe.put("a", 1);
    const other = new Database(path);
    other.exec("begin immediate");
    for (let attempt = 0; attempt < 3; attempt++) {
      await assert.rejects(probe.put("a", 2), { name: "StoreBusyError", code: "STORE_BUSY" });
      assert.equal(await probe.value("a"), 1);
    }
    other.exec("commit");
    other.close();
    await probe.put("a", 3);
    assert.equal(await probe.value("a"), 3);
  });
});

inFolder(
  "says that a given client's locked file is busy, and works when it no longer is",
  async (url, path) => {
    const client = createClient({ url });
    await withStore(libsqlStore({ client }), async (probe) => {
      await probe.put("a", 1);
      const other = new Database(path);
      other.exec("begin immediate");
      for (let attempt = 0; attempt < 3; attempt++) {
        await assert.rejects(probe.put("a", 2), { name: "StoreBusyError", code: "STORE_BUSY" });
      }
      other.exec("commit");
      other.close();
      await probe.put("a", 3);
      assert.equal(await probe.value("a"), 3);
    });
    client.close();
  },
);

inFolder("waits for a locked file when it opens it", async (url, path) => {
  const other = new Database(path);
  other.prepare("pragma journal_mode = wal").all([]);
  other.exec("begin immediate");
  await withStore(libsqlStore({ url, busyTimeoutMs: 1 }), async (probe) => {
    const opening = probe.put("a", 1);
    // The lock goes once the store has tried: it loads its driver, tries, and sleeps.
    setTimeout(() => {
      other.exec("commit");
      other.close();
    }, 0);
    await opening;
    assert.equal(await probe.value("a"), 1);
  });
});

inFolder("refuses a file that is no database", async (url, path) => {
  await Deno.writeTextFile(path, "this is a text and not a database ".repeat(100));
  await withStore(libsqlStore({ url }), async (probe) => {
    await assert.rejects(use(probe), { code: "STORE_CORRUPT", message: /no SQLite database/ });
    await assert.rejects(probe.get("a"), { code: "STORE_CORRUPT" });
    await Deno.remove(path);
    await use(probe);
    assert.equal(await probe.value("a"), 1);
  });
  const client = createClient({ url: ":memory:" });
  client.close();
  await withStore(libsqlStore({ client }), async (probe) => {
    await assert.rejects(use(probe), { code: "STORE_FAILED", message: /client it was given is closed/ });
  });
});

inFolder("refuses a file in a folder that is not there", async (url) => {
  await withStore(libsqlStore({ url: url.replace("pawl.db", "none/pawl.db") }), async (probe) => {
    await assert.rejects(use(probe), { code: "STORE_FAILED" });
  });
});

inFolder("refuses another shard count than the file was created with", async (url) => {
  await withStore(libsqlStore({ url, shards: 4 }), use);
  const message = /created with 4 shards, got 1; open it with shards: 4/;
  await withStore(libsqlStore({ url }), async (probe) => {
    await assert.rejects(use(probe), { code: "STORE_INCOMPATIBLE", message });
  });
  const client = createClient({ url });
  await withStore(libsqlStore({ client }), async (probe) => {
    await assert.rejects(use(probe), { code: "STORE_INCOMPATIBLE", message });
  });
  client.close();
  await withStore(libsqlStore({ url, shards: 4 }), async (probe) => {
    assert.equal(await probe.value("a"), 1);
  });
});

inFolder("refuses a newer format and leaves it alone", async (url, path) => {
  await withStore(libsqlStore({ url }), use);
  const other = new Database(path);
  other.exec("update pawl_meta set value = '2' where name = 'format'; drop table pawl_shard");
  await withStore(libsqlStore({ url }), async (probe) => {
    await assert.rejects(use(probe), {
      code: "STORE_INCOMPATIBLE",
      message: /has format 2, .* reads format 1/,
    });
  });
  const tables = other.prepare("select name from sqlite_schema where name = 'pawl_shard'").all([]);
  assert.deepEqual(tables, []);
  other.close();
});

inFolder("skips versions on opening, as a process that died may have given some out", async (url) => {
  const first = await withStore(libsqlStore({ url }), use);
  const second = await withStore(libsqlStore({ url }), use);
  assert.ok(second >= first + 2 ** 20, `${second} is not far above ${first}`);
  const client = createClient({ url });
  const third = await withStore(libsqlStore({ client }), use);
  assert.ok(third >= second + 2 ** 20, `${third} is not far above ${second}`);
  client.close();
});

inFolder("opens with one backend what the other has written", async (url) => {
  const client = createClient({ url });
  const version = await withStore(libsqlStore({ client }), use);
  await withStore(libsqlStore({ url, durability: "normal" }), async (probe) => {
    assert.deepEqual(await probe.get("a"), { key: "a", value: "1", version });
    const log = batch({ puts: [{ key: "log ", value: "1", stamped: true }], relaxed: true });
    assert.deepEqual(fates(await probe.commit([log])), ["+"]);
  });
  await withStore(libsqlStore({ client }), async (probe) => {
    const log = batch({ puts: [{ key: "log ", value: "2", stamped: true }] });
    assert.deepEqual(fates(await probe.commit([log])), ["+"]);
    const [found] = await probe.read([{ start: "log ", end: "log!", limit: 9 }]);
    assert.deepEqual(found!.map((entry) => entry.value), ["1", "2"]);
    for (const entry of found!) assert.equal(parseInt(entry.key.slice(4), 16), entry.version);
  });
  client.close();
});

inFolder("does not close a client that was handed in", async (url) => {
  const client = createClient({ url });
  await withStore(libsqlStore({ client }), use);
  assert.equal(client.closed, false);
  await withStore(libsqlStore({ client }), async (probe) => {
    assert.equal(await probe.value("a"), 1);
    assert.equal((await client.execute("select count(*) from pawl_scratch")).rows[0]![0], 0);
  });
  client.close();
});

inFolder("settles commits whose replies are lost", async (url) => {
  const client = createClient({ url });
  let lose: "reply" | "request" | undefined;
  const batchOf = async (...[statements, mode]: Parameters<Client["batch"]>) => {
    const losing = mode === "write" ? lose : undefined;
    if (losing === "request") throw new Error("connection refused");
    const results = await client.batch(statements, mode);
    if (losing === "reply") throw new Error("connection reset");
    return results;
  };
  const store = libsqlStore({ client: { protocol: "http", batch: batchOf, close: () => {} }, shards: 1 });
  await withStore(store, async (probe) => {
    await probe.get("a");
    const call = (callId: string, previous?: string, key?: string) => ({
      shard: 0,
      committer: { id: "me", callId, ...(previous !== undefined && { previous }) },
      batches: key === undefined ? [] : [put(key, 1)],
    });
    for (lose of ["reply", "request"] as const) {
      const lost = store.commit([call("2", lose === "reply" ? undefined : "2", lose)]);
      await assert.rejects(lost, { code: "OUTCOME_UNKNOWN" });
    }
    lose = undefined;
    const [answer] = await store.commit([call("3", undefined)]);
    assert.equal(answer?.outcome, "superseded");
    assert.deepEqual(await probe.keys(), ["reply"]);
    assert.deepEqual(await store.commit([call("4", "2")]), [{ outcome: "done", results: [] }]);
  });
  client.close();
});

Deno.test("libsqlStore() refuses options that it cannot use", () => {
  for (
    const url of ["pawl.db", "file:", "file:a.db?mode=ro", "file://host/a.db", "postgres://host", "file:%zz"]
  ) {
    assert.throws(() => libsqlStore({ url }), { code: "INVALID_ARGUMENT" }, url);
  }
  for (const shards of [0, -1, 1.5, 65_537]) {
    assert.throws(() => libsqlStore({ url: ":memory:", shards }), { code: "INVALID_ARGUMENT" });
  }
  assert.throws(() => libsqlStore({ url: ":memory:", busyTimeoutMs: -1 }), { code: "INVALID_ARGUMENT" });
  // @ts-expect-error: callers without types get the same answer.
  assert.throws(() => libsqlStore({ url: ":memory:", durability: "off" }), { code: "INVALID_ARGUMENT" });
});

inFolder("takes every spelling of a path", async (_url, path) => {
  await withStore(libsqlStore({ url: `file:${path}` }), use);
  const escaped = path.replace("pawl", "p%61wl");
  for (const url of [`file://${path}`, `file://localhost${path}`, `file:${escaped}`]) {
    await withStore(libsqlStore({ url }), async (probe) => assert.equal(await probe.value("a"), 1, url));
  }
});

Deno.test("libsqlStore() keeps memory stores apart", async () => {
  await withStore(
    libsqlStore({ url: ":memory:" }),
    (first) =>
      withStore(libsqlStore({ url: "file::memory:" }), async (second) => {
        await first.put("a", 1);
        assert.deepEqual(await second.keys(), []);
      }),
  );
});

Deno.test("storeError() gives each driver error its code", () => {
  const codes = {
    SQLITE_BUSY_SNAPSHOT: "STORE_BUSY",
    SQLITE_LOCKED: "STORE_BUSY",
    SQLITE_FULL: "STORE_FULL",
    SQLITE_CORRUPT_VTAB: "STORE_CORRUPT",
    SQLITE_NOTADB: "STORE_CORRUPT",
    SQLITE_READONLY_DBMOVED: "STORE_READ_ONLY",
    // As the native driver says it: a folder that may not be written, a snapshot that is too old.
    UNKNOWN_SQLITE_ERROR_1544: "STORE_READ_ONLY",
    UNKNOWN_SQLITE_ERROR_517: "STORE_BUSY",
    UNKNOWN_SQLITE_ERROR_99: "STORE_FAILED",
    TRANSACTION_TIMEOUT: "STORE_BUSY",
    SQLITE_IOERR_FSYNC: "STORE_FAILED",
  };
  for (const [code, wanted] of Object.entries(codes)) {
    const cause = Object.assign(new Error("seen"), { code });
    const error = storeError(cause, 'commit to store "x"');
    assert.equal(error.code, wanted, code);
    assert.equal(error.cause, cause);
    assert.match(error.message, /^Cannot commit to store "x": /);
    if (!code.startsWith("UNKNOWN")) {
      assert.equal(nameOf(cause, "write").code, wanted, `${code} from a server`);
    }
  }
  assert.equal(storeError("text", "commit").code, "STORE_FAILED");
});

/** The name that a link to a server gives to an error. */
function nameOf(error: unknown, mode: "read" | "write" | "open", authToken?: string) {
  const name = wasAnswered(error) ? serverError : lostError;
  return name(error, { doing: 'commit to store "x"', mode }, { authToken });
}

Deno.test("serverError() and lostError() tell what was refused from what is unknown", () => {
  const seen = (parts: object, mode: "read" | "write" | "open" = "write") =>
    nameOf(Object.assign(new Error("seen"), parts), mode).code;
  const status = (status: number) => ({ code: "SERVER_ERROR", cause: { status } });
  assert.equal(seen(status(400)), "STORE_FAILED");
  assert.equal(seen(status(401)), "STORE_UNAUTHORIZED");
  assert.equal(seen(status(403)), "STORE_READ_ONLY");
  assert.equal(seen(status(403), "read"), "STORE_UNAUTHORIZED");
  assert.equal(seen(status(429)), "STORE_BUSY");
  assert.equal(seen(status(408)), "OUTCOME_UNKNOWN");
  assert.equal(seen(status(502)), "OUTCOME_UNKNOWN");
  assert.equal(seen(status(502), "read"), "STORE_UNREACHABLE");
  assert.equal(seen(status(502), "open"), "STORE_FAILED");
  assert.equal(seen({ code: "AUTH_JWT_INVALID" }), "STORE_UNAUTHORIZED");
  assert.equal(seen({ code: "TRANSACTION_CLOSED", statementIndex: 3 }), "STORE_FAILED");
  assert.equal(seen({ code: "HRANA_WEBSOCKET_ERROR" }), "OUTCOME_UNKNOWN");
  assert.equal(seen({}), "OUTCOME_UNKNOWN");
  assert.equal(seen({}, "read"), "STORE_UNREACHABLE");
});

Deno.test("serverError() and lostError() never say the token or the password", () => {
  const secret = "eyJ0.eyJ1.c2ln";
  for (const parts of [{}, { cause: { status: 401 } }, { code: "SQLITE_X" }]) {
    const error = Object.assign(new Error(`at http://ann:pw@host/?t=${secret}`), parts);
    for (const mode of ["read", "write", "open"] as const) {
      assert.doesNotMatch(nameOf(error, mode, secret).message, /eyJ|pw/);
    }
  }
});
