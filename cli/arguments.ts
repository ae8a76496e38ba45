/**
 * Reading what a command is called with. What is wrong with it is told as a {@linkcode UsageError}.
 *
 * @module
 */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { UsageError } from "./command.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Options of every command that asks a store or an API. */
export const targetOptions = {
  db: { type: "string" },
  url: { type: "string" },
  definitions: { type: "string" },
  shards: { type: "string" },
  json: { type: "boolean", default: false },
  debug: { type: "boolean", default: false },
} as const satisfies Options;

/** The options that say what to ask, as they were given. */
export interface TargetValues {
  readonly db?: string | undefined;
  readonly url?: string | undefined;
  readonly definitions?: string | undefined;
  readonly shards?: string | undefined;
}

/** What the help of such a command ends with. */
export const targetUsage = `
what is asked, one of the two:
  --db URL             a database: file:pawl.db, libsql://..., https://...   [PAWL_DB, token PAWL_DB_TOKEN]
  --url URL            the HTTP API of an engine, where it is mounted        [PAWL_URL, token PAWL_TOKEN]
  --definitions FILE   with --db: a module that exports the machines, for what needs their code
  --shards N           with --db: how many shards a new database gets

how it answers:
  --json               as JSON
  --debug              tells where in the code an error comes from`;

/**
 * Reads the arguments of a command.
 *
 * @param args As given.
 * @param options What it knows beside {@linkcode targetOptions}.
 * @returns Their values, and the arguments that are none.
 * @throws {UsageError}
 */
export function readArguments<const Own extends Options>(args: readonly string[], options: Own) {
  const known = { ...targetOptions, ...options };
  try {
    return parseArgs({ args: [...args], options: known, allowPositionals: true, strict: true });
  } catch (error) {
    if (!String((error as { readonly code?: unknown }).code).startsWith("ERR_PARSE_ARGS")) throw error;
    throw new UsageError((error as Error).message.replace(/\. To specify a positional.*$/, ""));
  }
}

/**
 * Takes arguments by their places.
 *
 * @param positionals As given.
 * @param names What they are called; those that end in `?` may be left out.
 * @returns A value for each name.
 * @throws {UsageError} When there are more, or less.
 */
export function readPlaces<const Names extends readonly string[]>(
  positionals: readonly string[],
  names: Names,
): { readonly [Index in keyof Names]: Names[Index] extends `${string}?` ? string | undefined : string } {
  const missing = names[positionals.length];
  if (missing !== undefined && !missing.endsWith("?")) throw new UsageError(`${missing} is missing`);
  if (positionals.length > names.length) {
    throw new UsageError(`"${positionals[names.length]}" is one argument too many`);
  }
  return names.map((_, index) => positionals[index]) as never;
}

/** @throws {UsageError} When the text is no whole number in the bounds. */
export function readWhole(
  text: string,
  option: string,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  const bounds = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`;
  throw new UsageError(`${option} is "${text}", and must be a whole number, ${bounds}`);
}

/** @throws {UsageError} When the text is none of the choices. */
export function readChoice<const Choice extends string>(
  text: string,
  option: string,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((each) => each === text);
  if (found !== undefined) return found;
  throw new UsageError(`${option} is "${text}", and must be one of ${choices.join(", ")}`);
}

const unitsMs: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3, w: 604_800e3 };

/**
 * Reads a point of time: a date, or how long ago.
 *
 * @param text `2030-01-31`, `2030-01-31T12:00Z`, or `90m`.
 * @param option What it was given for.
 * @param now What it is counted back from.
 * @returns The time.
 * @throws {UsageError}
 */
export function readTime(text: string, option: string, now: Date): Date {
  const [, count, unit] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  const time = unit !== undefined
    ? new Date(now.getTime() - Number(count) * unitsMs[unit]!)
    : new Date(/^\d{4}-\d\d-\d\d/.test(text) ? text : NaN);
  if (!Number.isNaN(time.getTime())) return time;
  throw new UsageError(
    `${option} is "${text}", and must be a date as 2030-01-31T12:00Z, or how long ago, as 90m`,
  );
}

/** @throws {UsageError} When the text is no JSON. */
export function readJson(text: string, from: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${from} is no JSON: ${(error as Error).message}`);
  }
}

/** The fields of an object that are there: optional ones must not be given as `undefined`. */
export function given<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
