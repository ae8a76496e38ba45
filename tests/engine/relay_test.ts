/**
 * The relay: what is sent to another streamer, how often, in which order, and what happens when it cannot be.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type EventStreamer, machine, type NewEvent } from "../../mod.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import { testInMemory, testOnStores, type World } from "./stores.ts";

interface Job {
  n: number;
}

const flow = machine<Job>("flow", { stream: true, pauseRetry: false })
  .step("a", ["b"], () => "b")
  .step("b", ["c"], (run) => --run.data.n > 0 ? run.repeat() : "c", { lag: "1s" })
  .build();

/** A streamer that notes what it is sent, and refuses what the test says. */
class Sink implements EventStreamer {
  readonly sent: { readonly topic: string; readonly event: NewEvent }[] = [];
  calls = 0;
  refuses: (event: NewEvent) => boolean = () => false;
  hangs = false;

  async send(topic: string, events: readonly NewEvent[]): Promise<void> {
    this.calls++;
    if (this.hangs) await new Promise<never>(() => {});
    const bad = events.find((event) => this.refuses(event));
    if (bad) throw new Error(`refused ${bad.headers!.key}`);
    this.sent.push(...events.map((event) => ({ topic, event })));
  }

  receive(): Promise<never> {
    return Promise.reject(new Error("nobody receives here"));
  }

  /** Versions of the record that were told of, by key. */
  get told(): Record<string, number[]> {
    const told: Record<string, number[]> = {};
    for (const { event } of this.sent) {
      (told[event.headers!.key!] ??= []).push(Number(event.headers!.recordVersion));
    }
    return told;
  }
}

const isKey = (key: string) => (event: NewEvent) => event.headers!.key === key;
const range = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

async function rowsIn(world: World, space: { range(): { start: string; end: string } }): Promise<number> {
  const requests = Array.from({ length: world.store.shards }, (_, shard) => ({
    shard,
    ops: [{ ...space.range(), limit: 10_000 }],
  }));
  return (await world.store.read(requests)).flat(2).length;
}

testOnStores("the relay sends each transition once, in order per run, to its topic", async (world) => {
  const sink = new Sink();
  const engine = await world.started({ definitions: [flow], streams: sink });
  for (let n = 0; n < 20; n++) await engine.trigger(flow, `k${n}`, { data: { n: 2 } });
  await world.advance(5_000);
  assert.equal(Object.keys(sink.told).length, 20);
  for (const [key, told] of Object.entries(sink.told)) assert.deepEqual(told, range(4), key);
  const first = sink.sent.filter(({ event }) => event.headers!.key === "k0");
  assert.deepEqual(first.map(({ topic, event }) => `${topic} ${event.type} ${event.headers!.kind}`), [
    "flow-a a trigger",
    "flow-b b move",
    "flow-b b repeat",
    "flow-run-state-change c move",
  ]);
  assert.equal(new Set(sink.sent.map(({ event }) => event.id)).size, 80);
  assert.ok(sink.calls < 80, `${sink.calls} sends: events go together`);
  assert.deepEqual((await engine.admin.verify()).findings, []);
});

testOnStores(
  "the relay goes on where the last owner's was, after a stop and after a crash",
  async (world) => {
    const sink = new Sink();
    const first = world.mortal({ definitions: [flow], streams: sink });
    await world.during(first.engine.start());
    for (let n = 0; n < 10; n++) await first.engine.trigger(flow, `k${n}`, { data: { n: 1 } });
    await world.advance(500);
    const before = sink.sent.length;
    assert.equal(before, 20);
    first.kill();
    const second = await world.started({ definitions: [flow], streams: sink });
    await world.advance(30_000);
    // The attempts that the crash interrupted are versions 3, and no news.
    for (const told of Object.values(sink.told)) assert.deepEqual(told, [1, 2, 4]);
    await second.trigger(flow, "last", { data: { n: 1 } });
    await world.settle();
    await world.during(second.stop(), 10_000);
    const third = await world.started({ definitions: [flow], streams: sink });
    await world.advance(5_000);
    assert.equal(sink.sent.length, 33, "nothing was sent twice, as nothing was under way");
    assert.deepEqual((await third.admin.verify()).findings, []);
  },
);

