/**
 * Bundles main.ts for Node: `deno task example:node`. It is needed for as long as `pawl` is no package on npm, as Node does not know
 * the names that this repository's `deno.json` gives to its sources.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = new URL("./", import.meta.url);
const root = new URL("../../", here);
const manifest = JSON.parse(await Deno.readTextFile(new URL("deno.json", root))) as {
  readonly imports: Readonly<Record<string, string>>;
};

/**
 * @param folder Where to; Node must find `node_modules` from there.
 * @returns The program.
 */
export async function buildNodeServer(
  folder: string = fileURLToPath(new URL("dist/", here)),
): Promise<string> {
  const outfile = `${folder.replace(/\/$/, "")}/main.mjs`;
  await esbuild.build({
    entryPoints: [fileURLToPath(new URL("main.ts", here))],
    plugins: [{
      name: "pawl",
      setup: (build) =>
        build.onResolve({ filter: /^pawl(\/|$)/ }, ({ path }) => ({
          path: fileURLToPath(new URL(manifest.imports[path]!, root)),
        })),
    }],
    // The driver has a native part.
    external: ["libsql", "@libsql/client"],
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    outfile,
    logLevel: "warning",
  });
  return outfile;
}

if (import.meta.main) {
  await buildNodeServer();
  await esbuild.stop();
}
