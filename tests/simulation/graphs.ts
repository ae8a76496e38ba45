/**
 * The graphs of the simulated machines, as data: what builds them, what asks of them, and what judges their runs.
 *
 * @module
 */
import type { HookKind } from "../../core/parts/chore.ts";

/** What may take a run from a status, and where. */
export interface Place {
  readonly step?: readonly [string, ...string[]];
  readonly callback?: readonly string[];
  readonly timers?: Readonly<Record<string, readonly string[]>>;
}

export type Graph = Readonly<Record<string, Place>>;

export const graphs: Readonly<Record<string, Graph>> = {
  chain: {
    a: { step: ["b", "c"] },
    b: { step: ["d"] },
    c: { step: ["d", "b"] },
    d: { step: ["end", "void"] },
  },
  loop: {
    x: { step: ["y", "done"] },
    y: { step: ["x", "done"], timers: { hurry: ["done"], tick: [] } },
  },
  mail: {
    draft: { step: ["wait", "sent"], timers: { hurry: ["sent"] } },
    wait: {
      callback: ["draft", "sent", "wait"],
      timers: { remind: [], expire: ["lost"], noon: ["draft", "lost"] },
    },
    sent: {
      step: ["done", "wait"],
      callback: ["done", "draft"],
      timers: { nudge: [], tick: [], hurry: ["lost"] },
    },
  },
};

/** After how many ms a paused run is resumed. */
export const pauseRetryMs = 4_000;

/** How long finished runs are kept, where not for ever. */
export const keepFinishedMs: Readonly<Record<string, number>> = { loop: 1_500, mail: 4_500 };

/** The hooks of every machine, in order. */
export const hooks: Readonly<Record<HookKind, readonly string[]>> = {
  complete: ["first", "second"],
  pause: ["only"],
  resume: ["only"],
  cancel: ["only"],
  fail: ["only"],
  delete: ["only"],
};

/** Every status of a graph. */
export function statusesOf(graph: Graph): string[] {
  return [...new Set(Object.keys(graph).flatMap((from) => [from, ...leadsTo(graph, from)]))];
}

/** Where a status may lead, by whatever. */
export function leadsTo(graph: Graph, status: string): string[] {
  const { step = [], callback = [], timers = {} } = graph[status] ?? {};
  return [...step, ...callback, ...Object.values(timers).flat()];
}

/** Where the code of one kind may lead. */
export function edgesOf(graph: Graph, status: string, by: string, name?: string): readonly string[] {
  const place = graph[status] ?? {};
  if (by === "timer") return place.timers?.[name!] ?? [];
  return (by === "callback" ? place.callback : place.step) ?? [];
}
