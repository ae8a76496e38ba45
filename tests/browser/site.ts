/**
 * A site for browser tests: one empty page with a bundle of `pages/`, on a port that stays the same, as the origin of what a
 * browser keeps.
 *
 * @module
 */
import type { Browser, BrowserContext, Page } from "puppeteer-core";
import { bundleOf } from "./bundle.ts";

const bundles = new Map<string, Promise<string>>();

/** The script of a page, bundled once per process. */
function scriptOf(page: string): Promise<string> {
  const known = bundles.get(page) ?? bundleOf(page);
  bundles.set(page, known);
  return known;
}

const html =
  `<!doctype html><html lang="en"><title>Pawl</title><script type="module" src="suite.js"></script></html>`;

/** A served page. */
export interface Site extends AsyncDisposable {
  readonly url: string;
  /** The paths that pages have asked for. */
  readonly asked: readonly string[];
}

/**
 * Serves it.
 *
 * @param page Which of `pages/` it runs.
 * @param answer Answers what is posted to the site.
 */
export async function serveSite(
  page = "suite",
  answer: (request: Request) => Promise<Response> = () => Promise.resolve(new Response("pong")),
): Promise<Site> {
  const script = await scriptOf(page);
  const asked: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "localhost", onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    asked.push(decodeURIComponent(pathname));
    if (request.method === "POST" || pathname === "/ping") return answer(request);
    const isScript = pathname === "/suite.js";
    const type = isScript ? "text/javascript" : "text/html";
    return new Response(isScript ? script : html, { headers: { "content-type": type } });
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
