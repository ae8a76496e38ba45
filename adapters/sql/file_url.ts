import { PawlError } from "../../core/errors.ts";

/** The path of a database in memory. */
export const inMemory = ":memory:";

/**
 * The path of a `file:` URL as SQLite takes it.
 *
 * @param url `file:pawl.db`, `file:///absolute/pawl.db`, `:memory:`.
 * @returns Its path.
 * @throws {PawlError} `INVALID_ARGUMENT` when it is none of these.
 */
export function pathOf(url: string): string {
  if (url === inMemory || url === "file::memory:") return inMemory;
  const match = /^file:(?:\/\/(?:localhost)?(?=\/)|(?!\/\/))([^?#]+)$/.exec(url);
  if (!match) {
    throw refused(`url "${url}"`, '"file:<path>" without a query, ":memory:", or the address of a server');
  }
  try {
    return decodeURIComponent(match[1]!);
  } catch {
    throw refused(`url "${url}"`, "a path whose percent signs are escapes");
  }
}

/** The error of an option that no store can be opened with. */
export function refused(seen: string, wished: string): PawlError {
  return new PawlError("INVALID_ARGUMENT", `Cannot open store: got ${seen}, want ${wished}`);
}
