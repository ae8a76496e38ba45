/**
 * What the judge is given: what the ledger says, what the store says; and what was asked and answered.
 *
 * @module
 */
import type { HistoryRow, RunView } from "pawl";
import type { Asked, Line, Refused, Told } from "./ledger.ts";
import type { Torn } from "./ledger_reader.ts";
import type { StoreScan } from "./store_scan.ts";
import type { Trail } from "./trail.ts";

/** A run as the store has it. */
export interface StoredRun {
  readonly view: RunView<Trail>;
  /** All of its history, oldest first. */
  readonly rows: readonly HistoryRow[];
}

/** A fleet that has come to rest. */
export interface Case {
  /** The ledger. */
  readonly lines: readonly Line[];
  /** What of it is no line. */
  readonly torn: readonly Torn[];
  /** Every run of the store. */
  readonly runs: readonly StoredRun[];
  /** What else is in the store. */
  readonly scan: Pick<StoreScan, "secrets" | "runIds">;
}

/** A broken promise. */
export interface Violation {
  /** Its number, as `judge.ts` has it. */
  readonly promise: number;
  /** What is wrong. */
  readonly problem: string;
  /** The run it is about. */
  readonly runId?: string;
}

/** Told of a broken promise. */
export type Report = (promise: number, problem: string, runId?: string) => void;

/** What was asked, and what was answered. */
export class Talk {
  readonly asked: readonly Asked[];
  readonly told = new Map<string, Told>();
  readonly refused = new Map<string, Refused>();

  constructor(lines: readonly Line[]) {
    this.asked = lines.filter((line) => line.what === "asked");
    for (const line of lines) {
      if (line.what === "told") this.told.set(line.id, line);
      if (line.what === "refused") this.refused.set(line.id, line);
    }
  }

  /** The questions for a verb, by their token. */
  byToken(verb: Asked["verb"]): ReadonlyMap<string, Asked[]> {
    return Map.groupBy(this.asked.filter((each) => each.verb === verb), (each) => each.token!);
  }

  /** Whether it surely was not done, and never will be. Without an answer, as when its client died, nothing is sure. */
  surelyNot({ id }: Asked): boolean {
    if (this.told.get(id)?.applied === false) return true;
    const refusal = this.refused.get(id);
    return refusal !== undefined && refusal.code !== "OUTCOME_UNKNOWN";
  }

  /** Whether somebody may have done this to a run. */
  mayHave(verb: Asked["verb"], runId: string): boolean {
    return this.asked.some((each) => each.verb === verb && each.runId === runId && !this.surelyNot(each));
  }
}
