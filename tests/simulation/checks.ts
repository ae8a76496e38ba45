/**
 * What must be true when all is quiet: what was acknowledged has happened, and nothing else has.
 *
 * @module
 */
import type { VerifyReport } from "../../core/engine/verify.ts";
import { decodeHistory, type HistoryRow } from "../../core/parts/history.ts";
import { isFinished, type RunRecord } from "../../core/parts/run_record.ts";
import type { Clients, Told } from "./clients.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** A run as the end finds it. */
interface Ended {
  readonly run: RunRecord;
  readonly token: string;
  readonly rows: readonly HistoryRow[];
}

export async function checkEnd(
  world: World,
  shadow: Shadow,
  clients: Clients,
  verify: () => Promise<VerifyReport>,
): Promise<void> {
  const runs = new Map(shadow.runs().map((run) => [run.id, endedOf(shadow, run)]));
  for (const { run, rows } of runs.values()) {
    if (!isFinished(run.state)) {
      world.violate(
        "I9",
        `run ${run.id} is ${run.state} at ${run.status}, due ${run.due}, although all is calm`,
      );
    }
    checkPauses(world, run, rows);
  }
  if (clients.open > 0) world.violate("I9", `${clients.open} calls of living clients were never answered`);
  for (const told of clients.told) {
    const ended = runs.get(told.runId);
    if (ended) checkTold(world, ended, told);
    else if (!shadow.checks.disposal.removed.has(told.runId)) {
      world.violate("I6", `the acknowledged run ${told.runId} is gone`);
    }
    if (told.verb === "callback") checkCallback(world, shadow, told);
  }
  for (const { verb, token, code } of clients.refused) {
    // Every other error says that nothing was written, and nothing ever will be.
    if (code === "OUTCOME_UNKNOWN") continue;
    const runId = verb === "trigger"
      ? shadow.checks.disposal.triggeredBy(token)
      : shadow.checks.calledBy(token);
    if (runId) world.violate("I6", `${verb} ${token} was refused with ${code}, yet run ${runId} has it`);
  }
  shadow.checks.hooks.checkEnd();
  checkIdempotency(world, shadow, clients.told);
  const { findings, notes } = await verify();
  // The fleet's machines never change, so what older code might explain is a fault here.
  for (const { invariant, problem, key } of [...findings, ...notes]) {
    world.violate(invariant, `${problem} (key ${key})`);
  }
}

function endedOf(shadow: Shadow, run: RunRecord): Ended {
  const rows = [...shadow.under(`hist ${run.id} `)].map(([key, row]) => decodeHistory({ key, ...row }));
  return {
    run,
    token: shadow.checks.disposal.tokenOf(run.id)!,
    rows: rows.filter((row) => row.kind !== "late").sort((a, b) => a.position - b.position),
  };
}

/** I6: what was acknowledged is there. I5: an acknowledged verb was not overwritten. */
function checkTold(world: World, { run, token, rows }: Ended, told: Told): void {
  if (told.verb === "trigger") {
    if (token === told.token) return;
    return world.violate("I6", `run ${run.id} holds ${token}, but ${told.token} was acknowledged`);
  }
  if (told.verb === "await") return checkAwait(world, rows, told);
  if (told.verb === "callback") return;
  const row = rows.find((each) => each.version === told.version);
  if (row?.kind !== (told.verb === "deleteData" ? "delete-request" : told.verb)) {
    world.violate("I6", `the acknowledged ${told.verb} of run ${run.id} is a ${row?.kind} in its history`);
  }
  const isDeleted = run.state === "deleted";
  if (told.verb === "cancel" && run.state !== "cancelled" && !isDeleted) {
    world.violate("I4", `run ${run.id} was cancelled, and is ${run.state}`);
  }
  if (told.verb === "deleteData" && !isDeleted) {
    world.violate("I14", `run ${run.id} was to be deleted, and is ${run.state}`);
  }
}

/** I6: what a callback was told. With an idempotency key, some other call may have applied it for this one. */
function checkCallback(
  world: World,
  shadow: Shadow,
  { runId, mark, applied }: Told & { readonly verb: "callback" },
): void {
  const isThere = shadow.checks.lifeOf(runId).callbacks.has(mark);
  if (applied && !isThere) world.violate("I6", `the acknowledged ${mark} is not in run ${runId}`);
  if (!applied && isThere && !mark.includes("/")) {
    world.violate("I6", `${mark} was not to be applied to run ${runId}, and was`);
  }
}

function checkAwait(
  world: World,
  rows: readonly HistoryRow[],
  { runId, status, met, state }: Told & { readonly verb: "await" },
): void {
  const wasThere = status === undefined || rows.some((row) => row.to === status || row.from === status);
  const holds = met ? wasThere && (status !== undefined || isFinished(state)) : !wasThere;
  if (!holds) {
    world.violate("await", `await of ${status ?? "the end"} of run ${runId} ended with ${met}, ${state}`);
  }
}

function checkIdempotency(world: World, shadow: Shadow, told: readonly Told[]): void {
  const runs = new Map<string, string>();
  const created = new Set<string>();
  for (const each of told) {
    if (each.verb !== "trigger" || each.scope === undefined) continue;
    // The answer is kept as long as its run.
    if (shadow.checks.disposal.removed.has(each.runId)) continue;
    const { scope, runId } = each;
    const known = runs.get(scope) ?? runId;
    runs.set(scope, known);
    if (known !== runId) world.violate("I6", `idempotency key ${scope} made runs ${known} and ${runId}`);
    if (each.created && created.has(scope)) world.violate("I6", `idempotency key ${scope} created twice`);
    if (each.created) created.add(scope);
  }
}

/** I5: between a pause and its end at most one step lands. */
function checkPauses(world: World, run: RunRecord, rows: readonly HistoryRow[]): void {
  let landedPaused: number | undefined;
  for (const { kind, runState } of rows) {
    const landed = kind === "move" || kind === "repeat" || kind === "skip" || kind === "rearm";
    if (landed && landedPaused !== undefined && ++landedPaused > 1) {
      world.violate("I5", `two steps of run ${run.id} landed while it was paused`);
    }
    if (runState !== "paused") landedPaused = undefined;
    else landedPaused ??= 0;
  }
}
