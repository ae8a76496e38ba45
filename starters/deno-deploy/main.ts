/** Orders over HTTP, on Deno Deploy or wherever `deno serve` runs. */
/// <reference lib="deno.unstable" />
import { createClient } from "@libsql/client/web";
import { Hono } from "hono";
import { createEngine } from "pawl";
import { libsqlStore } from "pawl/adapters/libsql";
import { bearerTokens, httpApi } from "pawl/plugins/hono";
import { pretendBank } from "./bank.ts";
import { orderMachine } from "./orders.ts";

function required(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`${name} is not set: see the README`);
  return value;
}

const url = required("TURSO_DATABASE_URL");
const authToken = Deno.env.get("TURSO_AUTH_TOKEN");
const store = url.startsWith("file:")
  ? libsqlStore({ url })
  : libsqlStore({ client: createClient({ url, ...(authToken && { authToken }) }) });
const engine = createEngine({ store, definitions: [orderMachine(pretendBank)] });

/** Works on what is due, or is soon. What a tick that fails leaves undone stays due. */
const tick = (budgetMs: number) => engine.tick({ budgetMs, again: true }).then(() => {}, console.error);

const app = new Hono();
// A request that changes something starts its work; nobody waits for it.
app.use("/pawl/*", async (c, next) => {
  await next();
  if (c.req.method !== "GET" && c.res.ok) void tick(20_000);
});
app.route("/pawl", httpApi(engine, { authorize: bearerTokens([{ token: required("API_TOKEN") }]) }));
app.get("/", (c) => c.redirect("/pawl/ui/"));

// The rest: timers, retries, and what isolates that were killed have left.
Deno.cron("pawl", "* * * * *", () => tick(50_000));

// Deploy says so 5 s before it ends an isolate: others may have its work at once.
Deno.addSignalListener("SIGINT", async () => {
  await engine.stop({ grace: "3s" });
  Deno.exit();
});

export default { fetch: app.fetch } satisfies Deno.ServeDefaultExport;
