/**
 * The engine, its API, and when it works: after each request that changes something, and whenever it is told to.
 *
 * @module
 */
import { createEngine, type Duration, type Engine, type Store } from "pawl";
import { bearerTokens, httpApi } from "pawl/plugins/hono";
import { Hono } from "hono";
import { orderMachine, type Shop } from "./orders.ts";

/** What the app is made of. */
export interface AppOptions {
  readonly store: Store;
  readonly shop: Shop;
  /** Whoever sends it may do everything. */
  readonly apiToken: string;
  /** For how long the work of an isolate that was killed waits for another one; default 10 s. */
  readonly lease?: Duration;
}

/** The app. */
export interface App {
  readonly engine: Engine;
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** Works for as long as there is something due within the next `budgetMs`. */
  tick(budgetMs: number): Promise<void>;
}

/** How long an isolate works on after a request. Deploy keeps it for longer than this while requests come. */
const afterRequestMs = 20_000;

/**
 * Makes the app. Nothing is asked of the store before the first request: so an isolate starts at once.
 *
 * @param options What it is made of.
 * @returns The app.
 */
export function createApp({ store, shop, apiToken, lease = "10s" }: AppOptions): App {
  const engine = createEngine({ store, definitions: [orderMachine(shop)], lease: { term: lease } });
  const tick = async (budgetMs: number) => {
    try {
      await engine.tick({ budgetMs, again: true });
    } catch (error) {
      // Nothing is lost: what is due stays due, and the next tick does it.
      if ((error as { code?: string }).code === "ENGINE_STOPPED") return;
      // deno-lint-ignore no-console -- Deploy shows it among the logs
      console.error("A tick failed", error);
    }
  };
  const app = new Hono();
  app.use("/pawl/*", async (c, next) => {
    await next();
    const changes = c.req.method !== "GET" && !c.req.path.endsWith("/tick");
    // Nobody waits for it: the answer is on its way while the first step runs.
    if (changes && c.res.ok) void tick(afterRequestMs);
  });
  app.route("/pawl", httpApi(engine, { authorize: bearerTokens([{ token: apiToken }]) }));
  app.get("/", (c) => c.text("A shop. See /pawl/openapi.json."));
  return { engine, fetch: app.fetch, tick };
}
