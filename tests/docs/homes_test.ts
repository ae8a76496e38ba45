/**
 * The programs of the guides do what the guides say. They run in a folder of their own, as users have one.
 *
 * @module
 */
import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);
const config = new URL("deno.json", root).pathname;

/** The program of a guide: the first block that is not run by itself. */
async function programOf(home: string): Promise<string> {
  const page = await Deno.readTextFile(new URL(`docs/home_${home}.md`, root));
  const program = /```ts ignore\n([\s\S]*?)```/.exec(page)?.[1];
  assert.ok(program !== undefined, home);
  return program;
}

interface Process {
  /** Resolves when it has said so, or ended. */
  said(text: string): Promise<void>;
  kill(): void;
  /** All that it said on standard output. */
  readonly output: Promise<string>;
}

function start(folder: string): Process {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", config, "parcels.ts"],
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let text = "";
  let changed = Promise.withResolvers<void>();
  let isOver = false;
  const output = (async () => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      changed.resolve();
      changed = Promise.withResolvers();
    }
    await child.status;
    isOver = true;
    changed.resolve();
    return text;
  })();
  return {
    output,
    kill: () => child.kill("SIGKILL"),
    async said(wanted) {
      while (!text.includes(wanted) && !isOver) await changed.promise;
      assert.ok(text.includes(wanted), text);
    },
  };
}

Deno.test("the program of the guides for Node and Deno goes on after kill -9, from where it was", async () => {
  const program = await programOf("node");
  assert.equal(await programOf("deno"), program);
  const folder = await Deno.makeTempDir();
  try {
    // The same with less patience: what is waited for are conditions, not times.
    const hurried = program.replace('term: "2s"', 'term: "300ms"').replaceAll("sleep(1_000)", "sleep(300)");
    assert.notEqual(hurried, program);
    await Deno.writeTextFile(`${folder}/parcels.ts`, hurried);
    const first = start(folder);
    await first.said("delivering to Ann");
    first.kill();
    assert.match(await first.output, /^loading p-1 attempt 1\n/);

    assert.equal(await start(folder).output, "delivering to Ann attempt 1\ndelivered true\n");
    assert.equal(await start(folder).output, "delivered true\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the programs of the guides are those that are compiled with the rest", async () => {
  // Users' programs print; here, a line says that they may.
  const read = async (name: string) =>
    (await Deno.readTextFile(new URL(`examples/homes/${name}.ts`, root))).replace(/^\/\/ deno-lint-.*\n/, "");
  assert.equal(await programOf("node"), await read("parcels"));
  assert.equal(await programOf("browser"), await read("page"));
});

Deno.test("no page but the guides has code that does not run with the pages", async () => {
  const found: string[] = [];
  for await (const { name, isFile } of Deno.readDir(new URL("docs/", root))) {
    if (!isFile || name.startsWith("home_")) continue;
    const fences = (await Deno.readTextFile(new URL(`docs/${name}`, root))).matchAll(
      /^ *```((?:ts|js)\b.+)$/gm,
    );
    for (const [, fence] of fences) found.push(`${name}: ${fence}`);
  }
  assert.deepEqual(found, []);
});
