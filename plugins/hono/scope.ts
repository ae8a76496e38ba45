/**
 * What a caller may reach. A scope only ever takes away: what it cannot prove to be within is refused.
 *
 * @module
 */
import { PawlError, runStateTopic } from "pawl";
import type { Engine } from "pawl";

/**
 * A part of a store. Both limits count where both are given.
 *
 * A namespace is a front of names: within `acme` are the runs with keys that begin with `acme/`, the schedules with ids
 * and keys that do, the locks of the namespace `acme` and of those that begin with `acme/`, and your topics that begin
 * with `acme/`. What shows or changes the store as a whole (engines, shards, metrics, `tick` and the like) is within no
 * scope.
 */
export interface Scope {
  /** Only what belongs to it. */
  readonly namespace?: string;
  /** Only runs and schedules of these definitions, and the topics that tell of their runs. */
  readonly definitions?: readonly string[];
}

/** A scope, with the questions that routes ask of it. */
export class Reach {
  readonly #scope: Scope;

  /** @param scope Its limits; none: all is within reach. */
  constructor(scope: Scope = {}) {
    this.#scope = scope;
  }

  /** Whether there is no limit. */
  get isAll(): boolean {
    return this.#scope.namespace === undefined && this.#scope.definitions === undefined;
  }

  /** What keys of runs, and ids of schedules, begin with; absent: with anything. */
  get front(): string | undefined {
    return this.#scope.namespace === undefined ? undefined : `${this.#scope.namespace}/`;
  }

  /** The definitions within reach; absent: all. */
  get definitions(): readonly string[] | undefined {
    return this.#scope.definitions;
  }

  /** Whether a definition is within reach. */
  hasDefinition(name: string): boolean {
    return this.#scope.definitions?.includes(name) ?? true;
  }

  /** Whether a key, an id or a topic is within the namespace. */
  hasName(name: string): boolean {
    return this.front === undefined || name.startsWith(this.front);
  }

  /** Whether runs of that definition and key are within reach. */
  hasRun(run: { readonly definition: string; readonly key: string }): boolean {
    return this.hasDefinition(run.definition) && this.hasName(run.key);
  }

  /** Whether a schedule is: what it starts must be, too. */
  hasSchedule(schedule: { readonly id: string; readonly definition: string; readonly key: string }): boolean {
    return this.hasName(schedule.id) && this.hasRun(schedule);
  }

  /** Whether locks of a namespace are: they show runs of any definition, so nobody with those limited sees them. */
  hasLocks(namespace: string): boolean {
    if (this.#scope.definitions !== undefined) return false;
    return namespace === this.#scope.namespace || this.hasName(namespace);
  }

  /**
   * Whether events of a topic are, and of which keys.
   *
   * @param engine Whose definitions topics are named after.
   * @param topic Any topic.
   * @returns `undefined`: it is out of reach. Else what the keys of its events must begin with.
   */
  topicFront(engine: Pick<Engine, "definitions">, topic: string): string | undefined {
    const told = [...engine.definitions.keys()].find((name) => topic.startsWith(topicsFront(name)));
    if (told !== undefined) return this.hasDefinition(told) ? this.front ?? "" : undefined;
    return this.#scope.definitions === undefined && this.hasName(topic) ? "" : undefined;
  }
}

/** What all topics of a definition begin with. */
function topicsFront(definition: string): string {
  return runStateTopic(definition).slice(0, -"run-state-change".length);
}

/**
 * Reads what `authorize` gave. Whatever is not clearly a permission is a mistake, and refused.
 *
 * @param answer `true` or a scope.
 * @returns What the caller may reach.
 * @throws {PawlError} `INVALID_ARGUMENT` when it is no scope.
 */
export function reachOf(answer: unknown): Reach {
  if (answer === true) return new Reach();
  const { namespace, definitions, ...others } = Object(answer) as Record<string, unknown>;
  const isNamespace = namespace === undefined || (typeof namespace === "string" && namespace !== "");
  const isList = definitions === undefined ||
    (Array.isArray(definitions) && definitions.every((each) => typeof each === "string"));
  const isLimit = namespace !== undefined || definitions !== undefined;
  if (isNamespace && isList && isLimit && Object.keys(others).length === 0) return new Reach(answer as Scope);
  throw new PawlError(
    "INVALID_ARGUMENT",
    "Cannot authorize: authorize() gave what is neither a boolean, a Response, nor a scope with `namespace` or `definitions`",
  );
}

/** The refusal of what is out of a caller's scope. */
export function outOfReach(what: string): PawlError {
  return new PawlError("FORBIDDEN", `Cannot answer: ${what} is out of the caller's scope`);
}
