import assert from "node:assert/strict";
import { machine, type Platform, type Readiness } from "../../mod.ts";
import { gate, testInMemory, testOnStores } from "./stores.ts";

/** A platform in the hand of a test. Those of one `signs` can tell which of their engines are gone. */
function handPlatform(signs?: Set<string>) {
  const listeners = new Set<() => void>();
  const tell = () => [...listeners].forEach((listener) => listener());
  const state = { isOnline: true, readiness: "active" as Readiness };
  const platform: Platform = {
    isOnline: () => state.isOnline,
    readiness: () => state.readiness,
    watch(onChange) {
      listeners.add(onChange);
      return () => void listeners.delete(onChange);
    },
    ...signs && {
      hold(engineId) {
        signs.add(engineId);
        return Promise.resolve(() => void signs.delete(engineId));
      },
      gone: (engineIds) => Promise.resolve(engineIds.filter((engineId) => !signs.has(engineId))),
    },
  };
  return {
    platform,
    listeners,
    goes(how: Partial<typeof state>) {
      Object.assign(state, how);
      tell();
    },
  };
}

const kinds = (rows: readonly { readonly kind: string }[]) => rows.map(({ kind }) => kind);

testOnStores(
  "a step that needs the network waits while there is none, and starts when it is back",
  async (world) => {
    const reminded: string[] = [];
    const form = machine<{ n: number }>("form")
      .step("checked", ["sending"], () => "sending")
      .step("sending", ["sent"], () => "sent", { needs: "network" })
      .timeout("sending", [], { after: "1m" }, (run) => {
        reminded.push(run.key);
        return run.skip();
      })
      .build();
    const { platform, goes } = handPlatform();
    goes({ isOnline: false });
    const engine = await world.started({ definitions: [form], platform });
    await world.during(engine.trigger(form, "a", { data: { n: 1 } }));
    await world.advance(90_000);
    const waiting = await world.during(engine.get(form, "a"));
    assert.deepEqual([waiting?.status, waiting?.runState, waiting?.lastError], [
      "sending",
      "running",
      undefined,
    ]);
    assert.deepEqual(reminded, ["a"]);

    goes({ isOnline: true });
    await world.advance(100);
    assert.equal((await world.during(engine.get(form, "a")))?.runState, "completed");
    const history = await world.during(engine.history({ runId: waiting!.runId }));
    assert.deepEqual(kinds(history), ["trigger", "move", "skip", "move"]);
  },
);

testInMemory(
  "an attempt that fails while there is no network is not counted, and waits for it",
  async (world) => {
    const { platform, goes } = handPlatform();
    const attempts: number[] = [];
    const form = machine("form")
      .step("sending", ["sent"], async (run) => {
        attempts.push(run.attempt);
        if (attempts.length > 2) return "sent";
        if (attempts.length === 1) goes({ isOnline: false });
        await Promise.resolve();
        throw new TypeError("Failed to fetch");
      }, { needs: "network", pauseAfterErrors: 2, retry: { initial: "1s", jitter: false } })
      .build();
    const engine = await world.started({ definitions: [form], platform });
    const { runId } = await engine.trigger(form, "a");
    await world.advance(3_600_000);
    assert.deepEqual(attempts, [1]);
    assert.equal((await engine.get(form, "a"))?.lastError, undefined);

    goes({ isOnline: true });
    await world.settle();
    // This one fails with the network there: it counts.
    assert.deepEqual(attempts, [1, 1]);
    assert.equal((await engine.get(form, "a"))?.lastError?.name, "TypeError");
    await world.advance(1_000);
    assert.deepEqual(attempts, [1, 1, 2]);
    assert.deepEqual(kinds(await engine.history({ runId })), ["trigger", "error", "move"]);
  },
);

testInMemory(
  "a step that does not need the network goes on without it, and its failures count",
  async (world) => {
    const { platform, goes } = handPlatform();
    goes({ isOnline: false });
    const flow = machine("flow").step("a", ["b"], () => {
      throw new Error("disk");
    }, { pauseAfterErrors: 1 }).build();
    const engine = await world.started({ definitions: [flow], platform });
    await engine.trigger(flow, "a");
    await world.settle();
    assert.equal((await engine.get(flow, "a"))?.runState, "paused");
  },
);

