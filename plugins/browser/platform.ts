import type { Platform, Readiness } from "pawl";
import { LifeSigns } from "./life_signs.ts";

/** Options of {@linkcode browserPlatform}. */
export interface BrowserPlatformOptions {
  /** Tells locks of different stores apart; default `pawl`. Give each database its own, such as its name. */
  readonly name?: string;
}

/** Events of the global scope, and of the document where there is one, after which an engine looks around. */
const globalEvents = ["online", "offline", "pageshow", "pagehide", "focus"] as const;
const documentEvents = ["visibilitychange", "freeze", "resume"] as const;

/**
 * The browser as a platform: `createEngine({ platform: browserPlatform() })`.
 *
 * A page that is visible is active; a hidden one stands by, so that the tab in front of the user does the work. A page that
 * is left, and may be kept in the back/forward cache, is suspended until it is shown again. A worker is active. Each engine
 * holds a Web Lock for as long as its context is there, so that the other tabs see at once when a tab was closed or has
 * crashed; where there are no Web Locks, they wait until its term ends.
 *
 * @param options Which locks.
 * @returns The platform. One is enough for all engines of a context, and listens for as long as that is there.
 *
 * @example
 * ```ts
 * import { browserPlatform } from "pawl/plugins/browser";
 * import { createEngine, machine } from "pawl";
 * import { memoryStore } from "pawl/adapters/memory";
 * const form = machine("form").step("filled", ["sent"], () => "sent", { needs: "network" }).build();
 * const engine = createEngine({ store: memoryStore(), definitions: [form], platform: browserPlatform() });
 * await engine.start();
 * await engine.stop();
 * ```
 */
export function browserPlatform(options: BrowserPlatformOptions = {}): Platform {
  const { name = "pawl" } = options;
  const scope = globalThis as unknown as EventTarget & { readonly document?: Document };
  const { document } = scope;
  let isLeft = false;
  let isFrozen = false;
  const listeners = new Set<() => void>();
  const onEvent = ({ type }: Event) => {
    if (type === "pagehide") isLeft = true;
    if (type === "pageshow") isLeft = false;
    if (type === "freeze") isFrozen = true;
    if (type === "resume" || type === "pageshow") isFrozen = false;
    for (const listener of [...listeners]) listener();
  };
  // For as long as there is a page, whoever watches: it may be left while an engine is about to start, or none is there.
  for (const type of globalEvents) scope.addEventListener?.(type, onEvent);
  for (const type of documentEvents) document?.addEventListener(type, onEvent);
  return {
    isOnline: () => globalThis.navigator?.onLine ?? true,
    readiness: (): Readiness => {
      if (isLeft || isFrozen) return "suspended";
      return document?.visibilityState === "hidden" ? "standby" : "active";
    },
    watch(onChange) {
      const own = () => onChange();
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    ...lifeSigns(name),
  };
}

function lifeSigns(name: string): Pick<Platform, "hold" | "gone"> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return {};
  const signs = new LifeSigns(locks, name);
  return { hold: (engineId) => signs.hold(engineId), gone: (engineIds) => signs.gone(engineIds) };
}
