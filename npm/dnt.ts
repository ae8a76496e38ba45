/**
 * The other way: dnt, for machines that can reach JSR. It hands its files to the same {@linkcode finish}, so name, entry
 * points, peers and checks are those of the tested way; `docs/releasing.md` says what of it has been run, and where.
 *
 * @module
 */
import { finish } from "./finish.ts";
import {
  type DenoConfig,
  entryPoints,
  outFolder,
  packageFields,
  program,
  type ReleaseOptions,
  root,
} from "./manifest.ts";

/** The part of dnt that is used, as of 0.42. */
interface Dnt {
  emptyDir(path: string): Promise<void>;
  build(options: {
    readonly entryPoints: { readonly name: string; readonly path: string }[];
    readonly outDir: string;
    readonly configFile: string;
    readonly shims: Record<never, never>;
    readonly esModule: true;
    readonly scriptModule: false;
    readonly declaration: "inline";
    readonly declarationMap: false;
    readonly skipSourceOutput: true;
    readonly typeCheck: "single";
    readonly test: false;
    readonly compilerOptions: {
      readonly lib: string[];
      readonly target: string;
      readonly skipLibCheck: boolean;
    };
    readonly package: { name: string; version: string; [field: string]: unknown };
  }): Promise<void>;
}

/** What dnt's compiler is told; `npm:check` compiles with it, too. */
export const dntCompilerOptions = {
  lib: ["ESNext", "DOM", "DOM.Iterable"],
  target: "ES2022",
  skipLibCheck: true,
} as const;

/** Not a literal in the import below, as the rest of the repository must check and run without JSR. */
const dntSpecifier = "jsr:@deno/dnt@^0.42.3";

/**
 * Builds the tarball.
 *
 * @param config Of the repository.
 * @param release What only who releases knows.
 * @returns Its path.
 */
export async function packWithDnt(config: DenoConfig, release: ReleaseOptions): Promise<string> {
  const dnt: Dnt = await import(dntSpecifier);
  const folder = new URL("dnt/", outFolder).pathname;
  await dnt.emptyDir(folder);
  await dnt.build({
    entryPoints: [...entryPoints(config), program].map(({ name, path }) => ({
      name,
      path: new URL(path, root).pathname,
    })),
    outDir: folder,
    configFile: new URL("deno.json", root).href,
    shims: {},
    esModule: true,
    scriptModule: false,
    declaration: "inline",
    declarationMap: false,
    skipSourceOutput: true,
    typeCheck: "single",
    // The tests of the installed tarball are the judge, for both ways the same.
    test: false,
    compilerOptions: { ...dntCompilerOptions, lib: [...dntCompilerOptions.lib] },
    package: {
      ...packageFields(config, {}, release),
      name: config.name,
      version: release.version ?? config.version,
      // The types of `node:fs/promises`; dnt adds them only with its shims. The package that is published has none.
      devDependencies: { "@types/node": "^20" },
    },
  });
  for (const name of ["README.md", "LICENSE", "CHANGELOG.md"]) {
    await Deno.copyFile(new URL(name, root), `${folder}${name}`);
  }
  return await finish(folder, config, release);
}