testInMemory("timeouts and hooks may need the network, too", async (world) => {
  const { platform, goes } = handPlatform();
  const told: string[] = [];
  let hookTries = 0;
  const flow = machine("flow")
    .timeout("open", ["closed"], { after: "1s" }, () => {
      told.push("timeout");
      return "closed";
    }, { needs: "network" })
    .onComplete(() => {
      if (++hookTries === 1) {
        goes({ isOnline: false });
        throw new Error("offline");
      }
      told.push("hook");
    }, { needs: "network", parkAfterErrors: 1 })
    .build();
  goes({ isOnline: false });
  const engine = await world.started({ definitions: [flow], platform });
  await engine.trigger(flow, "a", { startAt: "open" });
  await world.advance(10_000);
  assert.deepEqual(told, []);
  goes({ isOnline: true });
  await world.settle();
  assert.deepEqual([told, hookTries], [["timeout"], 1]);
  assert.deepEqual((await engine.admin.parked()).items, []);
  goes({ isOnline: true });
  await world.settle();
  assert.deepEqual(told, ["timeout", "hook"]);
});

testInMemory(
  "a tick without network leaves what needs it, and says that nothing is to be done",
  async (world) => {
    const { platform, goes } = handPlatform();
    goes({ isOnline: false });
    const form = machine("form").step("sending", ["sent"], () => "sent", { needs: "network" }).build();
    const engine = world.engine({ definitions: [form], platform });
    await engine.trigger(form, "a");
    const before = await world.during(engine.tick(), 10_000);
    assert.deepEqual([before.processed, before.nextDueAt], [0, undefined]);
    goes({ isOnline: true });
    assert.equal((await world.during(engine.tick(), 10_000)).processed, 1);
  },
);

testInMemory(
  "what was due when its engine died waits for the network without being blamed",
  async (world) => {
    const held = gate();
    const form = machine("form").step("sending", ["sent"], async () => {
      await held.promise;
      return "sent";
    }, { needs: "network" }).build();
    const first = world.mortal({ definitions: [form], platform: handPlatform().platform });
    await first.engine.start();
    const { runId } = await first.engine.trigger(form, "a");
    await world.settle();
    first.kill();
    held.resolve();

    const { platform, goes } = handPlatform();
    goes({ isOnline: false });
    const engine = await world.started({ definitions: [form], platform });
    await world.advance(60_000);
    assert.deepEqual(kinds(await engine.history({ runId })), ["trigger"]);
    goes({ isOnline: true });
    await world.advance(1_000);
    assert.equal((await engine.get(form, "a"))?.runState, "completed");
  },
);

const quick = machine("quick").step("a", ["b"], () => "b").build();

/** Which of the engines work now, by who runs a step. */
function labelled(label: string, log: string[]) {
  return machine("flow").step("a", ["b"], () => {
    log.push(label);
    return "b";
  }).build();
}

testOnStores("of two engines the active one works, and takes over when they change roles", async (world) => {
  const ran: string[] = [];
  const [front, back] = [handPlatform(), handPlatform()];
  back.goes({ readiness: "standby" });
  const flows = { back: labelled("back", ran), front: labelled("front", ran) };
  const hidden = await world.started({ definitions: [flows.back], platform: back.platform });
  const trigger = async (key: string) => {
    await world.during(hidden.trigger(flows.back, key), 5_000);
    await world.advance(5_000);
  };
  await trigger("alone");
  assert.deepEqual(ran, ["back"]);

  const shown = await world.started({ definitions: [flows.front], platform: front.platform });
  await world.advance(5_000);
  await trigger("beside an active one");
  assert.deepEqual(ran, ["back", "front"]);

  front.goes({ readiness: "standby" });
  back.goes({ readiness: "active" });
  await world.advance(5_000);
  await trigger("roles changed");
  assert.deepEqual(ran, ["back", "front", "back"]);

  back.goes({ readiness: "standby" });
  await world.advance(5_000);
  await trigger("both stand by");
  assert.equal(ran.length, 4);
  await world.during(shown.stop(), 5_000);
});

testInMemory("an engine whose process is gone is replaced long before its term ends", async (world) => {
  const signs = new Set<string>();
  const dead = world.mortal({
    definitions: [quick],
    platform: handPlatform(signs).platform,
    lease: { term: "1d" },
  });
  await dead.engine.start();
  assert.equal(signs.size, 1);
  const next = await world.started({ definitions: [quick], platform: handPlatform(signs).platform });
  dead.kill();
  await next.trigger(quick, "a");
  await world.advance(60_000);
  assert.equal((await next.get(quick, "a"))?.runState, "initiated");

  // The browser lets go of what a closed tab held.
  signs.delete([...signs][0]!);
  await world.advance(6_000);
  assert.equal((await next.get(quick, "a"))?.runState, "completed");
  assert.deepEqual((await next.admin.verify()).findings, []);
});

