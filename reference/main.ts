/**
 * Writes the reference: `deno task docs:api`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It tells what it has done.
import { referenceOf } from "./pages.ts";

const folder = new URL("../docs/api/", import.meta.url);
const { files, lost } = await referenceOf();
await Deno.mkdir(folder, { recursive: true });
for await (const { name } of Deno.readDir(folder)) {
  if (!files.has(name)) await Deno.remove(new URL(name, folder));
}
for (const [name, text] of files) await Deno.writeTextFile(new URL(name, folder), text);
console.log(`${files.size} pages in docs/api/`);
for (const problem of lost) console.error(`In a doc comment: ${problem} is nothing that is exported`);
if (lost.length > 0) Deno.exit(1);
