/**
 * Several tabs that trigger and work, while tabs are closed, crashed, reloaded and frozen, and their browser is killed and
 * started again on the same profile.
 *
 * @module
 */
import type { Browser, Page } from "puppeteer-core";
import { type Random, seededRandom } from "../../../core/ports/random.ts";
import { type BrowserKind, openBrowser } from "../browsers.ts";
import { crash, freeze, killBrowser, thaw } from "../endings.ts";
import type { TabOptions } from "../pages/tab.ts";
import { openTab, serveSite, type Site } from "../site.ts";
import { ask, until } from "../tab.ts";
import { type Evidence, judge } from "./judge.ts";
import { type Ledger, note } from "./ledger.ts";

/** How hard it blows. */
export interface StormOptions {
  readonly kind: BrowserKind;
  /** How many tabs, or browsers with all of their tabs, are to end. */
  readonly kills: number;
  readonly seed: number;
  /** Told of each deed. */
  say?(line: string): void;
}

/** What it came to. */
export interface StormReport {
  readonly violations: readonly string[];
  /** How often each thing was done. */
  readonly deeds: Readonly<Record<string, number>>;
  /** What was seen how often. */
  readonly counts: Readonly<Record<string, number>>;
}

/** What can be done, and how often beside the others. What no driver of Firefox can do is for Chromium only. */
const weights: Readonly<Record<BrowserKind, readonly (readonly [Deed, number])[]>> = {
  chrome: [["close", 4], ["crash", 4], ["reload", 4], ["freeze", 3], ["thaw", 3], ["show", 3], ["kill", 1]],
  firefox: [["close", 4], ["reload", 4], ["show", 3], ["kill", 1]],
};

type Deed = "close" | "crash" | "reload" | "freeze" | "thaw" | "show" | "kill";

/** What came in between: a tab that could not be started, or frozen. */
type Mishap = "start again" | "not frozen";

/** Deeds that end what a tab was doing for good. */
const isKill: readonly Deed[] = ["close", "crash", "reload", "kill"];

const tabsMax = 3;
const triggerEveryMs = 300;
const pauseMsMax = 1_200;
const triesMax = 5;
/** A term that no storm is as long as shows nothing; one that is too short lets every tab stand still beyond it. */
const tabOptions: TabOptions = { term: "2s", poll: "200ms", stepMs: 100, reports: true };

/** Lets it blow, and judges what is left. */
export async function runStorm({ kind, kills, seed, say = () => {} }: StormOptions): Promise<StormReport> {
  const ledger: Ledger = { acks: [], effects: [] };
  await using site = await serveSite("tab", (request) => note(ledger, request));
  const profile = await Deno.makeTempDir({ prefix: "pawl-storm-" });
  const storm = new Storm(kind, site, profile, seededRandom(seed));
  try {
    await storm.begin();
    for (let done = 0; done < kills;) {
      const deed = await storm.deed();
      if (isKill.includes(deed)) done++;
      say(`${done} of ${kills}: ${deed}, ${ledger.acks.length} runs`);
    }
    const { runs, findings } = await storm.calm(say);
    const evidence: Evidence = { ...ledger, runs, findings };
    return { violations: judge(evidence), deeds: storm.deeds, counts: countsOf(evidence) };
  } finally {
    await storm.end();
    await Deno.remove(profile, { recursive: true }).catch(() => {});
  }
}

function countsOf({ acks, effects, runs }: Evidence): Readonly<Record<string, number>> {
  return {
    "runs acknowledged": acks.length,
    "runs in the store": runs.length,
    "steps landed": runs.flatMap(({ moves }) => moves).length,
    attempts: effects.length,
    "attempts made again": effects.length - new Set(effects.map(({ stepId }) => stepId)).size,
    "runs that several tabs worked on": runs.filter(({ data }) => tabsOf(data.seen) > 1).length,
  };
}

function tabsOf(seen: readonly string[]): number {
  return new Set(seen.map((each) => each.split(" in ")[1])).size;
}

interface Tab {
  readonly page: Page;
  isFrozen: boolean;
  hasCrashed: boolean;
}

class Storm {
  readonly deeds: Partial<Record<Deed | Mishap, number>> = {};
  readonly #kind: BrowserKind;
  readonly #site: Site;
  readonly #profile: string;
  readonly #random: Random;
  #browser: Browser | undefined;
  #tabs: Tab[] = [];
  #names = 0;

  constructor(kind: BrowserKind, site: Site, profile: string, random: Random) {
    this.#kind = kind;
    this.#site = site;
    this.#profile = profile;
    this.#random = random;
  }

