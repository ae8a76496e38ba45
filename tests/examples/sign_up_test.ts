import assert from "node:assert/strict";
import { createClient } from "@libsql/client";
import { accountsTable, signUp, welcomeMachine } from "../../examples/sign_up/sign_up.ts";
import { inWorld, testOnFile } from "../sql/sql_store.ts";

testOnFile("signUp() welcomes each account once, and no account that was not written", async (file) => {
  await inWorld(await file.open(), async (world) => {
    const mails: string[] = [];
    const welcome = welcomeMachine((_, { name }) => Promise.resolve(void mails.push(name)));
    const engine = await world.started({ definitions: [welcome] });
    const db = createClient({ url: file.url });
    try {
      await db.execute(accountsTable);
      const runId = await signUp(db, engine, welcome, { email: "ann@x.org", name: "Ann" });
      assert.equal((await world.during(engine.await(welcome, "ann@x.org"), 1_000)).runId, runId);
      await assert.rejects(signUp(db, engine, welcome, { email: "ann@x.org", name: "Ann 2" }), /UNIQUE/);
      await engine.stop();

      const other = world.engine({ definitions: [welcome] });
      await other.trigger(welcome, "bob@x.org", { data: { email: "bob@x.org", name: "Bob" } });
      const second = signUp(db, other, welcome, { email: "bob@x.org", name: "Bob" });
      await assert.rejects(second, { code: "RUN_IN_PROGRESS" });
      assert.deepEqual(file.rows("select email from accounts"), [{ email: "ann@x.org" }]);
      assert.deepEqual(mails, ["Ann"]);
    } finally {
      db.close();
    }
  });
});
