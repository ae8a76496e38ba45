/**
 * What a new project is: the files of a starter, with its own name and the release that it is to have.
 *
 * @module
 */
import { type Home, templates } from "./templates.ts";

/** What is asked of a project. */
export interface ProjectWish {
  readonly home: Home;
  /** What its folder is called. */
  readonly folderName: string;
  /** Which release: a range, a tag, a URL, or a path as `file:/there/pawl.tgz`. */
  readonly spec: string;
}

/** A project that is yet to be written. */
export interface Project {
  /** Text by path, in alphabetical order. */
  readonly files: ReadonlyMap<string, string>;
  /** What is to be typed there, in order. */
  readonly commands: readonly string[];
  /** What comes then. */
  readonly hint: string;
}

/** The part of `package.json` and `deno.json` that a starter has. */
interface Manifest {
  readonly imports?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

const hints: Readonly<Record<Home, string>> = {
  "node": "Then npm test, and README.md.",
  "deno": "Then deno task test, and README.md.",
  "deno-deploy":
    'Then http://localhost:8000 shows a dashboard: any name, and "only-on-this-machine" as the password. README.md tells how it gets to Deploy.',
  "browser": "Then open the page that it tells of, npm test, and README.md.",
};

/**
 * Makes a project of a starter.
 *
 * @param wish What it is to be.
 * @returns Its files, and what to do with them.
 */
export function projectOf({ home, folderName, spec }: ProjectWish): Project {
  const files = new Map(Object.entries(templates[home]));
  const edit = (name: string, change: (manifest: Manifest) => Manifest) =>
    files.set(name, write(change(JSON.parse(files.get(name) ?? "{}"))));
  const isNode = files.has("package.json");
  if (isNode) edit("package.json", (manifest) => named(manifest, folderName, spec));
  // Deno takes its packages from a registry. What lies elsewhere is npm's to install.
  const isElsewhere = /^[a-z+]+:/.test(spec);
  if (!isNode && !isElsewhere) {
    edit("deno.json", (config) => ({ ...config, imports: { ...config.imports, pawl: `npm:pawl@${spec}` } }));
  }
  if (!isNode && isElsewhere) {
    const { imports = {}, ...config } = JSON.parse(files.get("deno.json")!) as Manifest;
    edit("deno.json", () => ({ ...config, nodeModulesDir: "manual" }));
    edit("package.json", () => named(packagesOf(imports), folderName, spec));
  }
  const needsInstall = isNode || isElsewhere;
  return {
    files: new Map([...files].sort(([one], [other]) => one < other ? -1 : 1)),
    commands: [...needsInstall ? ["npm install"] : [], isNode ? "npm start" : "deno task start"],
    hint: hints[home],
  };
}

function named(manifest: Manifest, folderName: string, spec: string): Manifest {
  const dependencies = { ...manifest.dependencies as object, pawl: spec };
  const taken = [...Object.keys(dependencies), ...Object.keys(manifest.devDependencies as object)];
  return { ...manifest, name: packageName(folderName, taken), dependencies };
}

/** The `package.json` for packages that a `deno.json` names. Deno looks for the types of its own modules there, too. */
function packagesOf(imports: Readonly<Record<string, string>>): Manifest {
  const dependencies = Object.fromEntries(
    Object.entries(imports).map(([name, specifier]) => [name, specifier.slice(`npm:${name}@`.length)]),
  );
  return {
    name: "",
    private: true,
    type: "module",
    dependencies,
    devDependencies: { "@types/node": "^20.19.0" },
  };
}

const nameMax = 214;

/**
 * A name that npm takes for a project.
 *
 * @param folderName What its folder is called.
 * @param taken Names of what it installs: npm installs no package in one of the same name.
 */
export function packageName(folderName: string, taken: readonly string[]): string {
  const name = folderName.normalize("NFKD").replace(/\p{Mark}/gu, "").toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-").replace(/^[._-]+|[._-]+$/g, "").slice(0, nameMax);
  if (name === "") return "my-orders";
  return taken.includes(name) || /^(node_modules|favicon\.ico)$/.test(name) ? `${name}-app` : name;
}

function write(manifest: Manifest): string {
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}
