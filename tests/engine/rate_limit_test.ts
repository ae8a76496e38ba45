import assert from "node:assert/strict";
import { server } from "../../core/ports/platform.ts";
import fc from "fast-check";
import { Dispatcher, type Ready, type RunSource } from "../../core/engine/dispatcher.ts";
import { defaultLimits } from "../../core/limits.ts";
import { virtualClock } from "../../core/testing/mod.ts";
import { machine, type StepOptions } from "../../mod.ts";
import { gate, testInMemory, testOnStores } from "./stores.ts";

/** A machine with a step of its own pace beside one without, both noting when they start. */
function paced(options: StepOptions, own: { fails?: boolean } = {}) {
  const starts: { readonly key: string; readonly at: number }[] = [];
  const state = { starts, now: () => 0, free: 0 };
  const flow = machine("flow", { pauseRetry: false })
    .step("slow", ["done"], (run) => {
      starts.push({ key: run.key, at: state.now() });
      if (own.fails && run.attempt < 3) throw new Error("no");
      return "done";
    }, options)
    .step("free", ["done"], () => (state.free++, "done"))
    .build();
  return { flow, state };
}

/** Most starts in any span of `per`. */
function busiest(starts: readonly number[], per: number): number {
  return Math.max(0, ...starts.map((from) => starts.filter((at) => at >= from && at < from + per).length));
}

testOnStores(
  "a step with a rateLimit starts so often in any span, in order, and others go on",
  async (world) => {
    const { flow, state } = paced({ rateLimit: { limit: 3, per: "1s" } });
    state.now = () => world.clock.monotonic();
    const engine = await world.started({ definitions: [flow] });
    const began = world.clock.monotonic();
    const keys = Array.from({ length: 10 }, (_, index) => `k${index}`);
    for (const key of keys) await world.during(engine.trigger(flow, key));
    for (const key of keys) await world.during(engine.trigger(flow, `free ${key}`, { startAt: "free" }));
    await world.settle();
    assert.equal(state.free, 10);
    assert.deepEqual(state.starts.map(({ key }) => key), keys.slice(0, 3));
    await world.advance(999);
    assert.equal(state.starts.length, 3);
    await world.advance(1);
    assert.equal(state.starts.length, 6);
    await world.advance(5_000);
    assert.deepEqual(state.starts.map(({ key, at }) => [key, at - began]), [
      ...[["k0", 0], ["k1", 0], ["k2", 0], ["k3", 1_000], ["k4", 1_000], ["k5", 1_000]],
      ...[["k6", 2_000], ["k7", 2_000], ["k8", 2_000], ["k9", 3_000]],
    ]);
  },
);

testInMemory(
  "a step with a rateLimit counts its retries, and a wait for its turn costs no commit",
  async (world) => {
    const { flow, state } = paced({ rateLimit: { limit: 1, per: "1h" }, retry: { max: 1 } }, { fails: true });
    state.now = () => world.clock.monotonic();
    const engine = await world.started({ definitions: [flow], lease: { term: "60d" } });
    for (const key of ["a", "b"]) await world.during(engine.trigger(flow, key));
    await world.advance(10);
    const commits = engine.admin.counts().commits;
    await world.advance(3_500_000);
    assert.equal(engine.admin.counts().commits, commits);
    const { runId, attempt } = (await world.during(engine.get(flow, "b")))!;
    assert.equal(attempt, 0);
    assert.equal((await world.during(engine.history({ runId }))).length, 1);
    await world.advance(6 * 3_600_000);
    assert.deepEqual(state.starts.map(({ key }) => key), ["a", "b", "a", "b", "a", "b"]);
    assert.equal(busiest(state.starts.map(({ at }) => at), 3_600_000), 1);
  },
);

