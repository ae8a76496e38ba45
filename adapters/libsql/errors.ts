import { PawlError, StoreBusyError } from "../../core/errors.ts";

/** What the drivers' errors carry: `libsql` and `@libsql/client` agree on `code`. */
interface DriverError {
  readonly code?: unknown;
  readonly message?: unknown;
}

/**
 * Names a driver's error in Pawl's words.
 *
 * @param error What the driver threw.
 * @param doing What was being done, to which store: `commit to store "file:pawl.db"`.
 * @param words The driver's words, if they must not be said as they are.
 * @returns An error with a stable code; a `PawlError` comes back as it is.
 */
export function storeError(error: unknown, doing: string, words: string = messageOf(error)): PawlError {
  if (error instanceof PawlError) return error;
  const code = codeOf(error);
  const is = (...names: string[]) => names.some((name) => code.startsWith(name));
  const options = { cause: error };
  if (is("SQLITE_BUSY", "SQLITE_LOCKED", "TRANSACTION_ACTIVE", "TRANSACTION_TIMEOUT")) {
    return new StoreBusyError(`Cannot ${doing}: another connection holds its lock`, options);
  }
  if (is("SQLITE_FULL")) {
    return new PawlError("STORE_FULL", `Cannot ${doing}: the disk or the quota is full`, options);
  }
  if (is("SQLITE_CORRUPT", "SQLITE_NOTADB")) {
    return new PawlError(
      "STORE_CORRUPT",
      `Cannot ${doing}: the file is damaged or no SQLite database: ${words}`,
      options,
    );
  }
  if (is("SQLITE_READONLY")) {
    return new PawlError(
      "STORE_READ_ONLY",
      `Cannot ${doing}: the file or its folder is read-only; a store needs to write both`,
      options,
    );
  }
  return new PawlError("STORE_FAILED", `Cannot ${doing}: ${reasonOf(code) ?? words}`, options);
}

/**
 * Whether a file client's pooled connection is stuck after this error: once a `BEGIN` has failed, it refuses every
 * `COMMIT`, also when the lock is long gone, until the client reconnects.
 */
export function leavesStuck(error: unknown): boolean {
  return codeOf(error).startsWith("SQLITE_BUSY");
}

function reasonOf(code: string): string | undefined {
  if (code.startsWith("SQLITE_CANTOPEN")) return "the file cannot be opened; does its folder exist?";
  if (code === "CLIENT_CLOSED") return "the client it was given is closed";
  return undefined;
}

/** Primary result codes of SQLite. The native driver gives most extended ones a number only. */
const primaryCodes: Readonly<Record<number, string>> = {
  5: "SQLITE_BUSY",
  6: "SQLITE_LOCKED",
  8: "SQLITE_READONLY",
  10: "SQLITE_IOERR",
  11: "SQLITE_CORRUPT",
  13: "SQLITE_FULL",
  14: "SQLITE_CANTOPEN",
  26: "SQLITE_NOTADB",
};

/** The driver's code, or nothing. */
export function codeOf(error: unknown): string {
  const code = String((Object(error) as DriverError).code ?? "");
  const number = /^UNKNOWN_SQLITE_ERROR_(\d+)$/.exec(code)?.[1];
  return number === undefined ? code : primaryCodes[Number(number) & 0xff] ?? code;
}

/** The driver's words. */
export function messageOf(error: unknown): string {
  return String((Object(error) as DriverError).message ?? error);
}
