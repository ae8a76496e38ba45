/**
 * The few lines that a page without a framework needs.
 *
 * @module
 */

/** An element of the page, which must be there. */
export function find<Found extends HTMLElement = HTMLElement>(id: string): Found {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element "${id}"`);
  return found as Found;
}

/** Makes an element; texts are texts, and never markup. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** For how long news are shown; the lists show the same for good. */
const newsMs = 8_000;
let newsTimer: ReturnType<typeof setTimeout> | undefined;

/** Shows a sentence for a while, and has it read out to those who cannot see it. */
export function say(text: string): void {
  find("news").textContent = text;
  clearTimeout(newsTimer);
  newsTimer = setTimeout(() => find("news").textContent = "", newsMs);
}
