import assert from "node:assert/strict";
import { templates } from "../../cli/init/templates.ts";
import { version } from "../../cli/version.ts";
import { templatesText } from "../../starters/write.ts";
import { type Program, startProgram } from "./program.ts";
import { seeOrderThrough } from "./see_order_through.ts";
// The tests that each starter has of its own machine: of Node's and of Deno's runner.
import "../../starters/node/orders_test.ts";
import "../../starters/deno/orders_test.ts";

const root = new URL("../../", import.meta.url);
const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));

Deno.test("templates.ts holds the folders of starters/ as they are: deno task starters writes it", async () => {
  const written = await Deno.readTextFile(new URL("cli/init/templates.ts", root));
  assert.ok(written === await templatesText(), "cli/init/templates.ts is old: run deno task starters");
});

Deno.test("starters are the same where they can be", () => {
  const { node, ...others } = templates;
  for (const [home, files] of Object.entries(others)) {
    for (const name of ["orders.ts", "bank.ts"]) assert.equal(files[name], node[name], `${home}/${name}`);
  }
  assert.equal(others["deno-deploy"]["orders_test.ts"], others.deno["orders_test.ts"]);
  assert.equal(others.browser["orders_test.ts"], node["orders_test.ts"]);
  const bare = (text: string | undefined) =>
    text?.replace(/^import \{ test \}.*\n/m, "").replace(/^(Deno\.)?test/gm, "test");
  assert.equal(bare(others.deno["orders_test.ts"]), bare(node["orders_test.ts"]));
});

Deno.test("starters name the releases of packages that are tested here", () => {
  const wanted: Readonly<Record<string, string>> = { ...config.imports, pawl: `npm:pawl@^${version}` };
  for (const [home, files] of Object.entries(templates)) {
    const { imports, dependencies } = JSON.parse(files["deno.json"] ?? files["package.json"]!);
    const named = imports ?? Object.fromEntries(
      Object.entries(dependencies).map(([name, range]) => [name, `npm:${name}@${range}`]),
    );
    for (const [name, specifier] of Object.entries(named)) {
      assert.equal(specifier, wanted[name], `${home}: ${name}`);
    }
  }
});

const pathOf = (home: string) => new URL(`starters/${home}/main.ts`, root).pathname;

/** A starter's program on the sources, in a folder of its own. */
async function live(
  [verb, ...args]: readonly string[],
  use: (program: Program) => Promise<void>,
): Promise<void> {
  const cwd = await Deno.makeTempDir({ prefix: "pawl-starter-" });
  const all = [verb!, "--config", new URL("deno.json", root).pathname, ...args];
  const env = { TURSO_DATABASE_URL: "file:orders.db", API_TOKEN: "only-on-this-machine" };
  try {
    await using program = startProgram(Deno.execPath(), all, { cwd, env });
    await use(program);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

Deno.test("the programs of the starters for Deno and Node see an order through", async () => {
  const see = (home: string) =>
    live(["run", "-A", pathOf(home)], async (program) => {
      const said = await program.ended();
      assert.match(
        said,
        /order-1 is placed[^]*receipt for 4200[^]*is shipped[^]*error The bank does not answer/,
      );
    });
  await Promise.all(["deno", "node"].map(see));
});

Deno.test("the starter for Deno Deploy takes an order over HTTP, sees it through, and shows its dashboard", async () => {
  const args = ["-A", "--unstable-cron", "--host", "127.0.0.1", "--port", "0", pathOf("deno-deploy")];
  await live(["serve", ...args], async (program) => {
    await seeOrderThrough(await program.says(/http:\/\/127\.0\.0\.1:\d+/));
  });
});
