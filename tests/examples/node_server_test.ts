import assert from "node:assert/strict";
import { type Client, createClient } from "pawl/plugins/hono/client";
import { buildNodeServer } from "../../examples/node-server/build.ts";
import { orders } from "./deploy/customers.ts";
import { openShop } from "./deploy/shop.ts";

const apiToken = "a-long-secret-of-ann";
const patience = { timeout: "30s" };
const data = { cents: 1_000, email: "ann@example.com" };

/** A process of the example. */
interface NodeServer {
  readonly client: Client;
  /** Signals it, and waits until it is gone. */
  end(signal: Deno.Signal): Promise<Deno.CommandStatus>;
}

async function startNode(file: string, env: Record<string, string>): Promise<NodeServer> {
  const command = new Deno.Command("node", { args: [file], env, stdout: "piped", stderr: "inherit" });
  const child = command.spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!/listening (\d+)/.test(text)) {
    const { done, value } = await lines.read();
    assert.ok(!done, `Node ended before it listened: ${text}`);
    text += value;
  }
  const url = `http://127.0.0.1:${/listening (\d+)/.exec(text)![1]}/pawl`;
  return {
    client: createClient({ url, headers: { authorization: `Bearer ${apiToken}` } }),
    async end(signal) {
      child.kill(signal);
      const status = await child.status;
      await lines.cancel();
      return status;
    },
  };
}

Deno.test({
  name: "the example node-server goes on after kill -9, and ends in good order on SIGTERM",
  // The bundler's process outlives its test.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "pawl-node-" });
    const held = new Map<string, PromiseWithResolvers<void>>();
    const asked = new Map<string, PromiseWithResolvers<void>>();
    const at = (map: typeof held, key: string) =>
      map.get(key) ?? map.set(key, Promise.withResolvers<void>()).get(key)!;
    const shop = openShop(undefined, async (key) => {
      at(asked, key).resolve();
      await at(held, key).promise;
    });
    const env = { API_TOKEN: apiToken, DATABASE_URL: `file:${folder}/orders.db`, LEASE: "1s", PORT: "0" };
    const start = async () => await startNode(await buildNodeServer(), { ...env, SHOP_URL: shop.url });
    let node = await start();
    try {
      at(held, "kettle").resolve();
      await node.client.trigger(orders, "kettle", { data });
      await node.client.await(orders, "kettle", { status: "charged", ...patience });
      await node.client.trigger(orders, "cup", { data });
      await at(asked, "cup").promise;
      await node.end("SIGKILL");

      at(held, "cup").resolve();
      node = await start();
      await node.client.callback(orders, "kettle", "charged", { tracking: "P-1" });
      assert.equal((await node.client.await(orders, "kettle", patience)).status, "told");
      await node.client.await(orders, "cup", { status: "charged", ...patience });
      const charges = shop.deeds.filter(({ what, key }) => what === "charges" && key === "cup");
      assert.equal(charges.length, 2, "its step ran again");
      assert.equal(new Set(charges.map(({ id }) => id)).size, 1, "under the same id");

      await node.client.trigger(orders, "pot", { data });
      await at(asked, "pot").promise;
      const ended = node.end("SIGTERM");
      at(held, "pot").resolve();
      assert.deepEqual([(await ended).code, (await ended).signal], [0, null]);
      node = await start();
      const pot = await node.client.get(orders, "pot");
      assert.equal(pot!.status, "charged", "the step landed before the process went");
      assert.equal((await node.client.admin.verify()).findings.length, 0);
    } finally {
      await node.end("SIGKILL").catch(() => {});
      await shop.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
