/**
 * IndexedDB in real browsers: the store contract, several tabs, and what kills them.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Browser, Page } from "puppeteer-core";
import { ask } from "./ask.ts";
import { type BrowserKind, openBrowser, testWithBrowser, withBrowser } from "./browsers.ts";
import { openTab, serveSite, type Site } from "./site.ts";

function inBrowser(
  kind: BrowserKind,
  name: string,
  run: (browser: Browser, site: Site) => Promise<void>,
): void {
  testWithBrowser(kind, `${name} (${kind})`, async () => {
    await using site = await serveSite();
    await withBrowser(kind, (browser) => run(browser, site));
  });
}

const keys = (front: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${front}${index}`);

/** Every run has ended, each of its steps is in its data once, and the store is sound. */
async function checkAll(tab: Page, wanted: readonly string[]): Promise<void> {
  await ask(tab, "allEnded");
  const runs = await ask(tab, "runs");
  assert.deepEqual(runs.map(({ key }) => key).sort(), [...wanted].sort());
  for (const { key, data } of runs) {
    const steps = (data as { seen: string[] }).seen.map((each) => each.split(" ")[0]);
    assert.deepEqual(steps, ["filled", "checked", "signed"], key);
  }
  assert.deepEqual((await ask(tab, "verify")).findings, []);
}

/** What an option changes is the same in every browser, and the suite takes its time. */
const shapes = { chrome: [{}, { durability: "full", shards: 4 }], firefox: [{}] } as const;

for (const kind of ["chrome", "firefox"] as const) {
  for (const options of shapes[kind]) {
    inBrowser(
      kind,
      `IndexedDB keeps the store contract, ${JSON.stringify(options)}`,
      async (browser, site) => {
        const { passed, failed } = await ask(await openTab(browser, site), "conformance", options);
        assert.deepEqual(failed, []);
        assert.ok(passed > 40, `${passed} cases`);
      },
    );
  }

  inBrowser(kind, "two tabs on one store do each step once, whoever asked for it", async (browser, site) => {
    const tabs = [await openTab(browser, site), await openTab(browser, site)] as const;
    await Promise.all([ask(tabs[0], "start", "one"), ask(tabs[1], "start", "two")]);
    await Promise.all([ask(tabs[0], "trigger", keys("a", 30)), ask(tabs[1], "trigger", keys("b", 30))]);
    await checkAll(tabs[1], [...keys("a", 30), ...keys("b", 30)]);
    await Promise.all(tabs.map((tab) => ask(tab, "stop")));
  });

  inBrowser(
    kind,
    "a tab that is closed in the middle of its work is replaced by the other",
    async (browser, site) => {
      const [first, second] = [await openTab(browser, site), await openTab(browser, site)];
      await ask(first, "start", "one", { stepMs: 300 });
      await ask(first, "trigger", keys("a", 20));
      await ask(second, "start", "two");
      await first.close();
      await checkAll(second, keys("a", 20));
    },
  );

  testWithBrowser(kind, `what was acknowledged outlives kill -9 of the browser (${kind})`, async () => {
    await using site = await serveSite();
    const profile = await Deno.makeTempDir({ prefix: "pawl-profile-" });
    const first = await openBrowser(kind, profile);
    const tab = await openTab(first, site);
    await ask(tab, "start", "one", { stepMs: 200 });
    await ask(tab, "trigger", keys("a", 20));
    first.process()!.kill("SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    for (const lock of ["SingletonLock", "SingletonSocket", "SingletonCookie", ".parentlock", "lock"]) {
      await Deno.remove(`${profile}/${lock}`).catch(() => {});
    }
    const second = await openBrowser(kind, profile);
    try {
      const again = await openTab(second, site);
      await ask(again, "start", "two");
      await checkAll(again, keys("a", 20));
      assert.equal((await ask(again, "health")).state, "ok");
    } finally {
      await second.close();
    }
    await Deno.remove(profile, { recursive: true });
  });
}

inBrowser("chrome", "a tab whose renderer crashes is replaced by the other", async (browser, site) => {
  const [first, second] = [await openTab(browser, site), await openTab(browser, site)];
  await ask(first, "start", "one", { stepMs: 300 });
  await ask(first, "trigger", keys("a", 20));
  await ask(second, "start", "two");
  const session = await first.createCDPSession();
  // The answer to a crash never comes.
  session.send("Page.crash").catch(() => {});
  await checkAll(second, keys("a", 20));
});
