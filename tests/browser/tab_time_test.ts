/**
 * Time as tabs have it: timers that no `setTimeout` can hold, clocks that are set, sleep, and timers that are throttled.
 *
 * @module
 */
import assert from "node:assert/strict";
import { freeze, thaw } from "./endings.ts";
import { ask, bothKinds, checkForms, keys, testWithTabs, until, untilWorks } from "./tab.ts";

const hour = 3_600_000;
const day = 24 * hour;
const year = 365 * day;

for (const kind of bothKinds) {
  testWithTabs(
    kind,
    "a timer of 40 days does not fire at once, and fires once when they have passed, knowing how late it is",
    async ({ open }) => {
      const tab = await open("one");
      await ask(tab, "trigger", ["a"], { startAt: "resting", restMs: 40 * day });
      // Whoever is given more than 31 bits fires at once, again and again.
      for (let round = 0; round < 10; round++) await ask(tab, "whoWorks");
      await ask(tab, "shiftClock", 39 * day);
      for (let round = 0; round < 10; round++) await ask(tab, "whoWorks");
      assert.equal(await ask(tab, "timers"), 1);
      const longest = await ask(tab, "longestTimeout");
      assert.ok(longest > day && longest <= 2 ** 31 - 1, `setTimeout was given ${longest} ms`);

      await ask(tab, "shiftClock", 3 * day);
      assert.equal(await ask(tab, "ended", "a"), "completed");
      await ask(tab, "whoWorks");
      const [run] = await ask(tab, "runs");
      assert.deepEqual(run!.data.seen, ["resting in one"]);
      assert.deepEqual(run!.kinds, ["trigger", "move"]);
      const { lateMs } = run!.data;
      assert.ok(lateMs! >= 2 * day && lateMs! < 2.5 * day, `${lateMs} ms late`);
    },
  );

  testWithTabs(
    kind,
    "a timer that fell due while no tab was open fires once when one is, knowing how late it is",
    async ({ open }) => {
      const first = await open("one");
      await ask(first, "trigger", ["a", "b"], { startAt: "resting", restMs: 40 * day });
      await first.close();
      const tabs = [await open("two", { clockMs: 41 * day }), await open("three", { clockMs: 41 * day })];
      for (const key of ["a", "b"]) assert.equal(await ask(tabs[0]!, "ended", key), "completed");
      for (const { kinds, data } of await ask(tabs[1]!, "runs")) {
        // The tab may have been closed too fast to give back what it owned: then a start is recorded first.
        const fired = kinds.filter((each) => each !== "interrupted");
        assert.deepEqual([fired, data.seen.length], [["trigger", "move"], 1]);
        assert.ok(data.lateMs! >= day && data.lateMs! < 1.5 * day, `${data.lateMs} ms late`);
      }
    },
  );

  testWithTabs(
    kind,
    "clocks set a year ahead, and then a year back, fire timers once, lose nothing and leave no run stuck",
    async ({ open, cover }) => {
      const tabs = [await open("one", { stepMs: 100 }), await open("two", { stepMs: 100 })] as const;
      await cover();
      const shiftAll = (ms: number) => Promise.all(tabs.map((tab) => ask(tab, "shiftClock", ms)));
      const rest = (key: string, restMs: number) =>
        ask(tabs[0], "trigger", [key], { startAt: "resting", restMs });
      await rest("days", 100 * day);
      await rest("years", 500 * day);
      await ask(tabs[0], "trigger", keys("a", 20));
      await shiftAll(year);
      assert.equal(await ask(tabs[1], "ended", "days"), "completed");
      await ask(tabs[1], "trigger", keys("b", 20));
      await rest("soon", day);
      await Promise.all([...keys("a", 20), ...keys("b", 20)].map((key) => ask(tabs[0], "ended", key)));

      await ask(tabs[1], "trigger", keys("c", 20));
      await shiftAll(-year);
      await ask(tabs[0], "trigger", keys("d", 20));
      await Promise.all([...keys("c", 20), ...keys("d", 20)].map((key) => ask(tabs[1], "ended", key)));
      const third = await open("three");
      await ask(third, "trigger", keys("e", 20));
      await Promise.all(keys("e", 20).map((key) => ask(tabs[1], "ended", key)));
      assert.equal(await ask(third, "timers"), 2);
      for (const tab of [...tabs, third]) await ask(tab, "shiftClock", 2 * year);
      for (const key of ["years", "soon"]) assert.equal(await ask(third, "ended", key), "completed");
      for (const { key, data, moves } of await ask(third, "runs")) {
        assert.equal(moves.length, data.seen.length, key);
        assert.equal(moves.length, data.lateMs === undefined ? 3 : 1, key);
      }
      assert.deepEqual(await ask(third, "verify"), []);
    },
  );

  testWithTabs(
    kind,
    "with timers that fire once a second, as those of hidden tabs do, all goes on and the work changes hands",
    async ({ open, cover }) => {
      const slow = { timersEveryMs: 1_000, stepMs: 50, term: "5s" };
      const tabs = [await open("one", slow), await open("two", slow)];
      await cover();
      await Promise.all(tabs.map((tab, index) => ask(tab, "trigger", keys(`${index} `, 10))));
      await tabs[1]!.close();
      await ask(tabs[0]!, "trigger", ["rests"], { startAt: "resting", restMs: 1_500 });
      assert.equal(await ask(tabs[0]!, "ended", "rests"), "completed");
      await Promise.all([...keys("0 ", 10), ...keys("1 ", 10)].map((key) => ask(tabs[0]!, "ended", key)));
      for (const { key, data, moves } of await ask(tabs[0]!, "runs")) {
        assert.equal(moves.length, key === "rests" ? 1 : 3, key);
        assert.equal(data.seen.length, moves.length, key);
      }
    },
  );
}

