/**
 * The published sources in a folder of their own, under a name that JSR and `deno pack` take. Nothing that lies about in a
 * working tree gets into a package that is made of it.
 *
 * @module
 */
import { type DenoConfig, jsrName, program, root } from "./manifest.ts";

/**
 * Copies what is published, and calls back.
 *
 * @param config Of the repository.
 * @param use Gets the folder, which is gone afterwards.
 */
export async function withStage<T>(config: DenoConfig, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "pawl-stage-" });
  try {
    for (const path of config.publish.include) await copy(new URL(path, root), `${folder}/${path}`);
    for (const path of config.publish.exclude ?? []) {
      await Deno.remove(`${folder}/${path}`, { recursive: true });
    }
    // With a folder of modules it would link into it, and its tasks and tests are not for a package.
    const { tasks: _, exclude: __, ...rest } = config as DenoConfig & Record<string, unknown>;
    // What no export leads to is not compiled.
    const exports = { ...config.exports, [program.name]: program.path };
    const staged = { ...rest, exports, name: jsrName, nodeModulesDir: "none" };
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(staged, undefined, 2));
    await Deno.copyFile(new URL("deno.lock", root), `${folder}/deno.lock`);
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function copy(from: URL, to: string): Promise<void> {
  if (!from.pathname.endsWith("/")) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const end = isDirectory ? `${name}/` : name;
    await copy(new URL(end, from), `${to}${end}`);
  }
}
