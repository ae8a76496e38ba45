import { consoleLogger, type Engine, systemClock } from "pawl";
import { Hono } from "hono";
import { answer } from "./answer.ts";
import type { PawlApi } from "./contract.ts";
import { type Api, defaultHttpLimits, type HttpApiOptions } from "./options.ts";
import { routes } from "./table.ts";

/**
 * The engine over HTTP: every verb, as a Hono app that is mounted wherever Hono runs. It allows nothing until it is given
 * `authorize`.
 *
 * @param engine What it reaches.
 * @param options Who may do what, and bounds.
 * @returns The app.
 *
 * @example
 * ```ts
 * import { createEngine, machine } from "pawl";
 * import { memoryStore } from "pawl/adapters/memory";
 * import { httpApi } from "pawl/plugins/hono";
 * import { Hono } from "hono";
 * import assert from "node:assert/strict";
 * const tea = machine("tea").step("brewing", ["ready"], () => "ready").build();
 * const engine = createEngine({ store: memoryStore(), definitions: [tea] });
 * await engine.start();
 * const app = new Hono().route("/pawl", httpApi(engine, { authorize: () => true }));
 * const triggered = await app.request("/pawl/runs/tea/cup-1", { method: "POST" });
 * assert.equal(triggered.status, 201);
 * const run = await (await app.request("/pawl/runs/tea/cup-1/await")).json();
 * assert.equal(run.status, "ready");
 * await engine.stop();
 * ```
 */
export function httpApi(engine: Engine, options: HttpApiOptions = {}): PawlApi {
  const api: Api = {
    engine,
    options,
    limits: { ...defaultHttpLimits, ...options.limits },
    clock: options.clock ?? systemClock(),
    logger: options.logger ?? consoleLogger(),
    streams: { open: 0 },
  };
  const app = new Hono();
  for (const route of routes) {
    app.on(
      route.method,
      route.path,
      (c) => answer(api, route, { request: c.req.raw, params: c.req.param() }),
    );
  }
  return app as unknown as PawlApi;
}
