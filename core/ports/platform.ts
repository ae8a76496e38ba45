/**
 * What is around an engine: a tab that may be hidden, frozen or closed, a network that comes and goes. All of it is a hint:
 * what is true stands in the store, and an engine without a platform is as correct.
 *
 * @module
 */

/**
 * How fit the platform is for work. `active`: fit. `standby`: works only on what no active engine carries, as a hidden tab
 * does beside a visible one. `suspended`: about to be frozen; the engine gives back what it owns, and waits.
 */
export type Readiness = "active" | "standby" | "suspended";

/** What a platform tells its engine. */
export interface Platform {
  /** Whether the network may be there; steps that need it wait while it is surely not. */
  isOnline(): boolean;
  /** How fit it is for work now. */
  readiness(): Readiness;
  /**
   * Calls back after either has changed, and when the process may have stood still for long.
   *
   * @returns Ends it.
   */
  watch(onChange: () => void): () => void;
  /**
   * Shows the other engines on this store that this one's process is there, for as long as it is; absent: nobody can tell.
   *
   * @param engineId This engine.
   * @returns Resolves once it is shown; called, it shows it no more.
   */
  hold?(engineId: string): Promise<() => void>;
  /**
   * Which engines' processes are surely gone, so that nobody has to wait until their terms end.
   *
   * @param engineIds Engines that were shown by `hold`.
   * @returns Those that are shown no more.
   */
  gone?(engineIds: readonly string[]): Promise<readonly string[]>;
}

/** A server: always fit, always online. */
export const server: Platform = {
  isOnline: () => true,
  readiness: () => "active",
  watch: () => () => {},
};
