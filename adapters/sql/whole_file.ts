/**
 * Files that are there whole or not at all: made under another name, synced, and then given their own.
 *
 * @module
 */
import { PawlError } from "../../core/errors.ts";
import { systemRandom } from "../../core/ports/random.ts";
import { storeError } from "./errors.ts";

/** The part of the file system that is used; only when called, so that others run where there is none. */
const fileSystem = () => import("node:fs/promises");

/** What SQLite keeps beside a database. */
const companions = ["-wal", "-shm", "-journal"];

/**
 * Makes a database file.
 *
 * @param to Its path; nothing may be there.
 * @param doing What is being done, for messages.
 * @param make Makes it under the path it is given.
 * @returns Its size in bytes.
 * @throws {PawlError} `INVALID_ARGUMENT` when something is there already, `STORE_FULL`, or `STORE_FAILED`; then nothing
 * is left at `to`.
 */
export async function makeWhole(to: string, doing: string, make: (path: string) => void): Promise<number> {
  const { link, open, rm, stat, unlink } = await fileSystem();
  // A log that was left behind by another database would be taken for this one's.
  for (const path of [to, ...companions.map((end) => to + end)]) {
    if (await isThere(path)) {
      throw new PawlError("INVALID_ARGUMENT", `Cannot ${doing}: "${path}" is there already`);
    }
  }
  const part = `${to}.${systemRandom().hex(8)}.part`;
  try {
    make(part);
    const file = await open(part, "r+");
    await file.sync().finally(() => file.close());
    const { size } = await stat(part);
    // A link, and no renaming: that would replace what somebody else has put there meanwhile.
    await link(part, to);
    await unlink(part);
    await syncFolder(to);
    return size;
  } catch (error) {
    throw fileError(error, doing);
  } finally {
    for (const end of ["", ...companions]) await rm(part + end, { force: true });
  }
}

/** Whether something has that path. */
export async function isThere(path: string): Promise<boolean> {
  const { stat } = await fileSystem();
  return await stat(path).then(() => true, () => false);
}

/** So that the name survives a power cut, too. Not every system lets a folder be opened. */
async function syncFolder(path: string): Promise<void> {
  const { open } = await fileSystem();
  const folder = await open(path.replace(/[^/\\]*$/, "") || ".").catch(() => undefined);
  await folder?.sync().catch(() => {}).finally(() => folder.close());
}

/** What SQLite calls the errors that both it and the file system have. */
const sqliteCodes: Readonly<Record<string, string>> = {
  ENOSPC: "SQLITE_FULL",
  EDQUOT: "SQLITE_FULL",
  EROFS: "SQLITE_READONLY",
};

function fileError(error: unknown, doing: string): PawlError {
  const { code } = Object(error) as { readonly code?: string };
  if (code === "EEXIST") {
    return new PawlError("INVALID_ARGUMENT", `Cannot ${doing}: the target is there already`, {
      cause: error,
    });
  }
  const named = sqliteCodes[code ?? ""];
  return storeError(
    named ? Object.assign(new Error(String(error), { cause: error }), { code: named }) : error,
    doing,
  );
}
