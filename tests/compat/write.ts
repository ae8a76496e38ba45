/**
 * Writes the fixture of the release that `deno.json` names: `deno task compat`. Once it is released, it stays as it is.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It tells what it has written.
import "fake-indexeddb/auto";
import { indexedDbStore } from "pawl/adapters/indexeddb";
import { libsqlStore } from "pawl/adapters/libsql";
import { virtualClock } from "pawl/testing";
import type { Store } from "../../mod.ts";
import { fleetEngine } from "./fleet.ts";
import { writeLife } from "./life.ts";
import { linesOf } from "./rows_text.ts";
import { textOf } from "./sql_text.ts";

const { version } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
const folder = new URL(`${version}/`, import.meta.url);
await Deno.mkdir(folder, { recursive: true });
const write = (name: string, text: string) => Deno.writeTextFile(new URL(name, folder), text);

/** Lives in a store, and writes down what it was. */
async function writeFixture(store: Store, name: string, dump: () => Promise<void>): Promise<void> {
  const written = await writeLife(store, dump);
  await store.close();
  await write(`${name}.json`, JSON.stringify(written, undefined, 2) + "\n");
  console.log(`${written.runs.length} runs: ${folder.pathname}${name}.json`);
}

const scratch = await Deno.makeTempDir();
const path = `${scratch}/store.db`;
const file = libsqlStore({ url: `file:${path}` });
await writeFixture(file, "libsql", async () => {
  await write("libsql.sql", textOf(path));
  const { engine, stop } = await fleetEngine(file, virtualClock(), "today", false);
  const lines: string[] = [];
  for await (const line of engine.admin.export()) lines.push(line);
  await write("export.ndjson", lines.join(""));
  await stop();
});
await Deno.remove(scratch, { recursive: true });

const name = crypto.randomUUID();
const database = indexedDbStore({ name });
await writeFixture(database, "indexeddb", async () => write("indexeddb.ndjson", await linesOf(name)));
await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", folder.pathname] }).output();
