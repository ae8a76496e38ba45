/**
 * The installed package in pages: bundled by three bundlers as their documents say, served, and opened in Chromium.
 *
 * @module
 */
import { run } from "../../npm/command.ts";
import { withTarball } from "../../npm/consumer.ts";
import { filesOf } from "../../npm/finish.ts";
import { bundlersFolder } from "../../npm/tools.ts";
import { openBrowser } from "../browser/browsers.ts";

/** How each makes a folder with the page's script of `page.mjs`. */
const bundlers: Readonly<Record<string, (modules: string, out: string) => string[]>> = {
  esbuild: (modules, out) => [
    `${modules}/esbuild/bin/esbuild`,
    ...["page.mjs", "--bundle", "--minify", "--format=esm", "--target=es2022", `--outfile=${out}/page.js`],
  ],
  vite: (
    modules,
    out,
  ) => [`${modules}/vite/bin/vite.js`, "build", ".", "--outDir", out, "--logLevel", "warn"],
  webpack: (modules, out) => [
    `${modules}/webpack-cli/bin/cli.js`,
    ...[
      "--mode",
      "production",
      "--entry",
      "./page.mjs",
      "--output-path",
      out,
      "--output-filename",
      "page.js",
    ],
  ],
};

const html = (script: string) =>
  `<!doctype html><html lang="en"><title>Working</title><script type="module" src="${script}"></script></html>\n`;

/** Bundles the page with each bundler, opens it, and tells what its script weighs. */
export async function checkPages(
  tarball: string,
  tell: (what: string, work: () => Promise<string>) => Promise<void>,
): Promise<void> {
  await using consumer = await withTarball(tarball, ["idb"]);
  const program = await Deno.readTextFile(new URL("programs/page.ts", import.meta.url));
  await consumer.write("page", program);
  await Deno.writeTextFile(`${consumer.folder}/index.html`, html("/page.mjs"));
  const modules = `${await bundlersFolder()}/node_modules`;
  for (const [name, command] of Object.entries(bundlers)) {
    await tell(`${name}: a page on IndexedDB`, async () => {
      const out = `${consumer.folder}/out_${name}`;
      await run("node", command(modules, out), { cwd: consumer.folder });
      return await openPage(out);
    });
  }
}

async function openPage(folder: string): Promise<string> {
  const scripts = (await filesOf(folder)).filter((file) => file.endsWith(".js"));
  const weights = await Promise.all(scripts.map(weigh));
  const [minified, compressed] = [0, 1].map((at) => weights.reduce((sum, weight) => sum + weight[at]!, 0));
  const page = await Deno.readTextFile(`${folder}/index.html`).catch(() => html("/page.js"));
  await using server = Deno.serve({ port: 0, hostname: "localhost", onListen() {} }, async ({ url }) => {
    const { pathname } = new URL(url);
    if (pathname === "/") return new Response(page, { headers: { "content-type": "text/html" } });
    const script = await Deno.readTextFile(folder + pathname).catch(() => undefined);
    if (script === undefined) return new Response(null, { status: 404 });
    return new Response(script, { headers: { "content-type": "text/javascript" } });
  });
  const browser = await openBrowser("chrome");
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://localhost:${server.addr.port}/`);
    await tab.waitForFunction('document.title !== "Working"', { timeout: 60_000 });
    const title = await tab.title();
    if (title !== "shipped with a receipt") throw new Error(`The page says "${title}"`);
    return `${title}; ${minified} bytes minified, ${compressed} compressed`;
  } finally {
    await browser.close();
  }
}

async function weigh(file: string): Promise<readonly [minified: number, compressed: number]> {
  const bytes = await Deno.readFile(file);
  const zipped = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return [bytes.length, (await new Response(zipped).bytes()).length];
}
