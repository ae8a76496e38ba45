import { PawlError, StoreBusyError } from "../../core/errors.ts";

/**
 * Names a browser's error in Pawl's words.
 *
 * @param error What IndexedDB rejected with.
 * @param doing What was being done, to which store: `commit to store "pawl"`.
 * @returns An error with a stable code; a `PawlError` comes back as it is.
 */
export function storeError(error: unknown, doing: string): PawlError {
  if (error instanceof PawlError) return error;
  const { name, message } = Object(error) as { readonly name?: string; readonly message?: string };
  const options = { cause: error };
  if (isQuota(error)) {
    return new PawlError(
      "STORE_FULL",
      `Cannot ${doing}: the browser's quota for this site is used up`,
      options,
    );
  }
  if (name === "VersionError") {
    const why = "it was written by a newer Pawl, or is not Pawl's; reload the page to get the newer code";
    return new PawlError("STORE_INCOMPATIBLE", `Cannot ${doing}: ${why}`, options);
  }
  if (isHandleDead(error)) {
    return new StoreBusyError(
      `Cannot ${doing}: the browser has closed the database; it is opened again`,
      options,
    );
  }
  const why = `the browser says ${name ?? "nothing"}: ${message ?? String(error)}`;
  return new PawlError("STORE_FAILED", `Cannot ${doing}: ${why}`, options);
}

/** Whether the site's quota is used up. Newer browsers have a class of their own for it, so its name is what tells. */
export function isQuota(error: unknown): boolean {
  return (error as { readonly name?: string } | null)?.name === "QuotaExceededError";
}

/**
 * Whether the handle is of no use any more: the page was in the background, the storage process has died, or the data was
 * cleared. Nothing was done then.
 */
export function isHandleDead(error: unknown): boolean {
  const { name = "", message = "" } = Object(error) as { readonly name?: string; readonly message?: string };
  return name === "InvalidStateError" || name === "UnknownError" || name === "AbortError" ||
    /connection .*(lost|clos)/i.test(message);
}
