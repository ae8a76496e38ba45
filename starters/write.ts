/**
 * Writes the starters as a module, so that `pawl init` finds them wherever it runs: `deno task starters`. Before, it gives
 * them the releases of packages that `deno.json` has.
 *
 * @module
 */

const here = new URL("./", import.meta.url);
const target = new URL("../cli/init/templates.ts", here);
const homes = ["node", "deno", "deno-deploy", "browser"];

/** The packages and releases that `deno.json` names, and this one. */
async function releases(): Promise<ReadonlyMap<string, string>> {
  const { imports, version } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", here)));
  const named = Object.entries<string>(imports).flatMap(([name, specifier]) => {
    const range = specifier.startsWith(`npm:${name}@`) ? specifier.slice(`npm:${name}@`.length) : undefined;
    return range === undefined ? [] : [[name, range] as const];
  });
  return new Map([...named, ["pawl", `^${version}`]]);
}

/** Sets the releases in the manifests of all starters. */
async function writeReleases(): Promise<void> {
  const ranges = await releases();
  for (const home of homes) {
    for (const name of ["package.json", "deno.json"]) {
      const path = new URL(`${home}/${name}`, here);
      const text = await Deno.readTextFile(path).catch(() => undefined);
      const written = text?.replace(
        /"([^"]+)": "(npm:\1@)?[\^~\d][^"]*"/g,
        (all, name, front = "") => ranges.has(name) ? `"${name}": "${front}${ranges.get(name)}"` : all,
      );
      if (written !== undefined) await Deno.writeTextFile(path, written);
    }
  }
}

/** What is kept of a starter: what git knows or would take, but for what installing it leaves. */
async function filesOf(home: string): Promise<Readonly<Record<string, string>>> {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard"];
  const listed = await new Deno.Command("git", { args, cwd: new URL(`${home}/`, here) }).output();
  const paths = [...new Set(new TextDecoder().decode(listed.stdout).trim().split("\n"))].sort();
  const kept = paths.filter((path) => !/^(package-lock\.json|deno\.lock)$/.test(path));
  const read = kept.map(async (path) => [path, await Deno.readTextFile(new URL(`${home}/${path}`, here))]);
  return Object.fromEntries(await Promise.all(read));
}

/** The text of the module. Its quotes are escaped, so that no reader takes its imports for those of the module. */
export async function templatesText(): Promise<string> {
  const templates = await Promise.all(homes.map(async (home) => [home, await filesOf(home)] as const));
  return `// deno-fmt-ignore-file
// Written by \`deno task starters\` from the folder starters/: edit that.

/** Where a project can run. */
export type Home = ${homes.map((home) => `"${home}"`).join(" | ")};

/** The files of a starter, by home and path. */
export const templates: Readonly<Record<Home, Readonly<Record<string, string>>>> = ${
    JSON.stringify(Object.fromEntries(templates), undefined, 2)
  };
`;
}

if (import.meta.main) {
  await writeReleases();
  await Deno.writeTextFile(target, await templatesText());
}
