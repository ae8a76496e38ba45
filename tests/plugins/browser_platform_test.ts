import assert from "node:assert/strict";
import { browserPlatform } from "../../plugins/browser/mod.ts";

/** A page around this process, for the time of a test. */
function inPage(
  run: (page: { emit(type: string): void; setVisible(isVisible: boolean): void }) => void,
): void {
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  Object.defineProperty(globalThis, "document", { configurable: true, value: document });
  try {
    run({
      emit: (type) => {
        const target = ["freeze", "resume", "visibilitychange"].includes(type) ? document : globalThis;
        target.dispatchEvent(new Event(type));
      },
      setVisible(isVisible) {
        document.visibilityState = isVisible ? "visible" : "hidden";
        this.emit("visibilitychange");
      },
    });
  } finally {
    Reflect.deleteProperty(globalThis, "document");
  }
}

Deno.test("browserPlatform() is active where it is visible, or where there is no page, and stands by where hidden", () => {
  assert.equal(browserPlatform().readiness(), "active");
  inPage((page) => {
    const platform = browserPlatform();
    const seen: string[] = [];
    const unwatch = platform.watch(() => seen.push(platform.readiness()));
    page.setVisible(false);
    page.setVisible(true);
    unwatch();
    page.setVisible(false);
    assert.deepEqual(seen, ["standby", "active"]);
    assert.equal(platform.readiness(), "standby");
  });
});

Deno.test("browserPlatform() is suspended from when the page is left or frozen, watched or not, until it is back", () => {
  inPage((page) => {
    const platform = browserPlatform();
    page.emit("pagehide");
    assert.equal(platform.readiness(), "suspended");
    // Chromium freezes what it keeps, and lets it go on before it is shown.
    page.emit("freeze");
    page.emit("resume");
    assert.equal(platform.readiness(), "suspended");
    page.emit("pageshow");
    assert.equal(platform.readiness(), "active");
    page.setVisible(false);
    page.emit("freeze");
    assert.equal(platform.readiness(), "suspended");
    page.emit("resume");
    assert.equal(platform.readiness(), "standby");
  });
});

Deno.test("browserPlatform() shows engines by Web Locks, apart by name, until they are let go", async () => {
  const [forms, others] = [browserPlatform({ name: "forms" }), browserPlatform({ name: "others" })];
  const letGo = await forms.hold!("a");
  assert.deepEqual(await forms.gone!(["a", "b"]), ["b"]);
  assert.deepEqual(await others.gone!(["a"]), ["a"]);
  letGo();
  // A lock is let go of in a turn of its own.
  while ((await forms.gone!(["a"])).length === 0);
});
