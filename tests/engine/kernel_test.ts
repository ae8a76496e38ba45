import assert from "node:assert/strict";
import { memoryStreamer } from "../../adapters/streams/memory.ts";
import { allFeatures } from "../../core/engine/features.ts";
import * as kernel from "../../kernel.ts";
import { type Engine, integration, type Logger, machine, silentLogger } from "../../mod.ts";
import { recordingTelemetry } from "../../core/testing/recording_telemetry.ts";
import { testInMemory, testOnStores, type World, type WorldEngineOptions } from "./stores.ts";

const {
  createEngine,
  admin,
  callbacks,
  connectors,
  deletion,
  hooks,
  lists,
  relay,
  streams,
  telemetry,
  transfer,
  verify,
} = kernel;

type KernelOptions = WorldEngineOptions & Pick<kernel.KernelOptions, "features">;

function kernelEngine({ store, clock }: World, options: KernelOptions): Engine {
  return createEngine({ store, clock, logger: silentLogger, ...options });
}

/** Runs a body with a started engine that has only the features asked for. */
async function withKernel(world: World, options: KernelOptions, body: (engine: Engine) => Promise<void>) {
  const engine = kernelEngine(world, options);
  await world.during(engine.start());
  try {
    await body(engine);
  } finally {
    await world.during(engine.stop({ grace: 0 }), 5_000);
  }
}

const orders = machine<{ paid?: number }>("orders")
  .step("placed", ["waiting"], () => "waiting", { retry: { initial: 100, jitter: false } })
  .timeout("waiting", ["expired"], { after: "10s" }, () => "expired")
  .callback("waiting", ["paid"], (run, cents: number) => {
    run.data.paid = cents;
    return "paid";
  })
  .build();

testOnStores("an engine without any feature runs machines and has the verbs of a run", async (world) => {
  await withKernel(world, { definitions: [orders] }, async (engine) => {
    const { runId } = await world.during(engine.trigger(orders, "a", { data: {} }));
    await world.during(engine.trigger(orders, "b", { data: {} }));
    await world.advance(1_000);
    assert.equal((await world.during(engine.get(orders, "a")))?.status, "waiting");
    assert.equal((await world.during(engine.pause(orders, "a", { reason: "stop" }))).runState, "paused");
    assert.equal((await world.during(engine.resume(orders, "a"))).runState, "running");
    assert.equal((await world.during(engine.cancel(orders, "b"))).runState, "cancelled");
    const ended = engine.await(orders, "a");
    await world.advance(10_000);
    assert.equal((await ended).status, "expired");
    const kinds = (await world.during(engine.history({ runId }))).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["trigger", "move", "pause", "resume", "move"]);
  });
});

testInMemory("what asks for a feature that is missing is told which one to give", async (world) => {
  await withKernel(world, { definitions: [orders] }, async (engine) => {
    await world.during(engine.trigger(orders, "a", { data: {} }));
    await world.advance(1_000);
    const before = await world.during(engine.get(orders, "a"));
    const asked: Readonly<Record<string, readonly (() => unknown)[]>> = {
      admin: [() => engine.admin],
      callbacks: [() => engine.callback(orders, "a", "waiting", 100)],
      deletion: [() => engine.deleteData(orders, "a")],
      diagrams: [() => engine.diagram(orders)],
      integrations: [
        () => engine.use(integration({ name: "i" })),
        () => engine.trigger(orders, "b", { data: {}, policy: { timeout: "1s" } }),
      ],
      lists: [() => engine.list(), () => engine.timers()],
      schedules: [() => engine.schedules],
      locks: [
        () => engine.locks,
        () => engine.mutex("m"),
        () => engine.semaphore("m", 2),
        () => engine.readWriteLock("m"),
      ],
      streams: [() => engine.streams],
      telemetry: [() => engine.states()],
      transactions: [() => engine.prepareTrigger(orders, "b", { data: {} })],
    };
    // What machines and options need is refused with them; what an admin needs, where there is one.
    const elsewhere = ["connectors", "hooks", "relay", "transfer", "verify"];
    const named = [...Object.keys(asked), ...elsewhere].sort();
    assert.deepEqual(named, allFeatures.map(({ name }) => name).sort(), "one is not tried");
    for (const [name, asks] of Object.entries(asked)) {
      for (const ask of asks) {
        await assert.rejects(async () => await ask(), {
          code: "UNSUPPORTED",
          message: new RegExp(`no feature "${name}"; import { ${name} } from "pawl/kernel", and give it`),
        });
      }
    }
    assert.deepEqual(await world.during(engine.get(orders, "a")), before);
  });
});

testInMemory("an admin without its largest verbs has the others, and says what is missing", async (world) => {
  const asked = (engine: Engine): Readonly<Record<string, () => unknown>> => ({
    export: () => Array.fromAsync(engine.admin.export()),
    import: () => engine.admin.import([]),
    verify: () => engine.admin.verify(),
  });
  await withKernel(world, { definitions: [orders], features: [admin] }, async (engine) => {
    assert.equal((await world.during(engine.admin.engines())).length, 1);
    for (const [verb, ask] of Object.entries(asked(engine))) {
      const name = verb === "verify" ? "verify" : "transfer";
      await assert.rejects(async () => await ask(), {
        code: "UNSUPPORTED",
        message: new RegExp(`Cannot ${verb}: this engine has no feature "${name}"`),
      });
    }
  });
  await withKernel(world, { definitions: [orders], features: [admin, transfer] }, async (engine) => {
    assert.equal((await world.during(engine.admin.import(engine.admin.export()))).runs, 0);
  });
});

