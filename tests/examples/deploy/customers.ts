/**
 * Customers: each orders something over HTTP, sees it through, and remembers what it was told.
 *
 * @module
 */
import { type Client, HttpFailedError } from "pawl/plugins/hono/client";
import { type Order, orderMachine } from "../../../examples/deno-deploy/orders.ts";
import { paperShop } from "../../../examples/deno-deploy/http_shop.ts";
import { tooMuch } from "./shop.ts";

/** What customers share with the shop: its names and types. */
export const orders = orderMachine(paperShop);

/** How an order is to end. */
export type Fate = "told" | "declined" | "refunded";

/** What a customer was told of an order. */
export interface Told {
  readonly key: string;
  readonly fate: Fate;
  runId?: string;
  /** The parcel of a callback that was told to be applied. */
  tracking?: string;
  /** The end, as an await told it. */
  end?: string;
}

/** Who orders. */
export interface CustomerOptions {
  readonly client: Client;
  readonly float: () => number;
  /** Whether to order once more. */
  readonly isOpen: () => boolean;
  /** Every order that was begun. */
  readonly told: Told[];
  readonly name: string;
}

/** Longest that one request is repeated: past two rounds of a cron that comes once a minute. */
const patienceMs = 180_000;

/** Refusals that are no answer: the same request is sent again, to whoever is there. */
const isPassing = (error: unknown) =>
  error instanceof HttpFailedError ||
  /^(OUTCOME_UNKNOWN|ENGINE_STOPPED|STORE_\w+|AWAIT_TIMEOUT|CONFLICT)$/.test(
    String((error as { code?: unknown }).code),
  );

/** Orders, one after another. */
export async function order(options: CustomerOptions): Promise<void> {
  for (let count = 0; options.isOpen(); count++) await orderOnce(options, `${options.name}-${count}`);
}

async function orderOnce({ client, float, told }: CustomerOptions, key: string): Promise<void> {
  const draw = float();
  const fate: Fate = draw < 0.15 ? "declined" : draw < 0.4 ? "refunded" : "told";
  const about: Told = { key, fate };
  told.push(about);
  const data: Order = {
    cents: fate === "declined" ? tooMuch + 1 : 1_000,
    email: `${key}@example.com`,
    ...(fate === "refunded" && { shipWithin: Math.floor(float() * 1_500) }),
  };
  const { runId } = await again(() => client.trigger(orders, key, { data, idempotencyKey: key }));
  about.runId = runId;
  if (fate === "told") {
    await again(() => client.await(orders, key, { runId, status: "charged", timeout: "5s" }));
    const tracking = `parcel of ${key}`;
    const options = { runId, idempotencyKey: tracking };
    const { applied } = await again(() => client.callback(orders, key, "charged", { tracking }, options));
    if (applied) about.tracking = tracking;
  }
  const run = await again(() => client.await(orders, key, { runId, timeout: "5s" }));
  about.end = run.status;
}

async function again<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (const until = performance.now() + patienceMs;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error) || performance.now() > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
