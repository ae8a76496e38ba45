/**
 * Connectors: events from outside, shared by the shards of a connector and handed to runs.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { memoryStreamer } from "../../adapters/streams/memory.ts";
import { recordingTelemetry } from "../../core/testing/recording_telemetry.ts";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { connectorShardOf, storeShardOf } from "../../core/engine/connector.ts";
import {
  type ConnectorDelivery,
  type ConnectorOptions,
  type EventStreamer,
  machine,
  type NewEvent,
  runStateTopic,
  type StreamEvent,
} from "../../mod.ts";
import { storeKinds, testInMemory, testOnStores, World } from "./stores.ts";

/** Events of a few keys. */
function eventsOf(count: number, keys = count): NewEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `e${index}`,
    key: `k${index % keys}`,
    type: "paid",
    data: { cents: index },
  }));
}

type Handle = (event: StreamEvent, call: { attempt: number; signal: AbortSignal }) => unknown;

/** A machine whose connector hands events to a function. */
function listening(streamer: EventStreamer, handle: Handle, options: ConnectorOptions = {}) {
  return machine("orders")
    .step("new", ["done"], () => "done")
    .connector("psp", { stream: "psp", streamer }, (api, event) => handle(event, api), options)
    .build();
}

const ids = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id);

/** A streamer that counts what it is asked for, and whose parts can be broken. */
function watched(streamer: EventStreamer) {
  const seen = { open: new Map<string, number>(), acks: [] as string[], opened: [] as string[] };
  const broken = { receive: 0, ack: 0 };
  const face: EventStreamer = {
    send: (topic, events) => streamer.send(topic, events),
    async receive(topic, name, options) {
      if (broken.receive > 0) {
        broken.receive--;
        throw new DOMException("The broker did not answer in time", "TimeoutError");
      }
      const source = await streamer.receive(topic, name, options);
      seen.opened.push(name);
      seen.open.set(name, (seen.open.get(name) ?? 0) + 1);
      options!.signal!.addEventListener("abort", () => seen.open.set(name, seen.open.get(name)! - 1));
      const iterator = source[Symbol.asyncIterator]();
      return {
        [Symbol.asyncIterator]: () => ({
          async next() {
            const result = await iterator.next();
            if (result.done) return result;
            const { event, ack } = result.value;
            const counted = async () => {
              if (broken.ack > 0) {
                broken.ack--;
                throw new Error("ack lost");
              }
              seen.acks.push(event.id);
              await ack();
            };
            return { done: false as const, value: { event, ack: counted } };
          },
          return: () => iterator.return!(),
        }),
      };
    },
  };
  return {
    streamer: face,
    seen,
    broken,
    stillOpen: () => [...seen.open.values()].reduce((a, b) => a + b, 0),
  };
}

testOnStores("a connector triggers runs and calls them back, once for each event", async (world) => {
  const streamer = memoryStreamer({ clock: world.clock });
  const orders = machine<{ cents: number }>("orders")
    .callback("waiting", ["paid"], (run, cents: number) => {
      run.data.cents += cents;
      return "paid";
    })
    .connector("shop", { stream: "shop", streamer }, async (api, { id, key, data }) => {
      await api.trigger(key, { data: data as { cents: number }, idempotencyKey: id });
    })
    .connector("psp", { stream: "psp", streamer }, async (api, { id, key, data }) => {
      await api.callback(key, "waiting", (data as { cents: number }).cents, { idempotencyKey: id });
    }, { shards: 3 })
    .build();
  const engine = await world.started({ definitions: [orders] });
  const events = eventsOf(20);
  await world.during(streamer.send("shop", events), 1_000);
  await world.settle();
  // Events may come again under another delivery: a sender that was not answered sends once more.
  await streamer.send("psp", [...events, ...events]);
  await world.advance(1_000);
  for (const [index, { key }] of events.entries()) {
    const run = await world.during(engine.get(orders, key));
    assert.deepEqual([run?.status, run?.data], ["paid", { cents: 2 * index }]);
  }
  const { items } = await world.during(engine.list({ definition: "orders" }));
  assert.equal(items.length, 20);
});

testOnStores(
  "a connector without a streamer takes topics of engine.streams, also those of other machines",
  async (world) => {
    const shop = machine<number>("shop", { stream: true }).step("new", ["sold"], () => "sold").build();
    const orders = machine<number>("orders").step("new", ["done"], () => "done")
      .connector("sales", { stream: runStateTopic("shop") }, async (api, { id, headers }) => {
        const { key, runId } = headers!;
        const sale = await api.engine.get(shop, key!, { runId: runId! });
        await api.trigger(key!, { data: sale!.data, idempotencyKey: id });
      }, { shards: 3 })
      .connector("own", { stream: "wholesale" }, async (api, { id, key, data }) => {
        if (data === "broken") throw new Error("no number");
        await api.trigger(key, { data: data as number, idempotencyKey: id });
      }, { shards: 2, parkAfterErrors: 1 })
      .build();
    const engine = await world.started({ definitions: [shop, orders] });
    for (let index = 0; index < 30; index++) {
      await world.during(engine.trigger(shop, `k${index}`, { data: index }), 1_000);
    }
    await world.during(engine.streams.send("wholesale", [
      { id: "w1", key: "w1", type: "bought", data: 1_000 },
      { id: "w2", key: "w2", type: "bought", data: "broken" },
    ]));
    await world.advance(2_000);
    const { items } = await world.during(
      engine.list({ definition: "orders", runState: "completed", limit: 100 }),
    );
    assert.deepEqual(
      items.map(({ key }) => key).toSorted(),
      [...eventsOf(30).map(({ key }) => key), "w1"].toSorted(),
    );
    const parked = await world.during(engine.streams.receive("parked.orders.own", "operator"));
    for await (const { event } of parked) {
      assert.equal(event.id, "w2");
      break;
    }
    // Nothing comes again to the next engine, also of what was passed over.
    await world.during(engine.stop(), 1_000);
    const next = await world.started({ definitions: [shop, orders] });
    await world.advance(2_000);
    assert.equal(next.admin.counts().steps, 0);
    assert.deepEqual((await world.during(next.admin.verify())).findings, []);
  },
);

