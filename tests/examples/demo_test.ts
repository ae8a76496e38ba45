import assert from "node:assert/strict";
import type { Effect } from "../../examples/orders/ledger.ts";

const demoUrl = new URL("../../examples/orders/demo.ts", import.meta.url).href;

/** The demo in a folder of its own, with its database and its ledger. */
interface Place {
  readonly folder: string;
  /** Runs the demo to its end. */
  run(...args: readonly string[]): Promise<Ended>;
  /** Starts the demo with an outside world that takes so long for each step. */
  start(stepMs: number, ...args: readonly string[]): Deno.ChildProcess;
  /** The ledger, as far as it is written. */
  effects(): readonly Effect[];
  /** Resolves when the ledger holds so many effects, or the demo that writes them has ended. */
  reached(effects: number, child: Deno.ChildProcess): Promise<void>;
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the bundled orders come to: 181 shipped (3 steps), 16 declined (1 step), 3 poison (paid, never packed). */
const states = { "shipped completed": 181, "declined completed": 16, "paid paused": 3, total: 200 };
const poison = ["order-0042", "order-0097", "order-0163"];
const effectsInAll = 181 * 3 + 16 + 3;

function inPlace(name: string, test: (place: Place) => Promise<void>): void {
  Deno.test(`demo ${name}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await test(placeIn(folder));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

function placeIn(folder: string): Place {
  const db = `${folder}/demo.db`;
  const start = (stepMs: number, ...args: readonly string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", demoUrl, "--db", db, ...args],
      cwd: folder,
      env: { NO_COLOR: "1", PAWL_DEMO_STEP_MS: String(stepMs) },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  const effects = () => readEffects(`${db}.ledger.ndjson`);
  return {
    folder,
    start,
    effects,
    run: async (...args) => await endOf(start(0, ...args)),
    async reached(count, child) {
      let isOver = false;
      child.status.then(() => isOver = true);
      while (!isOver && effects().length < count) await new Promise((resolve) => setTimeout(resolve, 10));
    },
  };
}

async function endOf(child: Deno.ChildProcess): Promise<Ended> {
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

function readEffects(path: string): readonly Effect[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch {
    return [];
  }
  // The last line may just be being written.
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

/** The table at the end of a report. */
function tableOf(report: string): Record<string, number> {
  const rows = [...report.matchAll(/^(\S+|\(under way\)) {2,}(\S*) +(\d+)$/gm)];
  return Object.fromEntries(
    rows.map(([_, status, state, count]) => [`${status} ${state}`.trim(), Number(count)]),
  );
}

function numberAfter(label: string, report: string): number {
  return Number(new RegExp(`${label}: (\\d+)`).exec(report)?.[1]);
}

/** Every step of every order has had its effect, once. */
function assertEachEffectOnce(effects: readonly Effect[]): void {
  assert.equal(effects.length, effectsInAll);
  assert.equal(new Set(effects.map((effect) => effect.stepId)).size, effectsInAll);
  const byOrderAndStatus = new Set(effects.map((effect) => `${effect.order} ${effect.status}`));
  assert.equal(byOrderAndStatus.size, effectsInAll);
}

inPlace("runs all 200 orders and shows them by status, the poison ones by name", async ({ run, effects }) => {
  const { code, stdout, stderr } = await run();
  assert.equal(code, 0, stderr);
  assert.deepEqual(tableOf(stdout), states);
  for (const key of poison) {
    assert.match(stdout, new RegExp(`${key}: paused at "paid" after 3 attempts: The warehouse has no`));
  }
  assert.match(stdout, /^200 orders in .* s, 562 steps \(.* steps\/s\)$/m);
  assert.match(stdout, /repeated deliveries absorbed: 0$/m);
  assertEachEffectOnce(effects());
});

inPlace("started again on a finished database does nothing twice", async ({ run, effects }) => {
  assert.equal((await run()).code, 0);
  const { code, stdout } = await run();
  assert.equal(code, 0);
  assert.match(stdout, /^200 orders were already there$/m);
  assert.deepEqual(tableOf(stdout), states);
  assert.match(stdout, /, 0 steps$/m);
  assertEachEffectOnce(effects());
});

inPlace("--fresh forgets the earlier run", async ({ run, effects }) => {
  assert.equal((await run()).code, 0);
  const { code, stdout } = await run("--fresh");
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /already there/);
  assert.deepEqual(tableOf(stdout), states);
  assertEachEffectOnce(effects());
});

// At 30 effects orders are being paid, at 250 packed. The steps are slow, so that the kill surely comes before the end.
for (const kills of [[30], [250], [30, 100, 250]]) {
  inPlace(
    `killed at ${kills.join(", then ")} effects and started again ends every run, no step twice`,
    async (place) => {
      for (const kill of kills) {
        const child = place.start(400);
        await place.reached(kill, child);
        child.kill("SIGKILL");
        const { code } = await endOf(child);
        assert.notEqual(code, 0, "it was killed before its end");
      }
      const before = place.effects().length;
      const { code, stdout, stderr } = await place.run();
      assert.equal(code, 0, stderr);
      assert.deepEqual(tableOf(stdout), states);
      assert.match(stdout, new RegExp(`, ${effectsInAll - before} steps`));
      assert.match(stdout, /562, no step twice$/m);
      assertEachEffectOnce(place.effects());
    },
  );
}

inPlace("survives a kill while it takes over from one that was killed", async (place) => {
  const first = place.start(400);
  await place.reached(100, first);
  first.kill("SIGKILL");
  await endOf(first);
  const second = place.start(400);
  // Progress shows that it waits for the dead one's lease.
  const progress = second.stderr.getReader();
  await progress.read();
  second.kill("SIGKILL");
  await progress.cancel();
  await second.status;
  await second.stdout.cancel();
  const { code, stdout } = await place.run();
  assert.equal(code, 0);
  assert.deepEqual(tableOf(stdout), states);
  assertEachEffectOnce(place.effects());
});

inPlace("interrupted lets running steps land, says so, and goes on the next time", async (place) => {
  const child = place.start(400);
  await place.reached(250, child);
  child.kill("SIGINT");
  const { code, stdout, stderr } = await endOf(child);
  assert.equal(code, 130, stderr);
  assert.match(stdout, /^Interrupted\. Run the same command again/m);
  assert.equal(tableOf(stdout).total, 200);
  const again = await place.run();
  assert.equal(again.code, 0);
  assert.deepEqual(tableOf(again.stdout), states);
  // What an orderly stop let land is not asked for again.
  assert.equal(numberAfter("absorbed", again.stdout), 0);
  assertEachEffectOnce(place.effects());
});

inPlace(
  "reports bad lines by number and reason, and runs all good ones",
  async ({ folder, run, effects }) => {
    const order = (id: unknown, rest: Record<string, unknown> = {}) =>
      JSON.stringify({ id, items: [{ sku: "tea", quantity: 1, price: 100 }], ...rest });
    const lines = [
      "\uFEFF" + order("first"),
      "not json",
      order(undefined),
      order("first"),
      order("big", { note: "x".repeat(1_000_000) }),
      order("commande-é-日本-😀"),
      '{"id":"p","__proto__":{"x":1},"items":[{"sku":"tea","quantity":1,"price":1}]}',
      '{"id":"c","constructor":{"x":1},"items":[{"sku":"tea","quantity":1,"price":1}]}',
      "",
      order("__proto__"),
      order("constructor") + "\r",
      order("cursor\u001b[2J", { items: [{ sku: "discontinued-\u001b[31m", quantity: 1, price: 1 }] }),
    ];
    await Deno.writeTextFile(`${folder}/bad.ndjson`, lines.join("\n"));
    const { code, stdout, stderr } = await run(`${folder}/bad.ndjson`);
    assert.equal(code, 0, stderr);
    const told = [...stdout.matchAll(/^ {2}line (\d+): (.*)$/gm)].map((
      [_, line, problem],
    ) => [Number(line), problem]);
    assert.deepEqual(told, [
      [2, `it is not JSON: Unexpected token 'o', "not json" is not valid JSON`],
      [3, "id is missing"],
      [4, 'id "first" is that of line 1 already'],
      [5, "it has more than 255 KiB of JSON"],
      [7, 'it has a field "__proto__" (at __proto__), which no order may have'],
      [8, 'it has a field "constructor" (at constructor), which no order may have'],
    ]);
    assert.match(stdout, /^6 bad lines passed over:$/m);
    assert.deepEqual(tableOf(stdout), { "shipped completed": 4, "paid paused": 1, total: 5 });
    const ids = ["first", "commande-é-日本-😀", "__proto__", "constructor", "cursor\u001b[2J"];
    assert.deepEqual(new Set(effects().map((effect) => effect.order)), new Set(ids));
    assert.ok(!stdout.includes("\u001b"), "nothing of a stranger's reaches the terminal as a command");
  },
);

inPlace("reports an order whose content has changed since it was triggered", async ({ folder, run }) => {
  const path = `${folder}/one.ndjson`;
  const write = (price: number) =>
    Deno.writeTextFile(path, JSON.stringify({ id: "a", items: [{ sku: "tea", quantity: 1, price }] }));
  await write(5);
  assert.equal((await run(path)).code, 0);
  await write(6);
  const { code, stdout } = await run(path);
  assert.equal(code, 0);
  assert.match(stdout, /line 1: .*"a" was used before with other input/);
});

inPlace("refuses wrong arguments in one line and leaves nothing behind", async ({ folder, run }) => {
  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [["nowhere.ndjson"], /^There is no file .*nowhere\.ndjson; give the path of a file of orders, or none/],
    [[folder], /is no file; give the path/],
    [["--frehs"], /^There is no option --frehs; --help lists/],
    [["a", "b"], /^Got 2 files of orders, want one/],
    [["--db"], /^--db wants a path/],
    [["--db", ":memory:"], /^--db wants a local file/],
    [["--db", `${folder}/no/such.db`], /such\.db: its folder does not exist/],
  ];
  for (const [args, message] of refusals) {
    const { code, stderr } = await run(...args);
    assert.equal(code, 1, args.join(" "));
    assert.match(stderr, message);
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  }
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
});

inPlace("--help shows how to use it", async ({ run }) => {
  const { code, stdout } = await run("--help");
  assert.equal(code, 0);
  assert.match(stdout, /deno task demo \[orders\.ndjson\] \[--db pawl-demo\.db\] \[--fresh\]/);
});
