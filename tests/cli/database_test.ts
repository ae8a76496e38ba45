import assert from "node:assert/strict";
import Database from "libsql";
import { libsqlStore } from "../../adapters/libsql/mod.ts";
import { withoutSecrets } from "../../cli/target/open_store.ts";
import { createEngine, machine } from "../../mod.ts";
import { order, tea } from "../plugins/hono/stage.ts";
import { code, json, run, stage } from "./stage.ts";

/** A folder that goes when the test is over. */
async function tempFolder(): Promise<AsyncDisposable & { readonly cwd: string }> {
  const cwd = await Deno.makeTempDir({ prefix: "pawl-cli-" });
  return { cwd, [Symbol.asyncDispose]: () => Deno.remove(cwd, { recursive: true }) };
}

const exists = (path: string) => Deno.stat(path).then(() => true, () => false);

Deno.test("a database is looked at without any code, and not changed where hooks and timers would not hear of it", async () => {
  await using on = await stage();
  const ask = (...args: string[]) => run([...args, "--db", "file:x.db"], { cwd: on.folder });
  const { runId } = await on.engine.trigger(order, "o");
  await on.engine.trigger(tea, "green", { data: { sugar: 1 } });
  await on.engine.await(tea, "green");
  for (
    const args of [
      ["list"],
      ["show", runId],
      ["show", "order", "o"],
      ["history", runId],
      ["watch", "tea", "green"],
      ["await", "tea", "green"],
      ["await", "tea", "green", "--status", "brewing"],
      ["schedules"],
      ["locks"],
      ["parked"],
      ["status", "--counts"],
      ["verify"],
      ["export"],
    ]
  ) assert.equal((await ask(...args)).code, 0, args.join(" "));
  for (
    const args of [
      ["trigger", "order", "p"],
      ["callback", runId, "placed"],
      ["pause", "order", "o"],
      ["resume", runId],
      ["cancel", runId],
      ["delete-data", "tea", "green", "-y"],
      ["cancel", "--all", "--definition", "order", "-y"],
      ["diagram", "order"],
    ]
  ) {
    const { code, error } = await ask(...args);
    assert.deepEqual([code, error.split(":")[0]], [1, "UNKNOWN_DEFINITION"], args.join(" "));
    assert.match(error, /give the module that exports it with --definitions, or ask an engine with --url\n$/);
  }
  assert.equal((await on.engine.get(order, "o"))?.version, 1);
  assert.equal((await on.engine.list({ key: "p", definition: "order" })).items.length, 0);
});

Deno.test("a file that is not there is not made by looking at it, nor by a trigger without code", async () => {
  await using folder = await tempFolder();
  for (const args of [["list"], ["status"], ["trigger", "order", "o"], ["export"]]) {
    const { code, error } = await run([...args, "--db", "file:mistyped.db"], folder);
    assert.deepEqual([code, error], [
      1,
      "INVALID_ARGUMENT: Cannot open file:mistyped.db: there is no such file\n",
    ]);
  }
  assert.equal(await exists(`${folder.cwd}/mistyped.db`), false);
  const made = await run([
    "trigger",
    "order",
    "o",
    "--db",
    "file:new.db",
    "--definitions",
    code,
    "--shards",
    "3",
  ], folder);
  assert.equal(made.code, 0, made.error);
  assert.match((await run(["list"], { ...folder, env: { PAWL_DB: "file:new.db" } })).out, / order +o /);
});

Deno.test("a store of any number of shards is opened as it is", async () => {
  await using folder = await tempFolder();
  const store = libsqlStore({ url: `file:${folder.cwd}/x.db`, shards: 5 });
  const engine = createEngine({ store, definitions: [order], work: false });
  const { runId } = await engine.trigger(order, "o");
  await engine.stop();
  await store.close();
  assert.equal(json(await run(["show", runId, "--db", "file:x.db", "--json"], folder)).key, "o");
  const wrong = await run(["show", runId, "--db", "file:x.db", "--shards", "2"], folder);
  assert.match(wrong.error, /^STORE_INCOMPATIBLE: .* created with 5 shards, got 2/);
});

