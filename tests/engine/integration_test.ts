import assert from "node:assert/strict";
import {
  createEngine,
  type Engine,
  integration,
  type IntegrationOptions,
  machine,
  type PawlError,
  secret,
} from "../../mod.ts";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { createEngine as createKernel, hooks, integrations } from "../../kernel.ts";
import { gate, testInMemory, testOnStores } from "./stores.ts";

const lettersOf = (name: string) =>
  machine<{ to: string }>(`${name}.letters`).step("written", ["sent"], () => "sent").build();

type More = Partial<Omit<IntegrationOptions<{ from: string }, []>, "name" | "config" | "definitions">>;

/** An integration that tells what it does. */
function telling(name: string, told: string[], more: More = {}) {
  return integration({
    name,
    config: { from: `${name}@example.com` },
    definitions: (of) => [lettersOf(of.name)],
    init: ({ config }) => void told.push(`init ${config.from}`),
    close: ({ config }) => void told.push(`close ${config.from}`),
    ...more,
  });
}

const isReady = (engine: Engine) => Promise.all(engine.integrations.map((each) => each.isReady()));

testOnStores(
  "an integration is initialised before its engine works and closed when nothing of it runs",
  async (world) => {
    const told: string[] = [];
    const opened = gate();
    const a = telling("a", told, {
      async init() {
        told.push("init a");
        await opened.promise;
      },
    });
    const b = telling("b", told);
    const client = world.engine({ definitions: [...a.definitions, ...b.definitions], work: false });
    await world.during(client.trigger(a.definitions[0], "k", { data: { to: "ann" } }));
    const engine = world.engine({ definitions: [] });
    engine.use(a);
    engine.use(b);
    const starting = engine.start();
    await world.advance(20_000);
    assert.deepEqual(told, ["init a"]);
    assert.equal((await world.during(client.get(a.definitions[0], "k")))!.status, "written");
    assert.deepEqual(await client.admin.engines(), []);
    assert.deepEqual(await isReady(engine), [false, false]);
    opened.resolve();
    await world.during(starting);
    await world.during(client.await(a.definitions[0], "k"), 2_000);
    assert.deepEqual(await isReady(engine), [true, true]);
    assert.deepEqual(told.splice(0), ["init a", "init b@example.com"]);
    await world.during(engine.stop());
    assert.deepEqual(told, ["close b@example.com", "close a@example.com"]);
    assert.deepEqual(await isReady(engine), [false, false]);
  },
);

testInMemory(
  "an init that fails starts nothing, closes what was open, and may be tried again",
  async (world) => {
    const told: string[] = [];
    let isDown = true;
    const broken = telling("c", told, {
      init() {
        if (isDown) throw new Error("no server");
      },
    });
    const engine = world.engine({ definitions: [] });
    for (const each of [telling("a", told), telling("b", told), broken, telling("d", told)]) engine.use(each);
    const isTold = (error: PawlError) =>
      error.code === "INTEGRATION_FAILED" &&
      /init of integration "c" failed: no server/.test(error.message) &&
      (error.cause as Error).message === "no server";
    for (const begin of [async () => await engine.start(), async () => void await engine.tick()]) {
      await assert.rejects(world.during(begin()), isTold);
      assert.deepEqual(told.splice(0), [
        "init a@example.com",
        "init b@example.com",
        "close b@example.com",
        "close a@example.com",
      ]);
      assert.deepEqual(await engine.admin.engines(), []);
      assert.deepEqual(await isReady(engine), [false, false, false, false]);
    }
    isDown = false;
    await world.during(engine.start());
    assert.deepEqual(told.splice(0), ["init a@example.com", "init b@example.com", "init d@example.com"]);
  },
);

testInMemory("an init that never ends is given up, told so, and closed if it comes late", async (world) => {
  const told: string[] = [];
  const late = gate();
  let signal: AbortSignal | undefined;
  const slow = telling("slow", told, {
    init(context) {
      signal = context.signal;
      return late.promise;
    },
    initTimeout: "3s",
  });
  const engine = world.engine({ definitions: [] });
  engine.use(slow);
  const starting = engine.start();
  starting.catch(() => {});
  await world.advance(2_999);
  assert.equal(signal!.aborted, false);
  await world.advance(1);
  await assert.rejects(starting, { code: "INTEGRATION_FAILED", message: /init took longer than 3000 ms/ });
  assert.equal(signal!.aborted, true);
  late.resolve();
  await world.settle();
  assert.deepEqual(told, ["close slow@example.com"]);
});

testInMemory("a stop during init ends the start at once and leaves nothing open", async (world) => {
  const told: string[] = [];
  let signal: AbortSignal | undefined;
  const engine = world.engine({ definitions: [] });
  engine.use(telling("a", told));
  engine.use(telling("b", told, {
    init(context) {
      signal = context.signal;
      return new Promise(() => {});
    },
  }));
  const starting = engine.start();
  starting.catch(() => {});
  await world.settle();
  await world.during(engine.stop());
  await assert.rejects(starting, { code: "ENGINE_STOPPED" });
  assert.equal(signal!.aborted, true);
  assert.deepEqual(told, ["init a@example.com", "close a@example.com"]);
  assert.equal(world.clock.timers, 0);
});