testInMemory(
  "a run that waits for its rate can be paused and cancelled, and takes no turn then",
  async (world) => {
    const { flow, state } = paced({ rateLimit: { limit: 1, per: "1m" } });
    const engine = await world.started({ definitions: [flow] });
    for (const key of ["a", "b", "c", "d"]) await world.during(engine.trigger(flow, key));
    await world.settle();
    await world.during(engine.pause(flow, "b"));
    await world.during(engine.cancel(flow, "c"));
    await world.advance(60_000);
    assert.deepEqual(state.starts.map(({ key }) => key), ["a", "d"]);
    await world.during(engine.resume(flow, "b"));
    await world.settle();
    assert.equal(state.starts.length, 2);
    await world.advance(60_000);
    assert.deepEqual(state.starts.map(({ key }) => key), ["a", "d", "b"]);
  },
);

testInMemory("no timer is left where nothing waits for its rate, nor after stop()", async (world) => {
  const { flow } = paced({ rateLimit: { limit: 2, per: "1m" } });
  const idle = await world.started({ definitions: [flow] });
  await world.settle();
  const before = world.clock.timers;
  for (const key of ["a", "b"]) await world.during(idle.trigger(flow, key));
  await world.settle();
  assert.equal(world.clock.timers, before);
  for (const key of ["c", "d", "e"]) await world.during(idle.trigger(flow, key));
  await world.settle();
  assert.equal(world.clock.timers, before + 1);
  await world.advance(120_000);
  assert.equal(world.clock.timers, before);
  for (const key of ["f", "g", "h"]) await world.during(idle.trigger(flow, key));
  await world.settle();
  await world.during(idle.stop(), 10_000);
  assert.equal(world.clock.timers, 0);
});

testInMemory("runs that waited for their rate go on with the engine that takes over", async (world) => {
  const { flow, state } = paced({ rateLimit: { limit: 1, per: "1m" } });
  const first = await world.started({ definitions: [flow] });
  for (const key of ["a", "b", "c"]) await world.during(first.trigger(flow, key));
  await world.settle();
  await world.during(first.stop(), 10_000);
  await world.started({ definitions: [flow] });
  await world.advance(180_000);
  assert.deepEqual(state.starts.map(({ key }) => key), ["a", "b", "c"]);
});

testInMemory(
  "after a take-over, runs that wait for their rate hold up no other suspect and are not blamed",
  async (world) => {
    const hang = { now: true };
    const flow = machine("flow", { pauseRetry: false })
      .step("slow", ["done"], () => hang.now ? new Promise<never>(() => {}) : "done", {
        rateLimit: { limit: 1, per: "1h" },
      })
      .step("free", ["done"], () => hang.now ? new Promise<never>(() => {}) : "done")
      .build();
    const first = world.mortal({ definitions: [flow] });
    await world.during(first.engine.start());
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
    for (const key of keys) await world.during(first.engine.trigger(flow, key));
    for (const key of keys) {
      await world.during(first.engine.trigger(flow, `free ${key}`, { startAt: "free" }));
    }
    await world.settle();
    first.kill();
    hang.now = false;
    const second = await world.started({ definitions: [flow] });
    await world.advance(60_000);
    const ended = await world.during(second.list({ status: "done", limit: 100 }));
    assert.equal(ended.items.length, 13);
    const rows = await Promise.all(
      keys.map(async (key) => {
        const { runId } = (await second.get(flow, key))!;
        return (await second.history({ runId })).filter(({ kind }) => kind === "interrupted").length;
      }),
    );
    // Of the first window, all were looked at before the first of them started.
    assert.ok(rows.reduce((sum, each) => sum + each, 0) <= 4, rows.join());
    await world.advance(12 * 3_600_000);
    const all = await world.during(second.list({ status: "done", limit: 100 }));
    assert.equal(all.items.length, 24);
  },
);

testInMemory(
  "tick() works at the rate within its budget, keeps it over ticks, and tells when to come back",
  async (world) => {
    const { flow, state } = paced({ rateLimit: { limit: 2, per: "1s" } });
    state.now = () => world.clock.monotonic();
    const engine = world.engine({ definitions: [flow] });
    for (let index = 0; index < 9; index++) await world.during(engine.trigger(flow, `k${index}`));
    const report = await world.during(engine.tick({ budgetMs: 1_500 }), 2_000);
    assert.deepEqual([report.processed, report.running], [4, 0]);
    assert.equal(report.nextDueAt!.getTime() - world.clock.now(), 1_000 + (1_000 - world.clock.monotonic()));
    const soon = await world.during(engine.tick({ budgetMs: 100 }), 500);
    assert.deepEqual([soon.processed, soon.nextDueAt!.getTime()], [0, report.nextDueAt!.getTime()]);
    const rest = await world.during(engine.tick({ budgetMs: 10_000 }), 20_000);
    assert.deepEqual([rest.processed, rest.nextDueAt], [5, undefined]);
    assert.equal(busiest(state.starts.map(({ at }) => at), 1_000), 2);
  },
);

