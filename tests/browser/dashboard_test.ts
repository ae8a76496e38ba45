/**
 * The dashboard in real browsers, by clicking.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Browser } from "puppeteer-core";
import { type BrowserKind, openBrowser, testWithBrowser } from "./browsers.ts";
import { type DashboardSite, DashboardTab, fill, openDashboard, orders, signUps } from "./dashboard_site.ts";

interface Visit {
  readonly site: DashboardSite;
  readonly browser: Browser;
  open(hash?: string): Promise<DashboardTab>;
}

type Story = (visit: Visit) => Promise<void>;

/** Registers stories of one browser, each with an engine and an origin of its own. */
function inBrowser(kind: BrowserKind, name: string, ...stories: readonly Story[]): void {
  testWithBrowser(kind, `${name} (${kind})`, async () => {
    const browser = await openBrowser(kind);
    try {
      for (const story of stories) {
        await using site = await openDashboard();
        await fill(site);
        await story({ site, browser, open: (hash) => DashboardTab.open(browser, site, hash) });
      }
    } finally {
      await browser.close();
    }
  });
}

/** A run is found, opened, and followed while it goes on. */
const followsRuns: Story = async ({ site, open }) => {
  const tab = await open();
  await tab.hasRows(50);
  assert.match(tab.page.url(), /\/ops\/pawl\/ui\/$/);
  await tab.choose("Definition", "orders");
  await tab.page.waitForFunction(() => location.hash === "#/runs?definition=orders");
  await tab.shows("All that match");
  await tab.press("Next");
  await tab.hasRows(10);
  assert.equal((await tab.keys()).at(-1), "order-0");
  await tab.press("Previous");
  await tab.hasRows(50);
  await tab.page.goBack();
  await tab.hasRows(10);

  await tab.page.evaluate(() => void (location.hash = "#/runs"));
  await tab.press("paused");
  await tab.hasRows(1);
  assert.deepEqual(await tab.keys(), ["prices.csv"]);
  await tab.press("paused");
  await tab.hasRows(50);
  await tab.page.type("[data-search]", "an*");
  await tab.hasRows(1);
  await tab.press("ann");
  await tab.shows(/confirming[\s\S]*Diagram/);
  await tab.page.waitForSelector(".node.current");
  const lit = await tab.page.$eval(".node.current text", (text) => text.textContent);
  assert.equal(lit, "confirming");

  await tab.press("Callback …");
  await tab.page.waitForSelector("dialog textarea");
  await tab.page.type("dialog textarea", "{ by");
  await tab.press("Send", "dialog");
  await tab.shows("The payload is no JSON");
  await tab.page.$eval("dialog textarea", (area) => ((area as HTMLTextAreaElement).value = ""));
  await tab.page.type("dialog textarea", '{ "by": "a clerk" }');
  await tab.press("Send", "dialog");
  await tab.page.waitForFunction(() =>
    document.querySelector(".node.current text")?.textContent === "confirmed"
  );
  await tab.shows(/confirming → confirmed/);
  assert.equal((await site.engine.get(signUps, "ann"))?.data.by, "a clerk");
  await tab.page.type(".json input", "CLERK");
  await tab.shows("1 found");
  assert.equal(await tab.page.$eval(".tree mark", (mark) => mark.textContent), "clerk");
  tab.isContent();
};

/** All that match, and those that are selected. */
const changesMany: Story = async ({ site, open }) => {
  const { engine } = site;
  for (const key of ["bob", "eve"]) await engine.trigger(signUps, key, { data: { email: key } });
  const tab = await open("#/runs?definition=sign-ups");
  await tab.hasRows(3);
  await tab.press("Pause all …");
  await tab.shows("For all runs of sign-ups, that are initiated or running.");
  await tab.press("Count them first", "dialog");
  await tab.shows("3 match");
  await tab.page.type("dialog input[name=reason]", "stock-taking");
  await tab.press("Pause", "dialog");
  await tab.shows("3 done, 0 failed, of 3");
  assert.equal((await engine.get(signUps, "bob"))?.reason, "stock-taking");
  await tab.page.click("dialog footer button");

  await engine.cancel(signUps, "eve");
  await tab.shows("cancelled by an operator");
  for (const key of ["bob", "eve"]) await tab.press(`Select ${key}`);
  await tab.shows("2 selected");
  await tab.press("Resume …");
  await tab.shows("1 of them are in a state that does not allow it");
  await tab.press("Resume", "dialog");
  await tab.shows("1 done, 1 failed, of 2");
  const failures = await tab.page.$eval(".failures", (list) => (list as HTMLElement).innerText);
  assert.match(failures, /eve\s*RUN_STATE/);
  tab.isContent();
};

for (const kind of ["chrome", "firefox"] as const) {
  const name =
    "dashboard: runs are filtered, paged, opened, followed, and changed at once with each failure told";
  inBrowser(kind, name, followsRuns, changesMany);
}

const axe = await Deno.readTextFile(new URL(import.meta.resolve("axe-core/axe.min.js")));