testInMemory(
  "what fails to close keeps nobody else open, and stop() says so when all is over",
  async (world) => {
    const told: string[] = [];
    // Not the world's to stop: it would be told, too.
    const { engine } = world.mortal({ definitions: [] });
    engine.use(telling("a", told));
    engine.use(telling("b", told, { close: () => Promise.reject(new Error("half written")) }));
    engine.use(telling("c", told, { close: () => new Promise(() => {}), closeTimeout: "2s" }));
    await world.during(engine.start());
    told.splice(0);
    const stopping = engine.stop();
    const isTold = (error: PawlError) => {
      assert.match(error.message, /close of integration "c", "b" failed: close took longer than 2000 ms/);
      return (error.cause as AggregateError).errors.map((each: Error) => each.message).includes(
        "half written",
      );
    };
    await Promise.all([assert.rejects(stopping, isTold), world.advance(2_000)]);
    assert.deepEqual(told, ["close a@example.com"]);
    await assert.rejects(engine.tick(), { code: "ENGINE_STOPPED" });
    await assert.rejects(engine.stop(), { code: "INTEGRATION_FAILED" });
  },
);

testInMemory(
  "the signal of init lives as long as the integration, and what close does may use the engine",
  async (world) => {
    const told: string[] = [];
    let signal: AbortSignal | undefined;
    const [log] = telling("log", told).definitions;
    const a = telling("a", told, {
      init: (context) => void (signal = context.signal),
      async close({ engine }) {
        told.push(`aborted: ${signal!.aborted}`);
        await engine.trigger(log, "bye", { data: { to: "ann" } });
      },
    });
    const engine = world.engine({ definitions: [log] });
    engine.use(a);
    await world.during(engine.start());
    assert.equal(signal!.aborted, false);
    await world.during(engine.stop());
    assert.deepEqual(told, ["aborted: true"]);
    const next = await world.started({ definitions: [log] });
    assert.equal((await world.during(next.await(log, "bye"), 20_000)).status, "sent");
  },
);

testOnStores(
  "an engine that only ticks opens its integrations with the first tick, for all that follow",
  async (world) => {
    const told: string[] = [];
    const engine = world.engine({ definitions: [] });
    const a = telling("a", told);
    engine.use(a);
    await world.during(engine.trigger(a.definitions[0], "k", { data: { to: "ann" } }));
    const ticks = async () => {
      const ticking = engine.tick();
      await world.advance(6_000);
      return await ticking;
    };
    assert.equal((await ticks()).processed, 1);
    await ticks();
    assert.deepEqual(told, ["init a@example.com"]);
    assert.throws(() => engine.use(telling("b", told)), {
      code: "INVALID_ARGUMENT",
      message: /has begun to work/,
    });
    await world.during(engine.stop());
    assert.deepEqual(told, ["init a@example.com", "close a@example.com"]);
  },
);

testOnStores(
  "an engine that is killed between init and start has owned nothing, and others go on",
  async (world) => {
    const told: string[] = [];
    const opened = gate();
    const dead = world.mortal({ definitions: [] });
    dead.engine.use(telling("a", told, { init: () => opened.promise }));
    dead.engine.start().catch(() => {});
    await world.settle();
    dead.kill();
    opened.resolve();
    await world.settle();
    const engine = world.engine({ definitions: [] });
    const a = telling("a", told);
    engine.use(a);
    await world.during(engine.start());
    await world.during(engine.trigger(a.definitions[0], "k", { data: { to: "ann" } }));
    // At once: nobody's lease has to run out.
    assert.equal((await world.during(engine.await(a.definitions[0], "k"))).status, "sent");
    assert.deepEqual((await engine.admin.engines()).map((each) => each.engineId), [engine.admin.engineId]);
  },
);

testInMemory("an engine that only calls verbs opens nothing", async (world) => {
  const told: string[] = [];
  const engine = world.engine({ definitions: [], work: false });
  engine.use(telling("a", told));
  await world.during(engine.start());
  assert.deepEqual(await isReady(engine), [false]);
  await world.during(engine.stop());
  assert.deepEqual(told, []);
});

testInMemory("isReady is the user's own check too; one that throws or hangs is a no", async (world) => {
  const engine = world.engine({ definitions: [] });
  let answer: () => boolean | Promise<boolean> = () => true;
  const used = engine.use(telling("a", [], { isReady: () => answer() }));
  await world.during(engine.start());
  assert.equal(await used.isReady(), true);
  answer = () => Promise.resolve(false);
  assert.equal(await used.isReady(), false);
  answer = () => {
    throw new Error("no idea");
  };
  assert.equal(await used.isReady(), false);
  answer = () => new Promise(() => {});
  const asked = used.isReady();
  await world.advance(5_000);
  assert.equal(await asked, false);
});

