/**
 * `engine.streams`: what is told of runs, to whom, in which order; and what is left when it is old.
 *
 * @module
 */
import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import {
  type Deliveries,
  type Engine,
  machine,
  PawlError,
  runStateTopic,
  statusTopic,
  type StreamEvent,
} from "../../mod.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import { testInMemory, testOnStores, World } from "./stores.ts";

interface Job {
  n: number;
}

const streamed = machine<Job>("flow", { stream: true, pauseRetry: false })
  .step("a", ["b"], (run) => {
    if (run.data.n === 7 && run.attempt < 3) throw new Error("fails twice");
    return run.data.n === 9 ? run.fail("as planned") : "b";
  }, { retry: { initial: "1s" } })
  .step("b", ["c"], (run) => run.data.n++ < 2 ? run.repeat() : "c", { lag: "1s" })
  .build();

const topics = ["flow-a", "flow-b", "flow-run-state-change"];

/** What has come so far, without waiting for more. */
class Seen {
  readonly events: StreamEvent[] = [];
  isOver = false;
  error: unknown;
  readonly #deliveries: Deliveries;

  constructor(deliveries: Deliveries, acks = true) {
    this.#deliveries = deliveries;
    this.#pump(acks).catch((error) => this.error = error);
  }

  get brief(): string[] {
    return this.events.map(({ topic, headers }) =>
      `${topic} ${headers!.key} ${headers!.kind} ${headers!.runState}`
    );
  }

  async end(): Promise<void> {
    await this.#deliveries[Symbol.asyncIterator]().return?.();
  }

  async #pump(acks: boolean): Promise<void> {
    for await (const { event, ack } of this.#deliveries) {
      this.events.push(event);
      if (acks) await ack();
    }
    this.isOver = true;
  }
}

async function listen(engine: Engine, topic: string, name = "r", options = {}): Promise<Seen> {
  return new Seen(await engine.streams.receive(topic, name, options));
}

async function everything(world: World, engine: Engine): Promise<StreamEvent[]> {
  const all = await Promise.all(topics.map((topic) => listen(engine, topic, `${world.clock.now()} all`)));
  await world.settle();
  await Promise.all(all.map((each) => each.end()));
  return all.flatMap((each) => each.events)
    .sort((a, b) => Number(a.headers!.recordVersion) - Number(b.headers!.recordVersion));
}

async function rowsOf(world: World, space: { range(): { start: string; end: string } }): Promise<number> {
  const { shards } = world.store;
  const found = await world.store.read(
    Array.from({ length: shards }, (_, shard) => ({ shard, ops: [{ ...space.range(), limit: 1_000 }] })),
  );
  return found.flat(2).length;
}

