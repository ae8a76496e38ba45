/**
 * The anchors that GitHub gives to the headings of a page.
 *
 * @module
 */

/**
 * Names the headings of one page, from its first on.
 *
 * @returns Gives the anchor of the next heading: a heading that was there already gets a number.
 */
export function anchors(): (heading: string) => string {
  const seen = new Map<string, number>();
  return (heading) => {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").trim().toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, "").replaceAll(" ", "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  };
}

/**
 * The anchors of a page that is written already.
 *
 * @param markdown Its text.
 * @returns Every anchor that a link may name.
 */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const next = anchors();
  const found = new Set<string>();
  for (const line of withoutCode(markdown).split("\n")) {
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    if (heading !== undefined) found.add(next(heading));
  }
  return found;
}

/**
 * A page without its code blocks, whose lines are left empty.
 *
 * @param markdown Its text.
 * @returns The rest, each line at its place.
 */
export function withoutCode(markdown: string): string {
  return markdown.replace(
    /^( *)(`{3,})[^\n]*\n[\s\S]*?^\1\2$/gm,
    (block) => block.replace(/[^\n]/g, ""),
  );
}
