import { PawlError, StoreBusyError } from "../../core/errors.ts";

/** What the drivers' errors carry: `libsql` and `@libsql/client` agree on `code`; `node:sqlite` has a number. */
interface DriverError {
  readonly code?: unknown;
  readonly errcode?: unknown;
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

/** What SQLite says of each, where `node:sqlite` of Deno leaves out the number: when it opens or compiles. */
const spoken: readonly (readonly [RegExp, string])[] = [
  [/^database (table )?is locked/, "SQLITE_BUSY"],
  [/^unable to open database file/, "SQLITE_CANTOPEN"],
  [/^file is not a database/, "SQLITE_NOTADB"],
  [/^database disk image is malformed/, "SQLITE_CORRUPT"],
  [/^database or disk is full/, "SQLITE_FULL"],
  [/^attempt to write a readonly database/, "SQLITE_READONLY"],
];

/** SQLite's name of the error, as far as it is known; else the driver's code, or nothing. */
export function codeOf(error: unknown): string {
  const { code, errcode } = Object(error) as DriverError;
  const name = String(code ?? "");
  if (typeof errcode === "number") return primaryCodes[errcode & 0xff] ?? name;
  const number = /^UNKNOWN_SQLITE_ERROR_(\d+)$/.exec(name)?.[1];
  if (number !== undefined) return primaryCodes[Number(number) & 0xff] ?? name;
  if (name !== "ERR_SQLITE_ERROR") return name;
  return spoken.find(([pattern]) => pattern.test(messageOf(error)))?.[1] ?? name;
}

/** The driver's words. */
export function messageOf(error: unknown): string {
  return String((Object(error) as DriverError).message ?? error);
}
