import assert from "node:assert/strict";
import { libsqlStore } from "../../adapters/libsql/mod.ts";
import { createEngine, type Definition, silentLogger } from "../../mod.ts";
import { httpApi } from "../../plugins/hono/mod.ts";
import { run } from "./stage.ts";

const page = await Deno.readTextFile(new URL("../../docs/cli.md", import.meta.url));

/** Arguments as a shell would part them. */
function parted(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]!);
}

Deno.test("every command of docs/cli.md does what it is there for, one after the other", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pawl-cli-" });
  const [, machines] = /```ts\n([\s\S]*?)```/.exec(page)!;
  await Deno.writeTextFile(
    `${folder}/machines.ts`,
    machines!.replace('"pawl"', `"${new URL("../../mod.ts", import.meta.url)}"`),
  );
  const { orders }: { orders: Definition } = await import(`file://${folder}/machines.ts`);
  const store = libsqlStore({ url: `file:${folder}/pawl.db` });
  const engine = createEngine({ store, definitions: [orders], logger: silentLogger, poll: 20 });
  await engine.start();
  const api = httpApi(engine, { authorize: () => true });
  const fetch = (input: string, init?: RequestInit) =>
    api.fetch(new Request(input.replace("https://example.org/pawl", "http://api"), init));
  const lines = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((match) => match[1]!.trim().split("\n"));
  let env: Record<string, string> = {};
  let commands = 0;
  for (const line of lines) {
    const [, name, value] = /^export (\w+)=(\S+)$/.exec(line) ?? [];
    if (name) {
      env = { ...env, [name]: value! };
      continue;
    }
    let input = "";
    for (const each of line.split(" | ")) {
      const [program, ...args] = parted(each);
      assert.equal(program, "pawl", line);
      const { code, out, error } = await run(args, { cwd: folder, env, fetch, input });
      assert.equal(code, 0, `${line}\n${error}`);
      input = out;
      commands++;
    }
  }
  assert.ok(commands > 25, `${commands} commands`);
  assert.equal(
    (await engine.list({ runState: "deleted" })).items.length +
      (await engine.list({ runState: "deletion-requested" })).items.length,
    1,
  );
  await engine.stop();
  await store.close();
  await Deno.remove(folder, { recursive: true });
});
