/**
 * What the parts of a definition's work are called in metrics and in `engine.states()`: as luno/workflow calls its
 * processes, so that its dashboards go on. Names are put together as they are given, in their own case and with their
 * blanks: two statuses that differ in anything are two processes.
 *
 * @module
 */
import type { ErrorKind, HookKind } from "../parts/chore.ts";
import { type Definition, hooksOf } from "./behaviour.ts";

/** Runs the step of a status. The engine runs them concurrently, so there is one process of one. */
export const stepProcess = (definition: string, status: string): string =>
  `${definition}-${status}-consumer-1-of-1`;

/** Fires the timeouts of a status. */
export const timeoutProcess = (definition: string, status: string): string =>
  `${definition}-${status}-timeout-consumer`;

/** Feeds a definition from outside; `part` counts from 1. It names the cursor of that shard of the connector too. */
export const connectorProcess = (connector: string, definition: string, part: number, of: number): string =>
  `${connector}-connector-to-${definition}-consumer-${part}-of-${of}`;

/** Runs the hooks of a run state. */
export const hookProcess = (definition: string, runState: string): string =>
  `${definition}-${runState}-run-state-change-hook-consumer`;

/** The run state that a run has when the hooks of a kind hear of it; of errors, what they are. */
export const hookStates: Readonly<Record<HookKind | ErrorKind, string>> = {
  complete: "completed",
  pause: "paused",
  resume: "running",
  cancel: "cancelled",
  fail: "failed",
  delete: "deleted",
  "step-error": "step-error",
  "run-error": "run-error",
};

/** Relays the transitions of a definition's runs. */
export const outboxProcess = (definition: string): string => `${definition}-outbox-consumer`;

/** Deletes the data of runs. */
export const deleteProcess = (definition: string): string => `${definition}-delete-consumer`;

/** Resumes runs that have been paused for long enough. */
export const pauseRetryProcess = (definition: string): string =>
  `${definition}-paused-records-retry-consumer`;

/**
 * Every process of a definition: what `engine.states()` lists, and whose series begin with the engine. A part of the
 * engine that gets a process of its own adds it here.
 *
 * @param definition The definition.
 * @param isRelaying Whether the engine has somewhere to send streams to.
 * @returns Their names.
 */
export function processesOf(definition: Definition, isRelaying: boolean): readonly string[] {
  const { name, behaviour } = definition;
  const { transitions = [] } = behaviour;
  const timeouts = transitions.filter(({ by }) => by === "timeout").map(({ from }) => from);
  const kinds = (Object.keys(hookStates) as (HookKind | ErrorKind)[]).filter((kind) =>
    hooksOf(definition, kind).length > 0
  );
  const connectors = (behaviour.connectors ?? []).flatMap(({ name: connector, shards }) =>
    Array.from({ length: shards }, (_, index) => connectorProcess(connector, name, index + 1, shards))
  );
  const steps = [...behaviour.statuses].filter((status) => behaviour.policy(status) !== undefined);
  return [
    ...steps.map((status) => stepProcess(name, status)),
    ...[...new Set(timeouts)].map((status) => timeoutProcess(name, status)),
    ...kinds.map((kind) => hookProcess(name, hookStates[kind])),
    ...connectors,
    ...(isRelaying && behaviour.stream ? [outboxProcess(name)] : []),
    deleteProcess(name),
    ...(behaviour.pauseRetryMs === undefined ? [] : [pauseRetryProcess(name)]),
  ];
}
