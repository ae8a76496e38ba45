import assert from "node:assert/strict";
import { all } from "./mutants.ts";

Deno.test("each rule that is broken on purpose stands once in its file", async () => {
  const wrong: string[] = [];
  for (const { name, file, find } of all) {
    const source = await Deno.readTextFile(new URL(`../../${file}`, import.meta.url));
    const count = source.split(find).length - 1;
    if (count !== 1) wrong.push(`"${name}" is ${count} times in ${file}`);
  }
  assert.deepEqual(wrong, []);
});