testInMemory(
  "an engine that is wrongly taken for gone works no more unseen, and joins again",
  async (world) => {
    const signs = new Set<string>();
    const [started, landed]: [string[], string[]] = [[], []];
    const hold = gate();
    const flow = (name: string) =>
      machine("flow").step("a", ["b"], async () => {
        started.push(name);
        if (started.length === 1) await hold.promise;
        landed.push(name);
        return "b";
      }).build();
    const first = flow("first");
    const engine = await world.started({
      definitions: [first],
      platform: handPlatform(signs).platform,
      lease: { term: "2m" },
    });
    await engine.trigger(first, "a");
    await world.settle();
    const [sign] = signs;
    const other = await world.started({
      definitions: [flow("other")],
      platform: handPlatform(signs).platform,
      lease: { term: "2m" },
    });
    signs.delete(sign!);
    await world.advance(10_000);
    assert.deepEqual([started, landed], [["first", "other"], ["other"]]);

    hold.resolve();
    await world.advance(60_000);
    const { runId } = (await engine.get(first, "a"))!;
    assert.deepEqual(kinds(await other.history({ runId })), ["trigger", "interrupted", "move"]);
    // It works again: when the other stops, it takes over.
    await world.during(other.stop(), 10_000);
    await engine.trigger(first, "b");
    await world.advance(60_000);
    assert.equal((await engine.get(first, "b"))?.runState, "completed");
    assert.deepEqual((await engine.admin.verify()).findings, []);
  },
);

testInMemory("an engine that others cannot see is not taken for gone", async (world) => {
  const signs = new Set<string>();
  const ran: string[] = [];
  const flow = labelled("server", ran);
  await world.started({ definitions: [flow] });
  const other = labelled("tab", ran);
  const tab = await world.started({ definitions: [other], platform: handPlatform(signs).platform });
  await world.advance(60_000);
  await tab.trigger(other, "a");
  await world.advance(1_000);
  assert.deepEqual(ran, ["server"]);
});

testInMemory(
  "a platform that can neither show nor tell who is there costs a term, and nothing else",
  async (world) => {
    const lines: string[] = [];
    const logger = { log: (_level: string, message: string) => void lines.push(message) };
    const broken = (): Platform => ({
      ...handPlatform().platform,
      hold: () => Promise.reject(new Error("no locks today")),
      gone: () => Promise.reject(new Error("no locks today")),
    });
    const half: Platform = { ...handPlatform(new Set()).platform, gone: broken().gone! };
    const dead = world.mortal({ definitions: [quick], platform: half });
    await dead.engine.start();
    const next = await world.started({ definitions: [quick], platform: broken(), logger });
    dead.kill();
    await next.trigger(quick, "a");
    await world.advance(30_000);
    assert.equal((await next.get(quick, "a"))?.runState, "completed");
    const expected = [
      "Cannot show others that this engine is there; its term tells",
      "Cannot see which engines are gone; their terms tell",
    ];
    for (const line of expected) assert.ok(lines.includes(line), line);
  },
);

testOnStores(
  "an engine that is suspended gives back what it owns, and works again when it is not",
  async (world) => {
    const ran: string[] = [];
    const signs = new Set<string>();
    const [left, other] = [handPlatform(signs), handPlatform(signs)];
    const flows = { left: labelled("left", ran), other: labelled("other", ran) };
    const first = await world.started({
      definitions: [flows.left],
      platform: left.platform,
      lease: { term: "1d" },
    });
    left.goes({ readiness: "suspended" });
    assert.equal(signs.size, 0);
    await world.advance(1_000);
    const second = await world.started({ definitions: [flows.other], platform: other.platform });
    await world.during(second.trigger(flows.other, "a"), 5_000);
    await world.advance(1_000);
    assert.deepEqual(ran, ["other"]);

    other.goes({ readiness: "suspended" });
    await world.during(first.trigger(flows.left, "b"), 5_000);
    const waiting = first.await(flows.left, "b").then(({ runState }) => runState);
    waiting.catch(() => {});
    await world.advance(60_000);
    assert.deepEqual(ran, ["other"]);
    left.goes({ readiness: "active" });
    await world.advance(1_000);
    assert.deepEqual(ran, ["other", "left"]);
    assert.equal(await world.during(waiting, 5_000), "completed");
  },
);

