import assert from "node:assert/strict";
import { sqliteStore } from "pawl/adapters/sqlite";
import { createEngine, silentLogger } from "../../mod.ts";
import { besideAnother, chain } from "./other_process.ts";

for (const other of ["libsql", "node:sqlite"] as const) {
  Deno.test(`sqliteStore() shares a file with a process on ${other}, which is killed`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "pawl-" });
    const path = `${folder}/pawl.db`;
    const store = sqliteStore({ path });
    const settings = { logger: silentLogger, poll: 20, lease: { term: "1s" } } as const;
    const engine = createEngine({ store, definitions: [chain], ...settings });
    await engine.trigger(chain, "ours", { data: { n: 0 } });
    await besideAnother(`file:${path}`, async (more) => {
      assert.deepEqual((await engine.await(chain, "ours", { timeout: "30s" })).data, { n: 2 });
      await engine.start();
      for (let n = 0; n < 4; n++) {
        await Promise.all([
          more(),
          engine.trigger(chain, `ours ${n}`, { data: { n } }),
          engine.await(chain, n === 0 ? "ours" : `ours ${n - 1}`, { timeout: "30s" }),
        ]);
      }
    }, other);
    // It was killed while it owned the shard: what it held is taken over.
    await engine.await(chain, "ours 3", { timeout: "60s" });
    await engine.stop();
    assert.deepEqual((await engine.admin.verify()).findings, []);
    await store.close();
    await Deno.remove(folder, { recursive: true });
  });
}