testOnStores("tick() handles what is in engine.streams", async (world) => {
  const orders = machine<number>("orders").step("new", ["done"], () => "done")
    .connector("psp", { stream: "psp" }, async (api, { id, key, data }) => {
      await api.trigger(key, { data: (data as { cents: number }).cents, idempotencyKey: id });
    }, { shards: 5 })
    .build();
  const engine = world.engine({ definitions: [orders] });
  await world.during(engine.streams.send("psp", eventsOf(40)), 1_000);
  assert.equal((await world.during(engine.tick(), 6_000)).processed, 80);
  assert.equal((await world.during(engine.tick(), 6_000)).processed, 0);
  assert.equal(world.clock.timers, 0);
});

Deno.test("a connector's shards take each event exactly once, at any count of shards", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 9 }),
    fc.array(fc.record({ id: fc.string(), key: fc.option(fc.string(), { nil: undefined }) })),
    (shards, events) => {
      for (const { id, key } of events) {
        const shard = connectorShardOf(key === undefined ? { id } : { id, key }, shards);
        assert.ok(Number.isInteger(shard) && shard >= 0 && shard < shards);
        if (key !== undefined) assert.equal(connectorShardOf({ id: "another", key }, shards), shard);
      }
    },
  ));
});

Deno.test("a connector's shards share events and shards of a store about evenly", () => {
  for (const shards of [2, 3, 4, 8]) {
    const counts = new Array<number>(shards).fill(0);
    for (const { id } of eventsOf(4_000)) counts[connectorShardOf({ id }, shards)]!++;
    for (const count of counts) assert.ok(Math.abs(count - 4_000 / shards) < 400 / shards * 2, `${counts}`);
    const places = new Set(Array.from({ length: shards }, (_, index) => storeShardOf("psp", index, shards)));
    assert.equal(places.size, shards);
  }
});

Deno.test("a connector of n shards handles every event in exactly one of them", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 40 }),
      async (shards, storeShards, keys) => {
        const store = memoryStore({ shards: storeShards });
        const inner = new World(store);
        const streamer = memoryStreamer({ clock: inner.clock });
        const handled: StreamEvent[] = [];
        const definition = listening(streamer, (event) => void handled.push(event), { shards });
        await inner.started({ definitions: [definition] });
        const events = keys.map((key, index) => ({ id: `e${index}`, key, type: "t" }));
        await streamer.send("psp", events);
        await inner.settle();
        await inner.end();
        assert.deepEqual(ids(handled).sort(), ids(events).sort());
        for (const key of new Set(keys)) {
          const wished = ids(events.filter((event) => event.key === key));
          assert.deepEqual(ids(handled.filter((event) => event.key === key)), wished);
        }
        assert.equal(inner.clock.timers, 0);
        await store.close();
      },
    ),
    { numRuns: 40 },
  );
});

testOnStores("Q3: parallel connectors lose no event", async (world) => {
  const streamer = memoryStreamer({ clock: world.clock });
  for (const shards of [2, 3, 4, 8]) {
    const handled = new Set<string>();
    const topic = `psp-${shards}`;
    const definition = machine(`orders-${shards}`).step("new", ["done"], () => "done")
      .connector("psp", { stream: topic, streamer }, (_api, { id }) => void handled.add(id), { shards })
      .build();
    const engine = await world.started({ definitions: [definition] });
    await streamer.send(topic, eventsOf(200));
    await world.advance(1_000);
    assert.equal(handled.size, 200);
    await world.during(engine.stop(), 1_000);
  }
}, storeKinds);

testInMemory("Q4: a connector of several shards starts all of them, without other options", async (world) => {
  const { streamer, seen } = watched(memoryStreamer({ clock: world.clock }));
  await world.started({ definitions: [listening(streamer, () => {}, { shards: 3 })] });
  assert.deepEqual(seen.opened.sort(), [
    "psp-connector-to-orders-consumer-1-of-3",
    "psp-connector-to-orders-consumer-2-of-3",
    "psp-connector-to-orders-consumer-3-of-3",
  ]);
});

testInMemory("Q9: errors of whatever class never end a connector", async (world) => {
  const { streamer, broken, seen } = watched(memoryStreamer({ clock: world.clock }));
  broken.receive = 3;
  const handled: string[] = [];
  const failures = [new DOMException("late", "TimeoutError"), new DOMException("gone", "AbortError"), null];
  const definition = listening(streamer, ({ id }) => {
    if (failures.length > 0) throw failures.shift();
    handled.push(id);
  });
  await world.started({ definitions: [definition] });
  await streamer.send("psp", eventsOf(2));
  await world.settle();
  assert.deepEqual(seen.opened, []);
  await world.advance(60_000);
  assert.equal(seen.opened.length, 1);
  assert.deepEqual(handled, ["e0", "e1"]);
});

