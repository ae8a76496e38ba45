import assert from "node:assert/strict";
import { entryPoints, packageFields, peersOf, readConfig, root } from "../../npm/manifest.ts";
import { bareSpecifiers } from "../../npm/specifiers.ts";

const config = await readConfig();

/** The specifiers of everything that is published. */
async function shippedSpecifiers(path = ""): Promise<Set<string>> {
  const found = new Set<string>();
  const entries = path === "" ? [...config.publish.include] : [];
  if (path !== "") {
    for await (const { name, isDirectory } of Deno.readDir(new URL(path, root))) {
      entries.push(`${path}${name}${isDirectory ? "/" : ""}`);
    }
  }
  for (const entry of entries) {
    if (config.publish.exclude?.includes(entry)) continue;
    const inner = entry.endsWith("/")
      ? await shippedSpecifiers(entry)
      : entry.endsWith(".ts")
      ? bareSpecifiers(await Deno.readTextFile(new URL(entry, root)))
      : [];
    for (const specifier of inner) found.add(specifier);
  }
  return found;
}

Deno.test("bareSpecifiers() reads statements and not comments, strings or paths", () => {
  const text = `/** import { a } from "in-a-comment"; */
// import "in-a-line";
import type { B } from "b/types";
import {
  c,
  d,
} from "@scope/c";
export { e } from "e"; import f from "./f.js";
const g = await import("g/web");
const said = 'import { h } from "pawl/kernel"';
`;
  assert.deepEqual([...bareSpecifiers(text)].sort(), ["@scope/c", "b/types", "e", "g/web"]);
});

Deno.test("every package that is imported is an optional peer with the range of deno.json, and nothing is a dependency", async () => {
  const peers = peersOf(config, await shippedSpecifiers());
  assert.equal(peers["idb"], config.imports["idb"]!.replace("npm:idb@", ""));
  assert.equal(peers["@libsql/client"], config.imports["@libsql/client"]!.replace("npm:@libsql/client@", ""));
  const fields = packageFields(config, peers, {});
  assert.deepEqual(Object.keys(fields.peerDependenciesMeta as object), Object.keys(peers));
  for (const none of ["dependencies", "optionalDependencies", "repository"]) {
    assert.ok(!(none in fields), none);
  }
});

Deno.test("a package without a range in deno.json is refused by name", () => {
  assert.throws(() => peersOf(config, ["left-pad/sub"]), /"left-pad"/);
  assert.deepEqual(peersOf(config, ["pawl", "pawl/kernel", "node:fs/promises"]), {});
});

Deno.test("the repository is named as npm's provenance wants it", () => {
  const fields = packageFields(config, {}, { version: "1.2.3-rc.1", repository: "https://example.com/o/n" });
  assert.equal(fields.version, "1.2.3-rc.1");
  assert.deepEqual(fields.repository, { type: "git", url: "git+https://example.com/o/n.git" });
});

Deno.test("entry points are the exports of deno.json, the main one first", () => {
  const points = entryPoints(config);
  assert.deepEqual(points[0], { name: ".", path: "./mod.ts" });
  assert.equal(points.length, Object.keys(config.exports).length);
});
