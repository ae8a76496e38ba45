import process from "node:process";

/** The module of the runtime, asked for as the store does: Node 20 has none, and no test of it either. */
export const ownSqlite = process.getBuiltinModule?.("node:sqlite") as
  | typeof import("node:sqlite")
  | undefined;

/** A connection of a test's own. Only for tests that are ignored where there is none. */
export function ownConnection(path: string): InstanceType<typeof import("node:sqlite").DatabaseSync> {
  return new ownSqlite!.DatabaseSync(path);
}
