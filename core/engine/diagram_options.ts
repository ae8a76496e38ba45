/** Where a diagram's runs go: left to right, right to left, top to bottom, bottom to top. */
export type DiagramDirection = "LR" | "RL" | "TB" | "BT";

/** How a diagram is drawn. */
export interface DiagramOptions {
  /** Default: `"LR"`. */
  readonly direction?: DiagramDirection;
}
