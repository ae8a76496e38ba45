/**
 * A service worker that finishes what pages have left, in real browsers.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Browser, CDPSession, Page, Protocol } from "puppeteer-core";
import { type BrowserKind, openBrowser, testWithBrowser } from "./browsers.ts";
import { bundleOf } from "./bundle.ts";
import type { TickingSuite } from "./pages/ticking_page.ts";

let scripts: Promise<ReadonlyMap<string, string>> | undefined;

/** Both scripts, bundled once per process. */
function bundled(): Promise<ReadonlyMap<string, string>> {
  return scripts ??= (async () =>
    new Map([
      ["/ticking_page.js", await bundleOf("ticking_page")],
      ["/ticking_worker.js", await bundleOf("ticking_worker", "iife")],
    ]))();
}

const html =
  `<!doctype html><html lang="en"><title>Pawl</title><script type="module" src="ticking_page.js"></script>`;

interface Visit {
  readonly browser: Browser;
  readonly url: string;
  /** Opens a page that calls verbs, and does no work; or one that works, and whose second step never ends. */
  open(how?: "?works"): Promise<Page>;
}

function inBrowser(kind: BrowserKind, name: string, run: (visit: Visit) => Promise<void>): void {
  testWithBrowser(kind, `${name} (${kind})`, async () => {
    const files = await bundled();
    const server = Deno.serve({ port: 0, hostname: "localhost", onListen() {} }, (request) => {
      const script = files.get(new URL(request.url).pathname);
      return new Response(script ?? html, {
        headers: { "content-type": script ? "text/javascript" : "text/html" },
      });
    });
    const url = `http://localhost:${server.addr.port}/`;
    const browser = await openBrowser(kind);
    const open = async (how = "") => {
      const page = await browser.newPage();
      await page.goto(url + how);
      await page.waitForFunction("globalThis.suite");
      return page;
    };
    try {
      await run({ browser, url, open });
    } finally {
      await browser.close();
      await server.shutdown();
    }
  });
}

/** Calls something of the page's suite. */
function ask<Name extends keyof TickingSuite>(
  page: Page,
  name: Name,
  ...args: Parameters<TickingSuite[Name]>
): Promise<Awaited<ReturnType<TickingSuite[Name]>>> {
  const call = (name: string, args: readonly unknown[]) => {
    const { suite } = globalThis as unknown as { suite: Record<string, (...args: unknown[]) => unknown> };
    return suite[name]!(...args);
  };
  return page.evaluate(call, name, args) as Promise<Awaited<ReturnType<TickingSuite[Name]>>>;
}

/** Waits until a run is sent. */
async function sent(page: Page, key: string): Promise<readonly string[]> {
  for (;;) {
    const run = await ask(page, "get", key);
    if (run?.status === "sent") return run.seen;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const byWorker = ["filled in worker", "checked in worker"];

for (const kind of ["chrome", "firefox"] as const) {
  inBrowser(kind, "a message makes the service worker do what a closed page has left", async ({ open }) => {
    const first = await open();
    await ask(first, "register");
    await ask(first, "trigger", "one");
    await first.close();
    const second = await open();
    const reply = await ask(second, "tick");
    assert.deepEqual(reply, { report: { processed: 2, heldElsewhere: 0, running: 0 } });
    assert.deepEqual((await ask(second, "get", "one"))?.seen, byWorker);
  });

  inBrowser(kind, "the service worker takes over from a page that is closed at work", async ({ open }) => {
    const first = await open("?works");
    await ask(first, "register");
    await ask(first, "start");
    await ask(first, "trigger", "one");
    const second = await open();
    while ((await ask(second, "get", "one"))?.status !== "checked");
    await first.close();
    const reply = await ask(second, "tick");
    assert.ok("report" in reply && reply.report.processed > 0, JSON.stringify(reply));
    assert.deepEqual(await sent(second, "one"), ["filled in page", "checked in worker"]);
  });

  inBrowser(kind, "askToTick() has the worker do it, by whatever the browser has", async ({ open }) => {
    const page = await open();
    await ask(page, "register");
    await ask(page, "trigger", "one");
    const { sync, message } = await ask(page, "ask");
    assert.deepEqual([sync, message], [kind === "chrome", kind === "firefox"]);
    assert.deepEqual(await sent(page, "one"), byWorker);
  });
}

/** Fires an event at the worker, as the browser would; by nobody's page. */
async function fire(
  { open, url }: Visit,
  event: (
    cdp: CDPSession,
    worker: { readonly origin: string; readonly registrationId: string },
  ) => Promise<void>,
): Promise<void> {
  const page = await open();
  const cdp = await page.createCDPSession();
  const registered = new Promise<string>((resolve) =>
    cdp.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const found = (registrations as Protocol.ServiceWorker.ServiceWorkerRegistration[]).find((each) =>
        each.scopeURL === url
      );
      if (found) resolve(found.registrationId);
    })
  );
  await cdp.send("ServiceWorker.enable");
  await event(cdp, { origin: new URL(url).origin, registrationId: await registered });
  await page.close();
}

const events = {
  sync: (cdp, worker) =>
    cdp.send("ServiceWorker.dispatchSyncEvent", { ...worker, tag: "pawl", lastChance: false }),
  periodicsync: (cdp, worker) =>
    cdp.send("ServiceWorker.dispatchPeriodicSyncEvent", { ...worker, tag: "pawl" }),
  push: (cdp, worker) => cdp.send("ServiceWorker.deliverPushMessage", { ...worker, data: "look" }),
} satisfies Record<string, Parameters<typeof fire>[1]>;

for (const [name, event] of Object.entries(events)) {
  inBrowser(
    "chrome",
    `a ${name} event makes the service worker do what a closed page has left`,
    async (visit) => {
      const first = await visit.open();
      await ask(first, "register");
      await ask(first, "trigger", "one");
      await first.close();
      await fire(visit, event);
      assert.deepEqual(await sent(await visit.open(), "one"), byWorker);
    },
  );
}
