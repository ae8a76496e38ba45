/**
 * Steps that need the network, in tabs that lose it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ask, bothKinds, keys, testWithTabs, until } from "./tab.ts";

for (const kind of bothKinds) {
  testWithTabs(
    kind,
    "a step that needs the network waits while the tab is offline, without counting attempts, and others go on",
    async ({ open }) => {
      const tab = await open("one");
      // The driver of Firefox leaves `navigator.onLine` as it is.
      const setOffline = (isOffline: boolean) =>
        kind === "chrome" ? tab.setOfflineMode(isOffline) : ask(tab, "setOnline", !isOffline);
      await setOffline(true);
      await until(false, () => tab.evaluate("navigator.onLine") as Promise<boolean>);
      await ask(tab, "trigger", keys("sent ", 5), { startAt: "sending" });
      for (let round = 0; round < 5; round++) assert.equal(await ask(tab, "whoWorks"), "one");
      for (const { runState, kinds } of await ask(tab, "runs")) {
        assert.deepEqual([runState, kinds], ["initiated", ["trigger"]]);
      }
      await setOffline(false);
      await Promise.all(keys("sent ", 5).map((key) => ask(tab, "ended", key)));
      for (const { runState, kinds } of await ask(tab, "runs")) {
        // The browser says that it is online a moment before requests come through: one that fails then is counted.
        const told = kinds.filter((each) => each !== "error");
        assert.deepEqual([runState, told], ["completed", ["trigger", "move"]]);
      }
    },
  );
}
