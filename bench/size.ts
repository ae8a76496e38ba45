// deno-lint-ignore-file no-console -- a benchmark's product is its table.
/**
 * What bundles weigh that import as little as they can, against a budget for each: fails when one is over.
 *
 *     deno task size [--files [ENTRY]]
 *
 * @module
 */
import * as esbuild from "esbuild";
import { fileURLToPath, pathToFileURL } from "node:url";

/** What a program imports, and how many bytes its bundle may have, minified and compressed by gzip. */
interface Entry {
  readonly name: string;
  readonly imports: Readonly<Record<string, readonly string[] | "everything">>;
  readonly budget: number;
  /** Whether only what is Pawl's counts, and not the packages that it imports. */
  readonly isOwnOnly?: boolean;
}

const kernel = { "pawl/kernel": ["createEngine"], pawl: ["machine"] };
const whole = { pawl: ["createEngine", "machine"] };
const indexeddb = { "pawl/adapters/indexeddb": ["indexedDbStore"] };

/** About 5% above what each weighed when it was set. */
export const entries: readonly Entry[] = [
  { name: "machine", imports: { pawl: ["machine"] }, budget: 5_900 },
  { name: "kernel + machine", imports: kernel, budget: 43_000 },
  { name: "kernel + machine + indexeddb", imports: { ...kernel, ...indexeddb }, budget: 50_400 },
  { name: "pawl + machine", imports: whole, budget: 100_000 },
  { name: "pawl + machine + indexeddb", imports: { ...whole, ...indexeddb }, budget: 108_400 },
  {
    name: "pawl + machine + libsql, without its driver",
    imports: { ...whole, "pawl/adapters/libsql": ["libsqlStore"] },
    budget: 111_600,
  },
  {
    name: "pawl + machine + sqlite",
    imports: { ...whole, "pawl/adapters/sqlite": ["sqliteStore"] },
    budget: 109_700,
  },
];

/** The same for each subpath of the package: all of it, and nothing else. */
const subpathBudgets: Readonly<Record<string, number>> = {
  "pawl": 103_800,
  "pawl/kernel": 97_400,
  "pawl/adapters/memory": 3_200,
  "pawl/adapters/indexeddb": 9_200,
  "pawl/adapters/libsql": 15_200,
  "pawl/adapters/sqlite": 12_400,
  "pawl/adapters/streams/memory": 2_700,
  "pawl/adapters/streams/broadcast_channel": 2_900,
  "pawl/plugins/browser": 2_300,
  "pawl/plugins/cron": 4_500,
  "pawl/plugins/hono": 59_400,
  "pawl/plugins/hono/client": 5_700,
  "pawl/plugins/otel": 1_200,
  "pawl/plugins/prometheus": 2_100,
  "pawl/plugins/rrule": 6_300,
  "pawl/testing": 137_000,
};

/** Each subpath as an entry. */
export const subpaths: readonly Entry[] = Object.entries(subpathBudgets).map(([name, budget]) => ({
  name,
  imports: { [name]: "everything" },
  budget,
  isOwnOnly: true,
}));

/** What runs where a store is opened, and is not Pawl's. */
const drivers = ["libsql", "@libsql/client", "node:*"];

const root = new URL("../", import.meta.url);

/** A bundle, and how many of its bytes come from which file. */
export interface Bundle {
  readonly text: string;
  readonly minified: number;
  readonly compressed: number;
  readonly files: readonly (readonly [path: string, bytes: number])[];
}

/** How a program is bundled. */
export interface BundleOptions {
  /** A module, or a classic script. */
  readonly format?: "esm" | "iife";
  /** Whether other packages are left where they are. */
  readonly isOwnOnly?: boolean;
  /** The folder of an installed package, in place of the sources. */
  readonly installed?: string;
}

/** The files behind the names that programs import. */
async function filesOf(installed?: string): Promise<ReadonlyMap<string, string>> {
  const manifest = installed === undefined ? new URL("deno.json", root) : `${installed}/package.json`;
  const { exports } = JSON.parse(await Deno.readTextFile(manifest)) as {
    readonly exports: Readonly<Record<string, string | { readonly import: string }>>;
  };
  const folder = installed === undefined ? root : pathToFileURL(`${installed}/`);
  const files = Object.entries(exports).map(([path, target]) => {
    const file = typeof target === "string" ? target : target.import;
    return [`pawl${path.slice(1)}`, fileURLToPath(new URL(file, folder))] as const;
  });
  return new Map(files);
}

/**
 * Bundles a program, as a page would.
 *
 * @param code The program.
 * @param options How.
 * @returns Its bundle.
 */
export async function bundle(
  code: string,
  { format = "esm", isOwnOnly = false, installed }: BundleOptions = {},
): Promise<Bundle> {
  const paths = await filesOf(installed);
  const { outputFiles: [file], metafile } = await esbuild.build({
    stdin: { contents: code, resolveDir: root.pathname, loader: "ts" },
    plugins: [{
      name: "pawl",
      setup: (build) =>
        build.onResolve({ filter: /^pawl(\/|$)/ }, ({ path }) => {
          const found = paths.get(path);
          return found ? { path: found } : { errors: [{ text: `no export ${path}` }] };
        }),
    }],
    ...(isOwnOnly && { packages: "external" }),
    external: drivers,
    absWorkingDir: root.pathname,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format,
    platform: "browser",
    target: "es2022",
    logLevel: "error",
  });
  const { contents, text } = file!;
  const zipped = new Blob([new Uint8Array(contents)]).stream().pipeThrough(new CompressionStream("gzip"));
  const [{ inputs }] = Object.values(metafile.outputs) as [(typeof metafile.outputs)[string]];
  const files = Object.entries(inputs).map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const)
    .filter(([, bytes]) => bytes > 0).sort(([, a], [, b]) => b - a);
  return {
    text,
    minified: contents.length,
    compressed: (await new Response(zipped).bytes()).length,
    files,
  };
}

/** A program that uses all that an entry imports, and nothing else. */
export function programOf({ imports }: Pick<Entry, "imports">): string {
  const lines = Object.entries(imports).map(([from, names]) =>
    `export ${names === "everything" ? "*" : `{ ${names.join(", ")} }`} from "${from}";`
  );
  return lines.join("\n");
}

if (import.meta.main) {
  const at = Deno.args.indexOf("--files");
  const listed = at < 0 ? undefined : Deno.args[at + 1] ?? "kernel + machine";
  const row = (name: string, ...cells: readonly (string | number)[]) =>
    console.log(name.padEnd(46) + cells.map((cell) => String(cell).padStart(11)).join(""));
  row("bytes", "minified", "min+gzip", "budget", "");
  let over = 0;
  for (const entry of [...entries, ...subpaths]) {
    const { minified, compressed, files } = await bundle(programOf(entry), entry);
    const isOver = compressed > entry.budget;
    if (isOver) over++;
    row(entry.name, minified, compressed, entry.budget, isOver ? "OVER" : "");
    if (entry.name === listed) { for (const [path, bytes] of files) row(`  ${path}`, bytes); }
  }
  await esbuild.stop();
  if (over > 0) console.log(`${over} over budget: see docs/sizes.md for what to do`);
  Deno.exit(over === 0 ? 0 : 1);
}