testInMemory(
  "names are unique, of integrations as of definitions, and what is refused leaves nothing",
  async (world) => {
    const told: string[] = [];
    const engine = world.engine({ definitions: [lettersOf("b")] });
    engine.use(telling("a", told));
    const invalid = (message: RegExp) => ({ code: "INVALID_ARGUMENT", message });
    assert.throws(() => engine.use(telling("a", told)), invalid(/the engine has one of that name/));
    const extra = machine("extra").step("a", ["b"], () => "b").build();
    const clash = integration({ name: "c", definitions: [extra, lettersOf("b")] });
    assert.throws(() => engine.use(clash), invalid(/two definitions are named "b.letters"/));
    await assert.rejects(engine.trigger(extra, "k"), { code: "UNKNOWN_DEFINITION" });
    assert.deepEqual(engine.integrations.map(({ name }) => name), ["a"]);
    assert.throws(() => engine.use({} as never), invalid(/make one with integration\(\)/));
    await world.during(engine.start());
    assert.throws(() => engine.use(telling("d", told)), invalid(/has begun to work/));
  },
);

Deno.test("integration() refuses what it cannot use, naming it", () => {
  const refused = (options: object, message: RegExp, code = "INVALID_ARGUMENT") =>
    assert.throws(() => integration({ name: "i", ...options } as never), { code, message });
  refused({ name: "" }, /integration name: got empty text/);
  refused({ onerror: 1 }, /option "onerror" of integration "i"/);
  refused({ init: 1 }, /`init` is no function/);
  refused({ config: "x" }, /`config` is no object/);
  refused({ definitions: () => 1 }, /`definitions` must be a list/);
  refused({ definitions: [machine("m").step("a", ["b"], () => "b")] }, /was .build\(\) forgotten/);
  refused({ definitions: [lettersOf("a"), lettersOf("a")] }, /two definitions are named "a.letters"/);
  refused({ allowPolicyOverride: ["lag"] }, /allowPolicyOverride is \["lag"\]/);
  refused({ closeTimeout: "soon" }, /closeTimeout of integration "i"/, "INVALID_DURATION");
  refused({ errorHooks: { retry: { factor: 0 } } }, /errorHooks of integration "i"/);
});

Deno.test("an integration tells what it registers and is set to, without code and without secrets", async () => {
  class Client {
    readonly token = "t0ken";
  }
  const mailer = integration({
    name: "mailer",
    config: {
      from: "shop@example.com",
      password: secret("s3cr3t"),
      client: new Client(),
      url: new URL("https://user:s3cr3t@example.com"),
      since: new Date(0),
      retries: [1, secret("s3cr3t"), { at: null, key: secret("s3cr3t") }],
      format: () => "",
    },
    definitions: ({ name }) => [
      lettersOf(name),
      machine(`${name}.parcels`, { pauseRetry: "1h", keepFinished: "1d" })
        .step("packed", ["weighed"], () => "weighed", { timeout: "5s", lock: () => "scales" })
        .callback("weighed", ["gone"], () => "gone")
        .build(),
    ],
    onWorkflowError: () => {},
    allowPolicyOverride: ["timeout"],
  });
  assert.deepEqual(mailer.definitionNames, ["mailer.letters", "mailer.parcels"]);
  assert.deepEqual(mailer.stepNames, ["mailer.letters.written", "mailer.parcels.packed"]);
  const map = mailer.configMap();
  assert.deepEqual(map.config, {
    from: "shop@example.com",
    since: "1970-01-01T00:00:00.000Z",
    retries: [1, { at: null }],
  });
  assert.deepEqual(map.allowPolicyOverride, ["timeout"]);
  const { steps, ...parcels } = map.definitions["mailer.parcels"]!;
  assert.deepEqual(parcels, {
    start: "packed",
    dataVersion: 1,
    stream: false,
    pauseRetryMs: 3_600_000,
    keepFinishedMs: 86_400_000,
  });
  assert.deepEqual(Object.keys(steps), ["packed"]);
  assert.equal((steps.packed as { timeoutMs: number }).timeoutMs, 5_000);
  assert.doesNotMatch(
    JSON.stringify([map, mailer.config.password]) + `${mailer.config.password}`,
    /s3cr3t|t0ken|scales/,
  );
  assert.equal(mailer.config.password.reveal(), "s3cr3t");

  const store = memoryStore();
  const engine = createEngine({ store, definitions: [], steps: { timeout: "7s" } });
  const { definitions } = engine.use(mailer).configMap();
  const timeouts = ["letters", "parcels"].map((each) =>
    Object.values(definitions[`mailer.${each}`]!.steps)[0]
  );
  assert.deepEqual(timeouts.map((each) => (each as { timeoutMs: number }).timeoutMs), [7_000, 5_000]);
  await engine.stop();
  await store.close();
});

Deno.test("an engine of the kernel wants hooks for an integration with error hooks", async () => {
  const store = memoryStore();
  const watched = integration({ name: "w", definitions: [lettersOf("w")], onActivityError: () => {} });
  const without = createKernel({ store, definitions: [], features: [integrations] });
  assert.throws(() => without.use(watched), { code: "UNSUPPORTED", message: /no feature "hooks"/ });
  createKernel({ store, definitions: [], features: [integrations, hooks] }).use(watched);
  await store.close();
});
