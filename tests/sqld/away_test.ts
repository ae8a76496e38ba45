import assert from "node:assert/strict";
import { createClient } from "@libsql/client/web";
import { libsqlStore } from "pawl/adapters/libsql";
import { batch, put, StoreProbe } from "../../core/testing/store_probe.ts";
import { testOverWires, until } from "./lab.ts";
import { startProxy } from "./proxy.ts";

const requestTimeoutMs = 300;

const code = (promise: Promise<unknown>) =>
  promise.then(() => "ok", (error: { code?: string }) => error.code ?? String(error));

testOverWires(
  "commit() and read() of a store whose server is away surely do nothing, and work when it is back",
  async (server, scheme) => {
    const client = createClient({ url: server.url(scheme) });
    for (
      const store of [libsqlStore({ url: server.url(scheme), requestTimeoutMs }), libsqlStore({ client })]
    ) {
      const probe = new StoreProbe(store, crypto.randomUUID());
      await probe.put("a", 1);
      await server.kill();
      // What was under way when the server went is unknown; what is asked from then on was surely not sent.
      assert.equal(await code(probe.get("a")), "STORE_UNREACHABLE");
      for (let n = 0; n < 20; n++) {
        assert.equal(await code(probe.put("b", n)), "STORE_UNREACHABLE");
        assert.equal(await code(probe.get("a")), "STORE_UNREACHABLE");
      }
      await server.restart();
      await until(async () => await code(probe.put("c", 1)) === "ok");
      assert.deepEqual(await probe.keys(), ["a", "c"]);
      await probe.commit([batch({ deletes: ["a", "c"] })]);
      await store.close();
    }
    client.close();
  },
);

testOverWires(
  "commit() and read() end within requestTimeoutMs when a connection is half open",
  async (server, scheme) => {
    const client = createClient({ url: server.url(scheme) });
    const stores = [
      libsqlStore({ url: server.url(scheme), requestTimeoutMs }),
      libsqlStore({ client, requestTimeoutMs }),
    ];
    for (const store of stores) {
      const probe = new StoreProbe(store, crypto.randomUUID());
      await probe.put("a", 1);
      server.freeze();
      const codes = [code(probe.put("b", 1)), code(probe.get("a")), code(probe.get("b"))];
      assert.deepEqual(await Promise.all(codes), [
        "OUTCOME_UNKNOWN",
        "STORE_UNREACHABLE",
        "STORE_UNREACHABLE",
      ]);
      assert.equal(await code(probe.put("c", 1)), "STORE_UNREACHABLE");
      server.thaw();
      await until(async () => await code(probe.put("d", 1)) === "ok");
      assert.ok(!(await probe.keys()).includes("c"));
      await probe.commit([batch({ deletes: ["a", "b", "d"] })]);
      await store.close();
    }
    client.close();
  },
);

testOverWires(
  "a store leaves a connection on which nobody answers, also behind a client that was given",
  async (server, scheme) => {
    const proxy = startProxy(server.port);
    const client = createClient({ url: proxy.url(scheme) });
    const stores = [
      libsqlStore({ url: proxy.url(scheme), requestTimeoutMs }),
      libsqlStore({ client, requestTimeoutMs }),
    ];
    for (const store of stores) {
      const probe = new StoreProbe(store, crypto.randomUUID());
      await probe.put("a", 1);
      proxy.decide = () => "hang";
      assert.equal(await code(probe.put("b", 1)), "OUTCOME_UNKNOWN");
      proxy.decide = () => "pass";
      assert.equal(await code(probe.put("c", 1)), "ok");
      assert.ok(!(await probe.keys()).includes("b"));
      await probe.commit([batch({ deletes: ["a", "c"] })]);
      await store.close();
    }
    client.close();
    await proxy.close();
  },
);

testOverWires(
  "close() does not wait for a server that says nothing for longer than requestTimeoutMs",
  async (server, scheme) => {
    const store = libsqlStore({ url: server.url(scheme), requestTimeoutMs });
    const probe = new StoreProbe(store, crypto.randomUUID());
    await probe.put("a", 1);
    server.freeze();
    const pending = code(probe.put("b", 1));
    await store.close();
    assert.equal(await pending, "OUTCOME_UNKNOWN");
    server.thaw();
  },
);

testOverWires(
  "a store that is asked all the time knocks ever more seldom while its server is away",
  async (server, scheme) => {
    const proxy = startProxy(server.port);
    const store = libsqlStore({ url: proxy.url(scheme), requestTimeoutMs });
    const probe = new StoreProbe(store, crypto.randomUUID());
    await probe.put("a", 1);
    await server.kill();
    const before = proxy.connections;
    let asked = 0;
    for (const end = performance.now() + 1_000; performance.now() < end; asked++) {
      await code(probe.put("b", asked));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    // 50, 100, 200, 400 ms, and half of that at least: six knocks, and what was under way when it went.
    const knocks = proxy.connections - before;
    assert.ok(knocks <= 10, `${knocks} connections for ${asked} commits`);
    await server.restart();
    await until(async () => await code(probe.commit([put("c", 1)])) === "ok");
    await store.close();
    await proxy.close();
  },
);
