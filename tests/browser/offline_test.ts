/**
 * The example of offline inspections in real browsers: no network, no server, crashes, two tabs, and what it looks like to
 * those who use a keyboard or a screen reader.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Browser } from "puppeteer-core";
import { type BrowserKind, openBrowser, testWithBrowser, withBrowser } from "./browsers.ts";
import { InspectionTab, OfficeSite } from "./office_site.ts";

interface Visit {
  readonly browser: Browser;
  readonly office: OfficeSite;
  open(): Promise<InspectionTab>;
}

function inBrowser(kind: BrowserKind, name: string, run: (visit: Visit) => Promise<void>): void {
  testWithBrowser(kind, `${name} (${kind})`, async () => {
    await using office = await OfficeSite.open();
    await withBrowser(
      kind,
      (browser) => run({ browser, office, open: () => InspectionTab.open(browser, office) }),
    );
  });
}

/** A picture that is larger than the office wants it. */
async function withPhoto(run: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".svg" });
  await Deno.writeTextFile(
    path,
    `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="9"/></svg>`,
  );
  try {
    await run(path);
  } finally {
    await Deno.remove(path);
  }
}

for (const kind of ["chrome", "firefox"] as const) {
  inBrowser(
    kind,
    "an inspection that is saved offline waits, and is sent once when online",
    async (visit) => {
      const { office } = visit;
      const tab = await visit.open();
      await withPhoto(async (photo) => {
        await tab.page.setOfflineMode(true);
        await tab.save("PU-101", { isDefect: true, photo });
        await tab.says("pending", "It is sent when you are online");
        await tab.save("BO-201");
        await tab.shows("pending", "BO-201", "PU-101");
        assert.deepEqual(office.assetsReceived, []);
        await tab.page.setOfflineMode(false);
        await tab.shows("done", "BO-201", "PU-101");
        await office.has("BO-201", "PU-101");
      });
    },
  );

  inBrowser(
    kind,
    "an inspection whose answer is lost, in a page that is reloaded, is sent once",
    async (visit) => {
      const { office } = visit;
      const tab = await visit.open();
      office.mood = "losesAnswers";
      await tab.save("PU-101");
      await tab.says("pending", "The server answered 503");
      await tab.reload();
      await tab.shows("pending", "PU-101");
      office.mood = "well";
      await tab.shows("done", "PU-101");
      await office.has("PU-101");
    },
  );

  inBrowser(
    kind,
    "the app opens without its server, and what it keeps is sent when there is one",
    async (visit) => {
      const { office } = visit;
      const tab = await visit.open();
      await tab.installed();
      await tab.save("PU-101");
      await tab.shows("done", "PU-101");
      await office.stop();
      await tab.reload();
      await tab.shows("done", "PU-101");
      await tab.save("BO-201");
      await tab.says("pending", "The server cannot be reached");
      await tab.reload();
      await tab.shows("pending", "BO-201");
      await office.start();
      await tab.press("pending", "Try now");
      await tab.shows("done", "BO-201", "PU-101");
      await office.has("BO-201", "PU-101");
    },
  );

  inBrowser(kind, "what is typed outlives a reload", async (visit) => {
    const tab = await visit.open();
    await tab.fill("PU-101", { isDefect: true });
    await tab.reload();
    const typed = await tab.page.$$eval(
      "#form input:not([type=file]), #form textarea",
      (inputs) =>
        inputs.map((input) => input as HTMLInputElement)
          .filter((input) => input.type !== "radio" || input.checked).map((input) => input.value),
    );
    assert.deepEqual(typed, ["PU-101", "Ann Meyer", "ok", "defect", "ok", "ok", "Drips at the seal"]);
  });

  inBrowser(kind, "what the office refuses is shown, tried again, corrected, or discarded", async (visit) => {
    const { office } = visit;
    const tab = await visit.open();
    await tab.save("CR-301");
    await tab.says("attention", "The office does not know an asset CR-301");
    office.assets.add("CR-301");
    await tab.press("attention", "Try again");
    await tab.shows("done", "CR-301");

    await tab.save("XX-999", { isDefect: true });
    await tab.shows("attention", "XX-999");
    await tab.press("attention", "Correct");
    assert.equal(
      await tab.page.$eval("#notes", (notes) => (notes as HTMLTextAreaElement).value),
      "Drips at the seal",
    );
    await tab.save("PU-101", { isDefect: true });
    await tab.shows("done", "PU-101", "CR-301");

    await tab.save("XX-999");
    await tab.shows("attention", "XX-999");
    tab.page.on("dialog", (dialog) => void dialog.accept());
    await tab.press("attention", "Discard");
    await tab.shows("attention");
    await office.has("CR-301", "PU-101");
  });

  inBrowser(kind, "two tabs show the same lists, whichever of them does the work", async (visit) => {
    const { office } = visit;
    const tabs = [await visit.open(), await visit.open()] as const;
    office.mood = "closed";
    await tabs[0].page.bringToFront();
    await tabs[0].save("PU-101");
    await tabs[1].page.bringToFront();
    await tabs[1].save("BO-201");
    for (const tab of tabs) await tab.shows("pending", "BO-201", "PU-101");
    office.mood = "well";
    for (const tab of tabs) await tab.shows("done", "BO-201", "PU-101");
    await office.has("BO-201", "PU-101");
  });

  inBrowser(kind, "the service worker sends what a page that was closed has kept", async (visit) => {
    const { browser, office } = visit;
    const tab = await visit.open();
    await tab.installed();
    office.mood = "closed";
    await tab.save("PU-101");
    await tab.says("pending", "The server answered 503");
    const other = await browser.newPage();
    await tab.page.close();
    office.mood = "well";
    await office.has("PU-101");
    await other.close();
  });

  inBrowser(kind, "what the device has no room for stays in the form, and is said", async (visit) => {
    const tab = await visit.open();
    await tab.fill("PU-101", { isDefect: true });
    await tab.page.evaluate(() => {
      const { prototype } = IDBObjectStore;
      const { put } = prototype;
      Object.assign(globalThis, { makeRoom: () => Object.assign(prototype, { put }) });
      prototype.put = () => {
        throw new DOMException("no room", "QuotaExceededError");
      };
    });
    await tab.submit();
    await tab.page.waitForSelector("#refusal:not([hidden])");
    await tab.page.waitForSelector("#warning-store");
    const shown = (id: string) => tab.page.$eval(id, (element) => (element as HTMLElement).innerText);
    assert.match(await shown("#refusal"), /^It could not be saved, and is still here/);
    assert.match(await shown("#warning-store"), /no room left/);
    assert.equal(
      await tab.page.$eval("#notes", (notes) => (notes as HTMLTextAreaElement).value),
      "Drips at the seal",
    );
    await tab.page.evaluate(() => void (globalThis as unknown as { makeRoom(): unknown }).makeRoom());
    // The store looks again by itself.
    await tab.page.waitForFunction(() => document.getElementById("warning-store") === null, { polling: 100 });
    await tab.submit();
    await tab.shows("done", "PU-101");
    await visit.office.has("PU-101");
  });

  inBrowser(kind, "what the browser has deleted is told", async (visit) => {
    const { office } = visit;
    const tab = await visit.open();
    office.mood = "closed";
    await tab.save("PU-101");
    await tab.page.evaluate(() =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.deleteDatabase("inspections");
        request.onsuccess = () => resolve();
        request.onerror = () => reject(request.error);
      })
    );
    await tab.page.waitForSelector("#warning-store");
    const warning = await tab.page.$eval("#warning-store", (element) => (element as HTMLElement).innerText);
    assert.match(warning, /The browser has deleted/);
    office.mood = "well";
    await tab.save("BO-201");
    await tab.shows("done", "BO-201");
  });

  testWithBrowser(
    kind,
    `what is saved outlives kill -9 of the browser, and is sent once (${kind})`,
    async () => {
      await using office = await OfficeSite.open();
      const profile = await Deno.makeTempDir({ prefix: "pawl-profile-" });
      const first = await openBrowser(kind, profile);
      const tab = await InspectionTab.open(first, office);
      office.mood = "losesAnswers";
      await tab.save("PU-101");
      await tab.says("pending", "The server answered 503");
      office.mood = "closed";
      await tab.save("BO-201");
      const { promise: exit, resolve } = Promise.withResolvers<void>();
      first.process()!.once("exit", () => resolve());
      first.process()!.kill("SIGKILL");
      await exit;
      for (const lock of ["SingletonLock", "SingletonSocket", "SingletonCookie", ".parentlock", "lock"]) {
        await Deno.remove(`${profile}/${lock}`).catch(() => {});
      }
      office.mood = "well";
      const second = await openBrowser(kind, profile);
      try {
        await (await InspectionTab.open(second, office)).shows("done", "BO-201", "PU-101");
        await office.has("BO-201", "PU-101");
      } finally {
        await second.close();
      }
      await Deno.remove(profile, { recursive: true }).catch(() => {});
    },
  );
}

