/**
 * The programs that judge the package, at fixed versions. They are no part of `deno.json`, as nothing else needs them.
 *
 * @module
 */
import { npm } from "./command.ts";
import { outFolder } from "./manifest.ts";

/** Aliases and versions of what the checks run. */
const checkers = [
  "publint@0.3.25",
  "@arethetypeswrong/cli@0.18.5",
  "typescript_5_9@npm:typescript@5.9.3",
  "typescript_newest@npm:typescript@7.0.2",
];

/** What bundles the package for browsers. */
const bundlers = ["esbuild@0.28.2", "vite@8.3.8", "webpack@5.112.2", "webpack-cli@7.3.1"];

/** Releases of Node, each the newest of its line, and the oldest that the package names. */
export const nodeVersions = ["20.9.0", "20.20.2", "22.23.3", "24.21.0"] as const;

const bunVersion = "1.4.5";

/** Installs packages in a folder below `npm/out/tools/` and returns it; what is there already costs nothing. */
async function installed(name: string, packages: readonly string[]): Promise<string> {
  const folder = new URL(`tools/${name}`, outFolder).pathname;
  const [stamp, wanted] = [`${folder}/installed.txt`, packages.join("\n")];
  if (await Deno.readTextFile(stamp).catch(() => "") === wanted) return folder;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/package.json`, '{ "private": true }\n');
  await npm(["install", "--save-exact", "--ignore-scripts", ...packages], folder);
  await Deno.writeTextFile(stamp, wanted);
  return folder;
}

/** The folder whose `node_modules/` has publint, attw and both releases of TypeScript. */
export function checkersFolder(): Promise<string> {
  return installed("checkers", checkers);
}

/** The folder whose `node_modules/` has the bundlers. */
export function bundlersFolder(): Promise<string> {
  return installed("bundlers", bundlers);
}

/** The program of a release of Node. */
export async function nodeBinary(version: string): Promise<string> {
  const system = { linux: "linux", darwin: "darwin", windows: "win" }[Deno.build.os as string];
  const machine = { x86_64: "x64", aarch64: "arm64" }[Deno.build.arch];
  const name = `node-${system}-${machine}`;
  const folder = await installed(`node-${version}`, [`${name}@${version}`]);
  return `${folder}/node_modules/${name}/bin/node${system === "win" ? ".exe" : ""}`;
}

/** The program of Bun; its package has it in a package per platform, which needs no script. */
export async function bunBinary(): Promise<string> {
  const system = Deno.build.os === "windows" ? "windows" : Deno.build.os;
  const name = `@oven/bun-${system}-${Deno.build.arch === "aarch64" ? "aarch64" : "x64"}`;
  const folder = await installed(`bun-${bunVersion}`, [`${name}@${bunVersion}`]);
  return `${folder}/node_modules/${name}/bin/bun`;
}
