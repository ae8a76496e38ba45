/**
 * What may be shown of an integration: its settings and those of its definitions, without code and without secrets.
 *
 * @module
 */
import type { StepPolicy } from "../parts/run_change.ts";
import type { Behaviour, Definition } from "./behaviour.ts";

/** Settings as JSON. */
export type ConfigValue =
  | string
  | number
  | boolean
  | null
  | readonly ConfigValue[]
  | { readonly [name: string]: ConfigValue };

/** What a definition was set to. */
export interface DefinitionConfig {
  /** Where a run starts unless told otherwise. */
  readonly start: string;
  /** Version of its data. */
  readonly dataVersion: number;
  /** Its transitions go to `engine.streams`. */
  readonly stream: boolean;
  /** After how long a paused run goes on, in milliseconds; absent: when somebody resumes it. */
  readonly pauseRetryMs?: number;
  /** How long a finished run is kept, in milliseconds; absent: for ever. */
  readonly keepFinishedMs?: number;
  /** The policy of each step, by status; times in milliseconds. */
  readonly steps: Readonly<Record<string, ConfigValue>>;
}

/** What is deeper is left out. */
const depthMax = 8;

/**
 * A setting as JSON: functions, secrets and whatever is no plain data are left out.
 *
 * @param value Any value.
 * @returns It as JSON; `undefined`: nothing of it may be shown.
 */
export function plainConfig(value: unknown, depth = 0): ConfigValue | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" || typeof value === "bigint") {
    return Number.isFinite(value) ? value as number : String(value);
  }
  if (typeof value !== "object" || depth > depthMax) return undefined;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  if (Array.isArray(value)) {
    return value.map((each) => plainConfig(each, depth + 1)).filter((each) => each !== undefined);
  }
  const prototype = Object.getPrototypeOf(value);
  // A secret, a client, a URL with a password in it, anything with a life of its own.
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  return plainFields(value, depth);
}

/**
 * The settings of an object, by name.
 *
 * @param value Any object.
 * @returns Those that may be shown.
 */
export function plainFields(value: object, depth = 0): { readonly [name: string]: ConfigValue } {
  const shown = Object.entries(value).map(([name, each]) => [name, plainConfig(each, depth + 1)] as const);
  return Object.fromEntries(shown.filter((each): each is [string, ConfigValue] => each[1] !== undefined));
}

/**
 * What a definition was set to.
 *
 * @param definition As its author made it, or as an engine carries it.
 * @returns Its settings.
 */
export function definitionConfig({ behaviour }: Definition): DefinitionConfig {
  const { start, data, stream = false, pauseRetryMs, keepFinishedMs } = behaviour;
  const steps = stepsOf(behaviour).map((status) => {
    const policy: StepPolicy = behaviour.policy(status)!;
    return [status, plainFields(policy)] as const;
  });
  return {
    start,
    dataVersion: data.version,
    stream,
    ...(pauseRetryMs !== undefined && { pauseRetryMs }),
    ...(keepFinishedMs !== undefined && { keepFinishedMs }),
    steps: Object.fromEntries(steps),
  };
}

/** The statuses that have a step. */
export function stepsOf(behaviour: Behaviour): readonly string[] {
  return [...behaviour.statuses].filter((status) => behaviour.policy(status) !== undefined);
}