testInMemory("a rateLimit and a concurrency hold together", async (world) => {
  const gates: PromiseWithResolvers<void>[] = [];
  const flow = machine("flow").step("a", ["b"], async () => {
    gates.push(gate());
    await gates.at(-1)!.promise;
    return "b" as const;
  }, { concurrency: 2, rateLimit: { limit: 3, per: "1s" } }).build();
  const engine = await world.started({ definitions: [flow] });
  for (let index = 0; index < 6; index++) await world.during(engine.trigger(flow, `k${index}`));
  await world.advance(10_000);
  assert.equal(gates.length, 2);
  for (const each of gates.slice(0, 2)) each.resolve();
  await world.settle();
  assert.equal(gates.length, 4);
  for (const each of gates) each.resolve();
  await world.settle();
  assert.equal(gates.length, 5);
  await world.advance(1_000);
  assert.equal(gates.length, 6);
  for (const each of gates) each.resolve();
  await world.settle();
});

Deno.test("Dispatcher forgets at once what waited for an owner that has left", async () => {
  const clock = virtualClock();
  const dispatcher = new Dispatcher({ ...defaultLimits, runsInFlightMax: 10 }, { clock, platform: server });
  const bounds = { concurrency: 0, rateLimit: { limit: 1, perMs: 1_000 } };
  const [gone, stays] = [0, 1].map(() => new Runs(() => clock.monotonic(), [bounds, bounds, bounds]));
  for (const index of [1, 2, 7]) dispatcher.ready(gone!, `0:${index}`);
  dispatcher.ready(stays!, "0:8");
  for (const end of gone!.running.splice(0)) end();
  await clock.settle();
  assert.equal(dispatcher.busy(1_000), true);
  dispatcher.leave(gone!);
  assert.equal(dispatcher.nextDue(stays!, 1), clock.now() + 1_000);
  await clock.advance(1_000);
  assert.deepEqual([gone!.order[0], stays!.order[0]], [["0:1"], ["0:8"]]);
  for (const end of stays!.running.splice(0)) end();
  await clock.settle();
  dispatcher.ready(gone!, "0:11");
  assert.equal(dispatcher.busy(5_000), true);
  dispatcher.leave(gone!);
  assert.equal(dispatcher.busy(5_000), false);
});

Deno.test("Dispatcher keeps who waits for its rate over a stop, and starts nothing meanwhile", async () => {
  const clock = virtualClock();
  const dispatcher = new Dispatcher({ ...defaultLimits, runsInFlightMax: 10 }, { clock, platform: server });
  const runs = new Runs(() => clock.monotonic(), [{ concurrency: 0, rateLimit: { limit: 1, perMs: 1_000 } }]);
  for (const index of [1, 2]) dispatcher.ready(runs, `0:${index}`);
  for (const end of runs.running.splice(0)) end();
  await clock.settle();
  dispatcher.stop();
  await clock.advance(5_000);
  assert.deepEqual(runs.starts[0], [0]);
  dispatcher.resume();
  assert.deepEqual(runs.starts[0], [0, 5_000]);
  dispatcher.ready(runs, "0:7");
  dispatcher.stop();
  dispatcher.resume();
  await clock.advance(1_000);
  assert.deepEqual(runs.starts[0], [0, 5_000, 6_000]);
});

interface Act {
  readonly kind: "ready" | "wait" | "stop" | "resume" | "leave" | "end";
  readonly lane: number;
  readonly ms: number;
}

const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom<Act["kind"][]>(
    "ready",
    "ready",
    "ready",
    "wait",
    "wait",
    "stop",
    "resume",
    "leave",
    "end",
  ),
  lane: fc.nat(2),
  ms: fc.nat(40),
});

