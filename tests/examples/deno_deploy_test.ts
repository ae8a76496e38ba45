import assert from "node:assert/strict";
import { createClient } from "pawl/plugins/hono/client";
import { startSqld, testWithSqld } from "../sqld/server.ts";
import { orders } from "./deploy/customers.ts";
import { Platform } from "./deploy/platform.ts";
import { openShop } from "./deploy/shop.ts";
import { storm } from "./deploy/storm.ts";

const apiToken = "a-long-secret-of-ann";
const patience = { timeout: "30s" };

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 30_000; !await isTrue();) {
    assert.ok(performance.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

testWithSqld(
  "the example deno-deploy works for requests, holds nothing in between, and starts cold",
  async () => {
    const server = await startSqld();
    const shop = openShop();
    const env = {
      TURSO_DATABASE_URL: server.url("http"),
      API_TOKEN: apiToken,
      SHOP_URL: shop.url,
      LEASE: "1s",
    };
    const said: string[] = [];
    const platform = new Platform({ env, float: () => 0, log: (line) => void said.push(line) });
    const headers = { authorization: `Bearer ${apiToken}` };
    const client = createClient({ url: "http://deploy/pawl", fetch: platform.fetch, headers });
    const isFree = async () => (await client.admin.shards()).every(({ engineId }) => engineId === undefined);
    try {
      assert.equal((await platform.fetch("http://deploy/pawl/runs")).status, 401);
      const data = { cents: 1_000, email: "ann@example.com" };
      // Nobody ticks but the requests themselves.
      await client.trigger(orders, "kettle", { data });
      await client.await(orders, "kettle", { status: "charged", ...patience });
      await until("the shards are free again", isFree);
      await platform.stop();
      assert.equal(platform.size, 0, "scaled to zero");

      await client.callback(orders, "kettle", "charged", { tracking: "P-1" });
      const run = await client.await(orders, "kettle", patience);
      assert.deepEqual([run.status, run.data.tracking], ["told", "P-1"]);
      // A timer in a moment needs no cron: the isolate looks ahead for a while after each request.
      await client.trigger(orders, "cup", { data: { ...data, shipWithin: 700 } });
      assert.equal((await client.await(orders, "cup", patience)).status, "refunded");
      await until("the shards are free again", isFree);

      await client.trigger(orders, "pot", { data: { ...data, shipWithin: 1_000 } });
      await client.await(orders, "pot", { status: "charged", ...patience });
      await platform.kill();
      const report = await client.tick({ budgetMs: 30_000, again: true });
      assert.deepEqual([report.heldElsewhere, report.running], [0, 0]);
      assert.equal((await client.get(orders, "pot"))!.status, "refunded");
      const done = new Set(shop.deeds.map(({ what, key }) => `${what} ${key}`));
      const wished = [
        "charges cup",
        "charges kettle",
        "charges pot",
        "mails kettle",
        "refunds cup",
        "refunds pot",
      ];
      assert.deepEqual([...done].sort(), wished);
      await platform.stop();
      assert.deepEqual(platform.failures, [], said.join("\n"));
    } finally {
      await platform.close();
      await shop.close();
      await server.stop();
    }
  },
  "and others keep timers",
);

testWithSqld("the example deno-deploy keeps every promise while its isolates are killed", async () => {
  const options = { seed: 4, seconds: 2, kills: 3, customers: 6, isolates: 3 };
  const { broken, counts, said } = await storm({ ...options, pauseMs: 400, cronMs: 500 });
  const given = Object.entries(options).map(([name, value]) => `--${name} ${value}`);
  const again = `again: deno task deploy ${given.join(" ")} --pause 400 --cron 500`;
  assert.deepEqual(broken, [], [again, ...said].join("\n"));
  assert.ok(counts.killed! >= options.kills && counts.deeds! > 6, JSON.stringify(counts));
}, "and others keep timers");