  async begin(): Promise<void> {
    this.#browser = await openBrowser(this.#kind, this.#profile);
    await this.#fill();
  }

  /** Does one thing at some moment. */
  async deed(): Promise<Deed> {
    await new Promise((resolve) => setTimeout(resolve, this.#random.float() * pauseMsMax));
    const deed = this.#drawDeed();
    const tab = this.#draw(this.#tabs.filter(({ isFrozen }) => isFrozen === (deed === "thaw")));
    this.#count(deed);
    if (deed === "kill" || !tab) {
      await killBrowser(this.#browser!, this.#profile);
      this.#tabs = [];
      await this.begin();
      return "kill";
    }
    await this.#inflict(deed, tab);
    await this.#fill();
    return deed;
  }

  /** Ends all tabs, and lets one that triggers nothing finish what they began. */
  async calm(say: (line: string) => void) {
    for (const tab of this.#tabs) await this.#close(tab);
    const last = await openTab(this.#browser!, this.#site);
    await ask(last, "start", "last", tabOptions);
    for (let left = Infinity; left > 0;) {
      const now = await ask(last, "unfinished");
      say(`${now} runs are left`);
      if (now > 0) await until(true, async () => await ask(last, "unfinished") < now);
      left = now;
    }
    return { runs: await ask(last, "runs"), findings: await ask(last, "verify") };
  }

  async end(): Promise<void> {
    await this.#browser?.close().catch(() => {});
  }

  #drawDeed(): Deed {
    const canThaw = this.#tabs.some(({ isFrozen }) => isFrozen);
    const canFreeze = this.#tabs.filter(({ isFrozen }) => !isFrozen).length > 1;
    const open = weights[this.#kind].filter(([deed]) =>
      deed === "thaw" ? canThaw : deed === "freeze" ? canFreeze : true
    );
    let left = this.#random.float() * open.reduce((sum, [, weight]) => sum + weight, 0);
    return open.find(([, weight]) => (left -= weight) < 0)![0];
  }

  #draw<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#random.float() * items.length)];
  }

  async #inflict(deed: Deed, tab: Tab): Promise<void> {
    const { page } = tab;
    if (deed === "close") await this.#close(tab);
    else if (deed === "crash") await crash(page);
    else if (deed === "show") await page.bringToFront();
    else if (deed === "thaw") {
      await thaw(page);
      tab.isFrozen = false;
    } else if (deed === "reload") {
      await page.reload();
      await this.#start(page);
    } else if (deed === "freeze") {
      // The one in front cannot be frozen.
      const other = this.#tabs.find((each) => each !== tab && !each.isFrozen);
      await other?.page.bringToFront();
      await this.#freeze(tab);
    }
  }

  /** Nobody asks for more meanwhile: a tab that is never without a transaction cannot be frozen. */
  async #freeze(tab: Tab): Promise<void> {
    const awake = this.#tabs.filter(({ isFrozen }) => !isFrozen);
    await Promise.all(awake.map(({ page }) => ask(page, "hold", true)));
    tab.isFrozen = await freeze(tab.page);
    if (!tab.isFrozen) this.#count("not frozen");
    await Promise.all(awake.map(({ page }) => ask(page, "hold", false)));
  }

  async #close(tab: Tab): Promise<void> {
    this.#tabs = this.#tabs.filter((each) => each !== tab);
    if (tab.isFrozen) await thaw(tab.page).catch(() => {});
    await tab.page.close();
  }

  /** Replaces what has died, also with the renderer of another tab. */
  async #fill(): Promise<void> {
    for (const tab of this.#tabs.filter(({ hasCrashed }) => hasCrashed)) await this.#close(tab);
    while (this.#tabs.length < tabsMax) {
      const page = await openTab(this.#browser!, this.#site);
      const tab: Tab = { page, isFrozen: false, hasCrashed: false };
      page.on("error", () => tab.hasCrashed = true);
      await this.#start(page);
      this.#tabs.push(tab);
    }
  }

  /** A store that another tab keeps for too long is no reason to give up: a user would reload the page. */
  async #start(page: Page): Promise<void> {
    // Some of them do not hear that they are frozen.
    const isDeaf = this.#random.float() < 0.5;
    for (let tries = 0;; tries++) {
      await page.waitForFunction("globalThis.suite");
      try {
        await ask(page, "start", `tab ${this.#names++}`, { ...tabOptions, isDeaf });
        return await ask(page, "live", triggerEveryMs);
      } catch (error) {
        if (tries === triesMax) throw error;
        this.#count("start again");
        await page.reload();
      }
    }
  }

  #count(deed: Deed | Mishap): void {
    this.deeds[deed] = (this.deeds[deed] ?? 0) + 1;
  }
}
