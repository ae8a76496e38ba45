/**
 * From options and environment to what is asked.
 *
 * @module
 */
import type { TargetValues } from "../arguments.ts";
import { type Terminal, UsageError } from "../command.ts";
import { readWhole } from "../arguments.ts";
import type { Target } from "./target.ts";

/** What a command needs of its target. */
export interface TargetNeeds {
  /** It writes what need not have been there: the file of a database may be made. */
  readonly creates?: boolean;
}

/**
 * Opens what is asked, lends it, and lets go of it.
 *
 * @param values What was given.
 * @param terminal Has the environment.
 * @param use Gets the target.
 * @param needs What it is to be good for.
 * @returns What `use` gave.
 * @throws {UsageError} When it is not said what is asked.
 */
export async function withTarget<Result>(
  values: TargetValues,
  terminal: Terminal,
  use: (target: Target) => Promise<Result>,
  needs: TargetNeeds = {},
): Promise<Result> {
  const target = await openTarget(values, terminal, needs);
  try {
    return await use(target);
  } finally {
    await target.close();
  }
}

async function openTarget(values: TargetValues, terminal: Terminal, needs: TargetNeeds): Promise<Target> {
  const { db, url } = placeOf(values, terminal);
  if (url !== undefined) {
    if (values.definitions !== undefined || values.shards !== undefined) {
      throw new UsageError("--definitions and --shards are for --db: the engine behind --url has its own");
    }
    const { httpTarget } = await import("./http.ts");
    return await httpTarget(url, terminal);
  }
  const { databaseTarget } = await import("./database.ts");
  return await databaseTarget({
    url: db!,
    terminal,
    definitions: values.definitions,
    shards: values.shards === undefined ? undefined : readWhole(values.shards, "--shards", 1, 65_536),
    creates: needs.creates ?? false,
  });
}

/** An option goes before the environment, so that one of them can be set for good. */
function placeOf(
  { db, url }: TargetValues,
  terminal: Terminal,
): { readonly db?: string; readonly url?: string } {
  if (db !== undefined && url !== undefined) throw new UsageError("--db and --url are both given: give one");
  if (url !== undefined) return { url };
  if (db !== undefined) return { db };
  const [dbSet, urlSet] = [terminal.env("PAWL_DB") || undefined, terminal.env("PAWL_URL") || undefined];
  if (dbSet !== undefined && urlSet !== undefined) {
    throw new UsageError("PAWL_DB and PAWL_URL are both set: give --db or --url");
  }
  if (urlSet !== undefined) return { url: urlSet };
  if (dbSet !== undefined) return { db: dbSet };
  throw new UsageError("It is not said what to ask: give --db URL or --url URL, or set PAWL_DB or PAWL_URL");
}
