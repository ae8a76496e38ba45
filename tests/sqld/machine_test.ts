import assert from "node:assert/strict";
import { machine } from "pawl";
import { libsqlStore } from "pawl/adapters/libsql";
import { memoryStreamer } from "pawl/adapters/streams/memory";
import { testOverWires, until, withEngine } from "./lab.ts";

interface Order {
  email: string;
  approvals: string[];
}

const secret = "ann@example.org";

/** Everything that a machine can have, with short times. */
function orders(seen: string[], mail: { down: boolean }) {
  return machine<Order>("orders", { stream: true })
    .step("placed", ["approved"], (run) => run.skip())
    .callback("placed", ["approved"], (run, by: string) => {
      run.data.approvals.push(by);
      return run.data.approvals.length < 3 ? run.skip() : "approved";
    })
    .timeout(
      "placed",
      ["expired"],
      (run, now) => run.key === "late" ? new Date(now.getTime() + 50) : undefined,
      () => "expired",
    )
    .onComplete((run) => void seen.push(`${run.key} ${run.status}`))
    .onComplete((run) => {
      if (mail.down) throw new Error(`cannot reach ${run.data.email}`);
      seen.push(`${run.key} mailed`);
    }, { parkAfterErrors: 1 })
    .build();
}

testOverWires("callbacks, timers, hooks, streams and deletion work over a server", async (server, scheme) => {
  const seen: string[] = [];
  const mail = { down: true };
  const flow = orders(seen, mail);
  const relayed = memoryStreamer();
  const options = { definitions: [flow], streams: relayed };
  const client = libsqlStore({ url: server.url(scheme) });
  await withEngine(libsqlStore({ url: server.url(scheme) }), options, async (engine) => {
    await withEngine(client, { definitions: [flow], work: false }, async (guest) => {
      await engine.start();
      const data = (): Order => ({ email: secret, approvals: [] });
      await engine.trigger(flow, "late", { data: data() });
      await engine.trigger(flow, "k", { data: data() });
      const calls = ["a", "b", "c"].map((by, index) =>
        (index % 2 ? guest : engine).callback(flow, "k", "placed", by, { idempotencyKey: by })
      );
      assert.ok((await Promise.all(calls)).every((each) => each.applied));
      assert.ok((await guest.callback(flow, "k", "placed", "a", { idempotencyKey: "a" })).applied);
      const run = await guest.await(flow, "k");
      assert.deepEqual([run.status, [...run.data.approvals].sort()], ["approved", ["a", "b", "c"]]);
      assert.equal((await guest.await(flow, "late")).status, "expired");
      await until(async () => (await engine.admin.parked()).items.length === 2);
      assert.deepEqual([...seen].sort(), ["k approved", "late expired"]);

      mail.down = false;
      for (const { id, key } of (await engine.admin.parked()).items) {
        if (key === "k") await guest.admin.retry(id);
      }
      await until(() => Promise.resolve(seen.includes("k mailed")));

      for (const key of ["k", "late"]) await guest.deleteData(flow, key);
      await until(async () => {
        const { items } = await engine.list({ definition: "orders", runState: "deleted" });
        return items.length === 2;
      });
      const lines = (await Array.fromAsync(engine.admin.export())).join("");
      assert.ok(!lines.includes(secret));
      assert.deepEqual((await engine.admin.verify()).findings, []);

      const ends: string[] = [];
      for await (const { event, ack } of await relayed.receive("orders-delete", "test")) {
        ends.push(event.type);
        await ack();
        if (ends.length === 2) break;
      }
      assert.equal(ends.length, 2);
    });
  });
});
