/**
 * The README's example as a stranger meets it: a folder with nothing but the tarball, the example pasted, and run by each
 * runtime, and in a page.
 *
 * @module
 */
import assert from "node:assert/strict";
import { run } from "../../npm/command.ts";
import { type Consumer, readmeExample } from "../../npm/consumer.ts";
import { bundlersFolder } from "../../npm/tools.ts";
import { openBrowser } from "../browser/browsers.ts";
import { TextLines } from "./text_lines.ts";

/** What the example says that it prints: `console.log(run.status); // shipped`. */
async function promised(): Promise<readonly string[]> {
  const prints = (await readmeExample()).matchAll(/^\s*console\.log\(.*\);? \/\/ (.+)$/gm);
  return [...prints].map((match) => match[1]!);
}

/**
 * Pastes the example: as it is, and with its types taken away for a Node that knows none.
 *
 * @param consumer Where.
 */
export async function pasteExample(consumer: Consumer): Promise<void> {
  const example = await readmeExample();
  await Deno.writeTextFile(`${consumer.folder}/readme.ts`, example);
  await consumer.write("readme", example);
}

/**
 * Runs the pasted example.
 *
 * @param consumer Where it was pasted.
 * @param runtime What runs it.
 * @param args Before the file.
 * @returns What it printed.
 */
export async function runExample(
  { folder }: Consumer,
  runtime: string,
  args: readonly string[] = [],
): Promise<string> {
  const file = await knowsTypes(runtime) ? "readme.ts" : "readme.mjs";
  const said = (await run(runtime, [...args, file], { cwd: folder })).trim();
  assert.deepEqual(said === "" ? [] : said.split("\n"), await promised());
  return `${file} says ${said || "nothing"}`;
}

/** Node takes away types by itself since 22.18. */
async function knowsTypes(runtime: string): Promise<boolean> {
  const version = (await run(runtime, ["--version"])).trim();
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  return major === undefined || Number(major) > 22 || (major === "22" && Number(minor) >= 18);
}

/**
 * Serves the example with vite as one does while writing, and opens its page in Chromium.
 *
 * @param consumer Where it was pasted.
 * @returns What it printed.
 */
export async function openExample({ folder }: Consumer): Promise<string> {
  await Deno.writeTextFile(
    `${folder}/index.html`,
    '<!doctype html><html lang="en"><title>Example</title><link rel="icon" href="data:,"><script type="module" src="/readme.ts"></script></html>\n',
  );
  const vite = `${await bundlersFolder()}/node_modules/vite/bin/vite.js`;
  const server = new Deno.Command("node", {
    args: [vite],
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const browser = await openBrowser("chrome");
  let alarm: ReturnType<typeof setTimeout> | undefined;
  try {
    const line = await new TextLines(server.stdout).find((text) => text.includes("http://localhost"));
    const url = /http:\/\/localhost:\d+\S*/.exec(line ?? "")?.[0];
    if (url === undefined) throw new Error("vite has served nothing");
    const wanted = (await promised()).join("\n");
    const tab = await browser.newPage();
    const said: string[] = [];
    await new Promise<void>((resolve, reject) => {
      tab.on("console", (message) => {
        if (message.type() === "log") said.push(message.text());
        if (message.type() === "error") reject(new Error(`The page complains: ${message.text()}`));
        if (said.join("\n") === wanted) resolve();
      });
      tab.on("pageerror", (error) => reject(error));
      alarm = setTimeout(() => reject(new Error(`The page says "${said}", not "${wanted}"`)), 60_000);
      tab.goto(url).catch(reject);
    });
    return `says ${said}`;
  } finally {
    clearTimeout(alarm);
    await browser.close();
    server.kill();
    await server.status;
  }
}
