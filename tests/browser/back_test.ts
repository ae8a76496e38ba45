/**
 * The back/forward cache: a page with an open store may enter it, and goes on when it is shown again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { openBrowser, testWithBrowser } from "./browsers.ts";
import { ask } from "./ask.ts";
import { openTab, serveSite } from "./site.ts";

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
        // A page that is left in the middle of a transaction need not be kept, so nothing goes on beside.
        await ask(tab, "makeStore", { name: "s", reserveBytes: 0 });
        assert.equal(await ask(tab, "putRow", "a"), "done");
        await tab.goto(`${site.url}elsewhere`);
        assert.equal(await ask(other, "putRow", "b"), "done");
        await tab.evaluate(() => history.back());
        while (!site.asked.includes("/back")) {
          assert.deepEqual(site.asked.filter((path) => path.startsWith("/anew {")), [], "it was not kept");
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        assert.deepEqual([await ask(tab, "getRow", "a"), await ask(tab, "getRow", "b")], [`"v"`, `"v"`]);
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
