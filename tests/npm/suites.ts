/**
 * The project's own tests, bundled to be run against the installed package: their imports of what is published are sent to
 * the files in `node_modules/`, and what they use of Deno to {@linkcode Deno} of the shim. So a user's Node runs the very
 * files that a user gets.
 *
 * @module
 */
import * as esbuild from "esbuild";
import { pathToFileURL } from "node:url";
import type { Consumer } from "../../npm/consumer.ts";
import { filesOf } from "../../npm/finish.ts";
import { packageOf, readConfig, root } from "../../npm/manifest.ts";
import { bareSpecifiers } from "../../npm/specifiers.ts";

/** Where the tests lie that are about what is published, and not about this repository. */
const folders = [
  "compat",
  "conformance",
  "engine",
  "indexeddb",
  "machine",
  "parts",
  "plugins",
  "properties",
  "schedule",
  "sql",
  "testing",
];

/** What a file of tests needs that only Deno, a browser or this repository has. */
const foreign: readonly (readonly [RegExp, string])[] = [
  [/\bDeno\.(Command|execPath|serve|build)\b/, "runs Deno"],
  [/from "esbuild"|\/plugins\/hono\/dashboard\//, "is about sources that are published otherwise"],
  [/from "puppeteer-core"/, "drives a browser"],
  [/\.dispatchEvent\(|\bnavigator\b/, "plays a browser's window"],
  [/_test\\\.ts:/, "looks for its own lines in a stack"],
];

/** A bundle of one file of tests. */
export interface Suite {
  /** From the root. */
  readonly path: string;
  /** The bundle, in the consumer's folder. */
  readonly file: string;
}

/** What can be run, and what cannot, and why. */
export interface Suites {
  readonly ready: readonly Suite[];
  readonly left: readonly string[];
}

/** Bundles the tests into a project that has the package, and installs what else they import. */
export async function bundleSuites(consumer: Consumer): Promise<Suites> {
  const base = await installedBase(consumer);
  const ready: Suite[] = [];
  const left: string[] = [];
  const packages = new Set<string>();
  for (const path of await testFiles()) {
    const file = `${consumer.folder}/${path.replaceAll("/", "_")}.mjs`;
    const code = await bundled(path, base);
    const reason = foreign.find(([pattern]) => pattern.test(code))?.[1];
    if (reason !== undefined) left.push(`${path}: ${reason}`);
    else {
      for (const specifier of bareSpecifiers(code)) packages.add(packageOf(specifier));
      await Deno.writeTextFile(file, code);
      ready.push({ path, file });
    }
  }
  const { imports } = await readConfig();
  await consumer.install([...packages].filter((name) => imports[name]?.startsWith("npm:")));
  return { ready, left };
}

/** All files of tests in the folders and below them, from the root. */
async function testFiles(): Promise<readonly string[]> {
  const all = await Promise.all(folders.map((folder) => filesOf(`${root.pathname}tests/${folder}`)));
  return all.flat().filter((file) => file.endsWith("_test.ts")).map((file) =>
    file.slice(root.pathname.length)
  );
}

/** Where the package's files lie, seen from the consumer's folder: dnt puts them one folder deeper. */
async function installedBase({ folder }: Consumer): Promise<string> {
  const { name } = await readConfig();
  const manifest = JSON.parse(await Deno.readTextFile(`${folder}/node_modules/${name}/package.json`));
  return `./node_modules/${name}/${manifest.main.replace(/^\.\//, "").replace(/mod\.js$/, "")}`;
}

async function bundled(path: string, base: string): Promise<string> {
  const shim = new URL("deno_shim.ts", import.meta.url).pathname;
  const { outputFiles: [output] } = await esbuild.build({
    stdin: {
      contents: `import "./${path}";\nexport { runTests } from "${shim}";\n`,
      resolveDir: root.pathname,
    },
    inject: [shim],
    define: { "Promise.withResolvers": "withResolvers", "Array.fromAsync": "fromAsync" },
    plugins: [{
      name: "installed",
      setup(build) {
        build.onResolve({ filter: /^\.\.?\// }, ({ path: specifier, resolveDir }) => {
          const file = new URL(specifier, `file://${resolveDir}/`).pathname;
          const inside = file.startsWith(root.pathname) ? file.slice(root.pathname.length) : "";
          if (!/^(mod\.ts$|kernel\.ts$|core\/|adapters\/|plugins\/)/.test(inside)) return undefined;
          return { path: base + inside.replace(/\.ts$/, ".js"), external: true };
        });
        // What a file reads beside it stays where it was.
        build.onLoad({ filter: /\/tests\/.*\.ts$/ }, async ({ path: file }) => {
          const text = await Deno.readTextFile(file);
          const contents = text.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(file).href));
          return { contents, loader: "ts" };
        });
        build.onResolve({ filter: /^[^./]/ }, ({ path: specifier }) => ({ path: specifier, external: true }));
      },
    }],
    absWorkingDir: root.pathname,
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "es2022",
    logLevel: "error",
  });
  return output!.text;
}