testOnStores(
  "an event that cannot be sent holds back its run only, and is sent when it can be",
  async (world) => {
    const sink = new Sink();
    sink.refuses = isKey("bad");
    const options = { definitions: [flow], streams: { streamer: sink, retry: { initial: 100, max: "1s" } } };
    const engine = world.mortal(options);
    await world.during(engine.engine.start());
    await engine.engine.trigger(flow, "bad", { data: { n: 3 } });
    for (let n = 0; n < 10; n++) await engine.engine.trigger(flow, `k${n}`, { data: { n: 1 } });
    await world.advance(10_000);
    assert.equal(Object.keys(sink.told).length, 10);
    for (const told of Object.values(sink.told)) assert.deepEqual(told, range(3));
    const held = (await engine.engine.admin.relays()).flatMap((each) => each.held);
    assert.equal(held.length, 1);
    assert.match(held[0]!.error, /refused bad/);
    assert.ok(held[0]!.attempts > 3, `${held[0]!.attempts} attempts`);
    assert.deepEqual((await engine.engine.admin.verify()).findings, []);
    engine.kill();
    const heir = await world.started(options);
    await world.advance(30_000);
    assert.equal(sink.told.bad, undefined, "a restart knows what is held back");
    await heir.trigger(flow, "more", { data: { n: 1 } });
    await world.advance(5_000);
    assert.deepEqual(sink.told.more, range(3));
    sink.refuses = () => false;
    await world.advance(2_000);
    assert.deepEqual(sink.told.bad, range(5));
    assert.deepEqual((await heir.admin.relays()).flatMap((each) => each.held), []);
    assert.equal(await rowsIn(world, keyspace.held), 0);
  },
);

testOnStores(
  "a streamer that is away is waited for, not asked without end, and loses nothing",
  async (world) => {
    const sink = new Sink();
    sink.refuses = () => true;
    const engine = await world.started({
      definitions: [flow],
      streams: { streamer: sink, retry: { max: "10s" } },
    });
    for (let n = 0; n < 30; n++) await engine.trigger(flow, `k${n}`, { data: { n: 1 } });
    await world.advance(120_000);
    const { shards } = world.store;
    assert.ok(sink.calls < 40 * 60 * shards, `${sink.calls} sends in two minutes`);
    assert.deepEqual(sink.sent, []);
    sink.refuses = () => false;
    await world.advance(30_000);
    assert.equal(Object.keys(sink.told).length, 30);
    for (const [key, told] of Object.entries(sink.told)) assert.deepEqual(told, range(3), key);
  },
);

testInMemory("a send that never answers counts as failed", async (world) => {
  const sink = new Sink();
  sink.hangs = true;
  const engine = await world.started({ definitions: [flow], streams: { streamer: sink, timeout: "5s" } });
  await engine.trigger(flow, "k", { data: { n: 1 } });
  await world.advance(4_000);
  assert.equal(sink.calls, 1);
  sink.hangs = false;
  await world.advance(10_000);
  assert.deepEqual(sink.told.k, range(3));
});

testOnStores("a whole topic that is refused holds back its runs, and other topics go on", async (world) => {
  const sink = new Sink();
  const send = sink.send.bind(sink);
  sink.send = (topic, events) =>
    topic === "flow-a" ? Promise.reject(new Error("no such topic")) : send(topic, events);
  const other = machine<Job>("other", { stream: true }).step("a", ["b"], () => "b").build();
  const engine = await world.started({ definitions: [flow, other], streams: sink });
  for (let n = 0; n < 10; n++) await engine.trigger(flow, `k${n}`, { data: { n: 1 } });
  await engine.trigger(other, "o", { data: { n: 1 } });
  await world.advance(120_000);
  assert.deepEqual(sink.told, { o: [1, 2] });
  sink.send = send;
  await world.advance(70_000);
  for (const [key, told] of Object.entries(sink.told)) {
    assert.deepEqual(told, key === "o" ? [1, 2] : range(3), key);
  }
  assert.equal(Object.keys(sink.told).length, 11);
});

testInMemory(
  "no more runs are held back than the limit says; the relay waits then, and goes on",
  async (world) => {
    const sink = new Sink();
    sink.refuses = (event) => event.headers!.key!.startsWith("bad");
    const engine = await world.started({
      definitions: [flow],
      streams: { streamer: sink, retry: { max: "1s" } },
      limits: { heldRunsMax: 3 },
    });
    for (let n = 0; n < 8; n++) await engine.trigger(flow, `bad${n}`, { data: { n: 1 } });
    await engine.trigger(flow, "good", { data: { n: 1 } });
    await world.advance(60_000);
    assert.equal(await rowsIn(world, keyspace.held), 3);
    assert.equal((await engine.admin.relays())[0]!.held.length, 3);
    sink.refuses = () => false;
    await world.advance(10_000);
    assert.equal(Object.keys(sink.told).length, 9);
    for (const [key, told] of Object.entries(sink.told)) {
      assert.deepEqual([...new Set(told)], range(3), key);
    }
  },
);

