/**
 * What operators hear of a change that has been stored: counts, and a line in the log where it is more than progress.
 *
 * @module
 */
import { PawlError } from "../errors.ts";
import type { Change } from "../parts/run_change.ts";
import type { RunRecord } from "../parts/run_record.ts";
import type { LogLevel } from "../ports/logger.ts";
import type { EngineContext } from "./context.ts";

/**
 * A change has been stored. No user data goes from here to the log: neither the run's key and data, nor what an error
 * or a reason says; the run has that, and its history.
 *
 * @param context The engine.
 * @param before The record that was changed.
 * @param change What became of it.
 * @param now When, by the engine's clock.
 */
export function noticed(context: EngineContext, before: RunRecord, change: Change, now: number): void {
  const { event, after } = change;
  if (after) context.metrics?.runState(before.definition, before.state, after.state);
  if (!event || event.kind === "move" || event.kind === "rearm") return;
  if (event.by !== "step" && event.by !== "timer" && event.by !== "engine") return;
  if (event.by === "engine") countEngineChange(context, before, change, now);
  const timer = event.name === undefined ? undefined : before.timers.find(({ name }) => name === event.name);
  const line = lineOf(before, change, timer?.attempt ?? before.attempt);
  if (!line) return;
  context.logger.log(line.level, line.message, {
    runId: before.id,
    definition: before.definition,
    status: before.status,
    attempt: timer ? timer.attempt + 1 : (after ?? before).attempt,
    ...(event.name !== undefined && { timeout: event.name }),
    ...(event.error && { error: event.error.name, code: event.error.code }),
    ...(line.crashes !== undefined && { crashes: line.crashes }),
  });
}

/**
 * An attempt failed while there was no network, which it needs.
 *
 * @param context The engine.
 * @param run Whose it was.
 * @param name Of a timer or hook; absent: the step's.
 */
export function noticeCut({ logger }: EngineContext, run: RunRecord, name: string | undefined): void {
  logger.log("info", "An attempt failed for want of the network; it waits for that", {
    runId: run.id,
    definition: run.definition,
    status: run.status,
    ...(name !== undefined && { name }),
  });
}

/**
 * Work of a shard failed for another reason than its user code.
 *
 * @param context The engine.
 * @param where Which shard of which definition.
 * @param error Why.
 */
export function shardFailed(
  context: EngineContext,
  where: { readonly name: string; readonly shard: number },
  error: unknown,
): void {
  context.logger.log("error", "Work of a shard failed; it is tried again", {
    definition: where.name,
    shard: where.shard,
    error: String(error),
    code: error instanceof PawlError ? error.code : undefined,
  });
}

function countEngineChange(context: EngineContext, before: RunRecord, { event }: Change, now: number): void {
  const { metrics, definitions } = context;
  const definition = definitions.get(before.definition);
  if (!metrics || !definition) return;
  if (event!.kind === "stall") metrics.step(definition, before.status).skipped("status unknown to the code");
  if (event!.kind === "skip") {
    const isTimer = event!.name !== undefined;
    const meter = isTimer
      ? metrics.timeouts(definition, before.status)
      : metrics.step(definition, before.status);
    meter.skipped("status without step");
  }
  if (event!.kind === "resume" && before.state === "paused" && before.due !== undefined) {
    metrics.pauseRetry(definition).started(now - before.due);
  }
}

interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly crashes?: number;
}

/** The first failure of a visit is told by default, the repetitions of a step that goes on failing are not. */
function lineOf(before: RunRecord, { event, after }: Change, failures: number): Line | undefined {
  const code = event!.by === "timer" ? "A timeout" : "A step";
  switch (event!.kind) {
    case "error":
      // The erasure of a run; where it fails is where it is told.
      if (event!.by === "engine") return undefined;
      if (after?.state === "paused" && before.state !== "paused") {
        return { level: "error", message: `${code} failed too often; its run is paused` };
      }
      return {
        level: failures === 0 ? "warn" : "info",
        message: `${code} failed; it is tried again`,
      };
    case "interrupted":
      return {
        level: "warn",
        message: "A step that may have taken its process down is started again",
        crashes: after!.crashes,
      };
    case "pause":
      return event!.by === "engine"
        ? { level: "error", message: "A step took its process down too often; its run is paused" }
        : { level: "info", message: `${code} paused its run` };
    case "stall":
      return {
        level: "warn",
        message: "A run stands at a status that the code does not know; it is set aside",
      };
    case "fail":
      return { level: "warn", message: `${code} ended its run as failed` };
    case "late":
      return { level: "info", message: "A result came after its run had moved on; it is discarded" };
    case "skip":
      return event!.by === "engine"
        ? { level: "warn", message: "A run stands at a status that has lost its step; nothing is due there" }
        : undefined;
    case "resume":
      return { level: "info", message: "The engine lets a run go on" };
    default:
      return undefined;
  }
}
