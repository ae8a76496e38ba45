/**
 * How much of a line a text takes, and making it take less.
 *
 * @module
 */

/** What takes two places of a line: East Asian characters, and pictures. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** What takes none. */
const hidden = /\p{Mark}|[\u200b-\u200d\ufe0f]/u;

// deno-lint-ignore no-control-regex -- They are what is looked for.
const control = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * A text that can be shown: what is stored must not write to the screen, nor move on it.
 *
 * @param text Whatever somebody has stored.
 * @returns It, on one line, with control characters as JSON writes them.
 */
export function shown(text: string): string {
  return text.replace(control, (each) => {
    const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
    return short[each] ?? `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Places of a line that a text takes. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const each of text) width += hidden.test(each) ? 0 : wide.test(each) ? 2 : 1;
  return width;
}

/** A text that takes no more than so many places, with a sign where something is left out. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let cut = "";
  let left = width - 1;
  for (const each of text) {
    left -= widthOf(each);
    if (left < 0) break;
    cut += each;
  }
  return `${cut}…`;
}
