/**
 * What a machine's graph must satisfy, checked when it is built.
 *
 * @module
 */
import type { Transition } from "../engine/behaviour.ts";
import { PawlError } from "../errors.ts";

/** Names are index material; see `Limits.nameLengthMax`. */
const nameLengthMax = 128;

/**
 * @throws {PawlError} `INVALID_GRAPH` unless the name can be one.
 */
export function checkMachineName(name: unknown): void {
  if (isName(name)) return;
  throw new PawlError(
    "INVALID_GRAPH",
    `Cannot build machine: got name ${JSON.stringify(name)}, want text of 1 to ${nameLengthMax} characters`,
  );
}

/**
 * @throws {PawlError} `INVALID_GRAPH` unless the status can be one.
 */
export function checkStatus(machine: string, status: unknown): void {
  if (isName(status)) return;
  throw new PawlError(
    "INVALID_GRAPH",
    `Cannot build machine "${machine}": got status ${JSON.stringify(status)}, ` +
      `want text of 1 to ${nameLengthMax} characters`,
  );
}

/**
 * @throws {PawlError} `INVALID_GRAPH` unless the name can be a connector's.
 */
export function checkConnectorName(machine: string, name: unknown): void {
  if (isName(name)) return;
  throw new PawlError(
    "INVALID_GRAPH",
    `Cannot add connector to "${machine}": got name ${JSON.stringify(name)}, ` +
      `want text of 1 to ${nameLengthMax} characters`,
  );
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value.length > 0 && value.length <= nameLengthMax;
}

/** Where a run starts: the first status declared that nothing leads to, else (a cycle) the first declared. */
export function startOf(transitions: readonly Transition[]): string {
  const reached = new Set(transitions.flatMap(({ from, to }) => to.filter((each) => each !== from)));
  const found = transitions.find(({ from }) => !reached.has(from)) ?? transitions[0]!;
  return found.from;
}

/**
 * Refuses a graph that cannot work: nothing in it, or a step that leads nowhere.
 *
 * @throws {PawlError} `INVALID_GRAPH`.
 */
export function checkGraph(machine: string, transitions: readonly Transition[]): void {
  if (transitions.length === 0) {
    throw new PawlError(
      "INVALID_GRAPH",
      `Cannot build machine "${machine}": it has no step; add one with .step(...)`,
    );
  }
  for (const { from, to, by } of transitions) {
    if (by !== "step" || to.length > 0) continue;
    throw new PawlError(
      "INVALID_GRAPH",
      `Cannot build machine "${machine}": step "${from}" leads nowhere; list the statuses it may answer with`,
    );
  }
}
