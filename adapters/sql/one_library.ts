/**
 * One process, one SQLite per file. The locks of SQLite are of the process, not of its connections: two copies of the
 * library in a process do not see each other's, and when one closes the file it takes the locks of the other along, finds
 * nobody at work, and removes the log that the other goes on writing. What is committed then is lost, without an error.
 *
 * @module
 */
import { PawlError } from "../../core/errors.ts";
import type { Driver } from "./driver.ts";

/** Who has a file: the name of a library, and how many of its connections are not known to be gone. */
interface Claim {
  readonly name: string;
  count: number;
}

/** Shared with other copies of this module, so that it does not matter how a program is bundled. */
const registry = Symbol.for("pawl.files");

function claims(): Map<string, Claim> {
  const shared = globalThis as { [registry]?: Map<string, Claim> };
  return shared[registry] ??= new Map();
}

/**
 * Notes that a library opens a file in this process.
 *
 * @param path The file, which need not be there yet.
 * @param driver The library.
 * @param doing What for, for messages.
 * @returns To be called when the connection is closed; calling it again does nothing.
 * @throws {PawlError} `UNSUPPORTED` when another library has it.
 */
export function claimFile(path: string, driver: Driver, doing: string): () => void {
  const file = realPath(path);
  const claim = claims().get(file) ?? { name: driver.name, count: 0 };
  if (claim.name !== driver.name) {
    throw new PawlError(
      "UNSUPPORTED",
      `Cannot ${doing}: ${claim.name} has opened the file in this process, and ${driver.name} beside it would lose ` +
        "commits; use one of them, or a process for each",
    );
  }
  claims().set(file, claim);
  claim.count++;
  let held = driver.letsGo;
  return () => {
    if (held && --claim.count === 0) claims().delete(file);
    held = false;
  };
}

/** The part of `process` that is used. */
interface Host {
  getBuiltinModule?(name: "node:fs"): { realpathSync(path: string): string };
}

/** Through links, so that two names of a file are one. Where nothing is built in, no SQLite is: then any name does. */
function realPath(path: string): string {
  const fs = (globalThis as { process?: Host }).process?.getBuiltinModule?.("node:fs");
  if (!fs) return path;
  const [, folder = "", name = path] = /^(.*[/\\])?([^/\\]*)$/.exec(path) ?? [];
  try {
    return fs.realpathSync(path);
  } catch {
    // It is not there yet.
  }
  try {
    return `${fs.realpathSync(folder || ".")}/${name}`;
  } catch {
    // A folder that is not there is for SQLite to complain about.
    return path;
  }
}
