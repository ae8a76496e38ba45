/**
 * A tab that was working stands still: frozen, or in the back/forward cache.
 *
 * @module
 */
import assert from "node:assert/strict";
import { freeze, thaw } from "./endings.ts";
import {
  ask,
  bothKinds,
  checkForms,
  keys,
  testWithTabs,
  until,
  untilWorks,
  withCache,
  workersOf,
} from "./tab.ts";

testWithTabs(
  "chrome",
  "a tab that hears that it is frozen gives back its work, and is replaced long before its lease ends",
  async ({ openBehind }) => {
    const first = await openBehind("one", { term: "10m", stepMs: 200 });
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
    const first = await openBehind("one", { isDeaf: true, term: "3s", stepMs: 300 });
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
      after.filter(({ key }) => key.startsWith("a")).map(({ key, data }) => [key, data.seen]),
      runs.map(({ key, data }) => [key, data.seen]),
    );
    assert.equal(await ask(first, "whoWorks"), "two");
  },
);

/** Firefox does not keep a page that holds a Web Lock as it is left: it is loaded anew. Without, it is kept as elsewhere. */
const kept = { chrome: { term: "10m" }, firefox: { hasNoLocks: true } };

for (const kind of bothKinds) {
  testWithTabs(
    kind,
    "a tab that is left into the back/forward cache is replaced, and goes on with what it sees when it is shown again",
    async ({ open, site }) => {
      const second = await open("two");
      const first = await open("one", kept[kind]);
      await untilWorks("one", second);
      await ask(first, "trigger", ["a", "z"], { startAt: "asked" });
      await ask(first, "beginWait", "a");
      await first.evaluate(() => {
        addEventListener("pageshow", ({ persisted }) => Object.assign(globalThis, { wasKept: persisted }));
      });
      await first.goto(`${site.url}elsewhere`);
      await first.waitForFunction("location.pathname === '/elsewhere'");

      await untilWorks("two", second);
      await ask(second, "callback", "a");
      await ask(second, "trigger", keys("b", 5));
      await Promise.all(keys("b", 5).map((key) => ask(second, "ended", key)));

      await first.evaluate("history.back()").catch(() => {});
      await until("/", () => first.evaluate("location.pathname").catch(() => "") as Promise<string>);
      await first.waitForFunction("globalThis.wasKept === true");
      assert.equal(await ask(first, "waited", "a"), "completed");
      const runs = await ask(first, "runs");
      assert.deepEqual(
        runs.map(({ key, runState }) => [key, runState]).sort(),
        [["a", "completed"], ...keys("b", 5).map((key) => [key, "completed"]), ["z", "initiated"]].sort(),
      );
      // It is the one in front again.
      await untilWorks("one", second);
      await ask(first, "callback", "z");
      assert.equal(await ask(second, "ended", "z"), "completed");
      assert.deepEqual(await ask(first, "verify"), []);
    },
    withCache,
  );
}
