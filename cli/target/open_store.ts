/**
 * Opening the store of a URL, as it is: its shard count is its own.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { PawlError, type Store } from "pawl";
import { importing } from "./packages.ts";
import type { DatabaseOptions } from "./database.ts";

/**
 * Opens the store and looks whether it answers.
 *
 * @param options Which.
 * @returns It.
 * @throws {PawlError} What it says, or `INVALID_ARGUMENT` for a file that is not there and is not to be made.
 */
export async function openStore(options: DatabaseOptions): Promise<Store> {
  const { terminal, creates } = options;
  const url = options.url.startsWith("file:")
    ? await fileUrl(options.url, terminal.cwd, creates)
    : options.url;
  // Both are looked for here, as a store would say that it failed, and not what to install.
  await importing(
    // deno-lint-ignore no-explicit-any -- Which of the two is no matter.
    (): Promise<any> => /^(file:|:memory:)/.test(url) ? import("libsql") : import("@libsql/client/web"),
    /^(file:|:memory:)/.test(url) ? "libsql" : "@libsql/client",
    `the database ${withoutSecrets(url)}`,
  );
  const { libsqlStore } = await import("pawl/adapters/libsql");
  const authToken = terminal.env("PAWL_DB_TOKEN") || undefined;
  const open = (shards: number | undefined) =>
    libsqlStore({
      url,
      ...(authToken !== undefined && { authToken }),
      ...(shards !== undefined && { shards }),
      // Somebody waits for one answer: engines at work may hold the file for longer than they wait for each other.
      ...(url.startsWith("file:") && { busyTimeoutMs: 2_000 }),
    });
  const store = open(options.shards);
  const created = options.shards === undefined ? await shardsOf(store) : await look(store);
  return created === undefined ? store : open(created);
}

async function look(store: Store): Promise<undefined> {
  try {
    await store.read([{ shard: 0, ops: [] }]);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** How many shards a store has that was opened with another number. */
async function shardsOf(store: Store): Promise<number | undefined> {
  try {
    return await look(store);
  } catch (error) {
    const { code, message } = error as PawlError;
    const count = code === "STORE_INCOMPATIBLE" ? /open it with shards: (\d+)/.exec(message)?.[1] : undefined;
    if (count === undefined) throw error;
    return Number(count);
  }
}

/** Paths start from where the command is called; a name that was mistyped must not make a new database. */
async function fileUrl(url: string, cwd: string, creates: boolean): Promise<string> {
  const path = /^file:(?!\/\/)([^?#]*)$/.exec(url)?.[1];
  if (path === undefined || path === ":memory:") return url;
  const absolute = resolve(cwd, decodeURIComponent(path));
  if (!creates && !await stat(absolute).catch(() => undefined)) {
    throw new PawlError("INVALID_ARGUMENT", `Cannot open ${url}: there is no such file`);
  }
  return `file:${encodeURI(absolute).replace(/[?#]/g, encodeURIComponent)}`;
}

/** A token may be in its query, a password before its host. */
export function withoutSecrets(url: string): string {
  return url.replace(/\?.*$/, "").replace(/\/\/[^/]*@/, "//");
}
