/**
 * Stores in libSQL: a local file or memory through the native driver, or any database that `@libsql/client` reaches.
 *
 * @module
 */
import { systemClock } from "../../core/ports/clock.ts";
import { systemRandom } from "../../core/ports/random.ts";
import type { Store, StoreLimits } from "../../core/store/store.ts";
import type { Durability } from "../sql/connection.ts";
import { pathOf, refused } from "../sql/file_url.ts";
import { openLocal, shardsOf, sqlIndexesOf } from "../sql/open_local.ts";
import { ClientStore } from "./client.ts";
import { loadDriver } from "./driver.ts";
import { FileLink } from "./file_link.ts";
import type { LibsqlClient } from "./link.ts";
import { ServerLink } from "./server_link.ts";

export { type BackupOptions, backupStore, type RestoreOptions, restoreStore } from "./backup.ts";
export type { Durability, LibsqlClient };

/** Options of every libSQL store. */
export interface LibsqlOptions {
  /** Number of shards, fixed when the store is created; default 1 for local databases, 16 for remote ones. */
  readonly shards?: number;
  /** Smaller limits, for tests. */
  readonly limits?: Partial<StoreLimits>;
  /**
   * Milliseconds that one request to a server may take; default 10,000. Past it a read is given up, and a commit is
   * settled like any whose reply was lost.
   */
  readonly requestTimeoutMs?: number;
  /**
   * Keeps a table with indexes, from which the views answer questions in SQL fast: see `docs/sql.md`. `true` builds it
   * when the store is opened, `false` drops it; left out, the store stays as it is. It costs each step about a fifth.
   */
  readonly sqlIndexes?: boolean;
}

/** A database named by its URL. */
export interface LibsqlUrlOptions extends LibsqlOptions {
  /** `file:pawl.db`, `:memory:`, or the address of a server: `libsql:`, `https:`, `http:`, `wss:`, `ws:`. */
  readonly url: string;
  /** Token of a server. */
  readonly authToken?: string;
  /** When relaxed commits to a file are synced; default `full`: at once. */
  readonly durability?: Durability;
  /** Milliseconds that one statement waits for another process's lock; default 25, as the event loop waits too. */
  readonly busyTimeoutMs?: number;
}

/** A database behind a client of the user's own, which stays the user's to close. */
export interface LibsqlClientOptions extends LibsqlOptions {
  /**
   * A client of `@libsql/client`. For a local file, `url` is about twice as fast; and a client of a file that is found
   * locked is reconnected, which also ends transactions of others on it.
   */
  readonly client: LibsqlClient;
}

/** One commit is one message, and its text is escaped once more on the way. */
const clientLimits: StoreLimits = {
  keyBytesMax: 8_192,
  valueBytesMax: 2 * 1024 * 1024,
  writesPerCommitMax: 10_000,
  bytesPerCommitMax: 4 * 1024 * 1024,
  opsPerReadMax: 1_000,
  entriesPerRangeMax: 5_000,
};

const remoteShards = 16;

/** Longer than any commit takes, and no longer than an engine's lease lasts by default. */
const defaultRequestTimeoutMs = 10_000;

/**
 * A store in libSQL. It is opened by its first read or commit.
 *
 * @param options A URL, or a client.
 * @returns A store. Its calls reject with `STORE_INCOMPATIBLE` when the database was created with another shard count
 * or by a newer Pawl, with `STORE_BUSY` when another process holds its lock, with `STORE_UNREACHABLE`,
 * `STORE_UNAUTHORIZED` or `STORE_READ_ONLY`, and with `STORE_FULL`, `STORE_CORRUPT` or `STORE_FAILED`.
 * @throws {PawlError} `INVALID_ARGUMENT` for a URL or option it cannot use.
 *
 * @example
 * ```ts
 * import { libsqlStore } from "pawl/adapters/libsql";
 * const store = libsqlStore({ url: ":memory:" });
 * await store.close();
 * ```
 */
export function libsqlStore(options: LibsqlUrlOptions | LibsqlClientOptions): Store {
  const newId = systemRandom().hex(24);
  if ("client" in options) return clientStore(options, newId);
  const { url } = options;
  if (/^(libsql|https?|wss?):/.test(url)) return remoteStore(options, newId);
  return openLocal({ url, path: pathOf(url) }, options, loadDriver);
}

function clientStore(options: LibsqlClientOptions, newId: string): Store {
  const { client, limits } = options;
  const shards = shardsOf(options);
  const remote = client.protocol !== "file";
  return new ClientStore({
    link: remote ? serverLink(options, client, undefined) : new FileLink(client),
    remote,
    name: `store behind the given ${client.protocol} client`,
    shards: shards ?? (remote ? remoteShards : 1),
    limits: { ...clientLimits, ...limits },
    newId,
    ...sqlIndexesOf(options),
  });
}

function remoteStore(options: LibsqlUrlOptions, newId: string): Store {
  const { url, limits } = options;
  const shards = shardsOf(options);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed?.host) {
    throw refused(`a url of ${url.length} characters`, "the address of a server, as libsql://host");
  }
  const authToken = options.authToken ?? parsed.searchParams.get("authToken") ?? undefined;
  return new ClientStore({
    link: serverLink(options, (signal) => connect(url, authToken, signal), authToken),
    remote: true,
    // Without what may be secret: a password before the host, a token after it.
    name: `store "${parsed.protocol}//${parsed.host}${parsed.pathname.replace(/\/$/, "")}"`,
    shards: shards ?? remoteShards,
    limits: { ...clientLimits, ...limits },
    newId,
    ...sqlIndexesOf(options),
  });
}

function serverLink(
  { requestTimeoutMs = defaultRequestTimeoutMs }: LibsqlOptions,
  client: LibsqlClient | ((signal: AbortSignal) => Promise<LibsqlClient>),
  authToken: string | undefined,
): ServerLink {
  if (!Number.isInteger(requestTimeoutMs) || requestTimeoutMs < 1 || requestTimeoutMs > 600_000) {
    throw refused(`requestTimeoutMs ${requestTimeoutMs}`, "1 to 600000");
  }
  const [clock, random] = [systemClock(), systemRandom()];
  return new ServerLink({ client, peer: { authToken }, requestTimeoutMs, clock, random });
}

/** The web build has no native module, so servers can be reached from where none can be loaded. */
async function connect(
  url: string,
  authToken: string | undefined,
  signal: AbortSignal,
): Promise<LibsqlClient> {
  const { createClient } = await import("@libsql/client/web");
  return createClient({
    url,
    fetch: (request: Request) => fetch(request, { signal }),
    ...(authToken !== undefined && { authToken }),
  });
}
