/**
 * A site for browser tests: one empty page with the bundle of `pages/suite.ts`, on a port that stays the same, as the
 * origin of what a browser keeps.
 *
 * @module
 */
import type { Browser, BrowserContext, Page } from "puppeteer-core";

let bundle: Promise<string> | undefined;

/** The page's script, bundled once per process. */
function suiteBundle(): Promise<string> {
  return bundle ??= (async () => {
    const folder = await Deno.makeTempDir();
    const entry = new URL("pages/suite.ts", import.meta.url).pathname;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--platform", "browser", "-o", `${folder}/suite.js`, entry],
      stderr: "piped",
      stdout: "null",
    }).output();
    if (code !== 0) throw new Error(`Cannot bundle the page: ${new TextDecoder().decode(stderr)}`);
    const text = await Deno.readTextFile(`${folder}/suite.js`);
    await Deno.remove(folder, { recursive: true });
    return text;
  })();
}

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
