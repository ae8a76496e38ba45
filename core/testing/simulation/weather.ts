/**
 * What is around the hosts of a browser: a network that comes and goes, tabs that are hidden, shown, left and come back.
 *
 * @module
 */
import type { Platform, Readiness } from "../../ports/platform.ts";
import type { Dice } from "./dice.ts";
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

/** Something changes: the network for all of them, or a tab. */
export interface WeatherTurn {
  /** When, in virtual ms since the world began. */
  readonly at: number;
  readonly kind: "offline" | "online" | "tab shown" | "tabs hidden" | "tab left";
  /** Decides for whom, and for how long. */
  readonly seed: number;
}

const kinds = [
  "offline",
  "offline",
  "online",
  "online",
  "tab shown",
  "tab shown",
  "tabs hidden",
  "tab left",
] as const;

/** Draws what changes until the faults stop. */
export function drawWeather(dice: Dice, until: number): readonly WeatherTurn[] {
  return Array.from({ length: dice.pick([0, 3, 8, 16]) }, () => ({
    at: dice.between(100, until),
    kind: dice.pick(kinds),
    seed: dice.seed(),
  }));
}

/** One host's part of it. */
interface Tab {
  readonly host: Host;
  readonly isTab: boolean;
  readonly listeners: Set<() => void>;
  readiness: Readiness;
  /** Since when it has been left; absent: it is there. */
  leftAt?: number | undefined;
}

/** The weather of one world. */
export class Weather {
  readonly #world: World;
  readonly #tabs: Tab[] = [];
  /** Engines whose hosts are seen to be there. */
  readonly #signs = new Set<string>();
  #isOnline = true;
  /** When it was offline last, or began to be. */
  #offlineAt = -Infinity;

  constructor(world: World) {
    this.#world = world;
  }

  /** What a host tells its engine; a worker, which only ticks, is never hidden nor left. */
  platformOf(host: Host, isTab: boolean): Platform {
    const tab: Tab = {
      host,
      isTab,
      listeners: new Set(),
      readiness: this.#world.calm || !isTab ? "active" : "standby",
    };
    this.#tabs.push(tab);
    // The browser takes a while to see that a tab is gone.
    host.onCrash(() =>
      this.#world.schedule(this.#world.between(0, 200), () => this.#signs.delete(host.engineId))
    );
    return {
      isOnline: () => this.#isOnline,
      readiness: () => tab.readiness,
      watch(onChange) {
        tab.listeners.add(onChange);
        return () => void tab.listeners.delete(onChange);
      },
      hold: (engineId) =>
        host.sleep(this.#world.between(0, 5)).then(() => {
          this.#signs.add(engineId);
          return () => void this.#signs.delete(engineId);
        }),
      gone: (engineIds) =>
        host.sleep(this.#world.between(0, 5)).then(() => engineIds.filter((each) => !this.#signs.has(each))),
    };
  }

  /** Something changes. */
  turn({ kind }: WeatherTurn, dice: Dice): void {
    const alive = this.#tabs.filter(({ host }) => host.alive);
    if (alive.length === 0 || !this.#world.fault(kind, 1)) return;
    this.#world.log(kind);
    if (kind === "offline" || kind === "online") return this.#network(kind === "online");
    const tabs = alive.filter(({ isTab }) => isTab);
    const chosen = tabs.length > 0 ? dice.pick(tabs) : undefined;
    if (kind === "tab left") return chosen && this.#leave(chosen, dice.between(100, 3_000));
    for (const tab of tabs) this.#show(tab, kind === "tab shown" && tab === chosen);
  }

  /** The faults stop: there is a network, and every tab is in front of somebody. */
  clear(): void {
    this.#network(true);
    for (const tab of this.#tabs) {
      tab.leftAt = undefined;
      this.#show(tab, true);
    }
  }

  /** For how long there has been no network, in ms; 0: there is one. */
  get offlineFor(): number {
    return this.#isOnline ? 0 : this.#world.time - this.#offlineAt;
  }

  /** Whether there was no network at some time since then. */
  wasOffline(since: number): boolean {
    return !this.#isOnline || this.#offlineAt >= since;
  }

  /** For how long a host has been left, in ms; 0: it is there. */
  leftFor(host: Host): number {
    const at = this.#tabs.find((tab) => tab.host === host)?.leftAt;
    return at === undefined ? 0 : this.#world.time - at;
  }

  #network(isOnline: boolean): void {
    // The end of a time without counts as part of it.
    if (!isOnline || !this.#isOnline) {
      this.#offlineAt = isOnline || this.#isOnline ? this.#world.time : this.#offlineAt;
    }
    this.#isOnline = isOnline;
    for (const tab of this.#tabs) this.#tell(tab);
  }

  #leave(tab: Tab, ms: number): void {
    if (tab.leftAt !== undefined) return;
    tab.leftAt = this.#world.time;
    tab.readiness = "suspended";
    this.#tell(tab);
    this.#world.schedule(ms, () => {
      if (tab.leftAt === undefined) return;
      tab.leftAt = undefined;
      this.#show(tab, true);
    });
  }

  #show(tab: Tab, isShown: boolean): void {
    if (tab.leftAt !== undefined) return;
    tab.readiness = isShown ? "active" : "standby";
    this.#tell(tab);
  }

  #tell({ host, listeners }: Tab): void {
    host.later(0, () => listeners.forEach((listener) => listener()));
  }
}
