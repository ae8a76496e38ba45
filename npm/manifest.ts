/**
 * What the npm package is, whoever builds it: its entry points and its `package.json`. Both come from `deno.json`, so that
 * an export that is added there is in the package, too.
 *
 * @module
 */

/** The part of `deno.json` that says what is published. */
export interface DenoConfig {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
  readonly publish: { readonly include: readonly string[]; readonly exclude?: readonly string[] };
}

/** The root of the repository. */
export const root = new URL("../", import.meta.url);

/** Where everything that is built goes; ignored by git. */
export const outFolder = new URL("npm/out/", root);

/**
 * JSR and `deno pack` take no name without a scope. Who publishes there claims a scope, and writes it here.
 */
export const jsrName = "@pawl/pawl";

/** The oldest release of Node that the tests of the installed tarball run on. */
export const oldestNode = "20.9.0";

/** Reads `deno.json`. */
export async function readConfig(): Promise<DenoConfig> {
  return JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
}

/** An export of the package, and the source that is behind it. */
export interface EntryPoint {
  /** `.`, or `./plugins/cron`. */
  readonly name: string;
  /** From the root: `./plugins/cron/mod.ts`. */
  readonly path: string;
}

/** The entry points, the main one first. */
export function entryPoints({ exports }: DenoConfig): readonly EntryPoint[] {
  return Object.entries(exports).map(([name, path]) => ({ name, path }));
}

/**
 * The packages that the sources import, with the ranges that they are tested with. None of them is needed by all, so each
 * is an optional peer: who uses the subpath that imports it installs it.
 *
 * @param config Of the repository.
 * @param specifiers What the sources import, other than their own files.
 * @returns Ranges by package name, in alphabetical order.
 * @throws {Error} When a package has no range in `deno.json`.
 */
export function peersOf(config: DenoConfig, specifiers: Iterable<string>): Readonly<Record<string, string>> {
  const names = new Set<string>();
  for (const specifier of specifiers) {
    const isOwn = specifier === config.name || specifier.startsWith(`${config.name}/`);
    if (!isOwn && !specifier.startsWith("node:")) names.add(packageOf(specifier));
  }
  const ranges = [...names].sort().map((name) => {
    const range = /^npm:(?:@[^/]+\/)?[^@/]+@([^/]+)$/.exec(config.imports[name] ?? "")?.[1];
    if (range === undefined) {
      throw new Error(`The sources import "${name}", and deno.json has no "npm:${name}@range" for it`);
    }
    return [name, range] as const;
  });
  return Object.fromEntries(ranges);
}

/** `@libsql/client` of `@libsql/client/web`. */
export function packageOf(specifier: string): string {
  return specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

/** The program of the package: `npx NAME` runs it. It is no entry point, as nothing can be imported from it. */
export const program = { name: "./cli/main", path: "./cli/main.ts" } as const;

/** What only who releases knows. */
export interface ReleaseOptions {
  /** Default: that of `deno.json`. */
  readonly version?: string;
  /** `https://host/owner/name`: npm shows it, and provenance is refused without it. */
  readonly repository?: string;
}

/**
 * The fields of `package.json` that do not depend on how the files were made.
 *
 * @param config Of the repository.
 * @param peers From {@linkcode peersOf}.
 * @param release What only who releases knows.
 */
export function packageFields(
  config: DenoConfig,
  peers: Readonly<Record<string, string>>,
  { version = config.version, repository }: ReleaseOptions,
): Record<string, unknown> {
  return {
    name: config.name,
    version,
    description: "A durable workflow engine: typed state machines whose committed steps stay committed",
    keywords: ["workflow", "durable", "state machine", "scheduler", "libsql", "sqlite", "indexeddb", "deno"],
    license: config.license,
    ...(repository !== undefined && {
      homepage: `${repository}#readme`,
      bugs: { url: `${repository}/issues` },
      repository: { type: "git", url: `git+${repository}.git` },
    }),
    type: "module",
    sideEffects: false,
    engines: { node: `>=${oldestNode}` },
    peerDependencies: peers,
    peerDependenciesMeta: Object.fromEntries(Object.keys(peers).map((name) => [name, { optional: true }])),
  };
}

/** Where the tarball of a version is built. */
export function tarballPath({ name }: DenoConfig, version: string): string {
  return `${outFolder.pathname}${name}-${version}.tgz`;
}
