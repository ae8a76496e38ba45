// deno-lint-ignore-file no-console -- the table is the product.
/**
 * Breaks one rule at a time in a copy of the tree and shows that the simulator, or the test that is for it, sees it. A
 * survivor is a missing check.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";
import { mutants as engineMutants } from "./mutant_list.ts";
import { streamMutants } from "./stream_mutants.ts";

const mutants: readonly Mutant[] = [...engineMutants, ...streamMutants];

/** Seeds a mutant may live through before it counts as a survivor. */
const seedsMax = 6_000;

const root = new URL("../../", import.meta.url);

/** What the simulator and tests of mutants need of the tree. */
const rooms = ["core/", "adapters/", "tests/simulation/", "tests/programs/", "tests/engine/"];

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
  await Deno.copyFile(new URL("mod.ts", root), new URL("mod.ts", home));
  const file = new URL(mutant.file, home);
  const text = await Deno.readTextFile(file);
  if (text.split(mutant.find).length !== 2) {
    throw new Error(`Mutant "${mutant.name}": its text must stand exactly once in ${mutant.file}`);
  }
  await Deno.writeTextFile(file, text.replace(mutant.find, () => mutant.replace));
  const seen = mutant.test === undefined
    ? await hunt(mutant, home)
    : await runTest(mutant, mutant.test, home);
  await Deno.remove(home, { recursive: true });
  return seen;
}

async function hunt({ name, near = 1 }: Mutant, home: URL): Promise<string | undefined> {
  const script = new URL("tests/simulation/hunt.ts", home).pathname;
  const { code, stdout, stderr } = await deno("run", script, String(seedsMax), String(near));
  if (code !== 0) throw new Error(`Mutant "${name}" does not even load: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim() || undefined;
}

async function runTest({ name }: Mutant, test: string, home: URL): Promise<string | undefined> {
  const { code, stdout } = await deno("test", new URL(test, home).pathname);
  if (code === 0) return undefined;
  const failed = new TextDecoder().decode(stdout).match(/^(.*) \.\.\. .*FAILED/m)?.[1];
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
 * @param only Part of a name; default: all of them.
 * @returns The exit code.
 */
export async function runMutants(only = ""): Promise<number> {
  const tried = mutants.filter(({ name }) => name.includes(only));
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
