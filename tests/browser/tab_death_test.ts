/**
 * A tab that was working is gone: closed, crashed, or killed with its browser. Its lease would run for ten minutes, so only
 * its Web Lock can have told the others.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "puppeteer-core";
import { openBrowser, testWithBrowser } from "./browsers.ts";
import { crash, killBrowser } from "./endings.ts";
import { serveSite } from "./site.ts";
import { ask, bothKinds, checkForms, keys, type Scene, sceneIn, testWithTabs, workersOf } from "./tab.ts";

const long = { term: "10m", stepMs: 1_000 };

/** One tab works, another that looks twice in two seconds waits; both are hidden, so nothing moves by itself. */
async function pair({ openBehind }: Scene): Promise<readonly [Page, Page]> {
  const first = await openBehind("one", long);
  const second = await openBehind("two");
  assert.equal(await ask(second, "whoWorks"), "one");
  await ask(first, "trigger", keys("a", 20));
  return [first, second];
}

for (const kind of bothKinds) {
  testWithTabs(kind, "a tab that is closed is replaced long before its lease ends", async (scene) => {
    const [first, second] = await pair(scene);
    await first.close();
    assert.ok(workersOf(await checkForms(second, keys("a", 20))).has("two"));
  });

  testWithBrowser(
    kind,
    `after kill -9 of the browser a new tab takes over long before the lease of the old one ends (${kind})`,
    async () => {
      await using site = await serveSite("tab");
      const profile = await Deno.makeTempDir({ prefix: "pawl-profile-" });
      const first = await openBrowser(kind, profile);
      const tab = await sceneIn(first, site).open("one", long);
      await ask(tab, "trigger", keys("a", 20));
      await killBrowser(first, profile);
      const second = await openBrowser(kind, profile);
      try {
        const again = await sceneIn(second, site).open("two");
        assert.ok(workersOf(await checkForms(again, keys("a", 20))).has("two"));
      } finally {
        await second.close();
      }
      await Deno.remove(profile, { recursive: true });
    },
  );
}

testWithTabs("chrome", "a tab that crashes is replaced long before its lease ends", async (scene) => {
  const [first, second] = await pair(scene);
  await crash(first);
  assert.ok(workersOf(await checkForms(second, keys("a", 20))).has("two"));
});
