import assert from "node:assert/strict";
import { createClient } from "@libsql/client/web";
import { createEngine, machine, PawlError, silentLogger } from "pawl";
import { libsqlStore } from "pawl/adapters/libsql";
import type { Store } from "../../core/store/store.ts";
import { StoreProbe } from "../../core/testing/store_probe.ts";
import { schemes, testOverWires } from "./lab.ts";
import { startSqld, testWithSqld } from "./server.ts";
import { testKeys } from "./tokens.ts";

/** The error of an action, which must not say the token. */
async function errorOf(action: () => Promise<unknown>, secret = "no secret"): Promise<PawlError> {
  const error = await action().then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof PawlError, `got ${error}`);
  assert.ok(!error.message.includes(secret), "the message says the token");
  return error;
}

/** Uses a store, and closes it. */
async function using<T>(store: Store, use: (probe: StoreProbe) => Promise<T>): Promise<T> {
  try {
    // A committer of its own name: on a server the last answers of the one before are kept.
    return await use(new StoreProbe(store, crypto.randomUUID()));
  } finally {
    await store.close();
  }
}

testWithSqld(
  "libsqlStore() says STORE_UNAUTHORIZED of a token that is wrong, missing or expired",
  async () => {
    const keys = await testKeys();
    const server = await startSqld({ keys });
    const stranger = await (await testKeys()).sign({ a: "rw" });
    const expired = await keys.sign({ a: "rw", exp: 1_000 });
    for (const scheme of schemes) {
      const url = server.url(scheme);
      for (const authToken of [undefined, "junk", stranger, expired]) {
        await using(libsqlStore({ url, ...(authToken !== undefined && { authToken }) }), async (probe) => {
          for (const action of [() => probe.get("a"), () => probe.put("a", 1)]) {
            const error = await errorOf(action, authToken);
            assert.equal(error.code, "STORE_UNAUTHORIZED", error.message);
            assert.ok(error.message.includes(`"${url}"`), error.message);
            assert.match(error.message, authToken === undefined ? /no token was given/ : /was not accepted/);
            assert.match(error.message, /authToken/);
          }
        });
      }
      const hidden = libsqlStore({ url: `${url}?authToken=${stranger}` });
      await using(hidden, async (probe) => {
        assert.equal((await errorOf(() => probe.get("a"), stranger)).code, "STORE_UNAUTHORIZED");
      });
      const client = createClient({ url });
      await using(libsqlStore({ client }), async (probe) => {
        assert.equal((await errorOf(() => probe.put("a", 1))).code, "STORE_UNAUTHORIZED");
      });
      client.close();
      await using(
        libsqlStore({ url, authToken: await keys.sign({ a: "rw" }) }),
        (probe) => probe.put("a", 1),
      );
    }
    await server.stop();
  },
);

testWithSqld(
  "libsqlStore() reads with a token that may only read, and says STORE_READ_ONLY of writes",
  async () => {
    const keys = await testKeys();
    const server = await startSqld({ keys });
    const [full, reader] = [await keys.sign({ a: "rw" }), await keys.sign({ a: "ro" })];
    const url = server.url("http");
    await using(libsqlStore({ url, authToken: reader }), async (probe) => {
      assert.equal((await errorOf(() => probe.get("a"))).code, "STORE_READ_ONLY", "nothing is there to read");
    });
    await using(libsqlStore({ url, authToken: full }), (probe) => probe.put("a", 1));
    for (const scheme of schemes) {
      await using(libsqlStore({ url: server.url(scheme), authToken: reader }), async (probe) => {
        assert.equal(await probe.value("a"), 1);
        const error = await errorOf(() => probe.put("a", 2), reader);
        assert.equal(error.code, "STORE_READ_ONLY", error.message);
        assert.match(error.message, /authToken that may read and write/);
        assert.equal(await probe.value("a"), 1);
      });
    }
    // Over a WebSocket the server only hangs up, and of a client's token the store knows nothing.
    const client = createClient({ url: server.url("ws"), authToken: reader });
    await using(libsqlStore({ client }), async (probe) => {
      const error = await errorOf(() => probe.put("a", 2));
      assert.equal(error.code, "STORE_FAILED");
      assert.match(error.message, /Unexpected EOF \(.*a token that may only read/);
    });
    client.close();
    await server.stop();
  },
);

testWithSqld("trigger() with a token that may only read is refused at once", async () => {
  const keys = await testKeys();
  const server = await startSqld({ keys });
  const job = machine("job").step("new", ["done"], () => "done").build();
  for (const scheme of schemes) {
    const store = libsqlStore({ url: server.url(scheme), authToken: await keys.sign({ a: "ro" }) });
    const engine = createEngine({ store, definitions: [job], logger: silentLogger });
    const triggers = Array.from({ length: 100 }, (_, n) => errorOf(() => engine.trigger(job, `k${n}`)));
    for (const error of await Promise.all(triggers)) assert.equal(error.code, "STORE_READ_ONLY");
    assert.ok(engine.admin.counts().commits <= 2, "a refusal of the whole store is not cut in halves");
    await engine.stop();
    await store.close();
  }
  await server.stop();
});

testOverWires(
  "libsqlStore() says STORE_FAILED with the reason when it cannot be opened",
  async (server, scheme) => {
    const port = server.port;
    await server.kill();
    const urls: [string, RegExp][] = [
      [`${scheme}://127.0.0.1:${port}`, /tcp connect error/],
      [`${scheme}://no.such.host.invalid`, /dns error/],
    ];
    for (const [url, reason] of urls) {
      await using(libsqlStore({ url }), async (probe) => {
        for (const action of [() => probe.get("a"), () => probe.put("a", 1)]) {
          const error = await errorOf(action);
          assert.equal(error.code, "STORE_FAILED", error.message);
          assert.ok(error.message.startsWith(`Cannot open store "${url}": `), error.message);
          assert.match(error.message, reason);
          assert.match(error.message, /is the server up, and is that its address/);
        }
      });
    }
  },
);

testWithSqld("libsqlStore() says so when its address is no libSQL server's", async () => {
  const abort = new AbortController();
  const other = Deno.serve(
    { port: 0, hostname: "127.0.0.1", signal: abort.signal, onListen: () => {} },
    () => new Response("not here", { status: 404 }),
  );
  await using(libsqlStore({ url: `http://127.0.0.1:${other.addr.port}` }), async (probe) => {
    const error = await errorOf(() => probe.put("a", 1));
    assert.equal(error.code, "STORE_FAILED");
    assert.match(error.message, /404; is that the address of a libSQL server/);
  });
  abort.abort();
  await other.finished;
});

testOverWires("close() of a client ends the store that was given it, and says so", async (server, scheme) => {
  const client = createClient({ url: server.url(scheme) });
  await using(libsqlStore({ client }), async (probe) => {
    await probe.put("a", 1);
    client.close();
    for (const action of [() => probe.get("a"), () => probe.put("a", 1)]) {
      const error = await errorOf(action);
      assert.equal(error.code, "STORE_FAILED");
      assert.match(error.message, /client it was given is closed/);
    }
  });
});
