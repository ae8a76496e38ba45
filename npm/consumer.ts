/**
 * A project that has installed the tarball, as a user's would: an empty folder, `npm i`, and nothing of this repository.
 *
 * @module
 */
import * as esbuild from "esbuild";
import { npm, run } from "./command.ts";
import { readConfig, root } from "./manifest.ts";

/** The folder of a project, which goes with it. */
export interface Consumer extends AsyncDisposable {
  readonly folder: string;
  /** Installs more: names of `deno.json`, for the ranges there, or `name@version`. */
  install(packages: readonly string[]): Promise<void>;
  /** Writes a module of TypeScript as one of JavaScript: its types are taken away, and no more. */
  write(name: string, code: string): Promise<string>;
}

/**
 * Makes a project with the tarball.
 *
 * @param tarball Its path.
 * @param packages What else it installs.
 */
export async function withTarball(tarball: string, packages: readonly string[]): Promise<Consumer> {
  const { imports } = await readConfig();
  const folder = await Deno.makeTempDir({ prefix: "pawl-consumer-" });
  const manifest = { name: "consumer", private: true, type: "module" };
  await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify(manifest));
  const install = async (wanted: readonly string[]) => {
    await npm(["install", ...wanted.map((name) => imports[name]?.replace(/^npm:/, "") ?? name)], folder);
  };
  await install([await Deno.realPath(tarball), ...packages]);
  return {
    folder,
    install,
    async write(name, code) {
      const { code: script } = await esbuild.transform(code, {
        loader: "ts",
        format: "esm",
        target: "es2022",
      });
      const path = `${folder}/${name}.mjs`;
      await Deno.writeTextFile(path, script.replace(/(from "\.\/\w+)\.ts"/g, '$1.mjs"'));
      return path;
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** The first example of the README: what a stranger pastes. */
export async function readmeExample(): Promise<string> {
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  if (example === undefined) throw new Error("The README has no example");
  return example;
}

/** The names by which all entry points are imported. */
export async function importNames(): Promise<readonly string[]> {
  const { name, exports } = await readConfig();
  return Object.keys(exports).map((path) => name + path.slice(1));
}

/** The packages that the subpaths of a tarball need, by name. */
export async function peersIn(tarball: string): Promise<readonly string[]> {
  const manifest = await run("tar", ["xzOf", tarball, "package/package.json"]);
  return Object.keys(JSON.parse(manifest).peerDependencies);
}