testInMemory("a connector goes on from its cursor in another engine after a kill", async (world) => {
  const { streamer } = watched(memoryStreamer({ clock: world.clock }));
  const handled: string[] = [];
  let isHeld = true;
  const definition = listening(streamer, async ({ id }, { signal }) => {
    handled.push(id);
    if (id !== "e5" || !isHeld) return;
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  const first = world.mortal({ definitions: [definition] });
  await world.during(first.engine.start());
  await streamer.send("psp", eventsOf(10));
  await world.settle();
  assert.deepEqual(handled, ["e0", "e1", "e2", "e3", "e4", "e5"]);
  first.kill();
  isHeld = false;
  handled.length = 0;
  await world.started({ definitions: [definition] });
  await world.advance(30_000);
  assert.deepEqual(handled, ["e5", "e6", "e7", "e8", "e9"]);
});

testOnStores("a poison event blocks its own shard of the connector, and nothing else", async (world) => {
  const streamer = memoryStreamer({ clock: world.clock });
  const handled = new Set<string>();
  let tries = 0;
  const definition = listening(streamer, ({ id }) => {
    if (id === "e0" && ++tries < 12) throw new Error("poison");
    handled.add(id);
  }, { shards: 2, retry: { initial: "1s", max: "10s", jitter: false } });
  await world.started({ definitions: [definition] });
  const events = eventsOf(40);
  const blocked = connectorShardOf(events[0]!, 2);
  await streamer.send("psp", events);
  await world.advance(16_000);
  assert.equal(tries, 5);
  const others = events.filter((event) => connectorShardOf(event, 2) !== blocked);
  assert.deepEqual([...handled].sort(), ids(others).sort());
  await world.advance(100_000);
  assert.equal(handled.size, 40);
}, storeKinds.slice(0, 2));

testInMemory(
  "a poison event is parked after so many errors, with all that is needed to try it again",
  async (world) => {
    const streamer = memoryStreamer({ clock: world.clock });
    const handled: string[] = [];
    let isBroken = true;
    const handle = ({ id }: { id: string }) => {
      if (id === "e1" && isBroken) throw new TypeError("poison");
      handled.push(id);
    };
    const definition = machine("orders").step("new", ["done"], () => "done")
      .connector("psp", { stream: "psp", streamer }, (_api, event) => handle(event), {
        parkAfterErrors: 3,
        retry: { initial: "1s", jitter: false },
      })
      .connector("again", { stream: "parked.orders.psp", streamer }, (_api, { data }) => {
        const { event } = data as { event: { id: string } };
        if (isBroken) throw new Error("later");
        handle(event);
      })
      .build();
    await world.started({ definitions: [definition] });
    await streamer.send("psp", eventsOf(3));
    await world.advance(2_999);
    assert.deepEqual(handled, ["e0"]);
    await world.advance(1);
    assert.deepEqual(handled, ["e0", "e2"]);
    const found = await streamer.receive("parked.orders.psp", "operator");
    for await (const { event } of found) {
      const { at, ...rest } = event;
      assert.ok(at instanceof Date);
      assert.deepEqual(rest, {
        topic: "parked.orders.psp",
        id: "e1",
        key: "k1",
        type: "parked",
        data: {
          definition: "orders",
          connector: "psp",
          attempts: 3,
          error: { name: "TypeError", message: "poison" },
          event: { ...eventsOf(3)[1], topic: "psp", at: "2030-01-01T00:00:00.000Z" },
        },
      });
      break;
    }
    isBroken = false;
    await world.advance(10_000);
    assert.deepEqual(handled, ["e0", "e2", "e1"]);
  },
);

testInMemory("an event that cannot be parked is not passed over", async (world) => {
  const streamer = memoryStreamer({ clock: world.clock });
  let isDown = true;
  const parking: EventStreamer = {
    ...streamer,
    send: (topic, events) => isDown ? Promise.reject(new Error("down")) : streamer.send(topic, events),
    receive: (...given) => streamer.receive(...given),
  };
  const tried: string[] = [];
  const definition = listening(streamer, ({ id }) => {
    tried.push(id);
    if (id === "e0") throw new Error("poison");
  }, {
    parkAfterErrors: 2,
    parkTo: { stream: "aside", streamer: parking },
    retry: { max: "1s", jitter: false },
  });
  await world.started({ definitions: [definition] });
  await streamer.send("psp", eventsOf(2));
  await world.advance(5_500);
  assert.deepEqual(tried, ["e0", "e0", "e0", "e0", "e0", "e0"]);
  isDown = false;
  await world.advance(1_000);
  assert.deepEqual(tried.slice(6), ["e0", "e1"]);
});

testInMemory(
  "an event waits until it is as old as the lag",
  async (world) => {
    const streamer = memoryStreamer({ clock: world.clock });
    const handled: [string, number][] = [];
    const start = world.clock.now();
    const definition = listening(
      streamer,
      ({ id }) => void handled.push([id, world.clock.now() - start]),
      { shards: 2, lag: "1m" },
    );
    const events = eventsOf(200);
    const mine = (shard: number) => events.filter((event) => connectorShardOf(event, 2) === shard);
    const [a] = mine(0);
    const [b] = mine(1);
    await world.started({ definitions: [definition] });
    await streamer.send("psp", [a!]);
    await world.advance(30_000);
    await streamer.send("psp", [b!]);
    await world.advance(29_999);
    assert.deepEqual(handled, []);
    await world.advance(60_000);
    assert.deepEqual(handled, [[a!.id, 60_000], [b!.id, 90_000]]);
  },
);

testInMemory("an event of a sender whose clock is ahead waits for no longer than the lag", async (world) => {
  const handled: number[] = [];
  const at = new Date(world.clock.now() + 3_600_000);
  const definition = machine("orders").step("new", ["done"], () => "done")
    .connector("once", deliveries([{ id: "a", at }]), () => void handled.push(world.clock.now()), {
      lag: "5s",
      finite: true,
    }).build();
  const start = world.clock.now();
  await world.started({ definitions: [definition] });
  await world.advance(5_000);
  assert.deepEqual(handled, [start + 5_000]);
});

async function* deliveries<Event extends { id: string; key?: string; at?: Date }>(
  events: readonly Event[],
  acked: string[] = [],
): AsyncGenerator<ConnectorDelivery<Event>> {
  for (const event of events) yield { event, ack: () => void acked.push(event.id) };
}

testInMemory(
  "stop() lets a handler land and its ack with it; the next engine goes on behind it",
  async (world) => {
    const { streamer, seen, stillOpen } = watched(memoryStreamer({ clock: world.clock }));
    const handled: string[] = [];
    const held = Promise.withResolvers<void>();
    const definition = listening(streamer, async ({ id }) => {
      if (id === "e1") await held.promise;
      handled.push(id);
    });
    const first = world.engine({ definitions: [definition] });
    await world.during(first.start());
    await streamer.send("psp", eventsOf(4));
    await world.settle();
    const stopped = first.stop({ grace: "5s" });
    await world.advance(1_000);
    held.resolve();
    await world.during(stopped);
    assert.deepEqual(handled, ["e0", "e1"]);
    assert.deepEqual(seen.acks, ["e0", "e1"]);
    assert.equal(stillOpen(), 0);
    assert.equal(world.clock.timers, 0);
    await world.started({ definitions: [definition] });
    await world.settle();
    assert.deepEqual(handled, ["e0", "e1", "e2", "e3"]);
  },
);

testInMemory("stop() tells a handler that outlives the grace, and its event comes again", async (world) => {
  const { streamer, seen, stillOpen } = watched(memoryStreamer({ clock: world.clock }));
  const reasons: unknown[] = [];
  const tries: number[] = [];
  const definition = listening(streamer, async (_event, { signal, attempt }) => {
    tries.push(attempt);
    if (tries.length > 1) return;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    reasons.push((signal.reason as { code?: string }).code);
  });
  const first = await world.started({ definitions: [definition] });
  await streamer.send("psp", eventsOf(1));
  await world.settle();
  await world.during(first.stop({ grace: "2s" }), 3_000);
  assert.deepEqual(reasons, ["ENGINE_STOPPED"]);
  assert.deepEqual(seen.acks, []);
  assert.equal(stillOpen(), 0);
  assert.equal(world.clock.timers, 0);
  await world.started({ definitions: [definition] });
  await world.settle();
  assert.deepEqual([tries, seen.acks], [[1, 1], ["e0"]]);
});

testInMemory(
  "stop() ends waits for a retry, for a lag and for a source, and leaves no timer",
  async (world) => {
    const streamer = memoryStreamer({ clock: world.clock });
    const broken = watched(streamer);
    broken.broken.receive = Infinity;
    const definition = machine("orders").step("new", ["done"], () => "done")
      .connector("poison", { stream: "psp", streamer }, () => Promise.reject(new Error("no")))
      .connector("late", { stream: "psp", streamer }, () => {}, { lag: "1h" })
      .connector("down", { stream: "psp", streamer: broken.streamer }, () => {})
      .connector("deaf", () => new Promise<never>(() => {}), () => {})
      .build();
    const engine = await world.started({ definitions: [definition] });
    await streamer.send("psp", eventsOf(2));
    await world.advance(10_000);
    await world.during(engine.stop());
    assert.equal(world.clock.timers, 0);
  },
);

testInMemory("an ack that fails is sent again, and the handler is not", async (world) => {
  const { streamer, broken, seen } = watched(memoryStreamer({ clock: world.clock }));
  const handled: string[] = [];
  broken.ack = 2;
  await world.started({ definitions: [listening(streamer, ({ id }) => void handled.push(id))] });
  await streamer.send("psp", eventsOf(3));
  await world.advance(30_000);
  assert.deepEqual(handled, ["e0", "e1", "e2"]);
  assert.deepEqual(seen.acks, ["e0", "e1", "e2"]);
  assert.equal(seen.opened.length, 3);
});

testInMemory(
  "events of other shards are acked together, and at the latest when the source is at rest",
  async (world) => {
    const inner = memoryStreamer({ clock: world.clock });
    const { streamer, seen } = watched(inner);
    const definition = listening(streamer, () => {}, { shards: 2 });
    const engine = await world.started({ definitions: [definition] });
    const events = eventsOf(600);
    const theirs = events.filter((event) => connectorShardOf(event, 2) === 1);
    await inner.send("psp", theirs);
    await world.settle();
    // The owner of the events acks each of them; the other shard acks one in 256, and the last.
    assert.equal(theirs.length > 256 && theirs.length < 512, true);
    assert.equal(seen.acks.length, theirs.length + 2);
    await world.during(engine.stop());
    const rest = await inner.receive("psp", "psp-connector-to-orders-consumer-1-of-2");
    await inner.send("psp", [{ id: "new", key: "k", type: "t" }]);
    for await (const { event } of rest) {
      assert.equal(event.id, "new");
      break;
    }
  },
);

testOnStores("two engines share the shards of a connector", async (world) => {
  const { streamer, seen } = watched(memoryStreamer({ clock: world.clock }));
  const handled = new Map<string, string[]>([["a", []], ["b", []]]);
  const carried = (who: string) =>
    listening(streamer, ({ id }) => void handled.get(who)!.push(id), { shards: 4 });
  await world.started({ definitions: [carried("a")] });
  await world.started({ definitions: [carried("b")] });
  await world.advance(10_000);
  await streamer.send("psp", eventsOf(100));
  await world.advance(1_000);
  const [a, b] = [handled.get("a")!, handled.get("b")!];
  assert.equal(new Set([...a, ...b]).size, 100);
  assert.equal(a.length + b.length, 100);
  assert.ok(a.length > 0 && b.length > 0, `${a.length} and ${b.length}`);
  for (const [name, count] of seen.open) assert.equal(count, 1, `${name} is open ${count} times`);
}, storeKinds.slice(1, 2));

testOnStores("a busy shard is passed on between events, and what it had begun lands first", async (world) => {
  const streamer = memoryStreamer({ clock: world.clock });
  const running = new Set<string>();
  const handled: string[] = [];
  const definition = () =>
    listening(streamer, async ({ id, key }) => {
      assert.ok(!running.has(key), `two handlers at once for ${key}`);
      running.add(key);
      // Two shards of the connector at each shard of the store, out of step, so that one of them is always busy.
      await new Promise<void>((resolve) =>
        world.clock.after(connectorShardOf({ id, key }, 8) < 4 ? 300 : 170, resolve)
      );
      running.delete(key);
      handled.push(id);
    }, { shards: 8 });
  const first = await world.started({ definitions: [definition()] });
  await streamer.send("psp", eventsOf(600));
  await world.advance(2_000);
  await world.started({ definitions: [definition()] });
  await world.advance(8_000);
  assert.ok(handled.length < 500);
  const shards = await world.during(first.admin.shards());
  assert.equal(new Set(shards.map(({ engineId }) => engineId)).size, 2);
  await world.advance(30_000);
  assert.deepEqual(handled.toSorted(), ids(eventsOf(600)).toSorted());
}, storeKinds.slice(1, 2));

Deno.test("events that were held back for a shard that could not be passed on are handled after all", async () => {
  const store = memoryStore({ shards: 2 });
  const world = new World(store);
  const streamer = memoryStreamer({ clock: world.clock });
  const handled: string[] = [];
  const definition = () =>
    listening(streamer, async ({ id }) => {
      // For longer than an owner waits to be passed on.
      if (id.startsWith("slow")) await new Promise<void>((resolve) => world.clock.after(6_000, resolve));
      handled.push(id);
    }, { shards: 8 });
  await world.started({ definitions: [definition()] });
  const all = eventsOf(60);
  const isAt = (shard: number) => ({ id, key }: NewEvent) =>
    storeShardOf("psp", connectorShardOf({ id, key }, 8), 2) === shard;
  const slow = [0, 1].map((shard) => ({ ...all.find(isAt(shard))!, id: `slow ${shard}` }));
  await streamer.send("psp", slow);
  await world.advance(100);
  await world.started({ definitions: [definition()] });
  for (const event of all) {
    await streamer.send("psp", [event]);
    await world.advance(50);
  }
  await world.advance(6_000);
  assert.deepEqual(handled.toSorted(), ids([...slow, ...all]).toSorted());
  await world.end();
  await store.close();
});

testOnStores("tick() handles the events that are there, and gives everything back", async (world) => {
  const { streamer, stillOpen } = watched(memoryStreamer({ clock: world.clock }));
  const orders = machine("orders").step("new", ["done"], () => "done")
    .connector("psp", { stream: "psp", streamer }, async (api, { id, key }) => {
      await api.trigger(key, { idempotencyKey: id });
    }, { shards: 3, quiet: "200ms" })
    .build();
  const engine = world.engine({ definitions: [orders] });
  assert.equal((await world.during(engine.tick(), 5_000)).processed, 0);
  await streamer.send("psp", eventsOf(30));
  const began = world.clock.now();
  const report = await world.during(engine.tick(), 5_000);
  assert.deepEqual(report, { processed: 60, heldElsewhere: 0, running: 0 });
  assert.ok(world.clock.now() - began < 1_000);
  const { items } = await world.during(engine.list({ runState: "completed", limit: 100 }));
  assert.equal(items.length, 30);
  assert.equal(stillOpen(), 0);
  assert.equal(world.clock.timers, 0);
});

testInMemory("tick() does not wait for an event that waits, and says when it goes on", async (world) => {
  const streamer = memoryStreamer({ clock: world.clock });
  const definition = listening(streamer, () => {}, { lag: "1h" });
  const engine = world.engine({ definitions: [definition] });
  await streamer.send("psp", eventsOf(1));
  const due = new Date(world.clock.now() + 3_600_000);
  const report = await world.during(engine.tick(), 5_000);
  assert.deepEqual(report, { processed: 0, heldElsewhere: 0, running: 0, nextDueAt: due });
  await world.advance(3_600_000);
  assert.equal((await world.during(engine.tick(), 5_000)).processed, 1);
  assert.equal(world.clock.timers, 0);
});

testInMemory("tick() reads a source that ends once, and calls nobody back for it", async (world) => {
  let opened = 0;
  const definition = machine("orders").step("new", ["done"], () => "done")
    .connector("pages", () => deliveries([{ id: `page ${opened++}` }]), () => {}).build();
  const engine = world.engine({ definitions: [definition] });
  const began = world.clock.now();
  const report = await world.during(engine.tick(), 5_000);
  assert.deepEqual(report, { processed: 1, heldElsewhere: 0, running: 0 });
  assert.equal(world.clock.now(), began);
  assert.equal(world.clock.timers, 0);
});

testInMemory("tick() says when a source that failed is tried again", async (world) => {
  const { streamer, broken } = watched(memoryStreamer({ clock: world.clock }));
  broken.receive = Infinity;
  const definition = listening(streamer, () => {}, { retry: { initial: "20s", jitter: false } });
  const engine = world.engine({ definitions: [definition] });
  const { nextDueAt } = await world.during(engine.tick(), 5_000);
  assert.deepEqual(nextDueAt, new Date(world.clock.now() + 20_000));
});

testInMemory(
  "a source that ends at once does not keep the engine busy, whatever its options say",
  async (world) => {
    let opened = 0;
    const definition = machine("orders").step("new", ["done"], () => "done")
      .connector("empty", () => (opened++, deliveries([])), () => {}, { retry: { initial: 0, max: 0 } })
      .build();
    await world.started({ definitions: [definition] });
    await world.advance(1_000);
    assert.equal(opened, 11);
  },
);

testInMemory("tick() ends in time under events that never end", async (world) => {
  const { stillOpen } = watched(memoryStreamer({ clock: world.clock }));
  let count = 0;
  const definition = machine("orders").step("new", ["done"], () => "done")
    .connector("flood", async function* () {
      for (;;) {
        await new Promise<void>((resolve) => world.clock.after(10, resolve));
        yield { event: { id: `e${count++}` }, ack: () => {} };
      }
    }, () => {}).build();
  const engine = world.engine({ definitions: [definition] });
  const began = world.clock.now();
  const report = await world.during(engine.tick({ budgetMs: 1_000 }), 10_000);
  assert.ok(report.processed >= 90 && report.processed <= 110, `${report.processed}`);
  assert.ok(world.clock.now() - began <= 1_100);
  assert.equal(stillOpen(), 0);
  await world.advance(20);
  assert.equal(world.clock.timers, 0);
});

testInMemory("tick() of a started engine waits for the events that are there", async (world) => {
  const streamer = memoryStreamer({ clock: world.clock });
  let handled = 0;
  const engine = await world.started({
    definitions: [listening(streamer, async () => {
      await new Promise<void>((resolve) => world.clock.after(100, resolve));
      handled++;
    })],
  });
  await streamer.send("psp", eventsOf(10));
  await world.during(engine.tick(), 5_000);
  assert.equal(handled, 10);
});

testInMemory("a source that ends is opened again, unless it is finite", async (world) => {
  const opened = { pages: 0, list: 0 };
  const handled: string[] = [];
  const acked: string[] = [];
  const definition = machine("orders").step("new", ["done"], () => "done")
    .connector("pages", () => deliveries([{ id: `page ${opened.pages++}` }]), (_api, { id }) => {
      handled.push(id);
    }, { retry: { initial: "1s", jitter: false } })
    .connector(
      "list",
      () => {
        opened.list++;
        return deliveries([{ id: "a" }, { id: "b" }], acked);
      },
      () => {},
      { finite: true },
    )
    .build();
  await world.started({ definitions: [definition] });
  await world.advance(3_500);
  assert.deepEqual(handled, ["page 0", "page 1", "page 2", "page 3"]);
  assert.equal(opened.list, 1);
  assert.deepEqual(acked, ["a", "b"]);
});

testInMemory(
  "a source that breaks is opened again with backoff, and what it did not ack comes again",
  async (world) => {
    let opened = 0;
    const handled: string[] = [];
    const opens: number[] = [];
    const start = world.clock.now();
    const definition = machine("orders").step("new", ["done"], () => "done")
      .connector(
        "rough",
        async function* () {
          opens.push(world.clock.now() - start);
          if (++opened < 4) throw new Error("broker is away");
          yield { event: { id: "a" }, ack: () => {} };
          throw new Error("connection reset");
        },
        (_api, { id }) => void handled.push(id),
        { retry: { initial: "1s", factor: 2, jitter: false } },
      )
      .connector("silly", () => [] as never, () => {})
      .connector("sillier", () => deliveries([{ id: 5 as never }]), () => {})
      .build();
    await world.started({ definitions: [definition] });
    await world.advance(7_500);
    assert.deepEqual(opens, [0, 1_000, 3_000, 7_000]);
    // After an ack the waits begin anew.
    await world.advance(1_000);
    assert.deepEqual(opens.at(-1), 8_000);
    assert.deepEqual(handled, ["a", "a"]);
  },
);

testInMemory("a source that opens after the end is closed at once", async (world) => {
  const opening = Promise.withResolvers<AsyncIterable<ConnectorDelivery>>();
  let isClosed = false;
  const definition = machine("orders").step("new", ["done"], () => "done")
    .connector("slow", () => opening.promise, () => {})
    .build();
  const engine = await world.started({ definitions: [definition] });
  await world.during(engine.stop());
  opening.resolve({
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: () => {
        isClosed = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  });
  await world.settle();
  assert.ok(isClosed);
});

testInMemory("a handler that runs too long fails, and is told so", async (world) => {
  const streamer = memoryStreamer({ clock: world.clock });
  const codes: unknown[] = [];
  const definition = listening(streamer, async (_event, { signal, attempt }) => {
    if (attempt > 1) return;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    codes.push((signal.reason as { code: string }).code);
  }, { timeout: "2s", retry: { initial: "1s", jitter: false } });
  const engine = await world.started({ definitions: [definition] });
  await streamer.send("psp", eventsOf(1));
  await world.advance(3_500);
  assert.deepEqual(codes, ["STEP_TIMEOUT"]);
  assert.equal(engine.admin.counts().steps, 2);
});

testInMemory(
  "defaults for steps give a connector retries and a timeout, but no lag, bound or parking",
  async (world) => {
    const streamer = memoryStreamer({ clock: world.clock });
    const tried: number[] = [];
    const start = world.clock.now();
    const definition = machine("orders", {
      steps: {
        lag: "1h",
        pauseAfterErrors: 1,
        rateLimit: { limit: 1, per: "1h" },
        retry: { initial: "3s", jitter: false },
      },
    })
      .step("new", ["done"], () => "done")
      .connector("psp", { stream: "psp", streamer }, (api) => {
        tried.push(world.clock.now() - start);
        if (api.attempt === 1) throw new Error("once");
      }).build();
    await world.started({ definitions: [definition] });
    await streamer.send("psp", eventsOf(1));
    await world.advance(10_000);
    assert.deepEqual(tried, [0, 3_000]);
  },
);

Deno.test("a builder refuses connectors that cannot work, naming what is wrong", () => {
  const begin = () => machine("m").step("a", ["b"], () => "b");
  const streamer = memoryStreamer();
  const good = { stream: "s", streamer };
  const refused = (add: () => unknown, pattern: RegExp, code = "INVALID_GRAPH") =>
    assert.throws(
      add,
      (error: { code: string; message: string }) => error.code === code && pattern.test(error.message),
    );
  refused(
    () => begin().connector("c", good, () => {}).connector("c", good, () => {}),
    /one named "c" already/,
  );
  refused(() => begin().connector("", good, () => {}), /got name ""/);
  refused(() => begin().connector("c", {} as never, () => {}), /its source is none/);
  refused(() => begin().connector("c", undefined as never, () => {}), /its source is none/);
  refused(() => begin().connector("c", good, undefined as never), /handler is no function/);
  refused(() => begin().connector("c", good, () => {}, { shards: 0 }), /shards are 0/);
  refused(() => begin().connector("c", good, () => {}, { shards: 1.5 }), /shards are 1.5/);
  refused(() => begin().connector("c", deliveries([]), () => {}, { shards: 2 }), /shared by 2 shards/);
  refused(() => begin().connector("c", good, () => {}, { parkTo: { stream: "" } }), /parkTo names no topic/);
  refused(
    () => begin().connector("c", good, () => {}, { concurrency: 3 } as never),
    /concurrency/,
    "INVALID_ARGUMENT",
  );
  refused(() => begin().connector("c", good, () => {}, { lag: "soon" }), /lag/, "INVALID_DURATION");
  refused(
    () => begin().connector("c", good, () => {}, { quiet: -1 }),
    /quiet of connector "c"/,
    "INVALID_DURATION",
  );
});

Deno.test("each event is handled at least once, in the order of its key, by engines that die at any time", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.record({ key: fc.integer({ min: 0, max: 5 }), gap: fc.integer({ min: 0, max: 400 }) }), {
        minLength: 1,
        maxLength: 30,
      }),
      fc.array(fc.integer({ min: 50, max: 15_000 }), { maxLength: 4 }),
      async (shards, sent, lives) => {
        const store = memoryStore({ shards: 3 });
        const inner = new World(store);
        const handled: StreamEvent[] = [];
        let tries = 0;
        // Through the store, so that an engine that is dead receives and acks no more.
        const definitionOf = (life: { isOver: boolean }) =>
          machine("orders").step("new", ["done"], () => "done")
            .connector("psp", { stream: "psp" }, async (_api, event) => {
              await new Promise<void>((resolve) => inner.clock.after(70, () => life.isOver || resolve()));
              if (++tries % 7 === 0) throw new Error("now and then");
              handled.push(event);
            }, { shards })
            .build();
        const events = sent.map(({ key }, index) => ({ id: `e${index}`, key: `k${key}`, type: "t" }));
        const { streams } = inner.engine({ definitions: [], work: false });
        const sending = (async () => {
          for (const [index, event] of events.entries()) {
            await new Promise<void>((resolve) => inner.clock.after(sent[index]!.gap, resolve));
            await streams.send("psp", [event]);
          }
        })();
        for (const ms of lives) {
          const life = { isOver: false };
          const { engine, kill } = inner.mortal({ definitions: [definitionOf(life)] });
          await inner.during(engine.start());
          await inner.advance(ms);
          life.isOver = true;
          kill();
        }
        await inner.started({ definitions: [definitionOf({ isOver: false })] });
        await inner.advance(120_000);
        await sending;
        await inner.end();
        // The first time each was handled, in the order of its key.
        const firsts = ids(handled).filter((id, index, all) => all.indexOf(id) === index);
        assert.deepEqual(firsts.toSorted(), ids(events).toSorted());
        for (const key of new Set(events.map((event) => event.key))) {
          const isOfKey = (id: string) => events.some((event) => event.id === id && event.key === key);
          assert.deepEqual(firsts.filter(isOfKey), ids(events).filter(isOfKey));
        }
        await store.close();
      },
    ),
    { numRuns: 25 },
  );
});

