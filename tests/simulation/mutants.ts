// deno-lint-ignore-file no-console -- the table is the product.
/**
 * Breaks one rule at a time in a copy of the tree and shows that the simulator sees it. A survivor is a missing check.
 *
 * @module
 */
import { type Mutant, mutants } from "./mutant_list.ts";

/** Seeds a mutant may live through before it counts as a survivor. */
const seedsMax = 6_000;

const root = new URL("../../", import.meta.url);

async function copyTree(from: URL, to: URL): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (entry.isDirectory) await copyTree(new URL(`${entry.name}/`, from), new URL(`${entry.name}/`, to));
    else await Deno.copyFile(new URL(entry.name, from), new URL(entry.name, to));
  }
}

/** @returns What the simulator said of the mutant, or undefined when it saw nothing. */
async function tryMutant(mutant: Mutant, index: number): Promise<string | undefined> {
  // Two simulations may run at once in one tree.
  const home = new URL(`.mutants/${Deno.pid}_${index}/`, root);
  for (const room of ["core/", "adapters/memory/", "tests/simulation/", "tests/programs/"]) {
    await copyTree(new URL(room, root), new URL(room, home));
  }
  const file = new URL(mutant.file, home);
  const text = await Deno.readTextFile(file);
  if (text.split(mutant.find).length !== 2) {
    throw new Error(`Mutant "${mutant.name}": its text must stand exactly once in ${mutant.file}`);
  }
  await Deno.writeTextFile(file, text.replace(mutant.find, () => mutant.replace));
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      new URL("tests/simulation/hunt.ts", home).pathname,
      String(seedsMax),
      String(mutant.near ?? 1),
    ],
    stdout: "piped",
    stderr: "null",
  }).output();
  await Deno.remove(home, { recursive: true });
  if (code !== 0) throw new Error(`Mutant "${mutant.name}" does not even load`);
  return new TextDecoder().decode(stdout).trim() || undefined;
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
      seen[index] = await tryMutant(tried[index]!, index);
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
