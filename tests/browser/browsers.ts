/**
 * Real browsers for tests: Chromium and Firefox, as the system has them, without a window.
 *
 * @module
 */
import puppeteer, { type Browser, type Page } from "puppeteer-core";

/** A kind of browser. */
export type BrowserKind = "chrome" | "firefox";

/** What each is called by those who pack it. */
const binaryNames: Readonly<Record<BrowserKind, readonly string[]>> = {
  chrome: ["chromium", "chromium-browser", "google-chrome"],
  firefox: ["firefox-esr", "firefox"],
};

/** Containers give a browser neither the rights for its sandbox nor much shared memory. */
const args: Readonly<Record<BrowserKind, string[]>> = {
  chrome: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  firefox: [],
};

async function findBinary(kind: BrowserKind): Promise<string | undefined> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":")) {
    for (const name of binaryNames[kind]) {
      const path = `${folder}/${name}`;
      if ((await Deno.stat(path).catch(() => undefined))?.isFile) return path;
    }
  }
}

const binaries = { chrome: await findBinary("chrome"), firefox: await findBinary("firefox") };

/** Whether a missing browser is a failure, as in CI, and not a reason to leave tests out. */
const enginesRequired = ["CI", "PAWL_REQUIRE_ENGINES"].some((name) => Deno.env.get(name));

/** A browser that no longer answers is a failure of that test, and not the end of all. */
const testMsMax = 180_000;

/** How a browser is to be other than usual. */
export interface BrowserOptions {
  readonly args?: readonly string[];
  readonly firefoxPrefs?: Readonly<Record<string, unknown>>;
  /** What the driver would give it besides, and is not to. */
  readonly withoutArgs?: readonly string[];
}

/**
 * Opens a browser.
 *
 * @param kind Which; it must be there.
 * @param userDataDir Where it keeps its data; default: a new folder that goes with it.
 */
export function openBrowser(
  kind: BrowserKind,
  userDataDir?: string,
  options: BrowserOptions = {},
): Promise<Browser> {
  return puppeteer.launch({
    browser: kind,
    executablePath: binaries[kind]!,
    args: [...args[kind], ...options.args ?? []],
    protocolTimeout: testMsMax,
    ...(userDataDir !== undefined && { userDataDir }),
    ...(options.firefoxPrefs && { extraPrefsFirefox: { ...options.firefoxPrefs } }),
    ...(options.withoutArgs && { ignoreDefaultArgs: [...options.withoutArgs] }),
  });
}

const lent = new Map<BrowserKind, Browser>();

/**
 * Lends a browser. One with nothing unusual serves all tests of a file, as starting it takes longer than most of them: they
 * are told apart by the origins of their sites, and leave no page. Who fails with it takes it along.
 *
 * @param kind Which; it must be there.
 * @param run The test.
 * @param options How the browser is to be other than usual.
 */
export async function withBrowser(
  kind: BrowserKind,
  run: (browser: Browser) => Promise<void>,
  options: BrowserOptions = {},
): Promise<void> {
  const isUsual = Object.keys(options).length === 0;
  const browser = isUsual && lent.get(kind) || await openBrowser(kind, undefined, options);
  if (isUsual) lent.delete(kind);
  try {
    await run(browser);
    if (!isUsual) return;
    const pages = await browser.pages();
    await browser.newPage();
    for (const page of pages) await page.close();
    lent.set(kind, browser);
  } finally {
    if (lent.get(kind) !== browser) await browser.close();
  }
}

Deno.test.afterAll(async () => {
  for (const browser of lent.values()) await browser.close();
  lent.clear();
});

/**
 * Registers a test that needs a browser. Without one it is ignored, and says why; in CI it fails. One that fails is run once
 * more in a new browser, and what it failed with is printed: drivers lose things on a busy machine. What judges by chance, as
 * a storm does, is not.
 *
 * @param kind Which browser.
 * @param name A sentence.
 * @param run The test.
 * @param runsMax How often it may run.
 */
export function testWithBrowser(
  kind: BrowserKind,
  name: string,
  run: () => Promise<void>,
  runsMax: 1 | 2 = 2,
): void {
  if (binaries[kind] === undefined) {
    const missing = `no ${binaryNames[kind].join(", ")} on the path`;
    const fn = () => Promise.reject(new Error(missing));
    Deno.test({ name: `${name} (${missing})`, ignore: !enginesRequired, fn });
    return;
  }
  // The driver keeps sockets and timers past the end of its browser.
  const sanitizers = { sanitizeOps: false, sanitizeResources: false };
  const fn = async () => {
    try {
      return await run();
    } catch (error) {
      if (runsMax === 1) throw error;
      // deno-lint-ignore no-console -- A reader must see that it failed at first.
      console.log(`"${name}" failed, and is run once more:\n${(error as Error).stack ?? error}`);
    }
    await run();
  };
  Deno.test({ name, ...sanitizers, timeout: runsMax * testMsMax, fn });
}

/** Registers a test with an empty page of a Chromium of its own. */
export function testWithChromium(name: string, run: (page: Page) => Promise<void>): void {
  testWithBrowser(
    "chrome",
    name,
    () => withBrowser("chrome", async (browser) => await run(await browser.newPage())),
  );
}
