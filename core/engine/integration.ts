/**
 * An integration: a named bundle of definitions, with settings, a life beside its engine's, and hooks for errors.
 *
 * @module
 */
import { type Duration, durationMs } from "../duration.ts";
import { PawlError } from "../errors.ts";
import { defaultLimits } from "../limits.ts";
import type { StepPolicy } from "../parts/run_change.ts";
import type { Definition } from "./behaviour.ts";
import { checkName, checkOptionNames } from "./check_input.ts";
import {
  type ConfigValue,
  type DefinitionConfig,
  definitionConfig,
  plainFields,
  stepsOf,
} from "./config_map.ts";
import type { ActivityFailure, WorkflowFailure } from "./failures.ts";
import { type AllowedOverride, overridable, type StepOverride } from "./policy_override.ts";
import { type StepOptions, stepPolicy } from "./step_options.ts";
import type { Engine } from "./verbs.ts";

/** What definitions are made of. */
export interface IntegrationSettings<Config> {
  /** The integration's name. */
  readonly name: string;
  /** Its settings. */
  readonly config: Config;
}

/** What an integration's functions are told of where they run. */
export interface IntegrationContext<Config> extends IntegrationSettings<Config> {
  /** The engine that uses it: they may start work. */
  readonly engine: Engine;
  /**
   * Aborted when the function has had its time, or what called it ends. That of `init` lives on, and is aborted when the
   * integration is about to be closed.
   */
  readonly signal: AbortSignal;
}

/** How the error hooks are tried. */
export interface ErrorHookOptions extends Pick<StepOptions, "retry" | "timeout" | "concurrency"> {
  /** Failures of a hook after which it is parked, 0: never; default 10. */
  readonly parkAfterErrors?: number;
}

/** Options of {@linkcode integration}. */
export interface IntegrationOptions<Config extends object, Definitions extends readonly Definition[]> {
  /** Unique within an engine. Several instances of one integration have names of their own. */
  readonly name: string;
  /** Its settings; `secret()` hides one. */
  readonly config?: Config;
  /** What it brings, or a function that makes it, for names that differ by instance. */
  readonly definitions?: Definitions | ((settings: IntegrationSettings<Config>) => Definitions);
  /** Opens what its code needs: once per engine, before that works. A throw keeps the engine from starting. */
  init?(context: IntegrationContext<Config>): unknown;
  /** Closes it, when nothing of the engine runs any more. */
  close?(context: IntegrationContext<Config>): unknown;
  /** Whether it can do its work now; asked only between `init` and `close`. Default: it can. */
  isReady?(context: IntegrationContext<Config>): boolean | Promise<boolean>;
  /** Hears of every failed attempt of a step or timeout of its runs, at least once. */
  onActivityError?(failure: ActivityFailure, context: IntegrationContext<Config>): unknown;
  /** Hears of every run of its definitions that has failed, or was paused because of errors, at least once. */
  onWorkflowError?(failure: WorkflowFailure, context: IntegrationContext<Config>): unknown;
  /** Whether callers may bring policies for their runs, or which options of them; default `false`. */
  readonly allowPolicyOverride?: AllowedOverride;
  /** How the error hooks are tried; default: 1 min each, 16 at once, parked after 10 failures. */
  readonly errorHooks?: ErrorHookOptions;
  /** Longest that `init` may take; default 30 s. */
  readonly initTimeout?: Duration;
  /** Longest that `close` may take; default 10 s. */
  readonly closeTimeout?: Duration;
}

/** What an integration registers, and is set to. */
export interface IntegrationInfo {
  /** Its name. */
  readonly name: string;
  /** Names of its definitions. */
  readonly definitionNames: readonly string[];
  /** Names of their steps: definition, a dot, status. */
  readonly stepNames: readonly string[];
  /** Its settings and those of its definitions, without functions and secrets: JSON. */
  configMap(): ConfigMap;
}

/** What may be shown of an integration. */
export interface ConfigMap {
  /** Its name. */
  readonly name: string;
  /** Its settings. */
  readonly config: { readonly [name: string]: ConfigValue };
  /** The policy options that callers may bring. */
  readonly allowPolicyOverride: readonly (keyof StepOverride)[];
  /** By name. */
  readonly definitions: Readonly<Record<string, DefinitionConfig>>;
}

/** A bundle of definitions for `engine.use()`. It holds nothing itself: each engine that uses it opens it for itself. */
export interface Integration<
  Config = unknown,
  Definitions extends readonly Definition[] = readonly Definition[],
> extends IntegrationInfo {
  /** Its settings. */
  readonly config: Config;
  /** What it brings, for `engine.trigger()` and the like. */
  readonly definitions: Definitions;
  /** For the engine only. */
  readonly parts: IntegrationParts;
}

/** An integration as one engine has it. */
export interface IntegrationInUse extends IntegrationInfo {
  /** Whether it is initialised, not closed, and says so itself. A check that throws or hangs is a no. */
  isReady(): Promise<boolean>;
}

/** What the engine knows of an integration, checked. */
export interface IntegrationParts {
  /** As given. */
  readonly options: IntegrationOptions<object, readonly Definition[]>;
  /** The policy options that callers may bring. */
  readonly allowed: readonly (keyof StepOverride)[];
  /** How error hooks are tried. */
  readonly policy: StepPolicy;
  /** Longest that `init` may take. */
  readonly initMs: number;
  /** Longest that `close` may take. */
  readonly closeMs: number;
}