testOnStores("tick() relays what it made, and what an earlier tick could not send", async (world) => {
  const sink = new Sink();
  const quick = machine<Job>("quick", { stream: true }).step("a", ["b"], () => "b").build();
  const tick = async () => {
    const engine = world.engine({ definitions: [quick], streams: sink });
    const report = await world.during(engine.tick(), 30_000);
    await world.during(engine.stop({ grace: 0 }), 1_000);
    return report;
  };
  const client = world.engine({ definitions: [quick] });
  await client.trigger(quick, "one", { data: { n: 1 } });
  await tick();
  assert.deepEqual(sink.told, { one: [1, 2] });
  sink.refuses = () => true;
  await client.trigger(quick, "two", { data: { n: 1 } });
  const due = (await tick()).nextDueAt;
  assert.ok(due && due.getTime() <= world.clock.now() + 60_000, `${due}`);
  assert.deepEqual(sink.told, { one: [1, 2] });
  sink.refuses = () => false;
  await world.advance(60_000);
  await tick();
  assert.deepEqual(sink.told, { one: [1, 2], two: [1, 2] });
  const calls = sink.calls;
  await tick();
  assert.equal(sink.calls, calls);
});

testOnStores("what the relay has sent goes when it is old, and what it has not stays", async (world) => {
  const sink = new Sink();
  const options = { definitions: [flow], streams: sink, keepEvents: "1h" };
  const engine = await world.started(options);
  for (let n = 0; n < 5; n++) await engine.trigger(flow, `k${n}`, { data: { n: 1 } });
  await world.advance(5_000);
  assert.equal(await rowsIn(world, keyspace.log), 15);
  sink.refuses = (event) => event.headers!.key === "held" || event.headers!.key === "never";
  await engine.trigger(flow, "held", { data: { n: 1 } });
  await engine.trigger(flow, "fine", { data: { n: 1 } });
  await world.advance(4_500_000);
  assert.equal(await rowsIn(world, keyspace.log), 3, "those of the run that is held back");
  sink.refuses = () => false;
  await world.advance(120_000);
  assert.deepEqual(sink.told.held, range(3));
  await world.advance(700_000);
  assert.equal(await rowsIn(world, keyspace.log), 0);
});

testInMemory("a log of many rows is swept in pieces; without a relay by age alone", async (world) => {
  const engine = await world.started({ definitions: [flow], keepEvents: "1h" });
  for (let n = 0; n < 800; n++) await engine.trigger(flow, `k${n}`, { data: { n: 1 } });
  await world.advance(2_000);
  assert.equal(await rowsIn(world, keyspace.log), 2_400);
  await world.advance(3_700_000);
  await engine.trigger(flow, "young", { data: { n: 1 } });
  await world.advance(600_000);
  assert.equal(await rowsIn(world, keyspace.log), 3);
});

testInMemory("the age of what is not sent is told as a warning, once, until it is sent", async (world) => {
  const sink = new Sink();
  const lines: string[] = [];
  const logger = { log: (_: string, message: string) => void lines.push(message) };
  const engine = await world.started({
    definitions: [flow],
    streams: { streamer: sink, lagAlert: "30s", retry: { max: "5s" } },
    logger,
    limits: { heldRunsMax: 1 },
  });
  sink.refuses = () => true;
  for (let n = 0; n < 3; n++) await engine.trigger(flow, `k${n}`, { data: { n: 1 } });
  await world.advance(20_000);
  assert.ok(!lines.includes("The relay is behind"));
  await world.advance(60_000);
  assert.equal(lines.filter((line) => line === "The relay is behind").length, 1);
  assert.ok((await engine.admin.relays())[0]!.lagMs > 60_000);
  sink.refuses = () => false;
  await world.advance(20_000);
  assert.equal(lines.filter((line) => line === "The relay has caught up").length, 1);
  assert.equal((await engine.admin.relays())[0]!.lagMs, 0);
});

testInMemory(
  "a damaged row of the log is passed over; a damaged row of the relay gives repeats",
  async (world) => {
    const sink = new Sink();
    const engine = await world.started({ definitions: [flow], streams: sink });
    const put = (key: string, stamped = false) => {
      const batch = { checks: [], deletes: [], puts: [{ key, value: "{", stamped }] };
      return world.store.commit([{ shard: 0, committer: { id: "x", callId: key }, batches: [batch] }]);
    };
    await put(keyspace.log.front("flow"), true);
    await engine.trigger(flow, "k", { data: { n: 1 } });
    await world.advance(5_000);
    assert.deepEqual(sink.told, { k: range(3) });
    await world.during(engine.stop(), 10_000);
    await put(keyspace.relay.key("flow"));
    const heir = await world.started({ definitions: [flow], streams: sink });
    await world.advance(1_000);
    assert.deepEqual(sink.told, { k: [...range(3), ...range(3)] });
    const findings = (await heir.admin.verify()).findings.map(({ key }) => key.split(" ")[0]);
    assert.deepEqual(findings, ["log"]);
  },
);

