/**
 * What a stranger does in the first five minutes: `deno task starters:test [--tarball FILE] [--on NAMES]`. In an empty
 * folder it asks `npx`, or Deno, for a project of each home, installs it, and types what it was told to: twice, with the
 * package in a registry as once it is published, and with its tarball. Programs are killed midway and started again; pages
 * are opened in Chromium.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It tells what holds.
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { build } from "../../npm/build.ts";
import { npm, run } from "../../npm/command.ts";
import { startProgram } from "../cli/program.ts";
import { seeOrderThrough } from "../cli/see_order_through.ts";
import { openBrowser } from "../browser/browsers.ts";
import { startRegistry } from "./registry.ts";

/** A project that was written, and where it has its packages from. */
interface Project {
  readonly folder: string;
  readonly isPublished: boolean;
}

const deno = Deno.execPath();

/** A process that is killed once it has placed an order, and another that goes on with it. */
async function killAndGoOn(
  folder: string,
  program: string,
  args: readonly string[],
  again: readonly string[],
) {
  await using first = startProgram(program, args, { cwd: folder });
  await first.says(/order-1 is placed/);
  await first.end("SIGKILL");
  const [name, ...rest] = again;
  const said = await run(name!, rest, { cwd: folder });
  assert.match(said, /order-1 is there already[^]*order-1 is shipped/);
}

async function checkNode({ folder }: Project): Promise<void> {
  await npm(["install"], folder);
  await npm(["run", "check"], folder);
  await npm(["test"], folder);
  await killAndGoOn(folder, "node", ["--import", "tsx", "main.ts"], ["npm", "start"]);
  assert.match(await run("npx", ["pawl", "list", "--db", "file:orders.db"], { cwd: folder }), /order-1/);
}

async function checkDeno({ folder, isPublished }: Project): Promise<void> {
  if (!isPublished) await npm(["install"], folder);
  await run(deno, ["check"], { cwd: folder });
  await run(deno, ["task", "test"], { cwd: folder });
  await killAndGoOn(folder, deno, ["run", "-A", "main.ts"], [deno, "task", "start"]);
  const list = ["list", "--db", "file:orders.db"];
  const listed = isPublished
    ? await run(deno, ["run", "-A", "npm:pawl", ...list], { cwd: folder })
    : await run("npx", ["pawl", ...list], { cwd: folder });
  assert.match(listed, /order-1/);
}

async function checkDeploy({ folder, isPublished }: Project): Promise<void> {
  if (!isPublished) await npm(["install"], folder);
  await run(deno, ["check"], { cwd: folder });
  await run(deno, ["task", "test"], { cwd: folder });
  const { tasks } = JSON.parse(await Deno.readTextFile(`${folder}/deno.json`));
  // Somebody else may have the port.
  const start = ["task", "--eval", tasks.start.replace("deno serve", "deno serve --port 0")];
  for (const key of ["o-1", "o-2"]) {
    await using server = startProgram(deno, start, { cwd: folder });
    await seeOrderThrough(await server.says(/http:\/\/127\.0\.0\.1:\d+/), key);
    await server.end("SIGINT");
  }
}

async function checkBrowser({ folder }: Project): Promise<void> {
  await npm(["install"], folder);
  await npm(["run", "check"], folder);
  await npm(["test"], folder);
  await npm(["run", "build"], folder);
  for (const command of [[], ["preview"]]) {
    const args = ["node_modules/vite/bin/vite.js", ...command, "--port", "0"];
    await using server = startProgram("node", args, { cwd: folder });
    await seePage(await server.says(/http:\/\/localhost:\d+/));
  }
}

/** Places an order, reloads the page while the bank does not answer, and ships it. */
async function seePage(url: string): Promise<void> {
  const browser = await openBrowser("chrome");
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await page.locator("#place:not([disabled])").click();
    await page.waitForSelector("::-p-text(The bank does not answer)");
    await page.reload();
    await page.locator("::-p-text(Ship it)").click();
    await page.waitForSelector("td ::-p-text(shipped), td::-p-text(shipped)");
  } finally {
    await browser.close();
  }
}

const checks: Readonly<Record<string, (project: Project) => Promise<void>>> = {
  "node": checkNode,
  "deno": checkDeno,
  "deno-deploy": checkDeploy,
  "browser": checkBrowser,
};

const { values } = parseArgs({
  args: Deno.args,
  options: { tarball: { type: "string" }, on: { type: "string" } },
});
const tarball = values.tarball === undefined ? await build() : await Deno.realPath(values.tarball);
const folder = await Deno.makeTempDir({ prefix: "pawl-starters-" });
await using registry = await startRegistry(tarball);
// What another build has left in a cache would be taken for this one.
for (const name of ["npm_config_cache", "DENO_DIR"]) Deno.env.set(name, `${folder}/${name}`);
for (const name of ["npm_config_registry", "NPM_CONFIG_REGISTRY"]) Deno.env.set(name, registry.url);
let failures = 0;
for (const [home, check] of Object.entries(checks)) {
  if (values.on !== undefined && !values.on.split(",").includes(home)) continue;
  for (const isPublished of [true, false]) {
    const name = `${home}_${isPublished ? "published" : "tarball"}`;
    const begun = performance.now();
    try {
      const init = ["init", name, "--home", home];
      if (!isPublished) {
        await run("npx", ["-y", `--package=${tarball}`, "pawl", ...init, "--pawl", tarball], { cwd: folder });
      } else if (home.startsWith("deno")) {
        await run(deno, ["run", "-A", "npm:pawl", ...init], { cwd: folder });
      } else {
        await run("npx", ["-y", "pawl", ...init], { cwd: folder });
      }
      await check({ folder: `${folder}/${name}`, isPublished });
      console.log(`ok    ${name} (${((performance.now() - begun) / 1_000).toFixed(1)} s)`);
    } catch (error) {
      failures++;
      console.log(`FAIL  ${name}\n${(error as Error).stack}`);
    }
  }
}
await Deno.remove(folder, { recursive: true });
Deno.exit(failures === 0 ? 0 : 1);
