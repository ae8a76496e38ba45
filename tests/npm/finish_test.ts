import assert from "node:assert/strict";
import { run } from "../../npm/command.ts";
import { finish } from "../../npm/finish.ts";
import { entryPoints, program, readConfig } from "../../npm/manifest.ts";

const config = await readConfig();
const version = "0.0.0-layout";

/** A folder as dnt leaves it when it makes ES modules only, with types beside them. */
async function dntFolder(left: { readonly out?: string } = {}): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "pawl-layout-" });
  const exports: Record<string, { import: string }> = {};
  for (const { name, path } of [...entryPoints(config), program]) {
    const file = path.replace(/^\.\//, "esm/").replace(/\.ts$/, ".js");
    await Deno.mkdir(`${folder}/${file}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(
      `${folder}/${file}`,
      'import { openDB } from "idb";\nexport const open = openDB;\n',
    );
    const types = "export declare const held: AsyncDisposable;\n";
    if (name !== left.out) await Deno.writeTextFile(`${folder}/${file}`.replace(/\.js$/, ".d.ts"), types);
    exports[name] = { import: `./${file}` };
  }
  await Deno.writeTextFile(`${folder}/esm/package.json`, '{ "type": "module" }\n');
  const manifest = { name: config.name, module: "./esm/mod.js", exports, dependencies: { idb: "^8" } };
  await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify(manifest));
  return folder;
}

Deno.test("what dnt has made becomes the same package as what deno pack has made", async () => {
  const folder = await dntFolder();
  const tarball = await finish(folder, config, { version });
  try {
    const read = (file: string) => run("tar", ["xzOf", tarball, `package/${file}`]);
    const manifest = JSON.parse(await read("package.json"));
    assert.deepEqual(manifest.exports["./plugins/cron"], {
      types: "./esm/plugins/cron/mod.d.ts",
      import: "./esm/plugins/cron/mod.js",
      default: "./esm/plugins/cron/mod.js",
    });
    assert.deepEqual(manifest.bin, { pawl: "esm/cli/main.js" });
    assert.match(await read("esm/cli/main.js"), /^#!\/usr\/bin\/env node\n/);
    assert.deepEqual([manifest.main, manifest.types], ["./esm/mod.js", "./esm/mod.d.ts"]);
    assert.deepEqual(manifest.peerDependencies, { idb: config.imports["idb"]!.replace("npm:idb@", "") });
    for (const none of ["dependencies", "devDependencies", "scripts"]) assert.ok(!(none in manifest), none);
    assert.match(await read("esm/mod.d.ts"), /^\/\/\/ <reference lib="esnext\.disposable" \/>\n/);
  } finally {
    await Deno.remove(tarball);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a package without the types of an entry point is not made", async () => {
  const folder = await dntFolder({ out: "./plugins/cron" });
  await assert.rejects(
    finish(folder, config, { version }),
    /no .*plugins\/cron\/mod\.d\.ts for "\.\/plugins\/cron"/,
  );
  await Deno.remove(folder, { recursive: true });
});
