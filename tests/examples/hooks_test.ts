import assert from "node:assert/strict";
import { parcelMachine } from "../../examples/hooks/parcels.ts";
import { testEngine } from "../../core/testing/mod.ts";
import { silentLogger } from "../../mod.ts";

Deno.test("a parcel's end is audited and mailed once; a mail that fails is parked, and sent when retried", async () => {
  const [audited, mailed] = [new Map<string, string>(), new Map<string, string>()];
  let isDown = true;
  const parcels = parcelMachine({
    audit: (id, line) => Promise.resolve(void audited.set(id, line)),
    mail(id, to, text) {
      if (isDown) return Promise.reject(new Error("down"));
      mailed.set(id, `${to}: ${text}`);
      return Promise.resolve();
    },
  });
  await using t = await testEngine({ definitions: [parcels], logger: silentLogger });
  await t.engine.trigger(parcels, "p", { data: { to: "ann" } });
  await t.engine.trigger(parcels, "q", { data: { to: "bob" } });
  await t.engine.cancel(parcels, "q", { reason: "lost" });
  await t.awaitStatus(parcels, "p", "delivered");
  await t.advance("1h");
  assert.deepEqual([...audited.values()].sort(), ["p completed", "q cancelled: lost"]);
  const { items } = await t.engine.admin.parked({ definition: "parcels" });
  assert.deepEqual(items.map(({ hook, key, attempts }) => [hook, key, attempts]), [["mail", "p", 3]]);
  isDown = false;
  await t.engine.admin.retry(items[0]!.id);
  await t.advance(0);
  assert.deepEqual([...mailed.values()], ["ann: Your parcel is there."]);
  assert.deepEqual((await t.engine.admin.parked()).items, []);
});
