/**
 * `pawl init`: a project that works, written into a folder.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Command, type Terminal, UsageError } from "./command.ts";
import type { Home } from "./init/templates.ts";
import { inTheWay, writeFiles } from "./init/write_files.ts";
import { version } from "./version.ts";

const homes: Readonly<Record<Home, string>> = {
  "node": "a program in Node, on a libSQL file",
  "deno": "the same in Deno",
  "deno-deploy": "an HTTP API with a dashboard for Deno Deploy, on Turso or a file",
  "browser": "a page of Vite, on IndexedDB",
};

const usage = `
usage: pawl init [FOLDER] [--home HOME] [--pawl RELEASE] [--dry-run]

  FOLDER           where to; the current folder, if left out. It must be new or empty; hidden files may be there
  --home HOME      where the project is to run; asked for, if left out:
${listOfHomes("                     ")}
  --pawl RELEASE   which release of Pawl it is to have: a range, a tag, or a tarball's path or URL;
                   ^${version} if left out
  --dry-run        tells what it would write, and writes nothing

It writes all of its files or none, overwrites nothing, and installs nothing.
`;

/** Writes a new project. */
export const init: Command = {
  name: "init",
  summary: "Write a new project that works: for Node, Deno, Deno Deploy or a browser",
  usage,
  async run(args, terminal) {
    const { folder, isDry, ...wanted } = read(args);
    const path = resolve(terminal.cwd, folder);
    const spec = await specOf(wanted.release, terminal.cwd);
    const home = wanted.home ?? await askForHome(terminal);
    const { projectOf } = await import("./init/project.ts");
    const { files, commands, hint } = projectOf({ home, folderName: basename(path), spec });
    const names = [...files.keys()];
    const obstacles = await inTheWay(path, names);
    if (obstacles.length > 0) throw new Error(refusal(folder, obstacles, names));
    if (!isDry) await writeFiles(path, files);
    const told = [
      `${isDry ? "It would write" : "Wrote"} ${names.length} files to ${shown(folder)}:`,
      ...names.map((name) => `  ${name}`),
      ...isDry ? [] : ["", "Now type:", ...folder === "." ? [] : [`  cd ${shown(folder)}`]],
      ...isDry ? [] : [...commands.map((command) => `  ${command}`), "", hint],
    ];
    await terminal.out(`${told.join("\n")}\n`);
    return 0;
  },
};

/** What the arguments ask for. */
interface Wish {
  readonly folder: string;
  readonly home?: Home;
  readonly release?: string;
  readonly isDry: boolean;
}

function read(args: readonly string[]): Wish {
  const options = {
    "home": { type: "string" },
    "pawl": { type: "string" },
    "dry-run": { type: "boolean", default: false },
  } as const;
  const { values, positionals } = parse(() =>
    parseArgs({ args: [...args], options, allowPositionals: true })
  );
  if (positionals.length > 1) {
    throw new UsageError(`One folder can be named, and not ${positionals.length}: ${positionals.join(", ")}`);
  }
  const { home, pawl: release } = values;
  if (home !== undefined && !isHome(home)) {
    throw new UsageError(`There is no home "${home}"; there are:\n${listOfHomes("  ")}`);
  }
  if (release !== undefined && !/^[^\s"]+$/.test(release)) {
    throw new UsageError(`--pawl names a release, such as ^${version}, and not "${release}"`);
  }
  return {
    folder: positionals[0] ?? ".",
    isDry: values["dry-run"],
    ...(home !== undefined && { home }),
    ...(release !== undefined && { release }),
  };
}

/** What `parseArgs` throws is about what was typed. */
function parse<Values>(work: () => Values): Values {
  try {
    return work();
  } catch (error) {
    throw new UsageError((error as Error).message.replace(/\. To specify a positional.*$/, ""));
  }
}

/** @throws {UsageError} When it is the path of no file. */
async function specOf(release: string | undefined, cwd: string): Promise<string> {
  if (release === undefined) return `^${version}`;
  const isPath = /^file:|[/\\]|\.tgz$/.test(release) && !/^[a-z+]+:\/\//.test(release);
  if (!isPath) return release;
  const path = resolve(cwd, release.replace(/^file:/, ""));
  if (!(await stat(path).catch(() => undefined))?.isFile()) {
    throw new UsageError(`--pawl names a tarball that is not there: "${path}"`);
  }
  return `file:${path.replaceAll("\\", "/")}`;
}

async function askForHome(terminal: Terminal): Promise<Home> {
  if (!terminal.isInteractive) {
    throw new UsageError(`Where is it to run? Give one of these as --home:\n${listOfHomes("  ")}`);
  }
  const names = Object.keys(homes) as Home[];
  terminal.error(`Where is it to run?\n${listOfHomes("  ", true)}\n`);
  for (;;) {
    const answer = (await terminal.ask("A number or a name: ")).trim();
    const named = names[Number(answer) - 1] ?? answer;
    if (isHome(named)) return named;
    terminal.error(`There is no home "${answer}".\n`);
  }
}

function isHome(name: string): name is Home {
  return Object.hasOwn(homes, name);
}

function listOfHomes(indent: string, isNumbered = false): string {
  return Object.entries(homes)
    .map(([name, what], index) => `${indent}${isNumbered ? `${index + 1}  ` : ""}${name.padEnd(13)}${what}`)
    .join("\n");
}

function refusal(folder: string, obstacles: readonly string[], names: readonly string[]): string {
  const listed = obstacles.slice(0, 10).join(", ") + (obstacles.length > 10 ? ", ..." : "");
  const lost = obstacles.filter((name) => names.includes(name));
  const danger = lost.length > 0 ? `, of which ${lost.join(", ")} would be overwritten` : "";
  return `${shown(folder)} is not empty: it has ${listed}${danger}. ` +
    "Nothing was written; name a folder that is new or empty, as in: pawl init my-orders";
}

function shown(folder: string): string {
  if (folder === ".") return "this folder";
  return /[\s"'$&]/.test(folder) ? JSON.stringify(folder) : folder;
}
