/**
 * Builds the npm package: `deno task npm [--version X] [--repository URL] [--dnt]`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It tells what it has made.
import { parseArgs } from "node:util";
import { packWithDnt } from "./dnt.ts";
import { readConfig } from "./manifest.ts";
import { packWithDeno } from "./pack.ts";

/** How a tarball is built. */
export interface BuildOptions {
  readonly version?: string;
  readonly repository?: string;
  /** Whether dnt builds it. */
  readonly dnt?: boolean;
}

/**
 * Builds the tarball.
 *
 * @param options How.
 * @returns Its path.
 */
export async function build({ dnt = false, ...release }: BuildOptions = {}): Promise<string> {
  const config = await readConfig();
  return await (dnt ? packWithDnt : packWithDeno)(config, release);
}

/** SHA-256 of a file, in hexadecimal digits. */
export async function digestOf(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: { version: { type: "string" }, repository: { type: "string" }, dnt: { type: "boolean" } },
  });
  // A tag is written "v1.2.3".
  const version = values.version?.replace(/^v/, "");
  const { version: _, ...rest } = values;
  const tarball = await build({ ...rest, ...(version && { version }) });
  const { size } = await Deno.stat(tarball);
  console.log(`${tarball}\n${size} bytes, sha256 ${await digestOf(tarball)}`);
}
