/**
 * Uses the npm package as a stranger would: `deno task npm:test [--short] [--tarball FILE | --built] [--on NAMES]`. In an
 * empty folder it installs the tarball and runs the README's example, the store's rules on a libSQL file, processes that
 * are killed, the project's own tests, and pages of three bundlers. `--short` does the first two, with the Node that is on
 * the path and this Deno. `--built` takes the tarball that is there already; `--on 22.23.3,bun,examples,pages` does only
 * these.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It tells what holds.
import * as esbuild from "esbuild";
import { parseArgs } from "node:util";
import { bundle, programOf, subpaths } from "../../bench/size.ts";
import { build } from "../../npm/build.ts";
import { run } from "../../npm/command.ts";
import { type Consumer, peersIn, withTarball } from "../../npm/consumer.ts";
import { readConfig, tarballPath } from "../../npm/manifest.ts";
import { bunBinary, nodeBinary, nodeVersions } from "../../npm/tools.ts";
import { openExample, pasteExample, runExample } from "./homes.ts";
import { checkPages } from "./pages.ts";
import { killAndResume } from "./kill.ts";
import { SuiteRunner } from "./lanes.ts";
import { bundleSuites } from "./suites.ts";

let failures = 0;

/** Says what came of something, and goes on. */
async function tell(what: string, work: () => Promise<string>): Promise<void> {
  const begun = performance.now();
  const seconds = () => `${((performance.now() - begun) / 1_000).toFixed(1)} s`;
  try {
    const came = (await work()).trim();
    console.log(`ok    ${what}${came && `: ${came}`} (${seconds()})`);
  } catch (error) {
    failures++;
    console.log(`FAIL  ${what} (${seconds()})\n${(error as Error).stack}`);
  }
}

const programs = ["libsql_file", "kill_machine", "kill_worker", "kill_judge", "suite_worker"];

async function writePrograms(consumer: Consumer): Promise<void> {
  for (const name of programs) {
    await consumer.write(name, await Deno.readTextFile(new URL(`programs/${name}.ts`, import.meta.url)));
  }
}

const runtimeOf = (name: string) => name === "bun" ? bunBinary() : nodeBinary(name);

/** The README's example where nothing but the tarball is installed. */
async function examples(tarball: string, runtimes: Readonly<Record<string, string>>): Promise<Consumer> {
  const bare = await withTarball(tarball, []);
  await pasteExample(bare);
  for (const [name, runtime] of Object.entries(runtimes)) {
    await tell(`${name}: the README's example`, () => runExample(bare, runtime));
  }
  // Without any permission.
  await tell(
    "Deno: the README's example",
    () => runExample(bare, Deno.execPath(), ["run", "--check", "--no-prompt"]),
  );
  await tell("sizes", () => withinBudgets(bare));
  return bare;
}

/** The package's files weigh what the sources weigh. */
async function withinBudgets({ folder }: Consumer): Promise<string> {
  const installed = `${folder}/node_modules/pawl`;
  for (const entry of subpaths) {
    const { compressed } = await bundle(programOf(entry), { ...entry, installed });
    if (compressed > entry.budget) throw new Error(`${entry.name}: ${compressed} of ${entry.budget} bytes`);
  }
  return `${subpaths.length} subpaths`;
}

async function libsqlFile({ folder }: Consumer, runtime: string, name: string): Promise<void> {
  const file = `${await Deno.makeTempDir({ dir: folder })}/store.db`;
  await tell(`${name}: a libSQL file`, () => run(runtime, ["libsql_file.mjs", file], { cwd: folder }));
}

async function longTests(tarball: string, runtimes: readonly string[]): Promise<void> {
  await using consumer = await withTarball(tarball, await peersIn(tarball));
  await writePrograms(consumer);
  const suites = await bundleSuites(consumer);
  for (const left of suites.left) console.log(`left out  ${left}`);
  const runner = new SuiteRunner(suites.ready, `${consumer.folder}/suite_worker.mjs`);
  for (const name of runtimes) {
    const runtime = await runtimeOf(name);
    await libsqlFile(consumer, runtime, name);
    const file = `${await Deno.makeTempDir({ dir: consumer.folder })}/store.db`;
    await tell(`${name}: kill -9`, () => killAndResume(consumer, runtime, file));
    await tell(`${name}: the project's tests`, () => runner.run(runtime));
    console.log(`      longest: ${runner.longest(8)}`);
  }
}

const { values } = parseArgs({
  args: Deno.args,
  options: {
    short: { type: "boolean" },
    built: { type: "boolean" },
    tarball: { type: "string" },
    on: { type: "string" },
  },
});
const config = await readConfig();
const tarball = values.tarball ?? (values.built ? tarballPath(config, config.version) : await build());
if (values.short) {
  await using _bare = await examples(tarball, { "the Node on the path": "node" });
  await using consumer = await withTarball(tarball, ["libsql"]);
  await writePrograms(consumer);
  await libsqlFile(consumer, "node", "the Node on the path");
} else {
  const wanted = values.on?.split(",") ?? [...nodeVersions, "bun", "examples", "pages"];
  const runtimes = wanted.filter((name) => name !== "pages" && name !== "examples");
  if (wanted.includes("examples")) {
    const all = [...nodeVersions, "bun"].map(async (name) => [name, await runtimeOf(name)] as const);
    await using bare = await examples(tarball, Object.fromEntries(await Promise.all(all)));
    await tell("vite's page: the README's example", () => openExample(bare));
  }
  if (runtimes.length > 0) await longTests(tarball, runtimes);
  if (wanted.includes("pages")) await checkPages(tarball, tell);
}
await esbuild.stop();
if (failures > 0) console.log(`${failures} failed`);
Deno.exit(failures === 0 ? 0 : 1);
