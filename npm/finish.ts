/**
 * From files that a tool has made to a tarball: both ways of building end here, so both have the same `package.json`.
 *
 * @module
 */
import { npm } from "./command.ts";
import {
  type DenoConfig,
  type EntryPoint,
  entryPoints,
  outFolder,
  packageFields,
  peersOf,
  program,
  type ReleaseOptions,
  tarballPath,
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
  const bin = await binOf(folder, made);
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
  const manifest = {
    ...fields,
    main: main.default,
    types: main.types,
    bin: { [config.name]: bin },
    exports: exported,
  };
  await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify(manifest, undefined, 2) + "\n");
  await Deno.mkdir(outFolder, { recursive: true });
  await npm(["pack", "--silent", "--ignore-scripts", "--pack-destination", outFolder.pathname], folder);
  return tarballPath(config, release.version ?? config.version);
}

/** The compiled program, made such that a shell can run it. */
async function binOf(folder: string, made: Made): Promise<string> {
  const { import: file } = targetOf(made, program);
  const path = `${folder}/${file}`;
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, `#!/usr/bin/env node\n${text.replace(/^#!.*\n/, "")}`);
  await Deno.chmod(path, 0o755);
  return file.replace(/^\.\//, "");
}

function exportsOf(config: DenoConfig, made: Made): Record<string, Exported> {
  return Object.fromEntries(entryPoints(config).map((each) => [each.name, targetOf(made, each)]));
}

/** @throws {Error} When the tool has left out an entry point or its types, as `deno pack` does without failing. */
function targetOf(made: Made, { name }: EntryPoint): Exported {
  const target = made.exports[name];
  // dnt writes `{ import: "./esm/mod.js" }`, and the types lie beside it.
  const file = typeof target?.import === "string" ? target.import : target?.import?.default;
  const types = target?.types ?? (typeof target?.import === "object" ? target.import.types : undefined) ??
    file?.replace(/\.js$/, ".d.ts");
  if (file === undefined || types === undefined) throw new Error(`The built package has no "${name}"`);
  return { types, import: file, default: file };
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
