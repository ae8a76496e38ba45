/**
 * From files that a tool has made to a tarball: both ways of building end here, so both have the same `package.json`.
 *
 * @module
 */
import { npm } from "./command.ts";
import {
  type DenoConfig,
  entryPoints,
  outFolder,
  packageFields,
  peersOf,
  type ReleaseOptions,
  tarballPath,
  toolExport,
} from "./manifest.ts";
import { bareSpecifiers } from "./specifiers.ts";

/** What a path of `exports` leads to. */
interface Target {
  readonly types?: string;
  readonly import?: string | { readonly types?: string; readonly default?: string };
}

/** What the package says of it; resolvers take the first that fits, so the types are first. */
interface Exported {
  readonly types: string;
  readonly import: string;
  readonly default: string;
}

/** The part of a `package.json` that only the tool knows that has made the files. */
interface Made {
  readonly exports: Readonly<Record<string, Target>>;
  readonly bin?: Readonly<Record<string, string>>;
}

/**
 * Writes the `package.json` of a folder and packs it.
 *
 * @param folder With the `package.json` of the tool.
 * @param config Of the repository.
 * @param release What only who releases knows.
 * @returns The path of the tarball.
 */
export async function finish(folder: string, config: DenoConfig, release: ReleaseOptions): Promise<string> {
  const made: Made = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
  const exported = exportsOf(config, made);
  await requireFiles(folder, exported);
  const specifiers = new Set<string>();
  for (const file of await filesOf(folder)) {
    if (!/\.(js|d\.ts)$/.test(file)) continue;
    const text = await Deno.readTextFile(file);
    for (const specifier of bareSpecifiers(text)) specifiers.add(specifier);
    const named = withNamedLibraries(file, text);
    if (named !== text) await Deno.writeTextFile(file, named);
  }
  const main = exported["."]!;
  const fields = packageFields(config, peersOf(config, specifiers), release);
  const bin = { [config.name]: await makeTool(folder, config, made) };
  const manifest = { ...fields, main: main.default, types: main.types, bin, exports: exported };
  await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify(manifest, undefined, 2) + "\n");
  await Deno.mkdir(outFolder, { recursive: true });
  await npm(["pack", "--silent", "--ignore-scripts", "--pack-destination", outFolder.pathname], folder);
  return tarballPath(config, release.version ?? config.version);
}

/** @throws {Error} When the tool has left out an entry point or its types, as `deno pack` does without failing. */
function exportsOf(config: DenoConfig, made: Made): Record<string, Exported> {
  const exported = entryPoints(config).map(({ name }) => {
    const target = made.exports[name];
    const file = fileOf(target);
    // The types of dnt lie beside it.
    const types = target?.types ?? (typeof target?.import === "object" ? target.import.types : undefined) ??
      file?.replace(/\.js$/, ".d.ts");
    if (file === undefined || types === undefined) throw new Error(`The built package has no "${name}"`);
    return [name, { types, import: file, default: file }] as const;
  });
  return Object.fromEntries(exported);
}

/**
 * Lets a system run the tool by its name. dnt says where it has put a program; of `deno pack` it is an export.
 *
 * @returns Its path.
 * @throws {Error} When there is none.
 */
async function makeTool(folder: string, config: DenoConfig, made: Made): Promise<string> {
  const path = (made.bin?.[config.name] ?? fileOf(made.exports[toolExport]))?.replace(/^\.\//, "");
  if (path === undefined) throw new Error(`The built package has no program "${config.name}"`);
  const script = await Deno.readTextFile(`${folder}/${path}`);
  const hashbang = script.startsWith("#!") ? "" : "#!/usr/bin/env node\n";
  await Deno.writeTextFile(`${folder}/${path}`, hashbang + script);
  await Deno.chmod(`${folder}/${path}`, 0o755);
  return path;
}

/** dnt writes `{ import: "./esm/mod.js" }`. */
function fileOf(target: Target | undefined): string | undefined {
  return typeof target?.import === "string" ? target.import : target?.import?.default;
}

/** @throws {Error} When a file that `package.json` names is not there. */
async function requireFiles(folder: string, exported: Readonly<Record<string, Exported>>): Promise<void> {
  for (const [name, target] of Object.entries(exported)) {
    for (const file of Object.values(target)) {
      const found = await Deno.stat(`${folder}/${file}`).catch(() => undefined);
      if (!found?.isFile) throw new Error(`The built package has no ${file} for "${name}"`);
    }
  }
}

/** Declarations that name what not every `lib` has say where it is, so that all settings can compile them. */
function withNamedLibraries(file: string, text: string): string {
  const reference = '/// <reference lib="esnext.disposable" />\n';
  const needs = file.endsWith(".d.ts") && /\b(Async)?Disposable\b|Symbol\.(asyncD|d)ispose/.test(text);
  return needs && !text.startsWith(reference) ? reference + text : text;
}

/** All files of a folder, in a fixed order. */
export async function filesOf(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (name === "node_modules") continue;
    if (isDirectory) found.push(...await filesOf(`${folder}/${name}`));
    else found.push(`${folder}/${name}`);
  }
  return found.sort();
}
