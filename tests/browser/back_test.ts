/**
 * The back/forward cache: a page with an open store may enter it, and goes on when it is shown again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { openBrowser, testWithBrowser } from "./browsers.ts";
import { ask } from "./ask.ts";
import { openTab, serveSite, type Site } from "./site.ts";

/** How often a page was shown, anew or again. */
const shows = ({ asked }: Site) => asked.filter((path) => /^\/(back|anew)/.test(path)).length;

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 100));
}

for (const kind of ["chrome", "firefox"] as const) {
  testWithBrowser(
    kind,
    `a page with a store comes back out of the back/forward cache, and goes on (${kind})`,
    async () => {
      await using site = await serveSite();
      const browser = await openBrowser(kind);
      try {
        const [other, tab] = [await openTab(browser, site), await openTab(browser, site)];
        await ask(other, "makeStore", { name: "s" });
        // A browser need not keep a page, as when something is loading still.
        for (let visit = 1; !site.asked.includes("/back"); visit++) {
          assert.ok(visit <= 5, `it was not kept: ${site.asked.join()}`);
          const before = shows(site);
          await tab.goto(site.url);
          await tab.waitForFunction("globalThis.suite");
          await until(() => shows(site) > before);
          // A page that is left in the middle of a transaction need not be kept, either, so nothing goes on beside.
          await ask(tab, "makeStore", { name: "s", reserveBytes: 0 });
          assert.equal(await ask(tab, "putRow", "a"), "done");
          const shown = shows(site);
          await tab.goto(`${site.url}elsewhere`);
          await until(() => shows(site) > shown);
          assert.equal(await ask(other, "putRow", "b"), "done");
          // Its answer may go with the page.
          await tab.evaluate(() => history.back()).catch(() => {});
          await until(() => shows(site) > shown + 1);
        }
        // The page may have told of itself before its driver knows that it is there.
        let row = await ask(tab, "getRow", "a").catch(() => "no page");
        while (row === "no page") row = await ask(tab, "getRow", "a").catch(() => "no page");
        assert.deepEqual([row, await ask(tab, "getRow", "b")], [`"v"`, `"v"`]);
        assert.ok((await ask(tab, "heard")).includes("0 "), "its watcher was not told");
        assert.equal(await ask(other, "putRow", "c"), "done");
        const heard = async () => (await ask(tab, "heard")).at(-1)!.startsWith("0 page");
        while (!await heard());
        assert.equal((await ask(tab, "storeHealth")).state, "ok");
      } finally {
        await browser.close();
      }
    },
  );
}
