/**
 * Uses the npm package as a stranger would: `deno task npm:test [--short] [--tarball FILE | --built] [--on NAMES]`. In an empty folder it installs
 * the tarball and runs the README's example, the store's rules on a libSQL file, processes that are killed, the project's
 * own tests, and pages of three bundlers. `--short` does the first two, with the Node that is on the path. `--built` takes the tarball that is there already;
 * `--on 22.23.3,bun,pages` does only these.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It tells what holds.
import * as esbuild from "esbuild";
import { parseArgs } from "node:util";
import { build } from "../../npm/build.ts";
import { run } from "../../npm/command.ts";
import { type Consumer, peersIn, readmeExample, withTarball } from "../../npm/consumer.ts";
import { readConfig, tarballPath } from "../../npm/manifest.ts";
import { bunBinary, nodeBinary, nodeVersions } from "../../npm/tools.ts";
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
  await consumer.write("readme", await readmeExample());
  for (const name of programs) {
    await consumer.write(name, await Deno.readTextFile(new URL(`programs/${name}.ts`, import.meta.url)));
  }
}

async function shortTests(consumer: Consumer, runtime: string, name: string): Promise<void> {
  const { folder } = consumer;
  await tell(`${name}: the README's example`, () => run(runtime, ["readme.mjs"], { cwd: folder }));
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
    const runtime = name === "bun" ? await bunBinary() : await nodeBinary(name);
    await shortTests(consumer, runtime, name);
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
  // The README's example needs no other package, so it is run before any is there.
  await using bare = await withTarball(tarball, []);
  await writePrograms(bare);
  await tell(
    "the README's example, and no other package",
    () => run("node", ["readme.mjs"], { cwd: bare.folder }),
  );
  await using consumer = await withTarball(tarball, ["libsql"]);
  await writePrograms(consumer);
  await shortTests(consumer, "node", "the Node on the path");
} else {
  const wanted = values.on?.split(",") ?? [...nodeVersions, "bun", "pages"];
  await longTests(tarball, wanted.filter((name) => name !== "pages"));
  if (wanted.includes("pages")) await checkPages(tarball, tell);
}
await esbuild.stop();
if (failures > 0) console.log(`${failures} failed`);
Deno.exit(failures === 0 ? 0 : 1);
