import assert from "node:assert/strict";
import { type Engine, machine, type ReadOptions } from "../../mod.ts";
import { testInMemory, testOnStores } from "./stores.ts";

const flow = machine("flow", { stream: true }).step("a", ["b"], () => "b").step("b", ["c"], () => "c")
  .build();

/** What a reading has given so far. */
async function read(engine: Engine, topic: string, options: ReadOptions = {}) {
  const seen: { key: string; after: string }[] = [];
  const readings = await engine.streams.read(topic, options);
  const over = (async () => {
    for await (const { event, after } of readings) seen.push({ key: event.headers?.key ?? event.key, after });
  })();
  return { seen, over };
}

testOnStores("streams.read() goes on after any place that it gave, and keeps no cursor", async (world) => {
  const engine = await world.started({ definitions: [flow] });
  for (let n = 0; n < 6; n++) await engine.trigger(flow, `k${n}`);
  await world.advance(0);
  const abort = new AbortController();
  const { seen, over } = await read(engine, "flow-b", { signal: abort.signal });
  await world.advance(0);
  assert.deepEqual(seen.map(({ key }) => key).sort(), ["k0", "k1", "k2", "k3", "k4", "k5"]);
  for (const [index, { after }] of seen.entries()) {
    assert.match(after, /^[\d._]+$/);
    const rest = await read(engine, "flow-b", { after, signal: abort.signal });
    await world.advance(0);
    assert.deepEqual(
      rest.seen.map(({ key }) => key).sort(),
      seen.slice(index + 1).map(({ key }) => key).sort(),
    );
  }
  abort.abort();
  await over;
  const report = await engine.admin.verify();
  assert.ok(report.ok);
  const kinds = await Promise.all(
    Array.from(
      { length: world.store.shards },
      (_, shard) => world.store.read([{ shard, ops: [{ start: "cursor", end: "cursor~", limit: 10 }] }]),
    ),
  );
  assert.deepEqual(kinds.flat(3), [], "nothing is stored for a reader");
});

testInMemory("streams.read() goes on in the middle of events that were sent together", async (world) => {
  const engine = await world.started({ definitions: [] });
  const event = (n: number) => ({ id: `${n}`, key: `k${n}`, type: "told" });
  await engine.streams.send("news", [0, 1, 2, 3].map(event));
  const abort = new AbortController();
  const { seen } = await read(engine, "news", { signal: abort.signal });
  await world.advance(0);
  const rest = await read(engine, "news", { after: seen[1]!.after, signal: abort.signal });
  const late = await read(engine, "news", { from: "latest", signal: abort.signal });
  await engine.streams.send("news", [event(4)]);
  await world.advance(0);
  assert.deepEqual(rest.seen.map(({ key }) => key), ["k2", "k3", "k4"]);
  assert.deepEqual(late.seen.map(({ key }) => key), ["k4"]);
  abort.abort();
  for (const after of ["x", "1.2", "9.1.0", "0.1.0_", "0.-1.0"]) {
    await assert.rejects(engine.streams.read("news", { after }), { code: "INVALID_ARGUMENT" }, after);
  }
});