testWithTabs(
  "chrome",
  "after a sleep of eight hours what fell due fires once, steps that were cut off run again, and nothing is stuck",
  async ({ openBehind }) => {
    const tabs = [
      await openBehind("one", { stepMs: 300 }),
      await openBehind("two", { stepMs: 300, isDeaf: true }),
    ];
    await ask(tabs[0]!, "trigger", keys("a", 10));
    await ask(tabs[1]!, "trigger", keys("rests ", 10), { startAt: "resting", restMs: 7 * hour });
    await ask(tabs[1]!, "trigger", ["long"], { startAt: "resting", restMs: 9 * hour });
    await ask(tabs[0]!, "trigger", ["fails"], { startAt: "failing" });
    await until(true, async () => (await ask(tabs[1]!, "get", "fails"))!.attempt === 1);
    assert.deepEqual(await Promise.all(tabs.map(freeze)), [true, true]);
    for (const tab of tabs) await ask(tab, "shiftClock", 8 * hour);
    await Promise.all(tabs.map(thaw));

    const due = [...keys("a", 10), ...keys("rests ", 10), "fails"];
    await Promise.all(due.map((key) => ask(tabs[0]!, "ended", key)));
    const runs = await ask(tabs[1]!, "runs");
    for (const { key, runState, moves, data } of runs) {
      if (key === "long") assert.equal(runState, "initiated");
      else assert.equal(data.seen.length, moves.length, key);
      if (key.startsWith("rests")) {
        assert.ok(data.lateMs! >= hour && data.lateMs! < 2 * hour, `${data.lateMs}`);
      }
    }
    assert.deepEqual(await ask(tabs[0]!, "verify"), []);
    await ask(tabs[1]!, "trigger", ["again"]);
    assert.equal(await ask(tabs[0]!, "ended", "again"), "completed");
  },
);

testWithTabs(
  "chrome",
  "in hidden tabs whose timers Chromium itself throttles, the work goes on and changes hands",
  async ({ open, cover }) => {
    const tabs = [await open("one", { stepMs: 50 }), await open("two", { stepMs: 50 })];
    await cover();
    const late = await tabs[0]!.evaluate(async () => {
      // The chain of timers that is slowed down: each is set by the one before.
      const begun = performance.now();
      for (let round = 0; round < 10; round++) await new Promise((resolve) => setTimeout(resolve, 20));
      return performance.now() - begun;
    });
    assert.ok(late > 2_000, `ten timers of 20 ms took ${late} ms: nothing is throttled`);
    await untilWorks("two", tabs[0]!);
    await tabs[1]!.close();
    await ask(tabs[0]!, "trigger", keys("a", 10));
    await checkForms(tabs[0]!, keys("a", 10));
  },
  { withoutArgs: ["--disable-background-timer-throttling", "--disable-renderer-backgrounding"] },
);
