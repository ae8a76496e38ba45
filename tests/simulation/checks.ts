import type { VerifyReport } from "../../core/engine/verify.ts";
import { decodeHistory, type HistoryRow } from "../../core/parts/history.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** What a client was told. */
export interface Promised {
  readonly verb: string;
  readonly runId: string;
  readonly token: string;
  readonly version?: number;
  readonly created?: boolean;
  /** The idempotency scope: equal ones must have got equal runs. */
  readonly same?: string;
}

/** What must be true when all is quiet. */
export async function checkEnd(
  world: World,
  shadow: Shadow,
  promised: readonly Promised[],
  finished: boolean,
  open: number,
  verify: () => Promise<VerifyReport>,
): Promise<void> {
  if (!finished) {
    const stuck = shadow.runs().filter((run) => ["initiated", "running", "paused"].includes(run.state));
    const names = stuck.map((run) => `${run.id} ${run.state} at ${run.status} due ${run.due}`);
    world.violate("I9", `unfinished although all is calm: ${names.join("; ")}`);
  }
  if (open > 0) world.violate("I9", `${open} calls of living clients were never answered`);
  for (const promise of promised) checkPromise(world, shadow, promise);
  checkIdempotency(world, promised);
  for (const run of shadow.runs()) checkHistory(world, run.id, run.visit, historyOf(shadow, run.id));
  const report = await verify();
  for (const finding of report.findings) {
    world.violate(finding.invariant, `${finding.problem} (key ${finding.key})`);
  }
  if (world.violation) throw world.violation;
}

function historyOf(shadow: Shadow, runId: string): HistoryRow[] {
  const rows = [...shadow.under(`hist ${runId} `)].map(([key, row]) => decodeHistory({ key, ...row }));
  return rows.sort((a, b) => a.position - b.position);
}

/** I6: what was acknowledged is there. I5: an acknowledged operator's verb was not overwritten. */
function checkPromise(world: World, shadow: Shadow, promise: Promised): void {
  const run = shadow.run(promise.runId);
  if (!run) return world.violate("I6", `the acknowledged run ${promise.runId} is gone`);
  const data = JSON.parse(run.payload) as { token: string };
  if (promise.verb === "trigger" && data.token !== promise.token) {
    world.violate("I6", `run ${promise.runId} holds ${data.token}, but ${promise.token} was acknowledged`);
  }
  if (promise.verb === "trigger") return;
  const rows = historyOf(shadow, promise.runId);
  const row = rows.find((each) => each.version === promise.version && each.kind !== "late");
  if (row?.kind !== promise.verb) {
    world.violate(
      "I6",
      `the acknowledged ${promise.verb} of run ${promise.runId} is a ${row?.kind} in its history`,
    );
  }
  if (promise.verb === "cancel" && run.state !== "cancelled") {
    world.violate("I4", `run ${promise.runId} was cancelled, and is ${run.state}`);
  }
}

function checkIdempotency(world: World, promised: readonly Promised[]): void {
  const first = new Map<string, string>();
  for (const { same, runId } of promised) {
    if (same === undefined) continue;
    const known = first.get(same) ?? runId;
    first.set(same, known);
    if (known !== runId) world.violate("I6", `idempotency key ${same} made runs ${known} and ${runId}`);
  }
}

/** I5: between a pause and its end at most one step lands. A visit ends with exactly one landing. */
function checkHistory(world: World, runId: string, visits: number, rows: readonly HistoryRow[]): void {
  let landed = 0;
  let whilePaused: number | undefined;
  for (const row of rows) {
    if (row.kind === "move" || row.kind === "repeat") {
      landed++;
      if (whilePaused !== undefined && ++whilePaused > 1) {
        world.violate("I5", `two steps of run ${runId} landed while it was paused`);
      }
    }
    if (row.kind === "pause") whilePaused = 0;
    if (row.kind === "resume") whilePaused = undefined;
  }
  if (landed !== visits - 1) world.violate("I10", `run ${runId} has ${landed} landings in ${visits} visits`);
}
