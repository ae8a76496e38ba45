/**
 * A real browser for tests: Chromium, as the system has it, without a window.
 *
 * @module
 */
import puppeteer, { type Page } from "puppeteer-core";

/** What it is called by those who pack it. */
const names = ["chromium", "chromium-browser", "google-chrome"];

async function findBinary(): Promise<string | undefined> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":")) {
    for (const name of names) {
      const path = `${folder}/${name}`;
      if ((await Deno.stat(path).catch(() => undefined))?.isFile) return path;
    }
  }
}

const binary = await findBinary();

/** Why tests that need a browser are left out here; `undefined`: they are not. */
export const chromiumMissing = binary === undefined ? `no ${names.join(", ")} on the path` : undefined;

/** Whether a missing browser is a failure, as in CI, and not a reason to leave tests out. */
const enginesRequired = ["CI", "PAWL_REQUIRE_ENGINES"].some((name) => Deno.env.get(name));

/** A browser that no longer answers is a failure of that test, and not the end of all. */
const testMsMax = 180_000;

/**
 * Registers a test that needs a browser. Without one it is ignored, and says why; in CI it fails.
 *
 * @param name A sentence.
 * @param run The test, with an empty page of a browser of its own.
 */
export function testWithChromium(name: string, run: (page: Page) => Promise<void>): void {
  if (chromiumMissing !== undefined) {
    const fn = () => Promise.reject(new Error(chromiumMissing));
    Deno.test({ name: `${name} (${chromiumMissing})`, ignore: !enginesRequired, fn });
    return;
  }
  // The driver keeps sockets and timers past the end of its browser.
  const sanitizers = { sanitizeOps: false, sanitizeResources: false };
  Deno.test({ name, ...sanitizers, timeout: testMsMax, fn: () => withPage(run) });
}

async function withPage(run: (page: Page) => Promise<void>): Promise<void> {
  const browser = await puppeteer.launch({
    executablePath: binary!,
    // Containers give a browser neither the rights for its sandbox nor much shared memory.
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  });
  try {
    await run(await browser.newPage());
  } finally {
    await browser.close();
  }
}