/** A streamer whose receivers end. */
function finiteStreamer(events: readonly StreamEvent[], acks: Map<string, string[]>): EventStreamer {
  return {
    send: () => Promise.reject(new Error("not here")),
    receive(_topic, name) {
      const acked: string[] = [];
      acks.set(name.slice(-6), acked);
      return Promise.resolve(deliveries(events, acked)) as never;
    },
  };
}

testInMemory("a topic that ends is acked up to its end by every shard", async (world) => {
  const acks = new Map<string, string[]>();
  const events = eventsOf(50).map((event) => ({ ...event, topic: "psp", at: new Date(0) }));
  const definition = listening(finiteStreamer(events, acks), () => {}, { shards: 2, finite: true });
  await world.started({ definitions: [definition] });
  await world.settle();
  assert.deepEqual([...acks.keys()], ["1-of-2", "2-of-2"]);
  for (const acked of acks.values()) assert.equal(acked.at(-1), "e49");
});

testInMemory("a function's receivers ack every event, their own and those of other shards", async (world) => {
  const acks = [[], [], []] as string[][];
  const handled: string[] = [];
  const names: string[] = [];
  const definition = machine("orders").step("new", ["done"], () => "done")
    .connector(
      "all",
      ({ name, shard, shards }) => {
        names.push(`${name} is ${shard} of ${shards}`);
        return Promise.resolve(deliveries(eventsOf(60), acks[shard]!));
      },
      (_api, { id }) => void handled.push(id),
      { shards: 3, finite: true },
    )
    .build();
  await world.started({ definitions: [definition] });
  await world.settle();
  assert.deepEqual(handled.toSorted(), ids(eventsOf(60)).toSorted());
  for (const acked of acks) assert.deepEqual(acked, ids(eventsOf(60)));
  assert.deepEqual(
    names,
    [0, 1, 2].map((shard) => `all-connector-to-orders-consumer-${shard + 1}-of-3 is ${shard} of 3`),
  );
});