testInMemory(
  "a step that runs while its engine is suspended is told, and runs again where the work goes on",
  async (world) => {
    const starts: string[] = [];
    const reasons: unknown[] = [];
    const flow = machine("flow").step("a", ["b"], (run) => {
      starts.push(run.stepId);
      if (starts.length > 1) return "b";
      return new Promise((_, reject) => {
        run.signal.addEventListener("abort", () => {
          reasons.push(run.signal.reason.code);
          reject(run.signal.reason);
        });
      });
    }).build();
    const { platform, goes } = handPlatform();
    const engine = await world.started({ definitions: [flow], platform });
    const { runId } = await engine.trigger(flow, "a");
    await world.settle();
    goes({ readiness: "suspended" });
    await world.advance(1_000);
    assert.deepEqual(reasons, ["LEASE_LOST"]);
    goes({ readiness: "active" });
    await world.advance(1_000);
    assert.equal(new Set(starts).size, 1);
    assert.equal(starts.length, 2);
    assert.deepEqual(kinds(await engine.history({ runId })), ["trigger", "move"]);
  },
);

testInMemory("stop() ends an engine that is suspended, or about to be", async (world) => {
  for (const isSettled of [true, false]) {
    const signs = new Set<string>();
    const { platform, goes, listeners } = handPlatform(signs);
    const engine = await world.started({ definitions: [quick], platform });
    goes({ readiness: "suspended" });
    if (isSettled) await world.advance(1_000);
    await world.during(engine.stop(), 10_000);
    assert.deepEqual([listeners.size, signs.size], [0, 0]);
    goes({ readiness: "active" });
    await world.advance(1_000);
    assert.equal(signs.size, 0);
  }
});

testInMemory(
  "an engine that is shown again while its store is away tries until it is back",
  async (world) => {
    const { store } = world;
    let isAway = false;
    const away = <Value>(call: () => Promise<Value>) =>
      isAway ? Promise.reject(new Error("the store is away")) : call();
    const shaky = {
      ...{ limits: store.limits, shards: store.shards, close: () => store.close() },
      read: (requests: Parameters<typeof store.read>[0]) => away(() => store.read(requests)),
      commit: (calls: Parameters<typeof store.commit>[0]) => away(() => store.commit(calls)),
    };
    const { platform, goes } = handPlatform();
    const engine = await world.started({ definitions: [quick], platform, store: shaky });
    goes({ readiness: "suspended" });
    await world.advance(1_000);
    await engine.trigger(quick, "a");
    isAway = true;
    goes({ readiness: "active" });
    await world.advance(5_000);
    isAway = false;
    await world.advance(5_000);
    assert.equal((await engine.get(quick, "a"))?.runState, "completed");
  },
);

testInMemory("a step and a timeout that come late are told when they were due", async (world) => {
  const due: Record<string, number> = {};
  const flow = machine("flow")
    .step("a", ["open"], (run) => {
      due.step = run.dueAt.getTime();
      return "open";
    }, { lag: "1m" })
    .timeout("open", ["closed"], { after: "1h" }, (run) => {
      due.timeout = run.dueAt.getTime();
      return "closed";
    })
    .build();
  const begunAt = world.clock.now();
  const first = world.engine({ definitions: [flow] });
  await first.trigger(flow, "k");
  await world.advance(40 * 86_400_000);
  const late = world.clock.now();
  await world.during(first.start());
  await world.settle();
  assert.equal(due.step, begunAt + 60_000);
  await world.during(first.stop(), 10_000);
  await world.advance(40 * 86_400_000);
  await world.started({ definitions: [flow] });
  await world.settle();
  assert.equal(due.timeout, late + 3_600_000);
});

testInMemory(
  "an engine that is left while it starts owns nothing, and begins when it is shown",
  async (world) => {
    const signs = new Set<string>();
    const { platform, goes } = handPlatform(signs);
    const engine = world.engine({ definitions: [quick], platform });
    const starting = engine.start();
    goes({ readiness: "suspended" });
    await world.during(starting, 5_000);
    await world.advance(1_000);
    await engine.trigger(quick, "a");
    await world.advance(60_000);
    assert.equal((await engine.get(quick, "a"))?.runState, "initiated");
    assert.equal(signs.size, 0);
    goes({ readiness: "active" });
    await world.advance(1_000);
    assert.equal((await engine.get(quick, "a"))?.runState, "completed");
  },
);
