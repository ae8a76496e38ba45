/**
 * Tables of the pages that list what the code has: nothing is missing, nothing is invented, and numbers are those of today.
 *
 * @module
 */
import assert from "node:assert/strict";
import { defaultLimits } from "pawl";

const root = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, root));

/** The names in the first column of the tables of a section, without what stands behind them in a row. */
async function named(page: string, heading: string, until = /^#{1,3} /m): Promise<readonly string[]> {
  const text = await read(page);
  const at = text.indexOf(`\n${heading}\n`);
  assert.ok(at >= 0, `${page} has no ${heading}`);
  const rest = text.slice(at + heading.length + 2);
  const end = rest.search(until);
  const rows = [...(end < 0 ? rest : rest.slice(0, end)).matchAll(/^\| (`[^|]+) \|/gm)];
  return rows.flatMap((row) => [...row[1]!.matchAll(/`([\w.-]+)`/g)].map((match) => match[1]!));
}

/** The members of an interface or union in a source. */
async function membersIn(path: string, declaration: RegExp, member: RegExp): Promise<readonly string[]> {
  const body = declaration.exec(await read(path))?.[1];
  assert.ok(body !== undefined, `${path}: ${declaration}`);
  return [...body.matchAll(member)].map((match) => match[1]!);
}

const sorted = (names: readonly string[]) => [...new Set(names)].sort();

Deno.test("docs/engine.md lists every limit, with its default", async () => {
  const rows = [...(await read("docs/engine.md")).matchAll(/^\| `(\w+(?:Max))`\s+\| ([\d,]+)\s+\|/gm)];
  const told = Object.fromEntries(rows.map((row) => [row[1]!, Number(row[2]!.replaceAll(",", ""))]));
  assert.deepEqual(told, { ...defaultLimits });
});

Deno.test("docs/engine.md lists every option of createEngine", async () => {
  const options = await membersIn(
    "core/engine/options.ts",
    /export interface EngineOptions \{\n([\s\S]*?)\n\}/,
    /^ {2}readonly (\w+)\??:/gm,
  );
  const told = (await named("docs/engine.md", "## Options")).map((name) => name.split(".")[0]!);
  assert.deepEqual(sorted(told), sorted(options));
});

Deno.test("docs/machines.md lists every option of a step", async () => {
  const options = await membersIn(
    "core/engine/step_options.ts",
    /export interface StepOptions(?:<[^>]*>)?[^{]*\{\n([\s\S]*?)\n\}/,
    /^ {2}readonly (\w+)\??:/gm,
  );
  const told = (await named("docs/machines.md", "## Options of a step")).map((name) => name.split(".")[0]!);
  assert.deepEqual(sorted(told), sorted(options));
});

Deno.test("docs/operations.md lists every kind of history row", async () => {
  const kinds = await membersIn(
    "core/parts/history.ts",
    /export type HistoryKind =\n([\s\S]*?)\n\n/,
    /^ {2}\| "([\w-]+)"/gm,
  );
  assert.deepEqual(sorted(await named("docs/operations.md", "## Reading the history")), sorted(kinds));
});

Deno.test("docs/verbs.md lists every state of a run", async () => {
  const states = await membersIn(
    "core/parts/run_record.ts",
    /export type RunState =\n([\s\S]*?)\n\n/,
    /^ {2}\| "([\w-]+)"/gm,
  );
  assert.deepEqual(sorted(await named("docs/verbs.md", "## Run states")), sorted(states));
});

Deno.test("docs/errors.md lists the classes of errors with their codes", async () => {
  const source = await read("core/errors.ts");
  const classes = [...source.matchAll(/export class (\w+Error) extends PawlError/g)].map((match) =>
    match[1]!
  );
  const page = await read("docs/errors.md");
  assert.ok(classes.length > 5);
  assert.deepEqual(classes.filter((name) => !page.includes(`| \`${name}\``)), []);
});

Deno.test("docs/examples.md lists every folder of examples", async () => {
  const page = await read("docs/examples.md");
  const missing: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL("examples/", root))) {
    if (isDirectory && !page.includes(`](../examples/${name}/`)) missing.push(name);
  }
  assert.deepEqual(missing, []);
});
