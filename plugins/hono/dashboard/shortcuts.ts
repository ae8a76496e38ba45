/**
 * Keys that do something wherever the focus is, but for where text is typed.
 *
 * @module
 */
import { useEffect, useRef } from "preact/hooks";
import { refreshAll } from "./poll.ts";
import { go, hrefOf } from "./place.ts";
import { currentSettings, setSettings, type Settings } from "./settings.ts";

/** The pages, by the key that follows `g`. */
export const pages: readonly (readonly [key: string, name: string, label: string])[] = [
  ["r", "runs", "Runs"],
  ["s", "schedules", "Schedules"],
  ["l", "locks", "Locks"],
  ["e", "engines", "Engines"],
  ["m", "metrics", "Metrics"],
  ["v", "events", "Events"],
];

/** All shortcuts, for the help. */
export const shortcutTexts: readonly (readonly [keys: string, text: string])[] = [
  ...pages.map(([key, , label]) => [`g ${key}`, `Go to ${label}`] as const),
  ["/", "Search"],
  ["j  k", "Next row, previous row; Enter opens it"],
  ["x", "Select the row"],
  ["r", "Ask again now"],
  ["l", "Follow what happens, or hold still"],
  ["t", "Relative or absolute times"],
  ["d", "Light, dark, or as the system"],
  ["?", "These keys"],
  ["Esc", "Close the dialog"],
];

/** Longest time between the two keys of a pair. */
const pairMs = 1_500;

/** The theme after each. */
export const nextTheme: Readonly<Record<Settings["theme"], Settings["theme"]>> = {
  system: "light",
  light: "dark",
  dark: "system",
};

/** Puts the focus on the next row, or the one before. */
function moveRow(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  const current = document.activeElement?.closest("tr");
  const at = rows.findIndex((row) =>
    row === document.activeElement || (current && row.closest("tr") === current)
  );
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
  rows[next]?.focus();
}

function selectRow(): void {
  const row = document.activeElement?.closest("tr");
  row?.querySelector<HTMLInputElement>("input[type=checkbox]")?.click();
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const isBox = target instanceof HTMLInputElement && ["checkbox", "radio"].includes(target.type);
  return target.isContentEditable || (!isBox && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Listens to the keys. */
export function useShortcuts(openHelp: () => void): void {
  const pair = useRef(0);
  useEffect(() => {
    const actions: Readonly<Record<string, () => void>> = {
      "?": openHelp,
      "/": () => document.querySelector<HTMLElement>("[data-search]")?.focus(),
      j: () => moveRow(1),
      k: () => moveRow(-1),
      x: selectRow,
      r: refreshAll,
      l: () => setSettings({ live: !currentSettings().live }),
      t: () => setSettings({ times: currentSettings().times === "relative" ? "absolute" : "relative" }),
      d: () => setSettings({ theme: nextTheme[currentSettings().theme] }),
    };
    function press(event: KeyboardEvent) {
      const { key, target } = event;
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (!currentSettings().keys || isTyping(target) || document.querySelector("dialog[open]")) return;
      const isSecond = performance.now() - pair.current < pairMs;
      pair.current = 0;
      const page = isSecond && pages.find(([each]) => each === key);
      if (page) go(hrefOf([page[1]]));
      else if (key === "g") pair.current = performance.now();
      else if (actions[key]) actions[key]();
      else return;
      event.preventDefault();
    }
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}
