/**
 * How tabs and browsers end that are not asked.
 *
 * @module
 */
import type { Browser, Page } from "puppeteer-core";
import { ask } from "./tab.ts";

/** Crashes the renderer of a tab of Chromium. */
export async function crash(tab: Page): Promise<void> {
  const session = await tab.createCDPSession();
  const crashed = new Promise((resolve) => tab.once("error", resolve));
  // The answer to a crash never comes.
  session.send("Page.crash").catch(() => {});
  await crashed;
}

const freezesMax = 200;

/**
 * Freezes a tab of Chromium that is not in front: none of its timers and tasks runs until {@linkcode thaw}. By itself,
 * Chromium freezes no tab whose transaction others may wait for; a driver does, and for a minute nobody could do anything. So
 * a tab that is caught in the middle of one goes on for a moment.
 *
 * @returns False when it never was without one.
 */
export async function freeze(tab: Page): Promise<boolean> {
  const session = await tab.createCDPSession();
  const set = (state: "frozen" | "active") => session.send("Page.setWebLifecycleState", { state });
  let isFrozen = false;
  for (let tries = 0; tries < freezesMax && !isFrozen; tries++) {
    await set("frozen");
    isFrozen = await ask(tab, "openTransactions") === 0;
    if (isFrozen) break;
    await set("active");
    await new Promise((resolve) => setTimeout(resolve, 20 * Math.random()));
  }
  await session.detach();
  return isFrozen;
}

/** Lets a frozen tab go on. */
export async function thaw(tab: Page): Promise<void> {
  const session = await tab.createCDPSession();
  await session.send("Page.setWebLifecycleState", { state: "active" });
  await session.detach();
}

/** What a browser leaves in its profile that keeps the next one out. */
const leftovers = ["SingletonLock", "SingletonSocket", "SingletonCookie", ".parentlock", "lock"];

/**
 * Ends a browser as a power cut would, all of its processes at once. Resolves when none of them is left.
 *
 * @param browser Which.
 * @param profile The folder that only this browser has been started with.
 */
export async function killBrowser(browser: Browser, profile: string): Promise<void> {
  const main = browser.process()!;
  const hasEnded = new Promise((resolve) => main.once("exit", resolve));
  const kill = (pid: number) => {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It has gone by itself.
    }
  };
  // First, so that it sees none of the others die.
  kill(main.pid!);
  await hasEnded;
  for (let left = await processesOf(profile); left.length > 0; left = await processesOf(profile)) {
    left.forEach(kill);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const name of leftovers) await Deno.remove(`${profile}/${name}`).catch(() => {});
}

/** Processes that were started with this profile, where the system tells. */
async function processesOf(profile: string): Promise<readonly number[]> {
  const pids: number[] = [];
  const folders = await Array.fromAsync(Deno.readDir("/proc")).catch(() => []);
  for (const { name } of folders.filter((each) => /^\d+$/.test(each.name))) {
    const command = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (command.includes(profile)) pids.push(Number(name));
  }
  return pids;
}
