import assert from "node:assert/strict";
import { createClient } from "@libsql/client";
import { libsqlStore } from "pawl/adapters/libsql";
import { createEngine, machine, silentLogger } from "../../mod.ts";
import { startSqld, testWithSqld } from "../sqld/server.ts";

const orders = machine<{ cents: number }>("orders").step("placed", ["paid"], () => "paid").build();
const data = { cents: 5 };

for (const scheme of ["http", "ws"] as const) {
  testWithSqld(`prepareTrigger() lands and is refused on a server, over ${scheme}`, async () => {
    const server = await startSqld();
    try {
      await onServer(server.url(scheme));
    } finally {
      await server.stop();
    }
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
