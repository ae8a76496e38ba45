/**
 * Looks at the npm package as its users' tools do: `deno task npm:check [--short] [--tarball FILE]`. Without a tarball
 * it builds one, twice, and asks JSR's rules, too; `--short` builds once, leaves JSR out, and compiles with the older
 * TypeScript for Node alone.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It tells what holds.
import { parseArgs } from "node:util";
import { build, digestOf } from "./build.ts";
import { run } from "./command.ts";
import { importNames, peersIn, readmeExample, withTarball } from "./consumer.ts";
import { dntCompilerOptions } from "./dnt.ts";
import { entryPoints, readConfig, root } from "./manifest.ts";
import { withStage } from "./stage.ts";
import { checkersFolder } from "./tools.ts";

interface CompilerSettings {
  readonly module: string;
  readonly moduleResolution: string;
  readonly lib: readonly string[];
  readonly types: readonly string[];
}

/** Both kinds of programs that TypeScript compiles: for Node without a browser's names, for a browser without Node's. */
const settings: Readonly<Record<string, CompilerSettings>> = {
  "nodenext, Node's types": {
    module: "nodenext",
    moduleResolution: "nodenext",
    lib: ["es2022"],
    types: ["node"],
  },
  "bundler, a browser's types": {
    module: "esnext",
    moduleResolution: "bundler",
    lib: ["es2022", "dom", "dom.iterable"],
    types: [],
  },
};

/** A step that leads to what it does not list must not compile in a project of the user's either. */
const wrong = `import { machine } from "pawl";
// @ts-expect-error "three" is not listed.
machine<{ a: number }>("m").step("one", ["two"], () => "three").build();
`;

/** Compiles a program that imports everything, without `skipLibCheck`, so that every declaration is looked at. */
async function compile(tarball: string, checkers: string, short: boolean): Promise<void> {
  await using consumer = await withTarball(tarball, [...await peersIn(tarball), "@types/node@20"]);
  const write = (name: string, text: string) => Deno.writeTextFile(`${consumer.folder}/${name}`, text);
  const names = await importNames();
  const imports = names.map((name, index) => `import * as entry${index} from "${name}";`);
  const uses = `export const entries = [${names.map((_, index) => `entry${index}`)}];`;
  await write("all.ts", [...imports, uses].join("\n"));
  await write("wrong.ts", wrong);
  await write("answers.ts", await Deno.readTextFile(new URL("tests/types/answers.ts", root)));
  await write("readme.ts", await readmeExample());
  for (const [name, options] of Object.entries(settings)) {
    // The example asserts with a module of Node.
    const files = ["all.ts", "wrong.ts", "answers.ts", ...(options.types.length > 0 ? ["readme.ts"] : [])];
    const compilerOptions = { ...options, target: "es2022", strict: true, noEmit: true, skipLibCheck: false };
    await write("tsconfig.json", JSON.stringify({ compilerOptions, files }));
    const isOften = !short || options.types.length > 0;
    for (const release of [...isOften ? ["typescript_5_9"] : [], "typescript_newest"]) {
      const tsc = `${checkers}/node_modules/${release}/bin/tsc`;
      await run("node", [tsc, "-p", "."], { cwd: consumer.folder });
      ok(`${release} compiles all entry points: ${name}`);
    }
  }
}

/** The program, as `npx pawl` runs it, and what it says where no driver is installed. */
async function checkProgram(tarball: string): Promise<void> {
  const { name, version } = await readConfig();
  await using consumer = await withTarball(tarball, []);
  const program = `node_modules/.bin/${name}`;
  const told = await run(program, ["--version"], { cwd: consumer.folder });
  if (told !== `${version}\n`) throw new Error(`${name} --version says ${told}, and not ${version}`);
  const refused = await run(program, ["list", "--db", ":memory:"], { cwd: consumer.folder }).catch(String);
  if (!refused.includes("npm i libsql")) throw new Error(`Without a driver, ${name} list says ${refused}`);
  ok(`${name} --version, and what it needs`);
}

/** Compiles the published sources, as they are, under settings of another's. */
async function compileSources(
  checkers: string,
  release: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  const config = await readConfig();
  await withStage(config, async (stage) => {
    const compilerOptions = {
      module: "esnext",
      moduleResolution: "bundler",
      allowImportingTsExtensions: true,
      types: [],
      skipLibCheck: true,
      noEmit: true,
      paths: Object.fromEntries(
        entryPoints(config).map(({ name, path }) => [config.name + name.slice(1), [path]]),
      ),
      ...settings,
    };
    await Deno.symlink(new URL("node_modules", root), `${stage}/node_modules`);
    await Deno.writeTextFile(`${stage}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ["."] }));
    await run("node", [`${checkers}/node_modules/${release}/bin/tsc`, "-p", stage]);
  });
}

/** The oldest Node has ES2023, and of ES2024 the methods of strings: what is newer must not be in the sources. */
async function checkLanguage(checkers: string): Promise<void> {
  await compileSources(checkers, "typescript_newest", {
    lib: ["es2023", "es2024.string", "dom", "dom.iterable", "dom.asynciterable", "esnext.disposable"],
    target: "es2023",
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    strict: true,
  });
  ok("the sources use nothing that the oldest Node has not");
}

/** What dnt sets, whose compiler is an older one and less strict: the nearest to it where it cannot be had. */
async function checkDntSettings(checkers: string): Promise<void> {
  const strictness = ["BindCallApply", "FunctionTypes", "NullChecks", "PropertyInitialization"];
  await compileSources(checkers, "typescript_5_9", {
    ...Object.fromEntries(strictness.map((name) => [`strict${name}`, true])),
    lib: [...dntCompilerOptions.lib],
    target: dntCompilerOptions.target,
    noImplicitAny: true,
    noImplicitThis: true,
    isolatedModules: true,
    useDefineForClassFields: true,
    experimentalDecorators: true,
    declaration: true,
    useUnknownInCatchVariables: false,
  });
  ok("the sources compile under dnt's settings");
}

/** Two builds of one source are one file, so that anybody can tell what a published tarball was made of. */
async function checkReproducible(tarball: string): Promise<void> {
  const first = await digestOf(tarball);
  const second = await digestOf(await build());
  if (first !== second) throw new Error(`Two builds differ: ${first} and ${second}`);
  ok(`two builds are the same ${(await Deno.stat(tarball)).size} bytes`);
}

/** JSR's rules for names, types and files; what it does not show is whether the scope is ours. */
function checkJsr(): Promise<void> {
  return readConfig().then((config) =>
    withStage(config, async (stage) => {
      await run(Deno.execPath(), ["publish", "--dry-run", "--allow-dirty"], { cwd: stage });
      ok("deno publish --dry-run, under a name with a scope");
    })
  );
}

function ok(what: string): void {
  console.log(`ok ${(performance.now() / 1_000).toFixed(1).padStart(5)} s  ${what}`);
}

const { values } = parseArgs({
  args: Deno.args,
  options: { short: { type: "boolean", default: false }, tarball: { type: "string" } },
});
const tarball = values.tarball ?? await build();
if (values.tarball === undefined && !values.short) {
  await checkReproducible(tarball);
  await checkJsr();
}
const checkers = await checkersFolder();
const bin = (name: string) => `${checkers}/node_modules/.bin/${name}`;
await checkLanguage(checkers);
if (!values.short) await checkDntSettings(checkers);
await run(bin("publint"), ["--strict", tarball]);
ok("publint");
await run(bin("attw"), ["--profile", "esm-only", tarball]);
ok("attw");
await checkProgram(tarball);
await compile(tarball, checkers, values.short);
