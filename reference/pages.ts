/**
 * The whole reference, as files.
 *
 * @module
 */
import { readEntries } from "./doc_json.ts";
import { notice, pageOf, summary } from "./page.ts";
import { placesOf } from "./places.ts";

/** The reference, not yet written. */
export interface Reference {
  /** Texts by file name, within `docs/api/`. */
  readonly files: ReadonlyMap<string, string>;
  /** What is wrong with the doc comments: links to nothing that is exported, parameters that there are not. */
  readonly lost: readonly string[];
}

/**
 * Makes the reference of what `deno.json` exports. The same sources give the same files.
 *
 * @returns The files.
 */
export async function referenceOf(): Promise<Reference> {
  const entries = await readEntries();
  const places = placesOf(entries);
  const lost: string[] = [];
  const files = new Map<string, string>();
  for (const listing of places.listings) {
    files.set(`${listing.entry.page}.md`, pageOf(listing, places, lost));
  }
  const lines = entries.map((entry) =>
    `- [\`${entry.specifier}\`](${entry.page}.md): ${summary(entry.module)} ${entry.symbols.length} names.`
  );
  files.set(
    "README.md",
    [
      notice,
      "# Reference",
      "Every exported name of every entry point, from the doc comments of the sources. What the pages of\n" +
      "[the documentation](../README.md) tell in order is here by name.",
      `${lines.join("\n")}\n`,
    ].join("\n\n"),
  );
  return { files, lost };
}
