import * as esbuild from "esbuild";
import assert from "node:assert/strict";
import { SuiteRunner } from "./lanes.ts";
import type { Suite } from "./suites.ts";

/** Bundles of tests as they are made of the project's, by what their `runTests` does. */
const bodies = {
  good: "return { tests: 2, failures: [] };",
  bad: 'return { tests: 2, failures: ["it fails"] };',
  crashing: "process.exit(3);",
  unsteady: `
    const { existsSync, writeFileSync } = await import("node:fs");
    const mark = new URL("./been_here", import.meta.url);
    if (existsSync(mark)) return { tests: 1, failures: [] };
    writeFileSync(mark, "");
    return { tests: 1, failures: ["it fails at first"] };`,
};

/** Runs bundles in the Node that is there, one process for all as far as they let it live. */
async function outcomeOf(names: readonly (keyof typeof bodies)[]): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "pawl-lanes-" });
  try {
    const worker = await Deno.readTextFile(new URL("programs/suite_worker.ts", import.meta.url));
    const { code } = await esbuild.transform(worker.replace('import "libsql";', ""), { loader: "ts" });
    await Deno.writeTextFile(`${folder}/worker.mjs`, code);
    const suites: Suite[] = [];
    for (const name of names) {
      const file = `${folder}/${name}.mjs`;
      await Deno.writeTextFile(file, `export const runTests = async () => { ${bodies[name]} };\n`);
      suites.push({ path: name, file });
    }
    return await new SuiteRunner(suites, `${folder}/worker.mjs`).run("node");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The bundler's process outlives the test that it was started in. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

test("tests of all bundles are counted", async () => {
  assert.equal(await outcomeOf(["good"]), "2 tests of 1 files");
});

test("a bundle that fails fails the run, as does one that takes its process down, and the others are run", async () => {
  await assert.rejects(outcomeOf(["crashing", "bad", "good"]), (error: Error) => {
    assert.match(error.message, /^3 tests passed/);
    assert.match(error.message, /^bad: it fails$/m);
    assert.match(error.message, /^crashing: it ended without a result/m);
    return true;
  });
});

test("a bundle that passes only when it is run once more is named", async () => {
  assert.equal(await outcomeOf(["unsteady", "good"]), "3 tests of 2 files; once more: unsteady");
});