const optionNames: Readonly<Record<keyof IntegrationOptions<object, []>, true>> = {
  name: true,
  config: true,
  definitions: true,
  init: true,
  close: true,
  isReady: true,
  onActivityError: true,
  onWorkflowError: true,
  allowPolicyOverride: true,
  errorHooks: true,
  initTimeout: true,
  closeTimeout: true,
};

const functionNames = ["init", "close", "isReady", "onActivityError", "onWorkflowError"] as const;

/**
 * Bundles definitions with their settings, their life and their error hooks. Nothing runs until an engine uses it.
 *
 * @param options Its name, and whatever it brings.
 * @returns The integration.
 * @throws {PawlError} `INVALID_ARGUMENT` or `INVALID_DURATION` naming the option.
 *
 * @example
 * ```ts
 * import { createEngine, integration, machine, secret } from "pawl";
 * import { memoryStore } from "pawl/adapters/memory";
 * const mailer = integration({
 *   name: "mailer",
 *   config: { from: "shop@example.com", password: secret("s3cr3t") },
 *   definitions: ({ name, config }) => [
 *     machine<{ to: string; sentFrom?: string }>(`${name}.letters`)
 *       .step("written", ["sent"], (run) => {
 *         run.data.sentFrom = config.from;
 *         return "sent";
 *       })
 *       .build(),
 *   ],
 * });
 * const [letters] = mailer.definitions;
 * const engine = createEngine({ store: memoryStore(), definitions: [] });
 * engine.use(mailer);
 * await engine.start();
 * await engine.trigger(letters, "1", { data: { to: "ann@example.com" } });
 * console.assert((await engine.await(letters, "1")).data.sentFrom === "shop@example.com");
 * await engine.stop();
 * ```
 */
export function integration<
  Config extends object = Record<string, never>,
  const Definitions extends readonly Definition[] = readonly [],
>(options: IntegrationOptions<Config, Definitions>): Integration<Config, Definitions> {
  const { name, config = {} as Config } = Object(options) as typeof options;
  checkName(name, "integration name", defaultLimits.nameLengthMax);
  checkOptionNames(`integration "${name}"`, options, optionNames);
  checkShapes(name, options);
  const definitions = definitionsOf(name, config, options.definitions);
  const parts: IntegrationParts = {
    options: { ...options as unknown as IntegrationParts["options"], config },
    allowed: allowedOf(name, options.allowPolicyOverride),
    policy: hookPolicy(name, options.errorHooks),
    initMs: durationMs(options.initTimeout ?? "30s", `initTimeout of integration "${name}"`),
    closeMs: durationMs(options.closeTimeout ?? "10s", `closeTimeout of integration "${name}"`),
  };
  return { ...infoOf(parts, definitions), config, definitions, parts };
}

/**
 * What an integration registers and is set to, with its definitions as their author or an engine has them.
 *
 * @returns It; `configMap()` is made when it is asked for.
 */
export function infoOf(parts: IntegrationParts, definitions: readonly Definition[]): IntegrationInfo {
  const { allowed, options: { name, config } } = parts;
  return {
    name,
    definitionNames: definitions.map((each) => each.name),
    stepNames: definitions.flatMap((each) =>
      stepsOf(each.behaviour).map((status) => `${each.name}.${status}`)
    ),
    configMap: () => ({
      name,
      config: plainFields(config!),
      allowPolicyOverride: allowed,
      definitions: Object.fromEntries(definitions.map((each) => [each.name, definitionConfig(each)])),
    }),
  };
}

function checkShapes(
  name: string,
  options: { readonly [Each in keyof IntegrationOptions<object, []>]?: unknown },
): void {
  const { config = {} } = options;
  if (typeof config !== "object" || config === null) throw refused(name, "`config` is no object");
  for (const each of functionNames) {
    if (options[each] !== undefined && typeof options[each] !== "function") {
      throw refused(name, `\`${each}\` is no function`);
    }
  }
}

function definitionsOf<Config, Definitions extends readonly Definition[]>(
  name: string,
  config: Config,
  given: Definitions | ((settings: IntegrationSettings<Config>) => Definitions) =
    [] as unknown as Definitions,
): Definitions {
  const made = typeof given === "function" ? given({ name, config }) : given;
  if (!Array.isArray(made)) throw refused(name, "`definitions` must be a list, or a function that makes one");
  const names = new Set<string>();
  for (const each of made as readonly Definition[]) {
    if (!each?.behaviour) throw refused(name, "a definition has no behaviour; was .build() forgotten?");
    if (names.has(each.name)) throw refused(name, `two definitions are named "${each.name}"`);
    names.add(each.name);
  }
  return made as Definitions;
}

function allowedOf(name: string, given: AllowedOverride = false): readonly (keyof StepOverride)[] {
  if (typeof given === "boolean") return given ? overridable : [];
  if (Array.isArray(given) && given.every((each) => overridable.includes(each))) return given;
  throw refused(
    name,
    `allowPolicyOverride is ${JSON.stringify(given)}, want true, false, or a list of ${
      overridable.join(", ")
    }`,
  );
}

function hookPolicy(name: string, { parkAfterErrors = 10, ...own }: ErrorHookOptions = {}): StepPolicy {
  const from = `errorHooks of integration "${name}"`;
  const defaults = { timeout: "1m", concurrency: 16, pauseAfterErrors: parkAfterErrors };
  return stepPolicy(from, [{ from, options: defaults }, { from, options: own }]);
}

function refused(name: string, why: string): PawlError {
  return new PawlError("INVALID_ARGUMENT", `Cannot make integration "${name}": ${why}`);
}
