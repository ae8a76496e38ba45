import type { Home } from "../../core/testing/simulation/plan.ts";
import type { ScenarioName } from "./scenarios.ts";

/** A rule, and the text that keeps it. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** A seed that sees it, tried first. Any change of the simulator shuffles seeds; it is then hunted for as the others. */
  readonly near?: number;
  /** Where it can be seen; absent: on a server. */
  readonly home?: Home;
  /** What of the simulator sees it; absent: its machines. */
  readonly scenario?: ScenarioName;
  /** The test file that sees it, where the simulator so rarely would; absent: the simulator. */
  readonly test?: string;
  /** The test in it; absent: any of them. */
  readonly sees?: string;
}
