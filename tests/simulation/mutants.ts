// deno-lint-ignore-file no-console -- the table is the product.
/**
 * Breaks one rule at a time in a copy of the tree and shows that the simulator, or the test that is for it, sees it. A
 * survivor is a missing check.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";
import { lockMutants } from "./lock_mutants.ts";
import { mutants as engineMutants } from "./mutant_list.ts";
import { platformMutants } from "./platform_mutants.ts";
import { powerMutants } from "./power_mutants.ts";
import { scheduleMutants } from "./schedule_mutants.ts";
import { streamMutants } from "./stream_mutants.ts";
import { programMutants } from "../programs/mutants.ts";

/** Those that are tried unless one is named, and those that take longer: each is a run of the model's tests. */
const usual: readonly Mutant[] = [
  ...engineMutants,
  ...streamMutants,
  ...powerMutants,
  ...platformMutants,
  ...scheduleMutants,
  ...lockMutants,
];
/** Every mutant there is. */
export const all: readonly Mutant[] = [...usual, ...programMutants];

/** Seeds a mutant may live through before it counts as a survivor. */
const seedsMax = 6_000;

const root = new URL("../../", import.meta.url);

/** What the simulator and tests of mutants need of the tree. */
const rooms = [
  "core/",
  "adapters/",
  "tests/simulation/",
  "tests/programs/",
  "tests/engine/",
  "tests/parts/",
];
const files = ["mod.ts", "kernel.ts", "tests/let_go.ts", "tests/file_store.ts", "tests/own_sqlite.ts"];

async function copyTree(from: URL, to: URL): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (entry.isDirectory) await copyTree(new URL(`${entry.name}/`, from), new URL(`${entry.name}/`, to));
    else await Deno.copyFile(new URL(entry.name, from), new URL(entry.name, to));
  }
}

/** @returns What was said of the mutant, or undefined when nobody saw it. */
async function tryMutant(mutant: Mutant): Promise<string | undefined> {
  const folder = await Deno.makeTempDir({ prefix: "pawl-mutant-" });
  const home = new URL(`file://${folder}/`);
  for (const room of rooms) await copyTree(new URL(room, root), new URL(room, home));
  for (const file of files) await Deno.copyFile(new URL(file, root), new URL(file, home));
  const text = await textOf(mutant);
  await Deno.writeTextFile(new URL(mutant.file, home), text.replace(mutant.find, () => mutant.replace));
  const seen = mutant.test === undefined
    ? await hunt(mutant, home)
    : await runTest(mutant, mutant.test, home);
  await Deno.remove(home, { recursive: true });
  return seen;
}

/** The file that a mutant is of, which must hold its text exactly once. */
async function textOf({ name, file, find }: Mutant): Promise<string> {
  const text = await Deno.readTextFile(new URL(file, root));
  if (text.split(find).length === 2) return text;
  throw new Error(`Mutant "${name}": its text must stand exactly once in ${file}`);
}

async function hunt(mutant: Mutant, home: URL): Promise<string | undefined> {
  const { name, near = 1, home: of = "server", scenario = "machines" } = mutant;
  const script = new URL("tests/simulation/hunt.ts", home).pathname;
  const { code, stdout, stderr } = await deno("run", script, String(seedsMax), String(near), of, scenario);
  if (code !== 0) throw new Error(`Mutant "${name}" does not even load: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim() || undefined;
}

async function runTest({ name, sees }: Mutant, test: string, home: URL): Promise<string | undefined> {
  const only = sees === undefined ? [] : ["--filter", sees];
  const { code, stdout } = await deno("test", ...only, new URL(test, home).pathname);
  if (code === 0) return undefined;
  const failed = new TextDecoder().decode(stdout).match(/^(.*) \.\.\. .*(?:FAILED|cancelled)/m)?.[1];
  if (!failed) throw new Error(`Mutant "${name}": ${test} does not even load`);
  return `test: ${failed.slice(0, 90)}`;
}

/** The copy lies outside of the tree, and finds its packages by the tree's own configuration. */
function deno(verb: string, ...rest: readonly string[]): Promise<Deno.CommandOutput> {
  const config = new URL("deno.json", root).pathname;
  const args = [verb, "-A", "--no-check", "--config", config, ...rest];
  const env = { NO_COLOR: "1" };
  return new Deno.Command(Deno.execPath(), { args, env, stdout: "piped", stderr: "piped" }).output();
}

/**
 * Runs mutants, two at a time, and prints the table as it grows.
 *
 * @param only Part of a name; empty: all there are; default: all but those of the model, which take minutes.
 * @param isQuick Whether those are left out that few seeds see.
 * @returns The exit code.
 */
export async function runMutants(only?: string, isQuick = false): Promise<number> {
  const tried = only === undefined
    ? usual.filter(({ near }) => !isQuick || near === undefined)
    : all.filter(({ name }) => name.includes(only));
  for (const mutant of tried) await textOf(mutant);
  const seen: (string | undefined)[] = [];
  const waiting = tried.map((_, index) => index);
  const worker = async () => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      seen[index] = await tryMutant(tried[index]!);
      console.log(rowOf(tried[index]!, seen[index]));
    }
  };
  console.log("mutants:");
  await Promise.all([worker(), worker()]);
  const survivors = seen.filter((each) => !each).length;
  console.log(`${tried.length - survivors} of ${tried.length} mutants caught\n`);
  return survivors === 0 && tried.length > 0 ? 0 : 1;
}

function rowOf({ name }: Mutant, seen: string | undefined): string {
  return `  ${seen ? "caught  " : "SURVIVED"} ${name.padEnd(64)} ${seen ?? ""}`;
}