testOnStores("each transition of a run is told once, on the topic that is its own", async (world) => {
  const engine = await world.started({ definitions: [streamed] });
  const live = await Promise.all(topics.map((topic) => listen(engine, topic)));
  const { runId } = await engine.trigger(streamed, "k", { data: { n: 1 } });
  await world.settle();
  assert.equal(live.flatMap((each) => each.events).length, 2, "heard of without time going by");
  await engine.pause(streamed, "k");
  await world.settle();
  assert.equal(live.flatMap((each) => each.events).length, 3, "heard of without time going by");
  await world.advance(5_000);
  await engine.resume(streamed, "k");
  await world.advance(5_000);
  const wanted = [
    "flow-a k trigger initiated",
    "flow-b k move running",
    "flow-run-state-change k pause paused",
    "flow-b k resume running",
    "flow-b k repeat running",
    "flow-run-state-change k move completed",
  ];
  const events = await everything(world, engine);
  assert.deepEqual(new Set(events.map(({ key }) => key)), new Set([runId]));
  assert.equal(new Set(events.map(({ id }) => id)).size, wanted.length);
  const brief = (list: readonly StreamEvent[]) =>
    list.map(({ topic, headers }) => `${topic} ${headers!.key} ${headers!.kind} ${headers!.runState}`);
  assert.deepEqual(brief(events), wanted);
  const heard = live.flatMap((each) => each.brief).sort();
  assert.deepEqual(heard, [...wanted].sort());
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

testOnStores("failed attempts tell nobody; the move after them, a failure and a cancel do", async (world) => {
  const engine = await world.started({ definitions: [streamed] });
  await engine.trigger(streamed, "retried", { data: { n: 7 } });
  await engine.trigger(streamed, "failed", { data: { n: 9 } });
  await world.advance(60_000);
  await engine.trigger(streamed, "cancelled", { data: { n: 0 } });
  await world.settle();
  await engine.cancel(streamed, "cancelled");
  const kinds = (await everything(world, engine)).reduce(
    (all, { headers }) => ({ ...all, [headers!.key!]: `${all[headers!.key!] ?? ""}${headers!.kind} ` }),
    {} as Record<string, string>,
  );
  assert.deepEqual(kinds, {
    retried: "trigger move move ",
    failed: "trigger fail ",
    cancelled: "trigger move cancel ",
  });
});

testOnStores("a definition without a stream writes no row of a log", async (world) => {
  const quiet = machine<Job>("flow").step("a", ["b"], () => "b").build();
  const engine = await world.started({ definitions: [quiet] });
  await engine.trigger(quiet, "k", { data: { n: 0 } });
  await world.advance(1_000);
  assert.equal((await engine.get(quiet, "k"))!.runState, "completed");
  assert.equal(await rowsOf(world, keyspace.log), 0);
});

testOnStores("a receiver of all shards' logs goes on where it acked, and misses nothing", async (world) => {
  const engine = await world.started({ definitions: [streamed] });
  const count = 60;
  const seen = new Map<string, number>();
  let [sent, acked, again] = [0, 0, 0];
  while (acked < count) {
    for (let n = 0; n < 9 && sent < count; n++) {
      await engine.trigger(streamed, `k${sent++}`, { data: { n: 5 } });
    }
    const iterator = (await engine.streams.receive("flow-a", "r"))[Symbol.asyncIterator]();
    const given = Math.min(7, sent - acked);
    for (let taken = 0; taken < given; taken++) {
      const { value } = await world.during(iterator.next());
      const key = value!.event.headers!.key!;
      if (seen.has(key)) again++;
      seen.set(key, acked);
      if (taken < 5) acked++, await value!.ack();
    }
    await iterator.return!();
  }
  assert.equal(seen.size, count);
  assert.ok(again <= 2 * count / 5, `${again} came again`);
});

testOnStores("a receiver hears of what other engines write, by hint or by poll", async (world) => {
  const worker = await world.started({ definitions: [streamed] });
  const { watch: _, ...deaf } = Object.assign(Object.create(null), {
    limits: world.store.limits,
    shards: world.store.shards,
    read: (requests: never) => world.store.read(requests),
    commit: (calls: never) => world.store.commit(calls),
    close: () => world.store.close(),
  });
  // One that carries no definition at all; the other's store gives no hints.
  const [near, far] = [world.engine({ definitions: [] }), world.engine({ definitions: [], store: deaf })];
  const [soon, later] = [await listen(near, "flow-a", "near"), await listen(far, "flow-a", "far")];
  await world.settle();
  await worker.trigger(streamed, "k", { data: { n: 0 } });
  await world.settle();
  assert.equal(soon.events.length, 1);
  await world.advance(500);
  assert.equal(later.events.length, 1);
});

testOnStores("receive() from latest of a definition's topic begins when it resolves", async (world) => {
  const engine = await world.started({ definitions: [streamed] });
  for (let n = 0; n < 9; n++) await engine.trigger(streamed, `old ${n}`, { data: { n: 0 } });
  const seen = await listen(engine, "flow-a", "r", { from: "latest" });
  for (let n = 0; n < 9; n++) await engine.trigger(streamed, `new ${n}`, { data: { n: 0 } });
  await world.settle();
  assert.deepEqual(
    seen.events.map(({ headers }) => headers!.key).sort(),
    Array.from({ length: 9 }, (_, n) => `new ${n}`),
  );
});

testOnStores(
  "events of users' topics that are past their time are removed, a bounded number at a time",
  async (world) => {
    const engine = world.engine({ definitions: [], keepEvents: "1h" });
    const other = { id: "1", key: "k", type: "t" };
    for (let n = 0; n < 250; n++) await engine.streams.send("t", [{ ...other, id: `${n}` }]);
    await world.advance(3_700_000);
    assert.equal(await rowsOf(world, keyspace.event), 250);
    await engine.streams.send("t", [other]);
    assert.equal(await rowsOf(world, keyspace.event), 51);
    await engine.streams.send("t", [other]);
    assert.equal(await rowsOf(world, keyspace.event), 2);
    const seen = await listen(engine, "t");
    await world.settle();
    assert.equal(seen.events.length, 2);
  },
);

testInMemory("nothing of streams runs while nobody waits, and little while somebody does", async (world) => {
  const engine = world.engine({ definitions: [streamed] });
  const before = world.clock.timers;
  const deliveries = await engine.streams.receive("flow-a", "r");
  assert.equal(world.clock.timers, before);
  const waiting = deliveries[Symbol.asyncIterator]().next();
  await world.settle();
  assert.equal(world.clock.timers, before + 1);
  const reads = engine.admin.counts().reads;
  await world.advance(60_000);
  assert.equal(engine.admin.counts().reads - reads, 120);
  await deliveries[Symbol.asyncIterator]().return!();
  assert.equal((await waiting).done, true);
  assert.equal(world.clock.timers, before);
});

testInMemory(
  "receivers end without an error when their engine stops, and no more are opened",
  async (world) => {
    const engine = world.engine({ definitions: [streamed] });
    const seen = await listen(engine, "flow-a");
    await world.settle();
    await engine.stop();
    await world.settle();
    assert.deepEqual([seen.isOver, seen.error], [true, undefined]);
    await assert.rejects(engine.streams.receive("t", "r"), { code: "ENGINE_STOPPED" });
    await assert.rejects(engine.streams.send("t", []), { code: "ENGINE_STOPPED" });
    assert.equal(world.clock.timers, 0);
  },
);

testInMemory("a receiver waits for a store that fails, and passes over a damaged row", async (world) => {
  const { store } = world;
  let broken = false;
  const flaky = {
    ...{ limits: store.limits, shards: store.shards, close: () => store.close() },
    commit: (calls: Parameters<typeof store.commit>[0]) => store.commit(calls),
    read: (requests: Parameters<typeof store.read>[0]) =>
      broken ? Promise.reject(new PawlError("STORE_FAILED", "read failed")) : store.read(requests),
  };
  const engine = world.engine({ definitions: [streamed], store: flaky });
  const seen = await listen(engine, "t");
  await engine.streams.send("t", [{ id: "1", key: "k", type: "t" }]);
  const damaged = {
    checks: [],
    deletes: [],
    puts: [{ key: keyspace.event.front("t"), value: "{", stamped: true }],
  };
  await store.commit([{ shard: 0, committer: { id: "x", callId: "1" }, batches: [damaged] }]);
  await world.settle();
  broken = true;
  await engine.streams.send("t", [{ id: "2", key: "k", type: "t" }]);
  await world.advance(20_000);
  assert.deepEqual(seen.events.map(({ id }) => id), ["1"]);
  broken = false;
  await world.advance(10_000);
  assert.deepEqual(seen.events.map(({ id }) => id), ["1", "2"]);
});

testInMemory("a user's topic that is named like a definition's is told of both", async (world) => {
  const engine = await world.started({ definitions: [streamed] });
  assert.equal(statusTopic("flow", "a"), "flow-a");
  assert.equal(runStateTopic("flow"), "flow-run-state-change");
  await engine.streams.send("flow-a", [{ id: "own", key: "k", type: "t" }]);
  await engine.trigger(streamed, "k", { data: { n: 0 } });
  await engine.streams.send("flow-a", [{ id: "own 2", key: "k", type: "t" }]);
  const seen = await listen(engine, "flow-a");
  await world.settle();
  assert.deepEqual(seen.events.map(({ type }) => type), ["t", "a", "t"]);
});

testOnStores("two receivers of one name move its cursor to the furthest ack of either", async (world) => {
  const [one, two] = [world.engine({ definitions: [] }), world.engine({ definitions: [] })];
  await one.streams.send("t", Array.from({ length: 9 }, (_, n) => ({ id: `${n}`, key: "k", type: "t" })));
  const open = async (engine: Engine) => (await engine.streams.receive("t", "r"))[Symbol.asyncIterator]();
  const [near, far] = [await open(one), await open(two)];
  const take = async (from: typeof near, count: number) => {
    for (let n = 1;; n++) {
      const { value } = await world.during(from.next());
      if (n === count) return value!;
    }
  };
  await (await take(far, 6)).ack();
  await (await take(near, 2)).ack();
  assert.equal((await take(await open(one), 1)).event.id, "6");
  await (await take(near, 6)).ack();
  assert.equal((await take(await open(two), 1)).event.id, "8");
});

testOnStores(
  "a send that is larger than a row of the store takes is cut, and arrives whole",
  async (world) => {
    const engine = world.engine({ definitions: [] });
    const text = "x".repeat(250_000);
    const sent = Array.from(
      { length: 80 },
      (_, n) => ({ id: `${n}`, key: "k", type: "t", data: { text, n } }),
    );
    await engine.streams.send("t", sent);
    const iterator = (await engine.streams.receive("t", "r"))[Symbol.asyncIterator]();
    for (let n = 0; n < 80; n++) assert.equal((await world.during(iterator.next())).value!.event.id, `${n}`);
    await iterator.return!();
  },
);

Deno.test("a topic of two lists is given in the order of the shard, however short its pages are", async () => {
  const world = new World(memoryStore({ limits: { entriesPerRangeMax: 3 } }));
  const engine = world.engine({ definitions: [streamed] });
  const wanted: string[] = [];
  for (let n = 0; n < 40; n++) {
    // Seven of one list, then seven of the other.
    if (Math.floor(n / 7) % 2 === 0) await engine.trigger(streamed, `k${n}`, { data: { n: 0 } });
    else {await engine.streams.send("flow-a", [{
        id: `${n}`,
        key: `k${n}`,
        type: "t",
        headers: { key: `k${n}` },
      }]);}
    wanted.push(`k${n}`);
    await world.advance(10);
  }
  const seen = await listen(engine, "flow-a");
  await world.settle();
  assert.deepEqual(seen.events.map(({ headers }) => headers!.key), wanted);
  await world.end();
});

testInMemory(
  "verify() sees rows of streams that are damaged, misplaced, or tell what never was",
  async (world) => {
    const engine = await world.started({ definitions: [streamed] });
    const { runId } = await engine.trigger(streamed, "k", { data: { n: 0 } });
    await world.advance(10_000);
    assert.deepEqual((await engine.admin.verify()).findings, []);
    const row = {
      topic: "flow-a",
      runId,
      key: "k",
      status: "a",
      runState: "running",
      recordVersion: 99,
      at: 1,
      kind: "move",
    };
    const held = { version: 1, since: 1, attempts: 1, due: 1, error: "" };
    const puts = [
      { key: keyspace.log.front("flow"), value: JSON.stringify(row), stamped: true },
      { key: keyspace.log.front("other"), value: "{", stamped: true },
      { key: keyspace.held.key("flow", "0".repeat(30)), value: JSON.stringify(held) },
      { key: keyspace.cursor.key("flow-a", "r"), value: JSON.stringify({ places: [[7, 1, 0]] }) },
      { key: keyspace.event.front("t"), value: "{}", stamped: true },
      { key: keyspace.relay.key("flow"), value: "{}" },
    ];
    const batch = { checks: [], deletes: [], puts };
    await world.store.commit([{ shard: 0, committer: { id: "x", callId: "1" }, batches: [batch] }]);
    const findings = (await engine.admin.verify()).findings.map(({ invariant, key }) =>
      `${invariant} ${key.split(" ")[0]}`
    );
    assert.deepEqual(findings.sort(), [
      "I8 held",
      "I8 log",
      "record cursor",
      "record event",
      "record log",
      "record relay",
    ]);
  },
);

testOnStores("a deletion is told on the delete topic, and its end with the run states", async (world) => {
  const engine = await world.started({ definitions: [streamed] });
  await engine.trigger(streamed, "k", { data: { n: 5 } });
  await world.advance(5_000);
  const [wish, states] = [await listen(engine, "flow-delete"), await listen(engine, "flow-run-state-change")];
  await engine.deleteData(streamed, "k");
  await world.advance(5_000);
  assert.deepEqual(wish.brief, ["flow-delete k delete-request deletion-requested"]);
  assert.deepEqual(states.brief, [
    "flow-run-state-change k move completed",
    "flow-run-state-change k delete deleted",
  ]);
  assert.deepEqual((await engine.admin.verify()).findings, []);
});