Deno.test("pawl export and import move runs from file to file, through a pipe too, and never overwrite", async () => {
  await using on = await stage();
  for (const key of ["a", "b"]) await on.engine.trigger(order, key);
  await on.engine.trigger(tea, "green", { data: { sugar: 1 } });
  await on.engine.await(tea, "green");
  const ask = (args: string[], input = "") => run(args, { cwd: on.folder, input });
  const piped = await ask(["export", "--definition", "order", "--db", "file:x.db"]);
  assert.equal(piped.out.trimEnd().split("\n").length, 4, "a header, two runs, a trailer");
  assert.equal((await ask(["export", "--output", "all.ndjson", "--db", "file:x.db"])).code, 0);
  assert.equal(await exists(`${on.folder}/all.ndjson.partial`), false);

  const first = await ask(["import", "--db", "file:y.db"], piped.out);
  assert.deepEqual([first.code, first.out], [0, "2 imported, 0 there already, 0 refused\n"]);
  const rest = await ask(["import", "all.ndjson", "--db", "file:y.db", "--json"]);
  assert.deepEqual([json(rest).runs, json(rest).skipped], [1, 2]);
  assert.equal(json(await ask(["show", "tea", "green", "--db", "file:y.db", "--json"])).data.sugar, 2);

  const cut = await ask(["import", "--db", "file:z.db"], piped.out.split("\n").slice(0, 2).join("\n"));
  assert.deepEqual([cut.code, cut.error.split(":")[0]], [1, "IMPORT_INCOMPLETE"]);
  const lines = piped.out.split("\n");
  lines[1] = lines[1]!.replace('"definition":"order"', '"definition":7');
  const spoilt = await ask(["import", "--db", "file:z.db"], lines.join("\n"));
  assert.equal(spoilt.code, 1);
  assert.match(spoilt.error, /^line 2: Cannot read this line of an export: want definition/);
  assert.match((await ask(["import", "nothing.ndjson", "--db", "file:w.db"])).error, /^NOT_FOUND: /);
  assert.equal(await exists(`${on.folder}/w.db`), false);
  for (const args of [["export"], ["import", "all.ndjson"]]) {
    assert.match((await on.onApi(args)).error, /^UNSUPPORTED: .* over HTTP: .* --db\n$/);
  }
});

Deno.test("pawl verify fails on a store that is not sound, and says what is wrong", async () => {
  await using on = await stage(false);
  const { runId } = await on.engine.trigger(order, "o");
  const db = new Database(`${on.folder}/x.db`);
  db.exec("delete from pawl_kv where key like 'list%'");
  db.close();
  const told = await on.onDatabase(["verify"]);
  assert.equal(told.code, 1);
  assert.match(told.out, /^index +0 +/m);
  assert.match(told.out, /\nNOT SOUND: 1 runs, \d+ entries, 1 findings\n$/);
  assert.equal(json(await on.onDatabase(["verify", "--json"])).findings.length, 1);
  assert.ok(runId);
});

Deno.test("--definitions takes machines from wherever a module exports them, and says what is wrong with it", async () => {
  await using folder = await tempFolder();
  const mod = new URL("../../mod.ts", import.meta.url).href;
  const write = async (name: string, text: string) =>
    await Deno.writeTextFile(
      `${folder.cwd}/${name}`,
      `import { integration, machine } from "${mod}";\n${text}`,
    );
  const build = (name: string) => `machine("${name}").step("new", ["done"], () => "done").build()`;
  await write(
    "all.ts",
    `export default ${build("a")}; export const more = [${build("b")}]; const c = ${build("c")};
    export { c }; export const bundle = integration({ name: "i", definitions: [c] }); export const other = 7;`,
  );
  await write("none.ts", "export const some = 1;");
  await write("options.ts", `export const a = ${build("a")}; export const engineOptions = { polls: 1 };`);
  await write("broken.ts", 'throw new Error("it does not start");');
  const ask = (file: string) =>
    run(["definitions", "--json", "--db", ":memory:", "--definitions", file], folder);
  const names = json(await ask("all.ts")).items.map((each: { name: string }) => each.name);
  assert.deepEqual(names.sort(), ["a", "b", "c"]);
  const none = await ask("none.ts");
  assert.deepEqual([none.code, none.error.split("\n")[0]], [
    2,
    "none.ts exports no definition; it exports some",
  ]);
  assert.deepEqual(await ask("broken.ts"), { code: 1, out: "", error: "it does not start\n" });
  assert.match((await ask("options.ts")).error, /^INVALID_ARGUMENT: Cannot use option "polls"/);
  assert.match((await ask("nothing.ts")).error, /^Cannot import nothing.ts: there is no such file\n/);
});

Deno.test("pawl await finds a status of a machine that it does not know", async () => {
  await using on = await stage(false);
  const odd = machine("odd").step("one two", ["--"], () => "--").build();
  const store = libsqlStore({ url: `file:${on.folder}/x.db` });
  const engine = createEngine({ store, definitions: [odd] });
  await engine.start();
  await engine.trigger(odd, "k");
  await engine.await(odd, "k");
  await engine.stop();
  await store.close();
  const ask = (status: string) =>
    run(["await", "odd", "k", `--status=${status}`, "--db", "file:x.db"], { cwd: on.folder });
  assert.equal((await ask("--")).code, 0);
  assert.equal((await ask("one two")).code, 0);
  assert.match((await ask("three")).error, /^RUN_ENDED: /);
});

Deno.test("messages tell of a database without its token and password", () => {
  assert.equal(withoutSecrets("libsql://me:secret@host/db?authToken=secret"), "libsql://host/db");
  assert.equal(withoutSecrets("file:pawl.db"), "file:pawl.db");
});
