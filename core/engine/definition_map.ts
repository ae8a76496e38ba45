import { PawlError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Definition } from "./behaviour.ts";
import { checkName } from "./check_input.ts";
import { checkCarried, type Features } from "./feature.ts";
import { checkStepOptions, type OptionLayer } from "./step_options.ts";

/** What a definition must fit, to be carried. */
export interface CarrierOptions {
  readonly limits: Limits;
  readonly features: Features;
  /** The engine's options for all steps, below all that a definition gives itself. */
  readonly defaults: OptionLayer;
  /** Whether the engine works; one that only calls verbs needs no feature for what others work on. */
  readonly works: boolean;
}

/** The definitions of an engine, as it carries them: with its defaults under theirs. */
export class DefinitionMap {
  readonly #options: CarrierOptions;
  readonly #carried = new Map<string, Definition>();

  /**
   * @param options What definitions must fit.
   * @throws {PawlError} `INVALID_ARGUMENT` or `INVALID_DURATION` for defaults that no step can use.
   */
  constructor(options: CarrierOptions) {
    this.#options = options;
    checkStepOptions(options.defaults);
  }

  /** Those there are, by name. */
  get all(): ReadonlyMap<string, Definition> {
    return this.#carried;
  }

  /**
   * Adds definitions, all or none.
   *
   * @param definitions As given.
   * @param what What is being done, for error messages.
   * @returns Those that were added.
   * @throws {PawlError} `INVALID_ARGUMENT` or `UNSUPPORTED`; nothing was added.
   */
  add(definitions: readonly Definition[], what: string): readonly Definition[] {
    if (!Array.isArray(definitions)) {
      throw new PawlError("INVALID_ARGUMENT", `Cannot ${what}: \`definitions\` must be a list`);
    }
    const { limits, defaults, features, works } = this.#options;
    const added = new Map<string, Definition>();
    for (const definition of definitions as readonly Definition[]) {
      if (!definition?.behaviour) {
        throw new PawlError(
          "INVALID_ARGUMENT",
          `Cannot ${what}: a definition has no behaviour; was .build() forgotten?`,
        );
      }
      const { name } = definition;
      checkName(name, "definition name", limits.nameLengthMax);
      if (added.has(name) || this.#carried.has(name)) {
        throw new PawlError("INVALID_ARGUMENT", `Cannot ${what}: two definitions are named "${name}"`);
      }
      added.set(name, { ...definition, behaviour: definition.behaviour.withDefaults(defaults, limits) });
    }
    if (works) added.forEach((each) => checkCarried(features, each));
    for (const [name, definition] of added) this.#carried.set(name, definition);
    return [...added.values()];
  }
}
