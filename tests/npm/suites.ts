/**
 * The project's own tests, run against the installed package: their imports of what is published are sent to the files in
 * `node_modules/`, and what they use of Deno to {@linkcode Deno} of the shim. So a user's Node runs the very files that a
 * user gets.
 *
 * @module
 */
import * as esbuild from "esbuild";
import type { Consumer } from "../../npm/consumer.ts";
import { packageOf, readConfig, root } from "../../npm/manifest.ts";
import { bareSpecifiers } from "../../npm/specifiers.ts";

/** Where the tests lie that are about what is published, and not about this repository. */
const folders = [
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
  [/\bimport\.meta\.url\b/, "reads files beside it"],
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
  for (const folder of folders) {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(new URL(`tests/${folder}`, root))) {
      if (name.endsWith("_test.ts")) names.push(name);
    }
    for (const name of names.sort()) {
      const path = `tests/${folder}/${name}`;
      const file = `${consumer.folder}/${folder}_${name}.mjs`;
      const code = await bundled(path, base);
      const reason = foreign.find(([pattern]) => pattern.test(code))?.[1];
      if (reason !== undefined) left.push(`${path}: ${reason}`);
      else {
        for (const specifier of bareSpecifiers(code)) packages.add(packageOf(specifier));
        await Deno.writeTextFile(file, code);
        ready.push({ path, file });
      }
    }
  }
  const { imports } = await readConfig();
  await consumer.install([...packages].filter((name) => imports[name]?.startsWith("npm:")));
  return { ready, left };
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
      // The driver is loaded before the tests, as virtual time does not wait for what a first import takes.
      contents:
        `import "libsql";\nimport "./${path}";\nimport { runTests } from "${shim}";\nawait runTests();\n`,
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

const suiteMsMax = 900_000;

/** What the last line of a suite says. */
interface Outcome {
  readonly tests: number;
  readonly failures: readonly string[];
}

/**
 * Runs suites, as many at once as there are cores. One that fails is run once more alone, and that is told: some wait for
 * real work in real milliseconds, which a busy machine does not have.
 *
 * @param suites From {@linkcode bundleSuites}.
 * @param runtime What runs them.
 * @returns How many tests have passed.
 * @throws {Error} With the failures of all suites.
 */
export async function runSuites(suites: readonly Suite[], runtime: string): Promise<string> {
  const waiting = [...suites];
  const failed: Suite[] = [];
  let tests = 0;
  const lane = async () => {
    for (let suite = waiting.shift(); suite; suite = waiting.shift()) {
      const outcome = await runSuite(suite, runtime);
      if (outcome.failures.length > 0) failed.push(suite);
      else tests += outcome.tests;
    }
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, lane));
  const failures: string[] = [];
  for (const suite of failed) {
    const outcome = await runSuite(suite, runtime);
    tests += outcome.tests - outcome.failures.length;
    failures.push(...outcome.failures.map((failure) => `${suite.path}: ${failure}`));
  }
  if (failures.length > 0) {
    throw new Error(`${tests} tests passed, and these failed:\n${failures.join("\n")}`);
  }
  const again = failed.length > 0 ? `; once more: ${failed.map(({ path }) => path).join(", ")}` : "";
  return `${tests} tests of ${suites.length} files${again}`;
}

async function runSuite({ file }: Suite, runtime: string): Promise<Outcome> {
  const { stdout, stderr } = await new Deno.Command(runtime, {
    args: [file],
    cwd: file.slice(0, file.lastIndexOf("/")),
    signal: AbortSignal.timeout(suiteMsMax),
  }).output();
  const said = new TextDecoder().decode(stdout);
  const last = said.trimEnd().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(last);
  } catch {
    return { tests: 1, failures: [`it ended without a result: ${new TextDecoder().decode(stderr)}`] };
  }
}
