import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Effect {
  readonly stepId: string;
}

/** Starts the demo on a database of its own. */
function demo(folder: string, args: readonly string[] = [], stepMs = 0): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${root}examples/orders/demo.ts`, ...args, "--db", `${folder}/demo.db`],
    cwd: root,
    env: { NO_COLOR: "1", ...(stepMs > 0 && { PAWL_DEMO_STEP_MS: String(stepMs) }) },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function finish(child: Deno.ChildProcess): Promise<{ readonly code: number; readonly text: string }> {
  const { code, stdout } = await child.output();
  return { code, text: new TextDecoder().decode(stdout) };
}

async function effects(folder: string): Promise<string[]> {
  const text = await Deno.readTextFile(`${folder}/demo.db.ledger.ndjson`).catch(() => "");
  return text.split("\n").filter((line) => line.endsWith("}")).map((line) =>
    (JSON.parse(line) as Effect).stepId
  );
}

/** What the table must say of the orders that come with the demo, however often they were interrupted. */
function assertWhole(text: string): void {
  assert.match(text, /shipped +completed +181/);
  assert.match(text, /declined +completed +16/);
  assert.match(text, /paid +paused +3/);
  assert.match(text, /total +200/);
}

const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test("demo runs every order to its end and sets the poisoned ones aside", options, async () => {
  const folder = await Deno.makeTempDir();
  const { code, text } = await finish(demo(folder));
  assert.equal(code, 0, text);
  assertWhole(text);
  const done = await effects(folder);
  assert.equal(new Set(done).size, done.length);
  await Deno.remove(folder, { recursive: true });
});

Deno.test(
  "demo killed half-way and started again finishes every order and repeats no step",
  options,
  async () => {
    const folder = await Deno.makeTempDir();
    const first = demo(folder, [], 300);
    // Killed as soon as some steps, but surely not all, have had their effect.
    while ((await effects(folder)).length < 50) await new Promise((resolve) => setTimeout(resolve, 20));
    first.kill("SIGKILL");
    await first.output();
    const before = (await effects(folder)).length;
    assert.ok(before < 562, `${before} effects before the kill: it came too late`);
    const { code, text } = await finish(demo(folder));
    assert.equal(code, 0, text);
    assertWhole(text);
    const done = await effects(folder);
    assert.equal(done.length, 562);
    assert.equal(new Set(done).size, done.length, "no step had its effect twice");
    await Deno.remove(folder, { recursive: true });
  },
);

Deno.test("demo tells bad lines by number and reason, and the good ones all run", options, async () => {
  const folder = await Deno.makeTempDir();
  const good = (await Deno.readTextFile(`${root}examples/orders/orders.ndjson`)).split("\n")[0]!;
  const named = (id: string) => JSON.stringify({ ...JSON.parse(good), id });
  const lines = [
    named("a"),
    "no json",
    named("a"),
    JSON.stringify({ ...JSON.parse(good), id: "big", notes: "x".repeat(1_000_000) }),
    `{"__proto__":{"admin":true},${named("p").slice(1)}`,
    named("注文 1"),
    named("__proto__"),
    named("constructor"),
  ];
  await Deno.writeTextFile(`${folder}/orders.ndjson`, lines.join("\n"));
  const { text } = await finish(demo(folder, [`${folder}/orders.ndjson`]));
  assert.match(text, /total +4/);
  assert.match(text, /4 bad lines/);
  assert.match(text, /line 2: it is not JSON/);
  assert.match(text, /line 3: id "a" is that of line 1 already/);
  assert.match(text, /line 4: it has more than 255 KiB/);
  assert.match(text, /line 5: .*__proto__/);
  await Deno.remove(folder, { recursive: true });
});