/** What axe finds: rules, and where they are broken. */
async function findings({ page }: DashboardTab): Promise<readonly string[]> {
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
      };
    };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`)
    );
  });
}

/** Each page, and what it shows when it is there. */
const pages: Readonly<Record<string, RegExp>> = {
  "#/runs": /order-59/,
  "#/runs?definition=orders&state=failed": /There are no runs for this filter/,
  "#/runs/orders/order-1": /placed → shipped[\s\S]*/,
  "#/runs/imports/prices.csv": /SyntaxError[\s\S]*failed attempt/,
  "#/runs/orders/nobody": /RUN_NOT_FOUND/,
  "#/schedules": /nightly/,
  "#/schedules/nightly": /Outcomes/,
  "#/locks": /cluster/,
  "#/locks/default/cluster": /Holders[\s\S]*Take away/,
  "#/engines": /alive[\s\S]*orders/,
  "#/metrics": /orders-placed-consumer/,
  "#/events/orders-placed?from=start": /Listening[\s\S]*order-0/,
  "#/nowhere": /There is no such page/,
};

inBrowser(
  "chrome",
  "dashboard: axe finds nothing in any page, in light and dark, and none is too wide",
  async ({ open }) => {
    const tab = await open();
    // The policy refuses scripts of others, but not those of the driver.
    await tab.page.evaluate(axe);
    for (const [hash, text] of Object.entries(pages)) {
      await tab.page.evaluate((hash) => void (location.hash = hash), hash);
      await tab.shows(text);
      for (
        const [width, scheme] of [[1_280, "light"], [390, "dark"], [390, "light"], [1_280, "dark"]] as const
      ) {
        await tab.page.setViewport({ width, height: 900 });
        await tab.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        if ((width === 390) === (scheme === "dark")) {
          assert.deepEqual(
            await findings(tab),
            [],
            `${hash}, ${scheme}, ${width} wide`,
          );
        }
        const overflow = await tab.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${hash} is ${overflow} px wider than ${width}`);
      }
    }
    await tab.page.keyboard.press("?");
    await tab.page.waitForSelector("dialog[open]");
    assert.deepEqual(await findings(tab), []);
    tab.isContent();
  },
);

inBrowser(
  "chrome",
  "dashboard: all is reached by keys, and dialogs keep the focus and give it back",
  async ({ open }) => {
    const tab = await open();
    const { keyboard } = tab.page;
    const focused = () => tab.page.evaluate(() => document.activeElement?.textContent ?? "");
    await tab.hasRows(50);
    const [first, second] = await tab.keys();
    await keyboard.press("j");
    assert.equal(await focused(), first);
    await keyboard.press("j");
    assert.equal(await focused(), second);
    await keyboard.press("x");
    await tab.shows("1 selected");
    await keyboard.press("?");
    await tab.page.waitForSelector("dialog[open]");
    for (let n = 0; n < 6; n++) {
      await keyboard.press("Tab");
      const isInside = await tab.page.evaluate(() =>
        document.activeElement === document.body ||
        document.querySelector("dialog")!.contains(document.activeElement)
      );
      assert.ok(isInside, "the focus has left the dialog");
    }
    await keyboard.press("Escape");
    await tab.page.waitForFunction(() => !document.querySelector("dialog"));
    assert.equal(await focused(), second);
    await keyboard.press("/");
    await keyboard.type("gs");
    await tab.page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await keyboard.press("g");
    await keyboard.press("s");
    await tab.shows("each night");
    assert.equal(await tab.page.title(), "Schedules · Pawl");
    await keyboard.press("d");
    await keyboard.press("d");
    assert.equal(
      await tab.page.evaluate(() => getComputedStyle(document.documentElement).colorScheme),
      "dark",
    );
    await tab.page.reload();
    await tab.shows("each night");
    assert.equal(await tab.page.evaluate(() => document.documentElement.dataset.theme), "dark");
    tab.isContent();
  },
);

inBrowser(
  "chrome",
  "dashboard: what the data holds is text, and what is refused is said",
  async ({ site, browser, open }) => {
    const evil = `<img src=x onerror="globalThis.isHurt=1">/../"'&%2f`;
    await site.engine.trigger(orders, evil, { data: { name: evil, items: [] } });
    const tab = await open("#/runs");
    await tab.hasRows(50);
    await tab.press(evil);
    await tab.shows(/placed → shipped/);
    assert.equal(await tab.page.$eval("h1", (heading) => heading.textContent), evil);
    await tab.shows(JSON.stringify(evil));
    assert.equal(await tab.page.evaluate(() => "isHurt" in globalThis), false);

    site.authorize = ({ access, verb }) => access === "read" && verb !== "locks.list" && verb !== "engines";
    await tab.press("Delete data …");
    await tab.press("Delete data", "dialog");
    await tab.page.waitForSelector("dialog .note.error");
    await tab.page.keyboard.press("Escape");
    await tab.page.evaluate(() => void (location.hash = "#/locks"));
    await tab.shows("You may not see this");
    await tab.page.evaluate(() => void (location.hash = "#/engines"));
    await tab.shows(/You may not see this[\s\S]*Shards by owner/);
    site.authorize = () => new Response(null, { status: 401 });
    await tab.page.evaluate(() => void (location.hash = "#/runs"));
    await tab.shows("Sign in to the service");
    tab.isContent();
    const stranger = await browser.newPage();
    assert.equal((await stranger.goto(site.url))?.status(), 401);
  },
);
