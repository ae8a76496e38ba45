/**
 * A site for browser tests: one empty page with the bundle of `pages/suite.ts`, on a port that stays the same, as the
 * origin of what a browser keeps.
 *
 * @module
 */
import type { Browser, BrowserContext, Page } from "puppeteer-core";
import { bundleOf } from "./bundle.ts";

let bundle: Promise<string> | undefined;

/** The page's script, bundled once per process. */
const suiteBundle = () => bundle ??= bundleOf("suite");

const page =
  `<!doctype html><html lang="en"><title>Pawl</title><script type="module" src="suite.js"></script></html>`;

/** A served page. */
export interface Site extends AsyncDisposable {
  readonly url: string;
  /** The paths that pages have asked for. */
  readonly asked: readonly string[];
}

/** Serves it. */
export async function serveSite(): Promise<Site> {
  const script = await suiteBundle();
  const asked: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "localhost", onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    asked.push(decodeURIComponent(pathname));
    const isScript = pathname === "/suite.js";
    const type = isScript ? "text/javascript" : "text/html";
    return new Response(isScript ? script : page, { headers: { "content-type": type } });
  });
  return {
    url: `http://localhost:${server.addr.port}/`,
    asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A tab on the site, ready to be asked. */
export async function openTab(browser: Browser | BrowserContext, { url }: Site): Promise<Page> {
  const tab = await browser.newPage();
  await tab.goto(url);
  await tab.waitForFunction("globalThis.suite");
  return tab;
}