testInMemory("the lag of another shard's event holds up nobody", async (world) => {
  const old = new Date(world.clock.now() - 3_600_000);
  const events = eventsOf(20).map(({ id, key }) => {
    const isMine = connectorShardOf({ id, key }, 2) === 0;
    return { id, key, at: isMine ? old : new Date(world.clock.now()) };
  });
  const handled: string[] = [];
  const definition = machine("orders").step("new", ["done"], () => "done")
    .connector("late", () => deliveries(events), (_api, { id }) => void handled.push(id), {
      shards: 2,
      lag: "10m",
      finite: true,
    })
    .build();
  await world.started({ definitions: [definition] });
  await world.settle();
  assert.deepEqual(handled, ids(events.filter(({ at }) => at === old)));
  await world.advance(600_000);
  assert.equal(handled.length, 20);
});

testInMemory("stop() ends a generator, so that what it holds is given back", async (world) => {
  let isReleased = false;
  const definition = machine("orders").step("new", ["done"], () => "done")
    .connector("held", async function* ({ signal }) {
      try {
        yield { event: { id: "a" }, ack: () => {} };
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      } finally {
        isReleased = true;
      }
    }, () => {})
    .build();
  const engine = await world.started({ definitions: [definition] });
  await world.settle();
  assert.ok(!isReleased);
  await world.during(engine.stop());
  await world.settle();
  assert.ok(isReleased);
});

