import assert from "node:assert/strict";
import { createEngine, machine, silentLogger } from "pawl";
import { libsqlStore } from "pawl/adapters/libsql";
import { batch, fates, put, StoreProbe } from "../../core/testing/store_probe.ts";
import { testOverWires, withEngine } from "./lab.ts";
import { type SqldProxy, startProxy } from "./proxy.ts";

const job = machine<{ n: number }>("job").step("new", ["mid"], () => "mid").step(
  "mid",
  ["done"],
  () => "done",
)
  .build();

/** How many reads and writes an action costs. */
async function cost(proxy: SqldProxy, action: () => Promise<unknown>): Promise<readonly [number, number]> {
  const from = proxy.seen.length;
  await action();
  const seen = proxy.seen.slice(from).map((each) => each.kind);
  return [seen.filter((kind) => kind === "read").length, seen.filter((kind) => kind === "write").length];
}

testOverWires("read() and commit() are one request each", async (server, scheme) => {
  const proxy = startProxy(server.port);
  const probe = new StoreProbe(libsqlStore({ url: proxy.url(scheme), shards: 8 }));
  assert.deepEqual(await cost(proxy, () => probe.get("a")), [1, 2], "the first read opens the store");

  const shards = [0, 1, 2, 3, 4, 5, 6, 7];
  const calls = shards.map((shard) =>
    probe.call(Array.from({ length: 30 }, (_, n) => put(`k${n}`, n, { key: `k${n}`, version: null })), {
      shard,
    })
  );
  assert.deepEqual(await cost(proxy, () => probe.store.commit(calls)), [0, 1], "240 batches over 8 shards");
  const ops = [{ get: "k1" }, { start: "k", end: "l", limit: 50 }, {
    start: "k",
    end: "l",
    limit: 1,
    reverse: true,
  }];
  const read = () => probe.store.read(shards.map((shard) => ({ shard, ops })));
  assert.deepEqual(await cost(proxy, read), [1, 0], "24 ops over 8 shards");
  if (scheme === "ws") assert.equal(proxy.connections, 1);
  await probe.store.close();
  await proxy.close();
});

testOverWires("commit() refuses members of a group independently over the wire", async (server, scheme) => {
  const proxy = startProxy(server.port);
  const probe = new StoreProbe(libsqlStore({ url: proxy.url(scheme), shards: 2 }));
  const version = await probe.put("taken", 1);
  const absent = { key: "taken", version: null };
  const group = async () => {
    const results = await probe.store.commit([
      probe.call([put("a", 1), put("b", 1, absent), put("c", 1, { key: "taken", version })]),
      probe.call([put("d", 1)], { guard: absent }),
      probe.call([put("e", 1, absent), batch({ deletes: ["taken"] })], { shard: 1 }),
    ]);
    return results.map((result) => result.outcome === "done" ? fates(result.results) : result.outcome);
  };
  assert.deepEqual(
    await cost(proxy, async () => {
      assert.deepEqual(await group(), [["+", 0, "+"], "guard-failed", ["+", "+"]]);
    }),
    [0, 1],
  );
  assert.deepEqual(await probe.keys(), ["a", "c", "taken"]);
  assert.deepEqual(await probe.keys(undefined, 1), ["e"]);
  await probe.store.close();
  await proxy.close();
});

testOverWires("trigger() of many runs at once is one request", async (server, scheme) => {
  const proxy = startProxy(server.port);
  const store = libsqlStore({ url: proxy.url(scheme) });
  await withEngine(store, { definitions: [job] }, async (engine) => {
    await engine.trigger(job, "first", { data: { n: 0 } });
    const many = Array.from({ length: 100 }, (_, n) => n);
    const trigger = () => Promise.all(many.map((n) => engine.trigger(job, `k${n}`, { data: { n } })));
    assert.deepEqual(await cost(proxy, trigger), [0, 1]);
    // The refused ones are looked at in two reads, for all of them together: whose the key is, and how that run is.
    const again = () =>
      Promise.allSettled(["k1", "k2", "k3"].map((key) => engine.trigger(job, key, { data: { n: 1 } })));
    assert.deepEqual(await cost(proxy, again), [2, 1]);
  });
  await proxy.close();
});

/** What an idle engine asks: a read per poll; per half term a look; per third of a term a sign of life. */
testOverWires("start() makes an engine whose idle requests are bounded", async (server, scheme) => {
  const { virtualClock } = await import("../../core/testing/virtual_clock.ts");
  const proxy = startProxy(server.port);
  const store = libsqlStore({ url: proxy.url(scheme), shards: 16 });
  // Time is the test's, so this is a count of requests and not of seconds.
  const clock = virtualClock();
  const engine = createEngine({ store, clock, definitions: [job], logger: silentLogger });
  const drive = async (ms: number) => {
    for (let spent = 0; spent < ms; spent += 100) {
      await clock.advance(100);
      await quiet(proxy);
    }
  };
  // A busy server is waited for in the test's time, too.
  let isStarted = false;
  const started = engine.start().finally(() => isStarted = true);
  while (!isStarted) await drive(100);
  await started;
  await drive(1_000);
  const [reads, writes] = await cost(proxy, () => drive(30_000));
  // 60 polls and 6 looks; 9 signs of life. One more of each may fall on an edge.
  assert.ok(reads <= 60 + 6 + 2, `${reads} reads in 30 s`);
  assert.ok(writes <= 9 + 1, `${writes} writes in 30 s`);
  assert.ok(reads >= 30, `${reads} reads in 30 s: it does not poll`);
  await engine.stop({ grace: 0 });
  await store.close();
  await proxy.close();
});

/** Lets what is on the wire come to rest: virtual time does not wait for a real server. */
async function quiet(proxy: SqldProxy): Promise<void> {
  for (let before = -1; before !== proxy.seen.length;) {
    before = proxy.seen.length;
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
