/**
 * Writes the fixture of the release that `deno.json` names: `deno task compat`. Once it is released, it stays as it is.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It tells what it has written.
import { libsqlStore } from "pawl/adapters/libsql";
import { fleetEngine } from "./fleet.ts";
import { writeLife } from "./life.ts";
import { textOf } from "./sql_text.ts";
import { virtualClock } from "pawl/testing";

const { version } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
const folder = new URL(`${version}/`, import.meta.url);
await Deno.mkdir(folder, { recursive: true });
const scratch = await Deno.makeTempDir();
const path = `${scratch}/store.db`;
const store = libsqlStore({ url: `file:${path}` });
const written = await writeLife(store, async () => {
  await Deno.writeTextFile(new URL("store.sql", folder), textOf(path));
  const { engine, stop } = await fleetEngine(store, virtualClock(), "today", false);
  const lines: string[] = [];
  for await (const line of engine.admin.export()) lines.push(line);
  await Deno.writeTextFile(new URL("export.ndjson", folder), lines.join(""));
  await stop();
});
await store.close();
await Deno.remove(scratch, { recursive: true });
await Deno.writeTextFile(new URL("written.json", folder), JSON.stringify(written, undefined, 2) + "\n");
await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", new URL("written.json", folder).pathname] })
  .output();
console.log(`${written.runs.length} runs: ${folder.pathname}`);