testInMemory("a handler's wait for a run ends with its attempt", async (world) => {
  const streamer = memoryStreamer({ clock: world.clock });
  const ended: unknown[] = [];
  const orders = machine("orders")
    .callback("waiting", ["done"], () => "done")
    .connector("psp", { stream: "psp", streamer }, async (api, { id, key }) => {
      await api.trigger(key, { idempotencyKey: id });
      await api.await(key, { status: "done" }).catch((error) => {
        ended.push(error.code);
        throw error;
      });
    }, { timeout: "3s" })
    .build();
  const engine = await world.started({ definitions: [orders] });
  await streamer.send("psp", eventsOf(1));
  await world.advance(3_000);
  assert.deepEqual(ended, ["STEP_TIMEOUT"]);
  await world.during(engine.stop({ grace: "1s" }), 2_000);
  assert.equal(world.clock.timers, 0);
});

testInMemory("a handler has the verbs of its machine, bound to it", async (world) => {
  const seen: unknown[] = [];
  const orders = machine<number>("orders", { pauseRetry: false })
    .callback("waiting", ["done"], () => "done")
    .connector("all", deliveries([{ id: "a" }]), async (api) => {
      const { runId } = await api.trigger("k", { data: 5 });
      seen.push((await api.get("k", { runId }))?.data);
      seen.push((await api.pause("k", { reason: "why" })).runState);
      seen.push((await api.resume("k")).runState);
      seen.push((await api.callback("k", "waiting", undefined)).applied);
      seen.push((await api.await("k")).status);
      seen.push((await api.deleteData("k")).runState);
      await api.trigger("k", { data: 6 });
      seen.push((await api.cancel("k")).runState);
      seen.push((await api.engine.list({ definition: "orders" })).items.length, api.attempt);
    }, { finite: true })
    .build();
  await world.started({ definitions: [orders] });
  await world.settle();
  assert.deepEqual(seen, [5, "paused", "running", true, "done", "deletion-requested", "cancelled", 2, 1]);
});