testInMemory("an engine without `streams` relays nothing, and says what is wrong with one", async (world) => {
  const engine = await world.started({ definitions: [flow] });
  await engine.trigger(flow, "k", { data: { n: 1 } });
  await world.advance(5_000);
  assert.equal(await rowsIn(world, keyspace.relay), 0);
  for (const streams of [{}, { streamer: {} }, { streamer: new Sink(), batch: 0 }]) {
    const wrong = () => world.engine({ definitions: [], streams: streams as never });
    assert.throws(wrong, { code: "INVALID_ARGUMENT", message: /streams/ });
  }
});

testInMemory("a run that was held back for long goes on with all that the log has of it", async (world) => {
  const sink = new Sink();
  sink.refuses = isKey("bad");
  const engine = await world.started({
    definitions: [flow],
    streams: { streamer: sink, retry: { max: "1s" } },
  });
  await engine.trigger(flow, "bad", { data: { n: 5 } });
  for (let second = 0; second < 8; second++) {
    for (let n = 0; n < 120; n++) await engine.trigger(flow, `${second} ${n}`, { data: { n: 1 } });
    await world.advance(1_000);
  }
  assert.equal(sink.told.bad, undefined);
  sink.refuses = () => false;
  await world.advance(5_000);
  assert.deepEqual(sink.told.bad, range(7));
});

testInMemory("a bad event that is alone for long does not keep waiting what comes later", async (world) => {
  const sink = new Sink();
  sink.refuses = isKey("bad");
  const engine = await world.started({
    definitions: [flow],
    streams: { streamer: sink, retry: { max: "1d" } },
  });
  await engine.trigger(flow, "bad", { data: { n: 1 } });
  await world.advance(3_600_000);
  await engine.trigger(flow, "good", { data: { n: 1 } });
  await world.settle();
  assert.deepEqual(sink.told, { good: [1, 2] });
});

testInMemory("what a streamer that is away has not been sent outlives its time", async (world) => {
  const sink = new Sink();
  sink.refuses = () => true;
  const options = { streams: { streamer: sink, retry: { max: "1m" } }, limits: { heldRunsMax: 1 } };
  const engine = await world.started({ definitions: [flow], keepEvents: "1h", ...options });
  for (let n = 0; n < 5; n++) await engine.trigger(flow, `k${n}`, { data: { n: 1 } });
  await world.advance(3 * 3_600_000);
  sink.refuses = () => false;
  await world.advance(120_000);
  assert.equal(Object.keys(sink.told).length, 5);
  for (const told of Object.values(sink.told)) assert.deepEqual(told, range(3));
});

testOnStores("a relay whose engine was frozen past its term moves nothing when it wakes", async (world) => {
  const sink = new Sink();
  const slow = new Sink();
  const answer = Promise.withResolvers<void>();
  slow.send = async (topic, events) => {
    await answer.promise;
    await sink.send(topic, events);
  };
  const streams = { streamer: slow, timeout: "1h" };
  const zombie = world.mortal({ definitions: [flow], streams });
  await world.during(zombie.engine.start());
  await zombie.engine.trigger(flow, "k", { data: { n: 3 } });
  await world.settle();
  zombie.freeze();
  const heir = await world.started({ definitions: [flow], streams: sink });
  await world.advance(60_000);
  const told = [...sink.told.k!];
  assert.equal((await heir.get(flow, "k"))!.runState, "completed");
  const moved = (await heir.admin.relays()).map(({ movedAt }) => movedAt);
  answer.resolve();
  zombie.wake();
  await world.advance(20_000);
  assert.deepEqual((await heir.admin.relays()).map(({ movedAt }) => movedAt), moved);
  // What was read before the freeze may come again, late and in order; nobody misses anything by that.
  const late = sink.told.k!.slice(told.length);
  assert.deepEqual(late, told.slice(0, late.length));
  assert.ok(late.length > 0 && late.length < told.length, `${late}`);
  await heir.trigger(flow, "more", { data: { n: 1 } });
  await world.advance(5_000);
  assert.deepEqual(sink.told.more, range(3));
  await world.during(zombie.engine.stop({ grace: 0 }), 1_000);
});
