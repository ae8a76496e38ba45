/**
 * The user's code, as far as a database needs it.
 *
 * @module
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Definition, EngineOptions, Integration } from "pawl";
import { UsageError } from "../command.ts";

/** What a module brings. */
export interface Code {
  readonly definitions: readonly Definition[];
  readonly integrations: readonly Integration[];
  /** What its engines are made with, as codecs and limits. */
  readonly engineOptions: Partial<EngineOptions>;
}

/**
 * Imports a module and takes what it exports: definitions, integrations, lists of them, and `engineOptions`.
 *
 * @param path Its path.
 * @param cwd Where the path starts.
 * @returns What was found.
 * @throws {UsageError} When it cannot be imported as it is, or has none.
 */
export async function loadCode(path: string, cwd: string): Promise<Code> {
  const exported = await importPath(path, cwd);
  const definitions = new Set<Definition>();
  const integrations = new Set<Integration>();
  for (const [name, value] of Object.entries(exported)) {
    if (name === "engineOptions") continue;
    for (const each of Array.isArray(value) ? value : [value]) {
      if (isDefinition(each)) definitions.add(each);
      else if (isIntegration(each)) integrations.add(each);
    }
  }
  // An integration may be exported beside what it brings.
  for (const { definitions: brought } of integrations) brought.forEach((each) => definitions.delete(each));
  if (definitions.size + integrations.size === 0) {
    throw new UsageError(
      `${path} exports no definition; it exports ${Object.keys(exported).join(", ") || "nothing"}`,
    );
  }
  const { store: _, definitions: __, work: ___, ...engineOptions } = Object(
    exported.engineOptions,
  ) as EngineOptions;
  return { definitions: [...definitions], integrations: [...integrations], engineOptions };
}

async function importPath(path: string, cwd: string): Promise<Readonly<Record<string, unknown>>> {
  const url = pathToFileURL(resolve(cwd, path)).href;
  try {
    return await import(url);
  } catch (error) {
    const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: unknown };
    if (code === "ERR_UNKNOWN_FILE_EXTENSION") {
      const how = "this Node runs no TypeScript. Give JavaScript, or use a newer Node, Deno or Bun";
      throw new UsageError(`Cannot import ${path}: ${how}`);
    }
    if (code === "ERR_MODULE_NOT_FOUND" && String(message).includes(url.replace(/^file:\/\//, ""))) {
      throw new UsageError(`Cannot import ${path}: there is no such file`);
    }
    throw error;
  }
}

function isDefinition(value: unknown): value is Definition {
  const { name, behaviour } = Object(value) as Partial<Definition>;
  return typeof name === "string" && typeof behaviour === "object";
}

function isIntegration(value: unknown): value is Integration {
  const { name, definitions, parts } = Object(value) as Partial<Integration>;
  return typeof name === "string" && Array.isArray(definitions) && parts !== undefined;
}
