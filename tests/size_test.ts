import assert from "node:assert/strict";
import { bundle, entries, programOf, subpaths } from "../bench/size.ts";
import { allFeatures } from "../core/engine/features.ts";

/** The bundler's process outlives the test that it was started in. */
function test(name: string, body: () => Promise<void>): void {
  Deno.test({ name, fn: body, sanitizeOps: false, sanitizeResources: false });
}

/** The files that the bundle of a budgeted entry is made of. */
async function filesOf(name: string): Promise<readonly string[]> {
  const { files } = await bundle(programOf(entries.find((entry) => entry.name === name)!));
  return files.map(([path]) => path);
}

test("a bundle that uses nothing of pawl has nothing of pawl", async () => {
  for (const path of ["pawl", "pawl/kernel"]) {
    const { text } = await bundle(`import "${path}";`);
    // What is left are constants that a bundler does not work out.
    assert.ok(text.length < 300, text);
    assert.doesNotMatch(text, /function|class|=>/);
  }
});

test("every subpath of the package has a budget", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  assert.deepEqual(
    subpaths.map(({ name }) => name),
    Object.keys(exports).map((path) => `pawl${path.slice(1)}`),
  );
});

test("a subpath's own bundle has no other package, and a page's has its driver", async () => {
  const cron = subpaths.find(({ name }) => name === "pawl/plugins/cron")!;
  const own = await bundle(programOf(cron), cron);
  const whole = await bundle(programOf(cron));
  const foreign = (files: typeof own.files) => files.filter(([path]) => path.includes("node_modules/"));
  assert.deepEqual(foreign(own.files), []);
  assert.notDeepEqual(foreign(whole.files), []);
});

test("a bundle with machines only has no engine", async () => {
  const files = await filesOf("machine");
  assert.ok(files.includes("core/machine/builder.ts"), files.join());
  const engine = files.filter((path) =>
    /^core\/(store|testing)\/|engine\/(pawl_engine|work|admin)/.test(path)
  );
  assert.deepEqual(engine.filter((path) => path !== "core/store/key.ts"), []);
});

test("the kernel's bundle has the code of no feature, and each feature brings its own", async () => {
  const own: Readonly<Record<string, string>> = {
    admin: "core/engine/admin.ts",
    callbacks: "core/engine/callback.ts",
    connectors: "core/engine/connector_shard.ts",
    deletion: "core/engine/dispose.ts",
    diagrams: "core/engine/diagram.ts",
    hooks: "core/engine/chores.ts",
    integrations: "core/engine/integrations.ts",
    lists: "core/engine/list.ts",
    locks: "core/engine/locks.ts",
    relay: "core/engine/relay.ts",
    schedules: "core/engine/schedules.ts",
    streams: "core/engine/stream_receiver.ts",
    telemetry: "core/engine/metrics.ts",
    transactions: "core/engine/prepare_trigger.ts",
    transfer: "core/engine/export_runs.ts",
    verify: "core/engine/verify_rows.ts",
  };
  assert.deepEqual(Object.keys(own), allFeatures.map(({ name }) => name));
  const kernel = new Set(await filesOf("kernel + machine"));
  assert.deepEqual(Object.values(own).filter((path) => kernel.has(path)), []);
  for (const [name, path] of Object.entries(own)) {
    const { files } = await bundle(`export { createEngine, ${name} } from "pawl/kernel";`);
    const brought = new Set(files.map(([file]) => file));
    const others = Object.values(own).filter((other) => other !== path && brought.has(other));
    assert.ok(brought.has(path), `${name} brings ${path}`);
    // What an admin lists and retries, and what tells a schedule that its run has ended.
    const hasChores = name === "admin" || name === "schedules";
    assert.deepEqual(others, hasChores ? ["core/engine/chores.ts"] : [], name);
  }
});

test("a bundle with the runtime's own SQLite asks for no module, so that no bundler looks for one", async () => {
  const { text } = await bundle('export { sqliteStore } from "pawl/adapters/sqlite";');
  assert.match(text, /getBuiltinModule\?\.\("node:sqlite"\)/);
  assert.doesNotMatch(text, /\bimport\b|\brequire\b/);
});

test("a bundle runs as a classic script, which has no import.meta", async () => {
  const { text } = await bundle(
    `import { machine } from "pawl";
    import { memoryStore } from "pawl/adapters/memory";
    import { createEngine } from "pawl/kernel";
    const job = machine("job").step("new", ["done"], () => "done").build();
    globalThis.told = (async () => {
      const store = memoryStore();
      const engine = createEngine({ store, definitions: [job], traceOrigin: true });
      await engine.start();
      await engine.trigger(job, "k");
      const { status, traceOrigin } = await engine.await(job, "k");
      await engine.stop();
      await store.close();
      return { status, traceOrigin };
    })();`,
    { format: "iife" },
  );
  const scope = globalThis as { told?: Promise<{ status: string; traceOrigin: string }> };
  new Function(text)();
  const { status, traceOrigin } = await scope.told!;
  delete scope.told;
  assert.equal(status, "done");
  assert.match(traceOrigin, /:\d+/);
});
