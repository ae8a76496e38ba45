/**
 * Isolates on one database that are killed at any moment while customers order, and what is true when it is over.
 *
 * @module
 */
import { createClient as createWebClient } from "@libsql/client/web";
import { libsqlStore } from "pawl/adapters/libsql";
import { createClient } from "pawl/plugins/hono/client";
import { seededRandom } from "../../../core/ports/random.ts";
import { startSqld } from "../../sqld/server.ts";
import { order, type Told } from "./customers.ts";
import { judge } from "./judge.ts";
import { Platform } from "./platform.ts";
import { openShop, type ShopServer } from "./shop.ts";

/** How rough, and for how long. */
export interface StormOptions {
  readonly seed: number;
  /** Of harm, at least; what comes after takes as long as it takes. */
  readonly seconds: number;
  /** Of isolates, at least. */
  readonly kills: number;
  readonly customers: number;
  /** Isolates at once, at most. */
  readonly isolates: number;
  /** Milliseconds from one deed to the next, at most. */
  readonly pauseMs: number;
  /** Milliseconds between ticks from outside; 0: there are none, only what requests and `Deno.cron` do. */
  readonly cronMs: number;
  readonly flags?: readonly string[];
}

/** What came of it. */
export interface StormOutcome {
  readonly broken: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  /** What isolates said last. */
  readonly said: readonly string[];
}

const apiToken = "the-secret-of-the-storm";
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** How long the work of a killed isolate waits. */
const lease = "1500ms";

/**
 * Lives through one.
 *
 * @param options How rough.
 * @returns What came of it.
 */
export async function storm(options: StormOptions): Promise<StormOutcome> {
  const random = seededRandom(options.seed);
  const float = () => random.float();
  const server = await startSqld();
  const shop = openShop(float);
  const said: string[] = [];
  const env = {
    TURSO_DATABASE_URL: server.url("http"),
    API_TOKEN: apiToken,
    SHOP_URL: shop.url,
    LEASE: lease,
  };
  const log = (line: string) => void (said.push(line) > 50 && said.shift());
  const platform = new Platform({ env, float, log, ...(options.flags && { flags: options.flags }) });
  const client = createClient({
    url: "http://deploy/pawl",
    fetch: platform.fetch,
    headers: { authorization: `Bearer ${apiToken}` },
    pollMs: 1_000,
  });
  const told: Told[] = [];
  let [isOpen, isQuiet] = [true, false];
  const cron = async () => {
    while (!isQuiet && options.cronMs > 0) {
      await client.tick({ budgetMs: options.cronMs, again: true }).catch(() => {});
      await sleep(options.cronMs);
    }
  };
  const ticking = cron();
  try {
    const customers = Array.from(
      { length: options.customers },
      (_, n) => order({ client, float, told, isOpen: () => isOpen, name: `c${n}` }),
    );
    const ordered = Promise.allSettled(customers);
    await harm({ platform, shop, float }, options);
    isOpen = false;
    const failed = (await ordered).flatMap((each) => each.status === "rejected" ? [String(each.reason)] : []);
    isQuiet = true;
    await ticking;
    while (platform.size > 0) await platform.stop();
    const store = libsqlStore({ client: createWebClient({ url: server.url("http") }) });
    const broken = await judge(store, told, shop.deeds);
    await store.close();
    const counts = { ...platform.counts, orders: told.length, deeds: shop.deeds.length };
    return { broken: [...failed, ...platform.failures, ...broken], counts, said };
  } finally {
    isOpen = false;
    isQuiet = true;
    await platform.close();
    await shop.close();
    await server.stop();
  }
}

/** Longest that something to break is waited for. */
const peaceMsMax = 3_000;

async function harm(
  { platform, shop, float }: {
    readonly platform: Platform;
    readonly shop: ShopServer;
    readonly float: () => number;
  },
  options: StormOptions,
): Promise<void> {
  const until = performance.now() + options.seconds * 1_000;
  while (performance.now() < until || platform.counts.killed < options.kills) {
    if (platform.size < options.isolates && float() < 0.6) await platform.start();
    const [before, peaceUntil] = [shop.deeds.length, performance.now() + peaceMsMax];
    await sleep(float() * options.pauseMs);
    while (shop.deeds.length === before && performance.now() < peaceUntil) await sleep(5);
    const draw = float();
    if (draw < 0.65) await platform.kill();
    else if (draw < 0.8) await platform.stop();
    // All of them at once: the next request starts from nothing.
    else if (draw < 0.9) { while (platform.size > 0) await platform.kill(); }
  }
}