testInMemory(
  "a connector is measured under luno's name of its process, and stands among the states",
  async (world) => {
    const streamer = memoryStreamer({ clock: world.clock });
    const telemetry = recordingTelemetry();
    let isBroken = true;
    const definition = listening(streamer, () => {
      if (isBroken) throw new Error("not yet");
    }, { shards: 2, lag: "1m", lagAlert: "1h", retry: { initial: "10s", jitter: false } });
    await streamer.send("psp", eventsOf(10));
    const mine = eventsOf(10).filter((event) => connectorShardOf(event, 2) === 0);
    await world.advance(3 * 3_600_000);
    const engine = await world.started({ definitions: [definition], telemetry });
    await world.settle();
    isBroken = false;
    await world.advance(10_000);
    const labels = { workflow_name: "orders", process_name: "psp-connector-to-orders-consumer-1-of-2" };
    assert.equal(engine.states()[labels.process_name], "running");
    assert.deepEqual(telemetry.told("workflow_process_error_count", labels), [0, 1]);
    assert.equal(telemetry.told("workflow_process_latency_seconds", labels).length, mine.length);
    const lags = telemetry.told("workflow_process_lag_seconds", labels);
    assert.deepEqual(lags.slice(0, 3), [0, 10_740, 10_750]);
    assert.equal(lags.length, 1 + mine.length);
    assert.equal(telemetry.told("workflow_process_lag_alert", labels).at(-1), 1);
    const filtered = { ...labels, reason: "filtered out" };
    assert.equal(telemetry.told("workflow_process_skipped_events_count", filtered).length, 10 - mine.length);
  },
);

testInMemory(
  "the log tells of failing events without what their handler said, and of failing sources",
  async (world) => {
    const streamer = memoryStreamer({ clock: world.clock });
    const { streamer: rough, broken } = watched(streamer);
    broken.receive = 1;
    const lines: unknown[] = [];
    const definition = listening(rough, () => {
      throw new TypeError("Ann Lee, 5 High Street");
    }, { parkAfterErrors: 2, retry: { initial: "1s", jitter: false } });
    await world.started({
      definitions: [definition],
      logger: { log: (level, message, fields) => lines.push([level, message, { ...fields }]) },
    });
    await streamer.send("psp", eventsOf(1));
    await world.advance(5_000);
    const about = { definition: "orders", connector: "psp", shard: 0 };
    const event = { ...about, eventId: "e0", error: "TypeError", code: undefined };
    assert.deepEqual(lines, [
      ["warn", "The source of a connector failed; it is opened again", {
        ...about,
        attempt: 1,
        error: "TimeoutError: The broker did not answer in time",
        code: undefined,
      }],
      ["warn", "A connector's handler failed; it is tried again", { ...event, attempt: 1 }],
      ["warn", "An event of a connector is parked", { ...event, attempt: 2 }],
    ]);
  },
);
