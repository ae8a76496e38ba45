/**
 * The house rules that a machine can check: which way the arrows point, how long things are, what the core may touch.
 *
 * @module
 */
import assert from "node:assert/strict";

const root = new URL("../", import.meta.url);

interface Source {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const listed = await new Deno.Command("git", {
  args: ["ls-files", "--cached", "--others", "--exclude-standard"],
  cwd: root,
}).output();
const paths = new TextDecoder().decode(listed.stdout).split("\n").filter((path) => path !== "").sort();
const files: Source[] = [];
for (const path of new Set(paths)) {
  // A file that is deleted but not yet committed is listed too.
  const text = await Deno.readTextFile(new URL(path, root)).catch(() => undefined);
  if (text !== undefined) files.push({ path, text });
}
const sources = files.filter((file) => /\.tsx?$/.test(file.path));
const shipped = sources.filter((file) =>
  /^((?:mod|kernel)\.ts|core\/|adapters\/|plugins\/|cli\/)/.test(file.path)
);

/** The code of a file without its comments: what examples and sentences say is not what it does. */
function codeOf(source: Source): string {
  return source.text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

/** What a file imports or re-exports: paths from the root for its own files, names for everything else. */
function importsOf(source: Source): string[] {
  const statements = /^(?:import|export)\s(?:[^;]*?\sfrom\s+)?"([^"]+)"|\bimport\s*\(\s*"([^"]+)"/gm;
  const found = [...codeOf(source).matchAll(statements)].map((match) => match[1] ?? match[2]);
  return found.map((target) => {
    if (!target!.startsWith(".")) return target!;
    return new URL(target!, new URL(source.path, "file:///")).pathname.slice(1);
  });
}

/** Each complaint with its file, so that one run shows them all. */
function complain(problems: readonly string[]): void {
  assert.deepEqual(problems, []);
}

const models = ["machine", "workflow", "decider", "mutex"];

/** How high a file stands: it may import what stands lower, or beside it. */
function heightOf(path: string): number | undefined {
  if (path === "mod.ts" || path === "kernel.ts") return 6;
  const room = /^core\/(?:(\w+)\/)?/.exec(path)?.[1];
  if (!path.startsWith("core/")) return undefined;
  if (room === undefined) return 0;
  if (models.includes(room)) return 5;
  const rooms: Readonly<Record<string, number>> = {
    schedule: 1,
    ports: 1,
    store: 2,
    parts: 3,
    engine: 4,
    testing: 7,
  };
  return rooms[room];
}

Deno.test("core imports point down, and to nothing outside core", () => {
  const problems: string[] = [];
  for (const source of sources.filter((each) => heightOf(each.path) !== undefined)) {
    for (const target of importsOf(source)) {
      const height = heightOf(target);
      const isTestRoom = source.path.startsWith("core/testing/");
      if (isTestRoom && target.startsWith("adapters/memory/")) continue;
      if (height === undefined) problems.push(`${source.path} imports ${target}, which is not core`);
      else if (height > heightOf(source.path)!) {
        problems.push(`${source.path} imports ${target}, which is above it`);
      }
    }
  }
  complain(problems);
});

Deno.test("core files each stand in a room that has a place in the order", () => {
  complain(
    sources.filter((each) => each.path.startsWith("core/") && heightOf(each.path) === undefined).map((each) =>
      each.path
    ),
  );
});

Deno.test("authoring models never import each other", () => {
  const problems: string[] = [];
  for (const source of sources) {
    const model = models.find((each) => source.path.startsWith(`core/${each}/`));
    if (!model) continue;
    for (const target of importsOf(source)) {
      const other = models.find((each) => each !== model && target.startsWith(`core/${each}/`));
      if (other) problems.push(`${source.path} imports ${target}`);
    }
  }
  complain(problems);
});

/** The one package that each adapter is for, and what its files are moved with. */
const drivers: Readonly<Record<string, RegExp>> = {
  memory: /^$/,
  indexeddb: /^idb$/,
  libsql: /^(libsql|@libsql\/client)(\/|$)|^adapters\/sql\//,
  sqlite: /^adapters\/sql\//,
  // What all stores in SQL share: it goes through the driver that it is given.
  sql: /^node:fs\/promises$/,
};

Deno.test("adapters import the store contract, errors, ports, and exactly their driver", () => {
  const problems: string[] = [];
  for (const source of sources.filter((each) => each.path.startsWith("adapters/"))) {
    const name = source.path.split("/")[1]!;
    for (const target of importsOf(source)) {
      const isOwn = target.startsWith(`adapters/${name}/`);
      const isContract = /^core\/(store|ports)\//.test(target) || target === "core/errors.ts";
      if (isOwn || isContract || drivers[name]?.test(target)) continue;
      problems.push(`${source.path} imports ${target}`);
    }
  }
  complain(problems);
});

/** What each plugin connects Pawl with; those that are made of nothing else import nothing else. */
const hosts: Readonly<Record<string, RegExp>> = {
  browser: /^$/,
  cron: /^croner$/,
  // zod checks what comes in, and zod-openapi tells of the same schemas: it has no dependency but zod.
  hono: /^(hono(\/[\w/-]+)?|zod|zod-openapi)$/,
  otel: /^@opentelemetry\/api$/,
  prometheus: /^$/,
  rrule: /^rrule-temporal$/,
};

/** The sources of a page, which is bundled with what it imports: nobody who imports the plugin loads them. */
const page = "plugins/hono/dashboard/";
const pageHosts = /^(preact(\/hooks)?|esbuild)$/;

Deno.test("plugins import the public surface, their own folder, and exactly their host", () => {
  const problems: string[] = [];
  for (const source of sources.filter((each) => each.path.startsWith("plugins/"))) {
    const name = source.path.split("/")[1]!;
    if (!hosts[name]) problems.push(`${source.path}: no host is named for this plugin`);
    for (const target of importsOf(source)) {
      const isPage = source.path.startsWith(page);
      if (isPage && pageHosts.test(target)) continue;
      if (!isPage && target.startsWith(page)) {
        problems.push(`${source.path} imports ${target}, a page's source`);
      }
      if (target === "pawl" || target.startsWith(`plugins/${name}/`)) continue;
      if (!isPage && hosts[name]?.test(target)) continue;
      problems.push(`${source.path} imports ${target}`);
    }
  }
  complain(problems);
});

/** The drivers that the tool looks for before it opens a store, to tell what is to be installed. */
const toolHosts = /^(libsql|@libsql\/client\/web)$/;

Deno.test("the tool imports the public surface, Node's modules, and drivers to see whether they are there", () => {
  const problems: string[] = [];
  for (const source of sources.filter((each) => each.path.startsWith("cli/"))) {
    for (const target of importsOf(source)) {
      const isOurs = target.startsWith("cli/") || /^pawl(\/|$)/.test(target);
      if (!isOurs && !target.startsWith("node:") && !toolHosts.test(target)) {
        problems.push(`${source.path} imports ${target}`);
      }
    }
  }
  complain(problems);
});

Deno.test("the tool starts without the engine: only what it opens imports that, when it opens it", () => {
  const lazy = /^cli\/target\/(?!open\.ts|packages\.ts|run_of_id\.ts|target\.ts)/;
  const problems: string[] = [];
  for (const source of sources.filter((each) => each.path.startsWith("cli/") && !lazy.test(each.path))) {
    for (const [, what, target] of codeOf(source).matchAll(/^(import(?: type)?) [^;]*?from "([^"]+)"/gm)) {
      const isLight = /^(node:|\.)/.test(target!) &&
        !lazy.test(importsOf({ path: source.path, text: `import "${target}"` })[0]!);
      if (!isLight && what !== "import type") problems.push(`${source.path} imports ${target}`);
    }
  }
  complain(problems);
});

Deno.test("nothing outside tests imports tests", () => {
  const problems: string[] = [];
  for (const source of sources.filter((each) => !each.path.startsWith("tests/"))) {
    for (const target of importsOf(source)) {
      if (target.startsWith("tests/")) problems.push(`${source.path} imports ${target}`);
    }
  }
  complain(problems);
});

Deno.test("imports name files that exist", () => {
  const known = new Set(files.map((file) => file.path));
  const problems: string[] = [];
  for (const source of sources) {
    for (const target of importsOf(source)) {
      if (/\.tsx?$/.test(target) && !target.includes(":") && !known.has(target)) {
        problems.push(`${source.path} imports ${target}`);
      }
    }
  }
  complain(problems);
});

const lineCount = (source: Source) => source.text.split("\n").length - 1;

Deno.test("files are at most 400 lines, and half of them at most 120", () => {
  complain(
    shipped.filter((each) => lineCount(each) > 400).map((each) => `${each.path}: ${lineCount(each)} lines`),
  );
  const lengths = shipped.map(lineCount).sort((a, b) => a - b);
  const median = lengths[lengths.length >> 1]!;
  assert.ok(median <= 120, `the median file has ${median} lines`);
});

/** Blocks with their length; `deno fmt` closes each at the indentation that it was opened at. */
function blocksOf(
  source: Source,
): { readonly line: number; readonly head: string; readonly length: number }[] {
  const lines = source.text.split("\n");
  return lines.flatMap((head, start) => {
    const isBlock = head.endsWith("{") && !/(=|\(|\[|:|\?|return|,) ?\{$/.test(head);
    const isShape = /^\s*(export )?(declare )?(abstract )?(class|interface|type|namespace)\b/.test(head);
    if (!isBlock || isShape) return [];
    const indent = /^\s*/.exec(head)![0];
    const length = lines.slice(start + 1).findIndex((line) => line.startsWith(`${indent}}`)) + 2;
    return [{ line: start + 1, head: head.trim(), length }];
  });
}

Deno.test("functions are at most 70 lines", () => {
  const problems: string[] = [];
  for (const source of shipped) {
    for (const { line, head, length } of blocksOf(source)) {
      // A class or interface that continues on its own line is no function.
      if (length > 70 && !/^(implements |extends |> \{)/.test(head)) {
        problems.push(`${source.path}:${line} has ${length} lines: ${head}`);
      }
    }
  }
  complain(problems);
});

Deno.test("core reaches time, chance and the outside world only through ports", () => {
  const banned = [
    /\bDate\.now\b/,
    /\bnew Date\(\)/,
    /\bsetTimeout\b/,
    /\bsetInterval\b/,
    /\bsetImmediate\b/,
    /\bMessageChannel\b/,
    /\bMath\.random\b/,
    /\bcrypto\./,
    /\bperformance\./,
    /\bconsole\b/,
    /\bDeno\./,
    /\bprocess\./,
    /\bBuffer\b/,
    // Node 20 has none.
    /\bPromise\.withResolvers\b/,
  ];
  const problems: string[] = [];
  for (
    const source of sources.filter((each) => /^core\/(?!ports\/)/.test(each.path) || each.path === "mod.ts")
  ) {
    const code = codeOf(source);
    for (const name of banned) if (name.test(code)) problems.push(`${source.path} uses ${name.source}`);
  }
  complain(problems);
});

/** Examples that are named as what they are for writes its own name. */
const foreignNames = /^(?:examples|starters)\/(?:deno-deploy|node-server)\//;

Deno.test("file and folder names are snake_case", () => {
  complain(
    sources.map(({ path }) => path.replace(foreignNames, "examples/"))
      .filter((path) => !/^([a-z0-9_]+\/)*[a-z0-9_]+\.tsx?$/.test(path)),
  );
});

Deno.test("subpaths of deno.json name files that exist, and its imports agree with them", () => {
  const manifest = JSON.parse(files.find((file) => file.path === "deno.json")!.text) as {
    readonly exports: Readonly<Record<string, string>>;
    readonly imports: Readonly<Record<string, string>>;
  };
  const known = new Set(files.map((file) => `./${file.path}`));
  complain(Object.values(manifest.exports).filter((file) => !known.has(file)));
  for (const [subpath, file] of Object.entries(manifest.exports)) {
    assert.equal(manifest.imports[`pawl${subpath.slice(1)}`], file, subpath);
  }
});

Deno.test("documents that a newcomer looks for are there", () => {
  const wanted = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "docs/README.md",
  ];
  complain(wanted.filter((name) => !files.some((file) => file.path === name)));
});

/** Codes that are documented ahead of the code that throws them. */
const reservedCodes: readonly string[] = [];

Deno.test("every ErrorCode is thrown somewhere, or reserved, and stands in docs/errors.md", () => {
  const errors = files.find((file) => file.path === "core/errors.ts")!;
  const union = /export type ErrorCode =([\s\S]*?);\s*(\/\/.*)?\n\n/.exec(errors.text)![1]!;
  const codes = [...union.matchAll(/"([A-Z_]+)"/g)].map((match) => match[1]!);
  assert.ok(codes.length > 20);
  const rest = errors.text.replace(union, "") +
    shipped.filter((each) => each !== errors).map(codeOf).join("\n");
  complain(codes.filter((code) => !rest.includes(`"${code}"`) && !reservedCodes.includes(code)));
  const page = files.find((file) => file.path === "docs/errors.md")!.text;
  complain(codes.filter((code) => !page.includes(`| \`${code}\` `)));
  complain(reservedCodes.filter((code) => rest.includes(`"${code}"`)));
});

Deno.test("no file tells of the machine it was written on", () => {
  // Written in pieces, so that this file may be looked at as well.
  const traces = ["/wo" + "rk/", "sha" + "red/", "/ho" + "me/", "/Us" + "ers/", "/ro" + "ot/"];
  const problems: string[] = [];
  for (const file of files) {
    for (const trace of traces) {
      const at = file.text.indexOf(trace);
      if (at >= 0) problems.push(`${file.path}: ${file.text.slice(Math.max(0, at - 20), at + 30)}`);
    }
  }
  complain(problems);
});

Deno.test("test names are sentences that say what is tested and how it behaves", () => {
  const problems: string[] = [];
  for (const source of sources.filter((each) => each.path.endsWith("_test.ts"))) {
    for (const [, name] of source.text.matchAll(/Deno\.test\(\s*["`]([^"`]+)["`]/g)) {
      if (!name!.includes("${") && name!.split(" ").length < 3) problems.push(`${source.path}: ${name}`);
    }
  }
  complain(problems);
});
