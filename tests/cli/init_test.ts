import assert from "node:assert/strict";
import type { Terminal } from "../../cli/command.ts";
import { packageName } from "../../cli/init/project.ts";
import { templates } from "../../cli/init/templates.ts";
import { writeFiles } from "../../cli/init/write_files.ts";
import { pawl } from "../../cli/pawl.ts";
import { version } from "../../cli/version.ts";

const homes = ["node", "deno", "deno-deploy", "browser"];

interface Lab extends AsyncDisposable {
  readonly folder: string;
  /** Runs `pawl init`; `answers` are those of somebody who is there. */
  init(args: readonly string[], answers?: readonly string[]): Promise<Told>;
}

interface Told {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

async function lab(): Promise<Lab> {
  const folder = await Deno.makeTempDir({ prefix: "pawl-init-" });
  return {
    folder,
    async init(args, answers) {
      const told = { out: "", error: "" };
      const left = [...answers ?? []];
      const terminal: Terminal = {
        out: (text) => void (told.out += text),
        error: (text) => void (told.error += text),
        isTerminal: false,
        isErrorTerminal: false,
        isInteractive: answers !== undefined,
        columns: 80,
        signal: new AbortController().signal,
        env: () => undefined,
        cwd: folder,
        input: () => assert.fail("nothing is piped in"),
        ask: () => Promise.resolve(left.shift() ?? assert.fail("it asks once too often")),
        now: () => new Date(0),
      };
      const code = await pawl(["init", ...args], terminal);
      assert.deepEqual(left, []);
      return { code, ...told };
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).sort();
}

const readJson = async (path: string) => JSON.parse(await Deno.readTextFile(path));

/** What npm or Deno is to install for a project, and in which release. */
async function wantedBy(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = await filesIn(folder);
  if (names.includes("package.json")) return (await readJson(`${folder}/package.json`)).dependencies;
  const { imports } = await readJson(`${folder}/deno.json`);
  const split = (specifier: string) => /^npm:(.+)@([^@]+)$/.exec(specifier)!.slice(1, 3);
  return Object.fromEntries(Object.values<string>(imports).map(split));
}

for (const home of homes) {
  Deno.test(`init writes a project for ${home} with all files, its own name and this release`, async () => {
    await using t = await lab();
    const { code, out, error } = await t.init(["Größte Shop", "--home", home]);
    assert.deepEqual([code, error], [0, ""]);
    const folder = `${t.folder}/Größte Shop`;
    const names = await filesIn(folder);
    assert.deepEqual(names, Object.keys(templates[home as "node"]).sort());
    for (const name of names) assert.ok(out.includes(`  ${name}\n`), name);
    assert.match(out, /cd "Größte Shop"\n/);
    assert.equal((await wantedBy(folder)).pawl, `^${version}`);
    if (names.includes("package.json")) {
      assert.equal((await readJson(`${folder}/package.json`)).name, "gro-te-shop");
    }
  });
}

Deno.test("init takes another release, and what lies on a disk by its path", async () => {
  await using t = await lab();
  await Deno.writeTextFile(`${t.folder}/pawl.tgz`, "");
  for (const release of ["next", "~0.1.0", "0.1.0-rc.1"]) {
    await t.init([release, "--home", "deno", "--pawl", release]);
    assert.equal((await wantedBy(`${t.folder}/${release}`)).pawl, release);
  }
  const tarball = `file:${t.folder}/pawl.tgz`;
  await t.init(["packed", "--home", "node", "--pawl", "./pawl.tgz"]);
  assert.equal((await wantedBy(`${t.folder}/packed`)).pawl, tarball);
  const url = "https://example.org/pawl.tgz";
  await t.init(["far", "--home", "browser", "--pawl", url]);
  assert.equal((await wantedBy(`${t.folder}/far`)).pawl, url);

  // Deno installs from registries alone.
  const { out } = await t.init(["alike", "--home", "deno-deploy", "--pawl", tarball]);
  assert.match(out, /npm install\n {2}deno task start\n/);
  const wanted = await wantedBy(`${t.folder}/alike`);
  assert.deepEqual([wanted.pawl, wanted.hono], [tarball, "^4.13.0"]);
  const config = await readJson(`${t.folder}/alike/deno.json`);
  assert.deepEqual([config.imports, config.nodeModulesDir], [undefined, "manual"]);

  const missing = await t.init(["none", "--home", "node", "--pawl", "./other.tgz"]);
  assert.deepEqual([missing.code, /not there: .*other\.tgz/.test(missing.error)], [2, true]);
});

Deno.test("init asks somebody who is there, until the answer is a home", async () => {
  await using t = await lab();
  const { code, error } = await t.init(["one"], ["moon", "7", "browser"]);
  assert.equal(code, 0);
  assert.match(error, /There is no home "moon"[^]*There is no home "7"/);
  assert.ok((await filesIn(`${t.folder}/one`)).includes("index.html"));
  await t.init(["two"], ["3"]);
  assert.match(await Deno.readTextFile(`${t.folder}/two/main.ts`), /Deno\.cron/);
});

Deno.test("init called wrongly says what there is, with code 2, and writes nothing", async () => {
  await using t = await lab();
  for (const args of [["a"], ["a", "--home", "moon"]]) {
    const { code, error } = await t.init(args);
    assert.equal(code, 2);
    for (const home of homes) assert.ok(error.includes(`  ${home} `), home);
  }
  for (
    const args of [["a", "b", "--home", "node"], ["--house", "node"], ["--home", "node", "--pawl", "a b"]]
  ) {
    const { code, error } = await t.init(args);
    assert.equal(code, 2, error);
  }
  assert.deepEqual(await filesIn(t.folder), []);
});

Deno.test("init refuses a folder with files, naming those that would be lost, and takes one with hidden ones", async () => {
  await using t = await lab();
  await Deno.mkdir(`${t.folder}/.git`);
  await Deno.writeTextFile(`${t.folder}/main.ts`, "mine");
  await Deno.writeTextFile(`${t.folder}/notes.txt`, "mine");
  const refused = await t.init(["--home", "node"]);
  assert.equal(refused.code, 1);
  assert.match(refused.error, /it has main\.ts, notes\.txt, of which main\.ts would be overwritten/);
  assert.deepEqual(await filesIn(t.folder), [".git", "main.ts", "notes.txt"]);
  const isFile = await t.init(["notes.txt", "--home", "node"]);
  assert.match(isFile.error, /notes\.txt" is a file/);

  await Deno.remove(`${t.folder}/main.ts`);
  await Deno.remove(`${t.folder}/notes.txt`);
  const { code, out } = await t.init(["--home", "node"]);
  assert.equal(code, 0);
  assert.doesNotMatch(out, /\bcd\b/);
  assert.equal((await filesIn(t.folder)).length, Object.keys(templates.node).length + 1);
  const hidden = await t.init(["--home", "deno"]);
  assert.match(hidden.error, /\.gitignore/);
});

Deno.test("init with --dry-run lists the files and writes none", async () => {
  await using t = await lab();
  const { code, out } = await t.init(["shop", "--home", "deno", "--dry-run"]);
  assert.equal(code, 0);
  for (const name of Object.keys(templates.deno)) assert.ok(out.includes(`  ${name}\n`), name);
  assert.deepEqual(await filesIn(t.folder), []);
});

Deno.test("writeFiles() takes away what it has written, when a file cannot be, and overwrites none", async () => {
  await using t = await lab();
  await Deno.mkdir(`${t.folder}/shop`);
  await Deno.writeTextFile(`${t.folder}/shop/c.ts`, "mine");
  const files = new Map([["a.ts", "a"], ["new/deep/b.ts", "b"], ["c.ts", "c"]]);
  await assert.rejects(writeFiles(`${t.folder}/shop`, files), { code: "EEXIST" });
  assert.deepEqual(await filesIn(`${t.folder}/shop`), ["c.ts"]);
  assert.equal(await Deno.readTextFile(`${t.folder}/shop/c.ts`), "mine");
  await assert.rejects(writeFiles(`${t.folder}/shop/c.ts/below`, files));
  await writeFiles(`${t.folder}/new/shop`, files);
  assert.equal(await Deno.readTextFile(`${t.folder}/new/shop/new/deep/b.ts`), "b");
});

Deno.test("packageName() is one that npm takes, and none of a package that is installed", () => {
  const names = ["My Shop", ".hidden-", "été", "订单", "pawl", "node_modules", "a".repeat(300)];
  assert.deepEqual(names.map((name) => packageName(name, ["pawl"])), [
    "my-shop",
    "hidden",
    "ete",
    "my-orders",
    "pawl-app",
    "node_modules-app",
    "a".repeat(214),
  ]);
});
