// deno-lint-ignore-file no-console -- It says where the dashboard is.
/**
 * The dashboard with something to see: two engines at work on machines that go well, wait, break and queue.
 *
 * ```sh
 * deno task dashboard            # in memory
 * deno task dashboard demo.db    # in a libSQL file, which the next start goes on with
 * deno task dashboard --port 0   # any free port in place of 8787
 * ```
 *
 * It is for this computer only, as everybody who reaches it may do everything.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { Hono } from "hono";
import { createEngine, type Logger, type Store } from "pawl";
import { memoryStore } from "pawl/adapters/memory";
import { httpApi } from "pawl/plugins/hono";
import { prometheusTelemetry } from "pawl/plugins/prometheus";
import { definitions, legacyInvoices } from "./machines.ts";
import { createSchedules, sendTraffic } from "./traffic.ts";

const hostname = "localhost";
const { values, positionals: [path] } = parseArgs({
  args: Deno.args,
  options: { port: { type: "string", default: "8787" } },
  allowPositionals: true,
});
const port = Number(values.port);

/** What breaks here is meant to break, and is to be seen in the dashboard. */
const logger: Logger = { log() {} };

async function openStore(): Promise<Store> {
  if (path === undefined) return memoryStore({ shards: 8 });
  const { libsqlStore } = await import("pawl/adapters/libsql");
  return libsqlStore({ url: `file:${path}` });
}

const store = await openStore();
// An engine that was there before has left work that nobody knows any more.
const before = createEngine({ store, definitions: [legacyInvoices], logger });
await before.trigger(legacyInvoices, "invoice-17", { data: { number: 17 } }).catch(() => {});

const telemetry = prometheusTelemetry();
const engine = createEngine({ store, definitions, telemetry, logger });
const second = createEngine({ store, definitions, logger });
await engine.start();
await second.start();
await createSchedules(engine);

const api = httpApi(engine, {
  metrics: telemetry,
  // A page of another site may have its own name point here; it is not served by that name.
  authorize: ({ request }) => new URL(request.url).hostname === hostname,
});
const app = new Hono().route("/pawl", api);
const traffic = new AbortController();
const server = Deno.serve({ hostname, port, onListen() {} }, app.fetch);
await sendTraffic(engine, traffic.signal);
console.log(`The dashboard is at http://${hostname}:${server.addr.port}/pawl/ui/ - stop it with Ctrl+C`);

Deno.addSignalListener("SIGINT", async () => {
  traffic.abort();
  await Promise.all([engine.stop({ grace: 0 }), second.stop({ grace: 0 })]);
  await store.close();
  Deno.exit();
});
