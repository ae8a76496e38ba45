/**
 * An engine with one of everything, behind the API, for tests that ask it over HTTP. It names nothing of Deno, so that
 * Node can serve it too.
 *
 * @module
 */
import { memoryStore } from "../../../adapters/memory/mod.ts";
import { createEngine, type Engine, every, machine, silentLogger } from "../../../mod.ts";
import { createWebhooks, httpApi, type HttpApiOptions } from "../../../plugins/hono/mod.ts";
import { prometheusTelemetry } from "../../../plugins/prometheus/mod.ts";
import { Hono } from "hono";

/** Ends at once. */
export const tea = machine<{ sugar: number }>("tea", { stream: true })
  .step("brewing", ["ready"], (run) => {
    run.data.sugar++;
    return "ready";
  })
  .build();

/** Waits for an answer. */
export const order = machine<{ paid?: number } | undefined>("order", { pauseRetry: false })
  .callback("placed", ["paid"], (run, payment: { amount: number }) => {
    if (payment?.amount === -1) throw new Error("secret: the card 4111");
    run.data = { paid: payment?.amount ?? 0 };
    return "paid";
  })
  .timeout("placed", ["late"], { after: "30d" }, () => "late")
  .build();

/** Waits for one answer after another. */
export const poll = machine<{ votes: number }>("poll")
  .callback("open", ["open"], (run, vote: { amount: number }) => {
    run.data.votes += vote.amount;
    return "open";
  })
  .build();

/** Holds a lock for as long as it is left alone. */
export const printing = machine("printing", { pauseRetry: false })
  .step("queued", ["printed"], (run) =>
    new Promise<"printed">((_, reject) => {
      run.signal.addEventListener("abort", () => reject(new Error("stopped")));
    }), { lock: { name: "printer", namespace: "acme" } })
  .build();

/** Its hook fails until it is parked. */
export const failing = machine("failing")
  .step("new", ["done"], () => "done")
  .onComplete(() => {
    throw new Error("no");
  }, { parkAfterErrors: 1 })
  .build();

/** What signs webhooks in tests: base64 of 24 bytes. */
export const senderSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** What is on stage. */
export interface Stage {
  readonly engine: Engine;
  readonly app: Hono;
  readonly webhooks: ReturnType<typeof createWebhooks>;
}

/**
 * @param options In place of those that allow everything.
 * @param url Where webhooks are said to be.
 * @returns A started engine, and an app with the API at `/pawl`.
 */
export async function stage(options: HttpApiOptions = {}, url = "http://api/pawl"): Promise<Stage> {
  const metrics = prometheusTelemetry();
  const engine = createEngine({
    store: memoryStore(),
    definitions: [tea, order, poll, printing, failing],
    logger: silentLogger,
    telemetry: metrics,
  });
  await engine.start();
  const secrets = ["new secret of thirty-two characters!", "old secret of thirty-two characters!"];
  const webhooks = createWebhooks({ url, secrets, senders: { bank: [senderSecret] } });
  const api = httpApi(engine, { authorize: () => true, logger: silentLogger, metrics, webhooks, ...options });
  const app = new Hono();
  app.route("/pawl", api);
  // What only code beside the engine can make.
  app.post("/make/webhook", async (c) => c.text(await webhooks.url(await c.req.json(), { once: true })));
  app.post("/make/event", async (c) => {
    await engine.streams.send("news", [{
      id: crypto.randomUUID(),
      key: "k",
      type: "told",
      data: await c.req.json(),
    }]);
    return c.text("sent");
  });
  return { engine, app, webhooks };
}

/** Somebody's schedule on the wire. */
export const hourly = {
  id: "acme/hourly",
  definition: "tea",
  key: "acme/hourly/{scheduledFor}",
  data: { sugar: 1 },
  recurrence: every("1h").stored,
};
