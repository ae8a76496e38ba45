/**
 * Two versions of an application open at once, as after a deployment.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ask, bothKinds, checkForms, keys, testWithTabs, until, untilWorks } from "./tab.ts";

for (const kind of bothKinds) {
  testWithTabs(
    kind,
    "of two code versions the older yields, also when its tab is the one in front, and works again when it is alone",
    async ({ open }) => {
      const old = await open("old", { codeVersion: 1, stepMs: 20 });
      await ask(old, "trigger", keys("a", 20));
      const young = await open("young", { codeVersion: 2, stepMs: 20 });
      await untilWorks("young", old);
      await old.bringToFront();
      await ask(old, "trigger", keys("b", 20));
      for (let round = 0; round < 2; round++) assert.equal(await ask(old, "whoWorks"), "young");
      await checkForms(old, [...keys("a", 20), ...keys("b", 20)]);

      const third = await open("third", { codeVersion: 1 });
      for (let round = 0; round < 2; round++) assert.equal(await ask(third, "whoWorks"), "young");
      await young.close();
      await untilWorks("third", old);
    },
  );

  testWithTabs(
    kind,
    "of two graphs of one version the last opened wins; runs that only the old one knows wait for it",
    async ({ open }) => {
      const twice = { signsTwice: true, stepMs: 300 };
      const first = await open("first", twice);
      await ask(first, "trigger", keys("a", 5));
      await until(
        true,
        async () => (await ask(first, "runs")).every(({ status }) => status === "countersigned"),
      );
      const last = await open("last");
      await untilWorks("last", first);
      // What was on its way before has ended in the old tab, or waits for code that knows its status.
      await until([], async () => {
        const going = (await ask(last, "runs")).map(({ runState }) => runState);
        return going.filter((runState) => runState !== "completed" && runState !== "stalled");
      });
      await ask(first, "trigger", keys("b", 5));
      await Promise.all(keys("b", 5).map((key) => ask(first, "ended", key)));

      await last.close();
      await Promise.all(keys("a", 5).map((key) => ask(first, "ended", key)));
      const runs = await ask(first, "runs");
      const signed = ["filled > checked", "checked > signed"];
      for (const { key, runState, moves } of runs) {
        const way = key.startsWith("a")
          ? ["signed > countersigned", "countersigned > filed"]
          : ["signed > filed"];
        assert.deepEqual([key, runState, moves], [key, "completed", [...signed, ...way]]);
      }
      assert.equal(await ask(first, "whoWorks"), "first");
      assert.deepEqual(await ask(first, "verify"), []);
    },
  );
}
