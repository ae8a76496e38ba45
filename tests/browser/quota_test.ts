/**
 * A quota that is used up in the middle of work: new runs are refused, those that are there finish. Chromium alone can be
 * told another quota while it runs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { openBrowser, testWithBrowser } from "./browsers.ts";
import { ask } from "./ask.ts";
import { openTab, serveSite } from "./site.ts";

/** As Chromium is, its estimate is made up; without these features it tells of the quota that holds. */
const madeUpFeatures = "StaticStorageQuota,IncognitoStaticStorageQuota";

const pause = () => new Promise((resolve) => setTimeout(resolve, 100));

/** A page whose runs wait, and whose quota can be set. */
function withQuota(
  name: string,
  { args = [], quotaBytes }: { readonly args?: string[]; readonly quotaBytes: number },
  meet: (page: { setQuota(bytes: number): Promise<unknown>; usage(): Promise<number> }) => Promise<void>,
): void {
  testWithBrowser("chrome", `${name} (chrome)`, async () => {
    await using site = await serveSite();
    const browser = await openBrowser("chrome", undefined, { args });
    try {
      const tab = await openTab(browser, site);
      const session = await tab.createCDPSession();
      const { origin } = new URL(site.url);
      const setQuota = (quotaSize: number) =>
        session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize });
      await setQuota(quotaBytes);
      await ask(tab, "startWaiters", { name: "s", reserveBytes });
      const usage = async () => (await ask(tab, "estimate")).usage!;
      const keys: string[] = [];
      const trigger = async (bytes: number) => {
        const key = `form ${keys.length}`;
        const code = await ask(tab, "triggerWaiter", key, bytes);
        if (code === "done") keys.push(key);
        return code;
      };
      const finished = async () => {
        const now = await ask(tab, "waitersNow");
        assert.equal(now.length, keys.length);
        return now.every((each) => each === "filed completed");
      };
      for (let form = 0; form < 3; form++) assert.equal(await trigger(20_000), "done");
      // A first look puts the reserve in its place.
      while (await usage() < reserveBytes) await pause();

      await meet({ setQuota, usage });
      let code = "done";
      while (code === "done") code = await trigger(20_000).finally(pause);
      assert.equal(code, "STORE_FULL");
      assert.equal(await trigger(1), "STORE_FULL");
      const { state, problem } = await ask(tab, "storeHealth");
      assert.equal(state, "full");
      assert.match(problem!, /new runs are refused until there is room/);

      await ask(tab, "letGo");
      while (!await finished()) await pause();
      assert.ok(keys.length > 3, `${keys.length} runs`);

      await setQuota(1_000_000_000);
      do code = await trigger(1).finally(pause); while (code === "STORE_FULL");
      assert.equal(code, "done");
      await ask(tab, "letGo");
      while (!await finished()) await pause();
      assert.equal((await ask(tab, "storeHealth")).state, "ok");
      assert.deepEqual((await ask(tab, "verifyWaiters")).findings, []);
      await ask(tab, "stopWaiters");
    } finally {
      await browser.close();
    }
  });
}

const reserveBytes = 512 * 1024;

withQuota(
  "a quota that is met unawares refuses new runs, and lets others finish on the reserve",
  { quotaBytes: 2_000_000 },
  () => Promise.resolve(),
);

withQuota(
  "a quota that is lowered in the middle of work refuses new runs before it is met, and lets others finish",
  { args: [`--disable-features=${madeUpFeatures}`], quotaBytes: 1_000_000_000 },
  async ({ setQuota, usage }) => void await setQuota(await usage() + 60_000),
);
