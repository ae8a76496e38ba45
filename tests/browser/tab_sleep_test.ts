/**
 * A tab that was working stands still: frozen, or in the back/forward cache.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "puppeteer-core";
import { freeze, thaw } from "./endings.ts";
import { openTab, type Site } from "./site.ts";
import { ask, checkForms, keys, testWithTabs, until, untilWorks, withCache, workersOf } from "./tab.ts";

testWithTabs(
  "chrome",
  "a tab that hears that it is frozen gives back its work, and is replaced long before its lease ends",
  async ({ openBehind }) => {
    const first = await openBehind("one", { term: "10m", stepMs: 1_000 });
    const second = await openBehind("two");
    await ask(first, "trigger", keys("a", 20));
    assert.ok(await freeze(first));
    assert.ok(workersOf(await checkForms(second, keys("a", 20))).has("two"));

    // It goes on as one of two that stand by: it asks, and the other works.
    await thaw(first);
    await ask(first, "trigger", keys("b", 5));
    await checkForms(first, [...keys("a", 20), ...keys("b", 5)]);
    for (let round = 0; round < 5; round++) assert.equal(await ask(first, "whoWorks"), "two");
    await second.close();
    await untilWorks("one", first);
  },
);

testWithTabs(
  "chrome",
  "a tab that is frozen unheard is replaced after its lease, and commits nothing under its old guard when it thaws",
  async ({ openBehind }) => {
    const first = await openBehind("one", { isDeaf: true, term: "3s", stepMs: 1_000 });
    const second = await openBehind("two");
    await ask(first, "trigger", keys("a", 20));
    assert.ok(await freeze(first));
    const frozenAt = (await ask(second, "runs")).flatMap(({ data }) => data.seen).length;
    const locks = await second.evaluate(async () => (await navigator.locks.query()).held?.length);
    assert.equal(locks, 2, "a frozen tab keeps its Web Lock, so nothing but its lease can end it");
    const runs = await checkForms(second, keys("a", 20));
    const byFirst = runs.flatMap(({ data }) => data.seen).filter((each) => each.endsWith("in one")).length;
    assert.ok(byFirst <= frozenAt, `${byFirst} of ${frozenAt} steps were done before`);

    await thaw(first);
    await until(
      true,
      async () => (await ask(first, "lines")).includes("warn: Lost a shard to another engine"),
    );
    await ask(first, "trigger", keys("b", 5));
    const after = await checkForms(first, [...keys("a", 20), ...keys("b", 5)]);
    assert.deepEqual(
      after.filter(({ key }) => key.startsWith("a")).map(({ key, data, kinds }) => [key, data.seen, kinds]),
      runs.map(({ key, data, kinds }) => [key, data.seen, kinds]),
    );
    assert.equal(await ask(first, "whoWorks"), "two");
  },
);

/** How often a page was shown, anew or again. */
const shows = ({ asked }: Site) => asked.filter((path) => path === "/back" || path === "/anew").length;

testWithTabs(
  "chrome",
  "a tab that is left into the back/forward cache is replaced, and goes on with what it sees when it is shown again",
  async ({ browser, open, site }) => {
    const second = await open("two");
    let first = second;
    let visit = "";
    // A browser need not keep a page, as when it is left in the middle of a transaction.
    for (let visits = 1; !site.asked.includes("/back"); visits++) {
      assert.ok(visits <= 5, `it was not kept: ${site.asked.join()}`);
      visit = `visit ${visits} `;
      if (first !== second) await first.close();
      first = await openTab(browser, site);
      await ask(first, "start", "one", { term: "10m" });
      await leaveAndComeBack(first, second, visit, site);
    }
    assert.equal(await ask(first, "waited", `${visit}a`), "completed");
    const runs = await ask(first, "runs");
    const seen = runs.filter(({ key }) => key.startsWith(visit));
    assert.deepEqual(
      seen.map(({ key, runState }) => [key.slice(visit.length), runState]).sort(),
      [["a", "completed"], ...keys("b", 5).map((key) => [key, "completed"]), ["z", "initiated"]],
    );
    // It is the one in front again.
    await untilWorks("one", second);
    await ask(first, "callback", `${visit}z`);
    assert.equal(await ask(second, "ended", `${visit}z`), "completed");
    assert.deepEqual(await ask(first, "verify"), []);
  },
  withCache,
);

/** How long a browser may take to go back before it is asked again. */
const backMs = 8_000;

/** The first tab waits for a run, and is left; the second does what there is to do meanwhile. */
async function leaveAndComeBack(first: Page, second: Page, visit: string, site: Site): Promise<void> {
  await untilWorks("one", second);
  await ask(first, "trigger", [`${visit}a`, `${visit}z`], { startAt: "asked" });
  await ask(first, "beginWait", `${visit}a`);
  await first.goto(`${site.url}elsewhere`);

  await untilWorks("two", second);
  await ask(second, "callback", `${visit}a`);
  await ask(second, "trigger", keys(`${visit}b`, 5));
  await Promise.all(keys(`${visit}b`, 5).map((key) => ask(second, "ended", key)));
  const before = shows(site);
  let askedAt = -Infinity;
  await until(true, () => {
    if (performance.now() - askedAt > backMs) {
      askedAt = performance.now();
      // Its answer may go with the page, and on a busy machine the question, too.
      first.evaluate(() => location.pathname === "/elsewhere" && history.back()).catch(() => {});
    }
    return Promise.resolve(shows(site) > before);
  });
  // The driver may still be on its way back.
  await until("/", () => first.evaluate("location.pathname").catch(() => "") as Promise<string>);
}