const axe = await Deno.readTextFile(new URL(import.meta.resolve("axe-core/axe.min.js")));

/** What axe finds: rules, and where they are broken. */
async function findings({ page }: InspectionTab, scheme: "light" | "dark"): Promise<readonly string[]> {
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.evaluate(axe);
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

inBrowser(
  "chrome",
  "axe finds nothing to complain of, in any state, in light and dark, wide and narrow",
  async (visit) => {
    const tab = await visit.open();
    const check = async (state: string) => {
      for (const width of [1_280, 390]) {
        await tab.page.setViewport({ width, height: 900 });
        for (const scheme of ["light", "dark"] as const) {
          assert.deepEqual(await findings(tab, scheme), [], `${state}, ${scheme}, ${width} wide`);
        }
        const overflow = await tab.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${state} is ${overflow} px wider than ${width}`);
      }
    };
    await check("empty");
    await tab.submit();
    await tab.page.waitForSelector("[aria-invalid]");
    await check("invalid");
    await tab.save("PU-101");
    await tab.shows("done", "PU-101");
    await check("done");
    await tab.save("XX-999", { isDefect: true });
    await tab.shows("attention", "XX-999");
    await tab.page.setOfflineMode(true);
    await tab.save("BO-201");
    await tab.says("pending", "It is sent when you are online");
    await check("refused and waiting");
  },
);

inBrowser(
  "chrome",
  "the form can be filled in and corrected by keyboard, and the focus leads to what is wrong",
  async (visit) => {
    const tab = await visit.open();
    const { keyboard } = tab.page;
    const focused = () => tab.page.evaluate(() => document.activeElement?.id);
    await tab.page.focus("#asset");
    await keyboard.type("PU-101");
    await keyboard.press("Enter");
    await tab.page.waitForFunction(() => document.activeElement?.id === "inspector");
    await keyboard.type("Ann");
    for (let n = 0; n < 4; n++) {
      await keyboard.press("Tab");
      await keyboard.press("Space");
    }
    assert.equal(await focused(), "stop-ok");
    await keyboard.press("Enter");
    await tab.shows("done", "PU-101");
    assert.equal(await focused(), "asset");
    assert.equal(await tab.page.$eval("#news", (news) => news.getAttribute("role")), "status");
  },
);

inBrowser("chrome", "what a tab that crashes was sending is sent once by the next", async (visit) => {
  const { office } = visit;
  const tab = await visit.open();
  office.mood = "losesAnswers";
  await tab.save("PU-101");
  await tab.says("pending", "The server answered 503");
  const session = await tab.page.createCDPSession();
  // A tab that is opened while the other is still crashing may be put into its process, and never answer.
  const crashed = new Promise((resolve) => tab.page.once("error", resolve));
  // The answer to a crash never comes.
  session.send("Page.crash").catch(() => {});
  await crashed;
  const next = await visit.open();
  await next.shows("pending", "PU-101");
  office.mood = "well";
  await next.shows("done", "PU-101");
  await office.has("PU-101");
});
