/**
 * What real browsers do to a store that an IndexedDB in memory only plays: private windows, quotas, pages that go and come
 * back, databases that are deleted or held.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Browser, Page } from "puppeteer-core";
import { type BrowserKind, type BrowserOptions, testWithBrowser, withBrowser } from "./browsers.ts";
import { ask } from "./ask.ts";
import { openTab, serveSite, type Site } from "./site.ts";

function inBrowser(
  kind: BrowserKind,
  name: string,
  run: (browser: Browser, site: Site) => Promise<void>,
  options: BrowserOptions = {},
): void {
  testWithBrowser(kind, `${name} (${kind})`, async () => {
    await using site = await serveSite();
    await withBrowser(kind, (browser) => run(browser, site), options);
  });
}

/** Resolves when something holds. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((resolve) => setTimeout(resolve, 100));
}

for (const kind of ["chrome", "firefox"] as const) {
  inBrowser(kind, "a store deleted between two visits is told as lost", async (browser, site) => {
    const [first, other] = [await openTab(browser, site), await openTab(browser, site)];
    await ask(first, "makeStore", { name: "s" });
    assert.equal(await ask(first, "putRow", "a"), "done");
    const { storeId, isNew, noticesLoss } = await ask(first, "storeHealth");
    assert.deepEqual([isNew, noticesLoss], [true, true]);
    await first.close();
    await ask(other, "deleteStore", "s");
    await ask(other, "makeStore", { name: "s" });
    assert.equal(await ask(other, "getRow", "a"), undefined);
    const health = await ask(other, "storeHealth");
    assert.deepEqual([health.state, health.lostStoreId, health.isNew], ["lost", storeId, true]);
  });

  inBrowser(
    kind,
    "a worker tells that a store is new, and that it would miss none",
    async (browser, site) => {
      const tab = await openTab(browser, site);
      const first = await ask(tab, "healthInWorker", "s");
      const again = await ask(tab, "healthInWorker", "s");
      assert.deepEqual([first, again].map(({ isNew, noticesLoss }) => [isNew, noticesLoss]), [
        [true, false],
        [false, false],
      ]);
      assert.equal(again.storeId, first.storeId);
      await ask(tab, "deleteStore", "s");
      const fresh = await ask(tab, "healthInWorker", "s");
      assert.equal(fresh.isNew, true);
      assert.notEqual(fresh.storeId, first.storeId);
    },
  );

  inBrowser(
    kind,
    "a database that another tab holds is STORE_BUSY in time, and opens when it is free",
    async (
      browser,
      site,
    ) => {
      const [tab, other] = [await openTab(browser, site), await openTab(browser, site)];
      await ask(other, "hold", "s");
      await ask(other, "askToDelete", "s");
      await ask(tab, "makeStore", { name: "s", requestTimeoutMs: 500 });
      assert.equal(await ask(tab, "readCode"), "STORE_BUSY");
      assert.equal((await ask(tab, "storeHealth")).state, "blocked");
      await ask(other, "letHeldGo");
      await until(async () => await ask(tab, "putRow", "a") === "done");
      assert.equal((await ask(tab, "storeHealth")).state, "ok");
    },
  );

  inBrowser(kind, "a database of a later version that another tab holds is STORE_INCOMPATIBLE", async (
    browser,
    site,
  ) => {
    const [tab, other] = [await openTab(browser, site), await openTab(browser, site)];
    await ask(other, "hold", "s", 7);
    await ask(tab, "makeStore", { name: "s" });
    assert.equal(await ask(tab, "readCode"), "STORE_INCOMPATIBLE");
  });

  inBrowser(
    kind,
    "a page that is left and shown again goes on with its store, and its watchers are told",
    async (
      browser,
      site,
    ) => {
      const tab = await openTab(browser, site);
      await ask(tab, "makeStore", { name: "s" });
      await ask(tab, "putRow", "a");
      const front = (await ask(tab, "heard")).length;
      await tab.evaluate(() => {
        dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
      });
      assert.equal(await ask(tab, "putRow", "b"), "done");
      assert.deepEqual([await ask(tab, "getRow", "a"), await ask(tab, "getRow", "b")], [`"v"`, `"v"`]);
      assert.equal((await ask(tab, "heard"))[front], "0 ");
    },
  );

  inBrowser(
    kind,
    "a store that is closed by a page that is left lets others delete it",
    async (browser, site) => {
      const [tab, other] = [await openTab(browser, site), await openTab(browser, site)];
      await ask(tab, "makeStore", { name: "s" });
      await ask(tab, "putRow", "a");
      const { storeId } = await ask(tab, "storeHealth");
      await tab.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
      await ask(other, "deleteStore", "s");
      await tab.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
      assert.equal(await ask(tab, "getRow", "a"), undefined);
      assert.equal((await ask(tab, "storeHealth")).lostStoreId, storeId);
    },
  );
}

async function mediumOf(tab: Page): Promise<string> {
  await ask(tab, "makeStore", { name: "s" });
  await ask(tab, "putRow", "a");
  assert.equal(await ask(tab, "getRow", "a"), `"v"`);
  return (await ask(tab, "storeHealth")).medium;
}

inBrowser("firefox", "an ordinary window's store lies on disk", async (browser, site) => {
  const tab = await openTab(browser, site);
  await mediumOf(tab);
  await until(async () => (await ask(tab, "storeHealth")).medium === "disk");
});

const privately = { firefoxPrefs: { "browser.privatebrowsing.autostart": true } };

inBrowser("firefox", "a private window's store is told to go with its session, and can be refused", async (
  browser,
  site,
) => {
  const tab = await openTab(browser, site);
  await mediumOf(tab);
  await until(async () => (await ask(tab, "storeHealth")).medium === "session");
  await ask(tab, "makeStore", { name: "refused", privateWindows: "refuse" });
  assert.equal(await ask(tab, "readCode"), "UNSUPPORTED");
  const worker = await ask(tab, "healthInWorker", "other");
  assert.notEqual(worker.medium, "disk");
}, privately);

for (const args of [[], ["--incognito"]]) {
  inBrowser("chrome", `Chromium hides where a store lies ${args.join()}`, async (browser, site) => {
    assert.equal(await mediumOf(await openTab(browser, site)), "unknown");
    const context = await browser.createBrowserContext();
    const tab = await openTab(context, site);
    assert.equal(await mediumOf(tab), "unknown");
    await ask(tab, "makeStore", { name: "kept", privateWindows: "refuse" });
    assert.equal(await ask(tab, "readCode"), "done");
  }, { args });
}

for (const [setting, isPersisted] of [["granted", true], ["denied", false]] as const) {
  inBrowser("chrome", `persist() tells that it is ${setting}`, async (browser, site) => {
    const tab = await openTab(browser, site);
    const session = await tab.createCDPSession();
    await session.send("Browser.setPermission", {
      permission: { name: "persistent-storage" },
      setting,
      origin: new URL(site.url).origin,
    });
    const answer = await ask(tab, "persist");
    assert.deepEqual([answer.isSupported, answer.isPersisted], [true, isPersisted]);
    assert.ok(answer.quotaBytes! > 0 && answer.freeBytes! <= answer.quotaBytes!);
  });
  const prefs = {
    "dom.storageManager.prompt.testing": true,
    "dom.storageManager.prompt.testing.allow": isPersisted,
  };
  inBrowser("firefox", `persist() tells that it is ${setting}`, async (browser, site) => {
    const answer = await ask(await openTab(browser, site), "persist");
    assert.deepEqual([answer.isSupported, answer.isPersisted], [true, isPersisted]);
    assert.ok(answer.quotaBytes! > 0);
  }, { firefoxPrefs: prefs });
}