testInMemory("a definition or option whose code would never run is refused at once", (world) => {
  const step = () => "b" as const;
  const hooked = machine("hooked").step("a", ["b"], step).onComplete(() => {}).build();
  const streamed = machine("streamed", { stream: true }).step("a", ["b"], step).build();
  const kept = machine("kept", { keepFinished: "1d" }).step("a", ["b"], step).build();
  const connected = machine("connected").step("a", ["b"], step)
    .connector("in", { stream: "topic" }, () => {}).build();
  const refused = (options: KernelOptions, feature: kernel.Feature, words: RegExp) => {
    assert.throws(() => kernelEngine(world, options), { code: "UNSUPPORTED", message: words });
    kernelEngine(world, { ...options, features: [feature] });
  };
  refused({ definitions: [hooked] }, hooks, /carry "hooked", which has hooks.*"hooks"/);
  refused({ definitions: [streamed] }, streams, /carry "streamed", which has a stream.*"streams"/);
  refused({ definitions: [connected] }, connectors, /carry "connected", which has connectors.*"connectors"/);
  refused({ definitions: [kept] }, deletion, /carry "kept", which has keepFinished.*"deletion"/);
  refused({ definitions: [], streams: memoryStreamer() }, relay, /relay to `streams`.*"relay"/);
  refused({ definitions: [], telemetry: recordingTelemetry() }, telemetry, /use telemetry.*"telemetry"/);
  return Promise.resolve();
});

testInMemory("what is no feature is refused", (world) => {
  for (const wrong of [undefined, "admin", {}, { name: "admin" }] as unknown as kernel.Feature[]) {
    assert.throws(() => kernelEngine(world, { definitions: [], features: [wrong] }), {
      code: "INVALID_ARGUMENT",
      message: /in `features`, want what "pawl\/kernel" exports/,
    });
  }
  return Promise.resolve();
});

testInMemory("an engine with every feature that the kernel exports is the whole engine", (world) => {
  const { createEngine: _, ...exported } = kernel;
  assert.deepEqual(new Set(Object.values(exported)), new Set(allFeatures));
  for (const [name, feature] of Object.entries(exported)) assert.equal(feature.name, name);
  kernelEngine(world, { definitions: [orders], features: allFeatures });
  return Promise.resolve();
});

testOnStores("features work where they are given", async (world) => {
  const heard: string[] = [];
  const job = machine<{ cents?: number }>("job")
    .callback("open", ["paid"], (run, cents: number) => {
      run.data.cents = cents;
      return "paid";
    })
    .onComplete((run) => void heard.push(run.key))
    .build();
  const features = [admin, callbacks, deletion, hooks, lists, verify];
  await withKernel(world, { definitions: [job], features }, async (engine) => {
    await world.during(engine.trigger(job, "a", { data: {} }));
    const { applied } = await world.during(engine.callback(job, "a", "open", 100));
    assert.equal(applied, true);
    await world.advance(100);
    assert.deepEqual(heard, ["a"]);
    assert.equal((await world.during(engine.list())).items.length, 1);
    await world.during(engine.deleteData(job, "a"));
    await world.advance(100);
    assert.equal((await world.during(engine.get(job, "a")))?.runState, "deleted");
    assert.deepEqual((await world.during(engine.admin.verify())).findings, []);
  });
});

testInMemory("an engine that only calls verbs leaves hooks to those that work", async (world) => {
  const heard: string[] = [];
  const job = machine("job").step("a", ["b"], () => "b").onCancel((run) => void heard.push(run.key)).build();
  const client = kernelEngine(world, { definitions: [job], work: false });
  await world.during(client.trigger(job, "k"));
  await world.during(client.cancel(job, "k"));
  await withKernel(world, { definitions: [job], features: [hooks] }, async () => {
    await world.advance(1_000);
    assert.deepEqual(heard, ["k"]);
  });
  await world.during(client.stop());
});

testInMemory(
  "an erasure that its owner has no code for is told of, and waits for one that has",
  async (world) => {
    const told: unknown[] = [];
    const logger: Logger = { log: (_level, message, about) => void told.push([message, about?.code]) };
    await withKernel(world, { definitions: [orders], logger }, async (owner) => {
      const client = kernelEngine(world, { definitions: [orders], features: [deletion], work: false });
      await world.during(owner.trigger(orders, "k", { data: { paid: 1 } }));
      await world.during(owner.cancel(orders, "k"));
      await world.during(client.deleteData(orders, "k"));
      await world.advance(5_000);
      assert.equal((await world.during(client.get(orders, "k")))?.runState, "deletion-requested");
      assert.deepEqual(told[0], ["Work of a shard failed; it is tried again", "UNSUPPORTED"]);
      await world.during(client.stop());
    });
    await withKernel(world, { definitions: [orders], features: [deletion] }, async (next) => {
      await world.advance(60_000);
      assert.equal((await world.during(next.get(orders, "k")))?.runState, "deleted");
    });
  },
);
