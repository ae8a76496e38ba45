/**
 * The store of tests that live on a file. `PAWL_FILES=node:sqlite` runs them on the runtime's own SQLite instead of package
 * libsql, and `PAWL_FILES=mixed` on one of both by the process's number, so that processes with either share a file.
 *
 * @module
 */
import process from "node:process";
import type { Store } from "../mod.ts";
import { libsqlStore, type LibsqlUrlOptions } from "../adapters/libsql/mod.ts";
import { sqliteStore } from "../adapters/sqlite/mod.ts";

/** What `PAWL_FILES` may be. */
export const fileLibraries = ["libsql", "node:sqlite", "mixed"] as const;
/** What `PAWL_FILES` may be. */
export type FileLibrary = typeof fileLibraries[number];

/** What files are opened with, unless a test says. */
export const fileLibrary = (process.env.PAWL_FILES ?? "libsql") as FileLibrary;
if (!fileLibraries.includes(fileLibrary)) {
  throw new Error(`Got PAWL_FILES "${fileLibrary}", want ${fileLibraries.join(", ")}`);
}

/** Opens a store by its URL: a file as `library` says, a server as ever. */
export function fileStore(options: LibsqlUrlOptions, library: FileLibrary = fileLibrary): Store {
  const isOwn = library === "node:sqlite" || library === "mixed" && process.pid % 2 === 0;
  return isOwn && options.url.startsWith("file:") ? sqliteStore(options) : libsqlStore(options);
}
