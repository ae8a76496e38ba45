import assert from "node:assert/strict";
import { persist } from "pawl/adapters/indexeddb";
import { open, testTabs, until, valueOf } from "./databases.ts";

/** Runs with another `navigator.storage` and user agent. */
async function inBrowser(browser: { storage?: unknown; userAgent?: string }, work: () => Promise<void>) {
  const kept = Object.keys(browser).map((name) =>
    [name, Object.getOwnPropertyDescriptor(navigator, name)] as const
  );
  for (const [name, value] of Object.entries(browser)) {
    Object.defineProperty(navigator, name, { configurable: true, value });
  }
  try {
    await work();
  } finally {
    for (const [name, descriptor] of kept) {
      if (descriptor) Object.defineProperty(navigator, name, descriptor);
      else delete (navigator as unknown as Record<string, unknown>)[name];
    }
  }
}

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
const chromium = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0";

testTabs("persist() tells the browser's answer and its figures", async () => {
  for (const answer of [true, false]) {
    const storage = {
      persist: () => Promise.resolve(answer),
      estimate: () => Promise.resolve({ usage: 30, quota: 100 }),
    };
    await inBrowser({ storage }, async () => {
      assert.deepEqual(await persist(), {
        isSupported: true,
        isPersisted: answer,
        usageBytes: 30,
        quotaBytes: 100,
        freeBytes: 70,
      });
    });
  }
});

testTabs("persist() says where it cannot ask, and never rejects", async () => {
  const no = { isSupported: false, isPersisted: false };
  await inBrowser({ storage: undefined }, async () => assert.deepEqual(await persist(), no));
  await inBrowser({ storage: {} }, async () => assert.deepEqual(await persist(), no));
  const broken = () => Promise.reject(new TypeError("no"));
  await inBrowser({ storage: { persist: broken, estimate: broken } }, async () => {
    assert.deepEqual(await persist(), { isSupported: true, isPersisted: false });
  });
  const thrown = () => {
    throw new TypeError("no");
  };
  await inBrowser({ storage: { persist: thrown, estimate: thrown } }, async () => {
    assert.deepEqual(await persist(), { isSupported: true, isPersisted: false });
  });
});

testTabs("health() tells where a store lies as far as the browser tells, and never guesses", async () => {
  const allowed = { getDirectory: () => Promise.resolve({}) };
  const refuse = (name: string) => ({
    getDirectory: () => Promise.reject(new DOMException("no", name)),
  });
  const cases = [
    [firefox, allowed, "disk"],
    [firefox, refuse("SecurityError"), "session"],
    [firefox, refuse("UnknownError"), "unknown"],
    [firefox, {}, "unknown"],
    [firefox, undefined, "unknown"],
    [chromium, allowed, "unknown"],
    [chromium, refuse("SecurityError"), "unknown"],
  ] as const;
  for (const [userAgent, storage, medium] of cases) {
    await inBrowser({ userAgent, storage }, async () => {
      const { store } = open({ reserveBytes: 0, privateWindows: "allow" });
      const told: string[] = [];
      store.onHealth((health) => told.push(health.medium));
      assert.equal(store.health().medium, "unknown");
      await valueOf(store, "a");
      await until(() => store.health().medium === medium);
      assert.deepEqual([...new Set(["unknown", ...told])], [...new Set(["unknown", medium])]);
      await store.close();
    });
  }
});

testTabs("a store that refuses private windows is UNSUPPORTED where it surely is in one", async () => {
  const storage = { getDirectory: () => Promise.reject(new DOMException("no", "SecurityError")) };
  await inBrowser({ userAgent: firefox, storage }, async () => {
    const { store, name } = open({ privateWindows: "refuse" });
    await assert.rejects(valueOf(store, "a"), {
      code: "UNSUPPORTED",
      message: /a private window keeps nothing/,
    });
    assert.deepEqual([store.health().state, store.health().medium], ["failing", "session"]);
    const databases = await indexedDB.databases();
    assert.ok(!databases.some((each) => each.name === name), "it was created nevertheless");
    await store.close();
  });
  await inBrowser({ userAgent: chromium, storage }, async () => {
    const { store } = open({ privateWindows: "refuse" });
    assert.equal(await valueOf(store, "a"), undefined);
    await store.close();
  });
});
