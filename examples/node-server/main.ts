/**
 * Durable orders in a Node process that stays: the engine works in the background, and ends in good order.
 *
 * ```sh
 * deno task example:node && API_TOKEN=a-long-secret-of-mine node examples/node-server/dist/main.mjs
 * ```
 *
 * @module
 */
import process from "node:process";
import { serve } from "@hono/node-server";
import { createEngine } from "pawl";
import { libsqlStore } from "pawl/adapters/libsql";
import { bearerTokens, httpApi } from "pawl/plugins/hono";
import { Hono } from "hono";
import { httpShop, paperShop } from "../deno-deploy/http_shop.ts";
import { orderMachine } from "../deno-deploy/orders.ts";

const { API_TOKEN, DATABASE_URL = "file:orders.db", LEASE = "10s", PORT = "8000", SHOP_URL } = process.env;
if (!API_TOKEN) {
  throw new Error("API_TOKEN is not set: 16 characters or more that only you and your clients know");
}

const store = libsqlStore({ url: DATABASE_URL });
const orders = orderMachine(SHOP_URL ? httpShop(SHOP_URL) : paperShop);
const engine = createEngine({ store, definitions: [orders], lease: { term: LEASE } });
await engine.start();

const app = new Hono();
app.route("/pawl", httpApi(engine, { authorize: bearerTokens([{ token: API_TOKEN }]) }));
const server = serve({ fetch: app.fetch, port: Number(PORT) }, ({ port }) => {
  // deno-lint-ignore no-console -- whoever started it wants to know
  console.log(`listening ${port}`);
});

let isEnding = false;

/** Takes no more requests, lets steps land, gives its shards to whoever comes next, and goes. */
async function end(): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  server.close();
  await engine.stop({ grace: "10s" });
  await store.close();
  process.exit(0);
}
process.on("SIGTERM", end);
process.on("SIGINT", end);
