/**
 * The command line of the demo.
 *
 * @module
 */

/** What the demo was asked to do. */
export interface DemoOptions {
  /** Path of the NDJSON file. */
  readonly orders: string;
  /** Path of the database. */
  readonly db: string;
  /** Path of the ledger, next to the database. */
  readonly ledger: string;
  /** Remove database and ledger first. */
  readonly fresh: boolean;
  /** How long the outside world takes to answer one step. */
  readonly stepMs: number;
}

/** A mistake of the caller's, told in one line. */
export class UsageError extends Error {}

/** What `--help` shows. */
export const help = `Runs every order of a file through placed, paid, packed and shipped.

  deno task demo [orders.ndjson] [--db pawl-demo.db] [--fresh]

  orders.ndjson   one JSON object per line; default: the 200 orders that come with the demo
  --db <file>     the database; default: pawl-demo.db. The outside world's ledger is kept next to it
  --fresh         remove the database and its ledger first

Kill it at any time, in any way, and start it again: it goes on where it was.
PAWL_DEMO_STEP_MS=500 makes each step take half a second, so that there is time to kill it.
`;

/**
 * Reads the command line.
 *
 * @param args The arguments.
 * @param env Reads an environment variable.
 * @returns The options, or `undefined` when help was asked for.
 * @throws {UsageError} Naming what is wrong and what would be right.
 */
export function readOptions(
  args: readonly string[],
  env: (name: string) => string | undefined,
): DemoOptions | undefined {
  let db = "pawl-demo.db";
  let fresh = false;
  const paths: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg === "--help" || arg === "-h") return undefined;
    else if (arg === "--fresh") fresh = true;
    else if (arg === "--db") db = args[++index] ?? "";
    else if (arg.startsWith("--db=")) db = arg.slice("--db=".length);
    else if (arg.startsWith("-")) {
      throw new UsageError(`There is no option ${arg}; --help lists those there are`);
    } else paths.push(arg);
  }
  if (paths.length > 1) {
    throw new UsageError(`Got ${paths.length} files of orders, want one: ${paths.join(", ")}`);
  }
  // A task runs in the folder of deno.json, but paths are meant from where the user stands.
  const base = env("INIT_CWD") ?? Deno.cwd();
  const dbPath = fromBase(base, checkDb(db));
  return {
    orders: paths[0] === undefined ? bundledOrders() : fromBase(base, paths[0]),
    db: dbPath,
    ledger: `${dbPath}.ledger.ndjson`,
    fresh,
    stepMs: readStepMs(env("PAWL_DEMO_STEP_MS") ?? "0"),
  };
}

/** @param path A path. @returns The URL that libSQL takes for it. */
export function fileUrl(path: string): string {
  return "file:" + path.replace(/[%?#]/g, encodeURIComponent);
}

function checkDb(db: string): string {
  const path = db.replace(/^file:/, "");
  if (path === "" || path.startsWith("-")) {
    throw new UsageError("--db wants a path, such as --db pawl-demo.db");
  }
  if (/^:memory:$|^\w{2,}:/.test(path)) {
    throw new UsageError(`--db wants a local file, as the demo is about surviving a kill; got ${db}`);
  }
  return path;
}

function readStepMs(text: string): number {
  const ms = Number(text);
  if (Number.isFinite(ms) && ms >= 0 && ms <= 60_000) return ms;
  throw new UsageError(`PAWL_DEMO_STEP_MS wants milliseconds from 0 to 60000; got ${text}`);
}

function bundledOrders(): string {
  return decodeURIComponent(new URL("./orders.ndjson", import.meta.url).pathname)
    .replace(/^\/(?=[A-Za-z]:)/, "");
}

function fromBase(base: string, path: string): string {
  if (base === Deno.cwd() || /^([\\/]|[A-Za-z]:)/.test(path)) return path;
  return `${base}/${path}`;
}
