import type { Transition } from "./behaviour.ts";

/** Where a diagram's runs go: left to right, right to left, top to bottom, bottom to top. */
export type DiagramDirection = "LR" | "RL" | "TB" | "BT";

/** How a diagram is drawn. */
export interface DiagramOptions {
  /** Default: `"LR"`. */
  readonly direction?: DiagramDirection;
  /** A status to show as the one where a run is; its state is of the class `here`. */
  readonly status?: string;
}

/** What a diagram is drawn from. */
export interface DiagramSource {
  /** For errors. */
  readonly name: string;
  /** Where runs start. */
  readonly start: string;
  /** Every status. */
  readonly statuses: Iterable<string>;
  /** In order of declaration. */
  readonly transitions: readonly Transition[];
}

/** Draws one as Mermaid text. */
export type DrawDiagram = (source: DiagramSource, options: DiagramOptions) => string;
