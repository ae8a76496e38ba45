/**
 * Durable orders on Deno Deploy, or wherever `deno serve` runs; see docs/deno_deploy.md.
 *
 * ```sh
 * deno serve --unstable-cron --allow-net \
 *   --allow-env=TURSO_DATABASE_URL,TURSO_AUTH_TOKEN,API_TOKEN,SHOP_URL,LEASE examples/deno-deploy/main.ts
 * ```
 *
 * @module
 */
/// <reference lib="deno.unstable" />
import { createClient } from "@libsql/client/web";
import { libsqlStore } from "pawl/adapters/libsql";
import { createApp } from "./app.ts";
import { httpShop, paperShop } from "./http_shop.ts";

function required(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`${name} is not set: see docs/deno_deploy.md`);
  return value;
}

const authToken = Deno.env.get("TURSO_AUTH_TOKEN");
const client = createClient({ url: required("TURSO_DATABASE_URL"), ...(authToken && { authToken }) });
const shopUrl = Deno.env.get("SHOP_URL");
const app = createApp({
  store: libsqlStore({ client }),
  shop: shopUrl ? httpShop(shopUrl) : paperShop,
  apiToken: required("API_TOKEN"),
  lease: Deno.env.get("LEASE") ?? "10s",
});

// All that becomes due within the minute. Without --unstable-cron there is no Deno.cron, and somebody else has to POST /tick.
void Deno.cron?.("pawl", "* * * * *", () => app.tick(50_000));

// Deploy sends it 5 s before it kills an isolate: the work goes to the others at once, and not when its lease ends.
Deno.addSignalListener("SIGINT", async () => {
  await app.engine.stop({ grace: "3s" });
  Deno.exit();
});

export default { fetch: app.fetch } satisfies Deno.ServeDefaultExport;
