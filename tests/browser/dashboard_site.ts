/**
 * An engine with its API and dashboard, and a tab on it, for browser tests.
 *
 * @module
 */
import { Hono } from "hono";
import assert from "node:assert/strict";
import { createEngine, type Engine, every, machine, silentLogger } from "pawl";
import { memoryStore } from "pawl/adapters/memory";
import { type Authorize, httpApi } from "pawl/plugins/hono";
import { prometheusTelemetry } from "pawl/plugins/prometheus";
import type { Browser, ElementHandle, Page } from "puppeteer-core";

/** Goes well at once. */
export const orders = machine<{ name: string; items: readonly { sku: string }[] }>("orders", { stream: true })
  .step("placed", ["shipped", "declined"], () => "shipped")
  .build();

/** Waits for a click in a mail. */
export const signUps = machine<{ email: string; by?: string }>("sign-ups")
  .step("new", ["confirming"], () => "confirming")
  .callback("confirming", ["confirmed"], (run, payload: { by: string }) => {
    run.data.by = payload.by;
    return "confirmed";
  })
  .timeout("confirming", ["expired"], { after: "1d" }, () => "expired")
  .build();

/** Breaks, and is paused. */
export const imports = machine("imports")
  .step("parsing", ["stored"], () => {
    throw new SyntaxError('line 7: got ",", want a number');
  }, { pauseAfterErrors: 2, retry: { initial: "1ms" } })
  .build();

/** Waits for a lock that a test has. */
export const deployments = machine("deployments")
  .step("asked", ["live"], () => "live", { lock: "cluster" })
  .build();

const definitions = [orders, signUps, imports, deployments] as const;

/** What is served. */
export interface DashboardSite extends AsyncDisposable {
  readonly engine: Engine;
  readonly url: string;
  /** Says who may do what, from here on. */
  authorize: Authorize;
}

/** Serves it. */
export async function openDashboard(): Promise<DashboardSite> {
  const store = memoryStore({ shards: 2 });
  const telemetry = prometheusTelemetry();
  const engine = createEngine({ store, definitions, telemetry, logger: silentLogger });
  await engine.start();
  const api = httpApi(engine, {
    metrics: telemetry,
    logger: silentLogger,
    authorize: (call) => site.authorize(call),
  });
  const app = new Hono().route("/ops/pawl", api);
  const server = Deno.serve({ port: 0, hostname: "localhost", onListen() {} }, app.fetch);
  const site: DashboardSite = {
    engine,
    url: `http://localhost:${server.addr.port}/ops/pawl/ui`,
    authorize: () => true,
    async [Symbol.asyncDispose]() {
      await engine.stop({ grace: 0 });
      await server.shutdown();
      await store.close();
    },
  };
  return site;
}

/** Runs of every kind, a schedule and a lock. */
export async function fill({ engine }: DashboardSite): Promise<void> {
  for (let n = 0; n < 60; n++) {
    const data = { name: `customer ${n}`, items: [{ sku: "tea" }] };
    await engine.trigger(orders, `order-${n}`, { data });
  }
  await engine.trigger(signUps, "ann", { data: { email: "ann@example.com" } });
  await engine.trigger(imports, "prices.csv", {});
  await engine.mutex("cluster").acquire();
  await engine.trigger(deployments, "deploy-1", {});
  await engine.schedules.create({
    id: "nightly",
    recurrence: every("1d"),
    target: deployments,
    key: "nightly",
    note: "each night",
  });
}

/** Longest wait for what a page is to show; short ones tell nothing on a busy machine. */
const waitMs = 20_000;

/** A tab on the dashboard. */
export class DashboardTab {
  readonly page: Page;
  /** What the browser complained of: errors of scripts, and what the policy has refused. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => void this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (/Content.Security.Policy/i.test(message.text())) this.complaints.push(message.text());
    });
  }

  /** Opens one. */
  static async open(browser: Browser, { url }: DashboardSite, hash = ""): Promise<DashboardTab> {
    const tab = new DashboardTab(await browser.newPage());
    await tab.page.setViewport({ width: 1_280, height: 900 });
    await tab.page.goto(`${url}${hash}`);
    await tab.page.waitForSelector("h1");
    return tab;
  }

  /** Waits until the page shows a text. */
  async shows(text: string | RegExp): Promise<void> {
    const { source, flags } = typeof text === "string" ? { source: RegExp.escape(text), flags: "" } : text;
    try {
      await this.page.waitForFunction(
        (source, flags) => new RegExp(source, flags).test(document.body.innerText),
        { polling: 50, timeout: waitMs },
        source,
        flags,
      );
    } catch (cause) {
      const shown = await this.page.evaluate(() => `${location.hash}\n${document.body.innerText}`);
      throw new Error(`It does not show ${text}, but: ${shown}`, { cause });
    }
  }

  /** Clicks what has a text, or is called so. */
  async press(name: string, within = "body"): Promise<void> {
    const handle = await this.page.waitForFunction(
      (name, within) => {
        const found = [...document.querySelectorAll<HTMLElement>(`${within} :is(button, a, summary, input)`)];
        const nameOf = (each: HTMLElement) => each.getAttribute("aria-label") ?? each.innerText.trim();
        return found.find((each) => nameOf(each) === name && !(each as HTMLButtonElement).disabled);
      },
      { polling: 50, timeout: waitMs },
      name,
      within,
    );
    await (handle.asElement() as ElementHandle<Element>).click();
  }

  /** Chooses of a list that is called so. */
  async choose(name: string, value: string): Promise<void> {
    await this.page.waitForFunction(
      (name, value) => {
        const select = document.querySelector<HTMLSelectElement>(`select[aria-label="${name}"]`);
        return [...select?.options ?? []].some((option) => option.value === value);
      },
      { polling: 50, timeout: waitMs },
      name,
      value,
    );
    await this.page.select(`select[aria-label="${name}"]`, value);
  }

  /** What stands in the first column of a table. */
  keys(): Promise<string[]> {
    return this.page.$$eval("[data-row]", (links) => links.map((link) => link.textContent ?? ""));
  }

  /** Waits for so many rows. */
  async hasRows(count: number): Promise<void> {
    await this.page.waitForFunction(
      (count) => document.querySelectorAll("[data-row]").length === count,
      { polling: 50, timeout: waitMs },
      count,
    );
  }

  /** What the address says behind `#`. */
  hash(): Promise<string> {
    return this.page.evaluate(() => location.hash);
  }

  /** Fails when the browser has complained. */
  isContent(): void {
    assert.deepEqual(this.complaints, []);
  }
}
