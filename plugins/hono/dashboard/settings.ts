/**
 * What a reader has set in this browser: kept in its storage where that is allowed, else for as long as the page is open.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";

/** What can be set. */
export interface Settings {
  readonly theme: "system" | "light" | "dark";
  /** How times are shown. */
  readonly times: "relative" | "absolute";
  /** Whether pages follow what happens. */
  readonly live: boolean;
  /** Whether single keys are shortcuts. */
  readonly keys: boolean;
  /** Saved filters of the runs, by name. */
  readonly filters: readonly { readonly name: string; readonly query: string }[];
  /** Namespaces of locks that were looked at. */
  readonly namespaces: readonly string[];
}

const initial: Settings = {
  theme: "system",
  times: "relative",
  live: true,
  keys: true,
  filters: [],
  namespaces: [],
};
const storageKey = "pawl.dashboard";
const listeners = new Set<() => void>();
let settings: Settings = { ...initial, ...stored() };

function stored(): Partial<Settings> {
  try {
    const found = JSON.parse(localStorage.getItem(storageKey) ?? "{}") as Record<string, unknown>;
    // What another version has stored may be of another shape.
    const fits = ([name, value]: [string, unknown]) => {
      const like = initial[name as keyof Settings];
      return like !== undefined && typeof value === typeof like &&
        Array.isArray(value) === Array.isArray(like);
    };
    return Object.fromEntries(Object.entries(found).filter(fits));
  } catch {
    return {};
  }
}

/** The settings now. */
export function currentSettings(): Settings {
  return settings;
}

/** Changes some, here and for the next visit. */
export function setSettings(changes: Partial<Settings>): void {
  settings = { ...settings, ...changes };
  try {
    localStorage.setItem(storageKey, JSON.stringify(settings));
  } catch {
    // They hold for as long as the page is open.
  }
  applyTheme();
  for (const listener of [...listeners]) listener();
}

/** Lets the style sheet know. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = settings.theme;
}

/** The settings, as they change. */
export function useSettings(): Settings {
  const [value, setValue] = useState(settings);
  useEffect(() => {
    const listener = () => setValue(settings);
    listener();
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return value;
}
