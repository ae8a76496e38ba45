// deno-lint-ignore-file no-console -- a benchmark's product is its table.
/**
 * What a step costs on IndexedDB: `deno task bench:browser [--runs 1000] [--concurrency 100] [--rounds 3]`, in each browser
 * that is there, next to the bare transactions and puts of the same browser in the same run.
 *
 * Read the ratios: a browser in a container fsyncs on whatever disk that has.
 *
 * @module
 */
import puppeteer, { type Page } from "puppeteer-core";
import type { Bench } from "./browser_page.ts";
import { median, option } from "./machine.ts";

const browsers = [
  {
    browser: "chrome",
    names: ["chromium", "google-chrome"],
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  },
  { browser: "firefox", names: ["firefox-esr", "firefox"], args: [] },
] as const;

async function find(names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const { code, stdout } = await new Deno.Command("which", { args: [name], stderr: "null" }).output();
    if (code === 0) return new TextDecoder().decode(stdout).trim();
  }
}

async function bundled(): Promise<string> {
  const folder = await Deno.makeTempDir();
  const entry = new URL("browser_page.ts", import.meta.url).pathname;
  const args = ["bundle", "--quiet", "--platform", "browser", "-o", `${folder}/page.js`, entry];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (code !== 0) throw new Error(`Cannot bundle the page: ${new TextDecoder().decode(stderr)}`);
  const text = await Deno.readTextFile(`${folder}/page.js`);
  await Deno.remove(folder, { recursive: true });
  return text;
}

/** Asks the page for what it offers under a name. */
export function ask<Name extends keyof Bench>(page: Page, name: Name, ...args: Parameters<Bench[Name]>) {
  const call = (name: string, args: readonly unknown[]) =>
    (globalThis as unknown as { bench: Record<string, (...args: unknown[]) => unknown> }).bench[name]!(
      ...args,
    );
  return page.evaluate(call, name, args) as Promise<Awaited<ReturnType<Bench[Name]>>>;
}

type Measured = Awaited<ReturnType<Bench["measure"]>>;

async function medians(rounds: number, measure: () => Promise<Measured>): Promise<Measured> {
  const all: Measured[] = [];
  for (let round = 0; round < rounds; round++) all.push(await measure());
  const of = (name: keyof Measured) => median(all.map((each) => each[name]));
  return { rate: of("rate"), commits: of("commits"), rows: of("rows"), p50: of("p50"), p99: of("p99") };
}

async function measureIn(page: Page, rounds: number, options: { runs: number; concurrency: number }) {
  const raw = {
    relaxed: {
      transactions: await ask(page, "raw", "relaxed", 1, 1_500),
      puts: await ask(page, "raw", "relaxed", 300, 1_500),
    },
    strict: {
      transactions: await ask(page, "raw", "strict", 1, 1_500),
      puts: await ask(page, "raw", "strict", 300, 1_500),
    },
  };
  const rows: Record<string, string | number>[] = [];
  for (const [durability, bare] of [["normal", raw.relaxed], ["full", raw.strict]] as const) {
    const { rate, commits, rows: written, p50, p99 } = await medians(
      rounds,
      () => ask(page, "measure", durability, options),
    );
    rows.push({
      durability,
      "steps/s": Math.round(rate),
      "commits/step": commits.toFixed(3),
      "rows/step": written.toFixed(2),
      "p50 ms": p50.toFixed(1),
      "p99 ms": p99.toFixed(1),
      "bare tx/s": Math.round(bare.transactions),
      "bare puts/s": Math.round(bare.puts),
      "rows/s to bare puts/s": (rate * written / bare.puts).toFixed(2),
      "p50 in bare tx": (p50 * bare.transactions / 1_000).toFixed(1),
    });
  }
  return rows;
}

/**
 * Opens the page in each browser that is there.
 *
 * @param use What is done with it.
 * @param wanted Which browsers.
 */
export async function inBrowsers(
  use: (page: Page, browser: string) => Promise<void>,
  wanted: readonly string[] = browsers.map(({ browser }) => browser),
): Promise<void> {
  const script = await bundled();
  const html = `<!doctype html><title>bench</title><script type="module" src="page.js"></script>`;
  await using server = Deno.serve({ port: 0, hostname: "localhost", onListen() {} }, ({ url }) => {
    const isScript = url.endsWith(".js");
    return new Response(isScript ? script : html, {
      headers: { "content-type": isScript ? "text/javascript" : "text/html" },
    });
  });
  for (const { browser, names, args } of browsers.filter(({ browser }) => wanted.includes(browser))) {
    const executablePath = await find(names);
    if (executablePath === undefined) {
      console.error(`${browser}: none of ${names.join(", ")} is on the path`);
      continue;
    }
    const opened = await puppeteer.launch({
      browser,
      executablePath,
      args: [...args],
      protocolTimeout: 600_000,
    });
    try {
      const page = await opened.newPage();
      await page.goto(`http://localhost:${server.addr.port}/`);
      await page.waitForFunction("globalThis.bench");
      await use(page, browser);
    } finally {
      await opened.close();
    }
  }
}

async function main(): Promise<void> {
  const rounds = option("rounds", 3);
  const options = { runs: option("runs", 1_000), concurrency: option("concurrency", 100) };
  const table: Record<string, string | number>[] = [];
  await inBrowsers(async (page, browser) => {
    for (const row of await measureIn(page, rounds, options)) table.push({ browser, ...row });
  });
  const { runs, concurrency } = options;
  console.log(
    `\n${runs} three-step runs, ${concurrency} at a time, median of ${rounds} rounds; start-to-result of one-step runs\n`,
  );
  console.table(table);
}

if (import.meta.main) await main();
