/**
 * Many tabs on one store: any of them may ask, one of them works, and that is the one in front.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "puppeteer-core";
import { ask, bothKinds, checkForms, keys, testWithTabs, until, untilWorks, workersOf } from "./tab.ts";

for (const kind of bothKinds) {
  testWithTabs(
    kind,
    "any tab triggers, awaits, calls back and lists, while one works, and none of them waits for a poll",
    async ({ open }) => {
      const slow = { poll: "10m", term: "30m" };
      const tabs = [await open("one", slow), await open("two", slow), await open("three", slow)] as const;
      await untilWorks("three", tabs[0]);
      await ask(tabs[0], "trigger", ["a"], { startAt: "asked" });
      await until("asked", async () => (await ask(tabs[1], "get", "a"))?.status);
      await ask(tabs[1], "beginWait", "a");
      await ask(tabs[2], "beginWait", "a");
      await ask(tabs[0], "callback", "a");
      assert.deepEqual([await ask(tabs[1], "waited", "a"), await ask(tabs[2], "waited", "a")], [
        "completed",
        "completed",
      ]);

      await Promise.all(tabs.map((tab, index) => ask(tab, "trigger", keys(`${index} `, 20))));
      await Promise.all(tabs.map((tab, index) => ask(tab, "ended", `${(index + 1) % 3} 19`)));
      for (const tab of tabs) {
        const runs = await ask(tab, "runs");
        assert.equal(runs.length, 61);
        assert.deepEqual(workersOf(runs.filter(({ key }) => key !== "a")), new Set(["three"]));
      }
    },
  );

  testWithTabs(
    kind,
    "the tab in front works: when another one is brought there, the work moves to it",
    async ({ open, cover }) => {
      const long = { term: "10m" };
      const [one, two] = [await open("one", long), await open("two", long)];
      await untilWorks("two", one);
      await one.bringToFront();
      await untilWorks("one", two);
      await two.bringToFront();
      await untilWorks("two", one);
      // With none of them in front, it stays where it is.
      await cover();
      for (const tab of [one, two]) assert.equal(await tab.evaluate("document.visibilityState"), "hidden");
      for (let round = 0; round < 2; round++) assert.equal(await ask(one, "whoWorks"), "two");
    },
  );

  testWithTabs(
    kind,
    "two tabs never both commit as owner: while each stands still past its term in turn, every step lands once",
    async ({ open }) => {
      const names = ["one", "two", "three"];
      const tabs: Page[] = [];
      for (const name of names) tabs.push(await open(name, { term: "400ms", poll: "50ms", stepMs: 20 }));
      const wanted = tabs.flatMap((_, index) => keys(`${index} `, 60));
      await Promise.all(tabs.map((tab, index) => ask(tab, "trigger", keys(`${index} `, 60))));
      const epoch = async () => (await ask(tabs[0]!, "owners"))[0]!.epoch;
      const before = await epoch();
      for (let round = 0; round < 5 || await epoch() < before + 2; round++) {
        // Whoever owns the work comes to stand still in the middle of it, for longer than it may.
        const owner = (await ask(tabs[round % 3]!, "owners"))[0]!.engineId;
        const ids = await Promise.all(tabs.map((tab) => ask(tab, "engineId")));
        const index = Math.max(0, ids.indexOf(owner!));
        await ask(tabs[(index + 1) % 3]!, "trigger", keys(`round ${round} `, 20));
        wanted.push(...keys(`round ${round} `, 20));
        await ask(tabs[index]!, "block", 1_500);
      }
      const runs = await checkForms(tabs[0]!, wanted);
      // A result that is too late is noted in history only by one who still owns the run.
      assert.deepEqual(runs.filter(({ kinds }) => kinds.includes("late")), []);
    },
  );
}
