/**
 * Tabs in the hand of a test: opened, asked, and judged together.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Browser, Page } from "puppeteer-core";
import { type Ask, askFor } from "./ask.ts";
import { type BrowserKind, type BrowserOptions, testWithBrowser, withBrowser } from "./browsers.ts";
import type { Filed, TabOptions, TabSuite } from "./pages/tab.ts";
import { openTab, serveSite, type Site } from "./site.ts";

/** Both browsers, for tests that need nothing that only one of them has. */
export const bothKinds: readonly BrowserKind[] = ["chrome", "firefox"];

/** Calls something of the page. */
export const ask: Ask<TabSuite> = askFor<TabSuite>();

/** A browser on the site, for one test. */
export interface Scene {
  readonly browser: Browser;
  readonly site: Site;
  /** Opens a tab in front of the others, and starts its engine. */
  open(name: string, options?: TabOptions): Promise<Page>;
  /** Opens a tab, and starts its engine when it is hidden behind one that has none, as then all are. */
  openBehind(name: string, options?: TabOptions): Promise<Page>;
  /** Puts a tab without an engine in front of the others: all of them are hidden. */
  cover(): Promise<void>;
}

/** A driver would keep Chromium from what is to be tested: the back/forward cache. */
export const withCache: BrowserOptions = { withoutArgs: ["--disable-back-forward-cache"] };

/** A scene in a browser that is open. */
export function sceneIn(browser: Browser, site: Site): Scene {
  let front: Promise<Page> | undefined;
  const cover = async () => {
    front ??= browser.newPage();
    await (await front).bringToFront();
  };
  return {
    browser,
    site,
    async open(name, options = {}) {
      const tab = await openTab(browser, site);
      await ask(tab, "start", name, options);
      return tab;
    },
    async openBehind(name, options = {}) {
      const tab = await openTab(browser, site);
      await cover();
      await until("hidden", () => tab.evaluate("document.visibilityState") as Promise<string>);
      await ask(tab, "start", name, options);
      return tab;
    },
    cover,
  };
}

/**
 * Registers a test with a browser of its own.
 *
 * @param kind Which.
 * @param name A sentence.
 * @param run The test.
 * @param options How the browser is other than usual.
 */
export function testWithTabs(
  kind: BrowserKind,
  name: string,
  run: (scene: Scene) => Promise<void>,
  options: BrowserOptions = {},
): void {
  testWithBrowser(kind, `${name} (${kind})`, async () => {
    await using site = await serveSite("tab");
    await withBrowser(kind, (browser) => run(sceneIn(browser, site)), options);
  });
}

const untilMsMax = 60_000;

/** Asks again and again until the answer is the wanted one; what it came to at last is told. */
export async function until<Answer>(wanted: Answer, question: () => Promise<Answer>): Promise<void> {
  const begun = performance.now();
  for (;;) {
    const answer = await question();
    try {
      return assert.deepEqual(answer, wanted);
    } catch (error) {
      if (performance.now() - begun > untilMsMax) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until a tab does the work, as a tab sees it. */
export function untilWorks(name: string, tab: Page): Promise<void> {
  return until(name, () => ask(tab, "whoWorks"));
}

/** Names for runs. */
export const keys = (front: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${front}${index}`);

/** The way of a form through its three steps. */
export const wholeWay = ["filled > checked", "checked > signed", "signed > filed"];

/** All runs have ended, by the three steps, each of which has landed once; and the store is sound. */
export async function checkForms(tab: Page, wanted: readonly string[]): Promise<readonly Filed[]> {
  await Promise.all(wanted.map((key) => ask(tab, "ended", key)));
  const runs = await ask(tab, "runs");
  assert.deepEqual(runs.map(({ key }) => key).sort(), [...wanted].sort());
  for (const { key, runState, moves, data } of runs) {
    assert.deepEqual([key, runState, moves], [key, "completed", wholeWay]);
    assert.deepEqual(data.seen.map((each) => each.split(" ")[0]), ["filled", "checked", "signed"], key);
  }
  assert.deepEqual(await ask(tab, "verify"), []);
  return runs;
}

/** Which tabs have done something in these runs. */
export function workersOf(runs: readonly Filed[]): ReadonlySet<string> {
  return new Set(runs.flatMap(({ data }) => data.seen.map((each) => each.split(" in ")[1]!)));
}
