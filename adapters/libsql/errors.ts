import { OutcomeUnknownError, PawlError, StoreBusyError } from "../../core/errors.ts";

/** What the drivers' errors carry: `libsql` and `@libsql/client` agree on `code`. */
interface DriverError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly statementIndex?: unknown;
  readonly cause?: { readonly status?: unknown };
}

/**
 * Names a driver's error in Pawl's words.
 *
 * @param error What the driver threw.
 * @param doing What was being done, to which store: `commit to store "file:pawl.db"`.
 * @returns An error with a stable code; a `PawlError` comes back as it is.
 */
export function storeError(error: unknown, doing: string): PawlError {
  if (error instanceof PawlError) return error;
  const code = codeOf(error);
  const is = (...names: string[]) => names.some((name) => code.startsWith(name));
  const options = { cause: error };
  if (is("SQLITE_BUSY", "SQLITE_LOCKED", "TRANSACTION_ACTIVE")) {
    return new StoreBusyError(`Cannot ${doing}: another connection holds its lock`, options);
  }
  if (is("SQLITE_FULL")) {
    return new PawlError("STORE_FULL", `Cannot ${doing}: the disk or the quota is full`, options);
  }
  if (is("SQLITE_CORRUPT", "SQLITE_NOTADB")) {
    return new PawlError(
      "STORE_CORRUPT",
      `Cannot ${doing}: the file is damaged or no SQLite database: ${messageOf(error)}`,
      options,
    );
  }
  return new PawlError("STORE_FAILED", `Cannot ${doing}: ${reasonOf(code) ?? messageOf(error)}`, options);
}

/**
 * Names the error of a write that went over a network, where a lost reply says nothing.
 *
 * @param error What the client threw.
 * @param doing What was being done, to which store.
 * @returns `OUTCOME_UNKNOWN`, unless the server clearly refused.
 */
export function remoteWriteError(error: unknown, doing: string): PawlError {
  if (error instanceof PawlError || wasRefused(error)) return storeError(error, doing);
  return new OutcomeUnknownError(`Cannot tell whether it was applied: ${doing}: ${messageOf(error)}`, {
    cause: error,
  });
}

/**
 * Whether a file client's pooled connection is stuck after this error: once a `BEGIN` has failed, it refuses every
 * `COMMIT`, also when the lock is long gone, until the client reconnects.
 */
export function leavesStuck(error: unknown): boolean {
  return codeOf(error).startsWith("SQLITE_BUSY");
}

/** True only of answers that come from the server, or from a client that sent nothing. */
function wasRefused(error: unknown): boolean {
  const { statementIndex, cause } = Object(error) as DriverError;
  if (typeof statementIndex === "number") return true;
  const status = cause?.status;
  if (typeof status === "number") return status >= 400 && status < 500 && status !== 408;
  return /^(SQLITE_|SQL_|AUTH|BLOCKED|URL_|TRANSACTION_ACTIVE|CLIENT_CLOSED)/.test(codeOf(error));
}

function reasonOf(code: string): string | undefined {
  if (code.startsWith("SQLITE_READONLY")) return "the file or its folder is read-only";
  if (code.startsWith("SQLITE_CANTOPEN")) return "the file cannot be opened; does its folder exist?";
  if (code === "CLIENT_CLOSED") return "the client it was given is closed";
  return undefined;
}

function codeOf(error: unknown): string {
  return String((Object(error) as DriverError).code ?? "");
}

function messageOf(error: unknown): string {
  return String((Object(error) as DriverError).message ?? error);
}
