/**
 * Packages that not everybody has installed.
 *
 * @module
 */

import { CommandError } from "../command.ts";

/**
 * Imports what needs a package.
 *
 * @param load Imports it.
 * @param names What to install.
 * @param what For what.
 * @returns What was imported.
 * @throws {CommandError} When the package is not there: with the line that installs it.
 */
export async function importing<Module>(
  load: () => Promise<Module>,
  names: string,
  what: string,
): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new CommandError(
      "UNSUPPORTED",
      `Cannot open ${what}: a package is not installed. Run: npm i ${names}`,
      { cause },
    );
  }
}

/** Node and Bun have codes for it; Deno a message, and one of its own where the import map has no such name. */
export function isMissing(error: unknown): boolean {
  const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: unknown };
  return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND" ||
    /not a dependency and not in import map|Cannot find (package|module)|Could not (find|resolve)/.test(
      String(message),
    );
}