/** A source whose runs start or, at random, turn out not to be due; it must hear of each that it does not lose. */
class Runs implements RunSource {
  readonly name = "runs";
  readonly starts: number[][] = [[], [], []];
  readonly order: string[][] = [[], [], []];
  readonly running: (() => void)[] = [];
  readonly atOnce = [0, 0, 0];
  over = false;
  constructor(readonly now: () => number, readonly bounds: readonly Omit<Ready, "status">[]) {}

  prepare(runId: string): Ready | undefined | Promise<Ready | undefined> {
    const [lane, count] = runId.split(":").map(Number) as [number, number];
    const ready = this.over || count % 5 === 4 ? undefined : { status: `s${lane}`, ...this.bounds[lane]! };
    return count % 3 === 0 ? Promise.resolve(ready) : ready;
  }

  run(runId: string): Promise<void> {
    const lane = Number(runId.split(":")[0]);
    this.starts[lane]!.push(this.now());
    this.order[lane]!.push(runId);
    this.atOnce[lane]!++;
    return new Promise((resolve) => {
      this.running.push(() => {
        this.atOnce[lane]!--;
        resolve();
      });
    });
  }
}

Deno.test("Dispatcher starts never more than the bounds, everything at last, and free lanes at once", async () => {
  const limits = fc.record({ limit: fc.integer({ min: 1, max: 4 }), perMs: fc.integer({ min: 1, max: 60 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { maxLength: 60 }),
      limits,
      fc.nat(3),
      async (acts, rateLimit, concurrency) => {
        const clock = virtualClock();
        const bounds = [{ concurrency: 0, rateLimit }, { concurrency, rateLimit }, { concurrency: 0 }];
        const dispatcher = new Dispatcher({ ...defaultLimits, runsInFlightMax: 1_000 }, {
          clock,
          platform: server,
        });
        let source = new Runs(() => clock.monotonic(), bounds);
        const sources = [source];
        const wanted: string[] = [];
        const starts: number[][] = [[], [], []];
        for (const [index, { kind, lane, ms }] of acts.entries()) {
          if (kind === "ready") {
            const runId = `${lane}:${index}`;
            if (index % 5 !== 4) wanted.push(runId);
            dispatcher.ready(source, runId);
            await clock.settle();
            if (lane === 2 && !dispatcher.stopped && index % 5 !== 4) {
              assert.equal(
                source.order[2]!.at(-1),
                runId,
              );
            }
          } else if (kind === "wait") await clock.advance(ms);
          else if (kind === "stop") dispatcher.stop();
          else if (kind === "resume") dispatcher.resume();
          else if (kind === "end") { for (const end of source.running.splice(0)) end(); }
          else {
            source.over = true;
            dispatcher.leave(source);
            wanted.length = 0;
            source = new Runs(() => clock.monotonic(), bounds);
            sources.push(source);
          }
          await clock.settle();
          const atOnce = sources.reduce((sum, each) => sum + each.atOnce[1]!, 0);
          assert.ok(concurrency === 0 || atOnce <= concurrency);
        }
        dispatcher.resume();
        for (let turn = 0; turn < 200; turn++) {
          for (const each of sources) for (const end of each.running.splice(0)) end();
          await clock.advance(30);
        }
        for (const each of sources) each.starts.forEach((list, lane) => starts[lane]!.push(...list));
        for (const lane of [0, 1]) assert.ok(busiest(starts[lane]!, rateLimit.perMs) <= rateLimit.limit);
        const started = source.order.flat();
        assert.deepEqual(wanted.filter((runId) => !started.includes(runId)), []);
        for (const order of source.order) {
          // What is prepared in no time keeps its order of arrival.
          const indexes = order.map((runId) => Number(runId.split(":")[1])).filter((index) =>
            index % 3 !== 0
          );
          assert.deepEqual(indexes, [...indexes].sort((a, b) => a - b));
        }
        assert.equal(dispatcher.inFlight, 0);
        assert.equal(dispatcher.busy(Infinity), false);
        await dispatcher.drained(Infinity);
      },
    ),
    { numRuns: 150 },
  );
});
