import assert from "node:assert/strict";
import { libsqlStore } from "../../adapters/libsql/mod.ts";
import { createEngine, type Definition, type Engine, silentLogger } from "../../mod.ts";
import { httpApi } from "../../plugins/hono/mod.ts";
import { run, type World } from "./stage.ts";

const page = await Deno.readTextFile(new URL("../../docs/cli.md", import.meta.url));

/** Arguments as a shell would part them. */
function parted(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]!);
}

/** A folder with the page's module, an engine at work with it, and what sends requests to its API. */
async function withEngine(use: (engine: Engine, world: Pick<World, "cwd" | "fetch">) => Promise<void>) {
  const cwd = await Deno.makeTempDir({ prefix: "pawl-cli-" });
  const [, machines] = /```ts\n([\s\S]*?)```/.exec(page)!;
  const main = new URL("../../mod.ts", import.meta.url).href;
  await Deno.writeTextFile(`${cwd}/machines.ts`, machines!.replace('"pawl"', `"${main}"`));
  const { orders }: { orders: Definition } = await import(`file://${cwd}/machines.ts`);
  const store = libsqlStore({ url: `file:${cwd}/pawl.db` });
  const engine = createEngine({ store, definitions: [orders], logger: silentLogger, poll: 20 });
  const api = httpApi(engine, { authorize: () => true });
  const fetch: World["fetch"] = (input, init) =>
    api.fetch(new Request(input.replace("https://example.org/pawl", "http://api"), init));
  try {
    await engine.start();
    await use(engine, { cwd, fetch });
  } finally {
    await engine.stop();
    await store.close();
    await Deno.remove(cwd, { recursive: true });
  }
}

/** The commands of the page, each with the environment that it is called in. */
function* commandsOf(
  text: string,
): Generator<{ readonly line: string; readonly env: Record<string, string> }> {
  let env: Record<string, string> = {};
  for (const [, block] of text.matchAll(/```sh\n([\s\S]*?)```/g)) {
    for (const line of block!.trim().split("\n")) {
      const [, name, value] = /^export (\w+)=(\S+)$/.exec(line) ?? [];
      if (name) env = { ...env, [name]: value! };
      else yield { line, env };
    }
  }
}

Deno.test("every command of docs/cli.md does what it is there for, one after the other", async () => {
  await withEngine(async (engine, world) => {
    let commands = 0;
    for (const { line, env } of commandsOf(page)) {
      let input = "";
      for (const each of line.split(" | ")) {
        const [program, ...args] = parted(each);
        assert.equal(program, "pawl", line);
        const { code, out, error } = await run(args, { ...world, env, input });
        assert.equal(code, 0, `${line}\n${error}`);
        input = out;
        commands++;
      }
    }
    assert.ok(commands > 25, `${commands} commands`);
    const { items } = await engine.list({ runState: ["deletion-requested", "deleted"] });
    assert.deepEqual(items.map(({ key }) => key), ["order-1"]);
  });
});
