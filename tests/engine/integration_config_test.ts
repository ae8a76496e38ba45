import assert from "node:assert/strict";
import { createEngine, integration, machine, secret } from "../../mod.ts";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { createEngine as createKernel, hooks, integrations } from "../../kernel.ts";
import { lettersOf, telling } from "./integration_stage.ts";
import { testInMemory } from "./stores.ts";

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
