/**
 * Waiting for a run: read first, then listen; one subscription per run, whoever waits.
 *
 * @module
 */
import { PawlError, RunEndedError } from "../errors.ts";
import { type Duration, durationMs } from "../duration.ts";
import { isFinished, type RunRecord } from "../parts/run_record.ts";
import { type EngineContext, shardOfRun } from "./context.ts";
import { checkName } from "./check_input.ts";
import { isNamed, latestRunId, noSuchRun, readHistory, type RunName } from "./operate.ts";
import type { Waiter } from "./run_watch.ts";
import { readRun } from "./write_change.ts";

/** What to wait for, and for how long. */
export interface Wait {
  /** The run is or has been at this status; absent: it has ended, in whatever way. */
  readonly status?: string;
  /** Ends the wait by rejecting with its reason. */
  readonly signal?: AbortSignal;
  /** Ends the wait with `AWAIT_TIMEOUT`. */
  readonly timeout?: Duration;
}

/**
 * Resolves with the run as it is when the wait is met.
 *
 * @param known The run's record, if this engine has it in memory: then nothing is read.
 * @throws {RunEndedError} When the run ended without reaching the status.
 * @throws {PawlError} `RUN_NOT_FOUND`, `AWAIT_TIMEOUT`, or `ENGINE_STOPPED`; or the signal's reason.
 */
export async function awaitRun(
  context: EngineContext,
  name: RunName,
  wait: Wait,
  known: (runId: string) => RunRecord | undefined,
): Promise<RunRecord> {
  wait.signal?.throwIfAborted();
  checkName(name.key, "key", context.limits.keyLengthMax);
  const timeoutMs = wait.timeout === undefined ? undefined : durationMs(wait.timeout, "timeout");
  const runId = name.runId ?? await latestRunId(context, name);
  wait.signal?.throwIfAborted();
  if (runId === undefined) throw noSuchRun("await", name);
  // A text that is no run id is refused before anything waits for it.
  shardOfRun(context, runId);
  return new Promise<RunRecord>((resolve, reject) => {
    let cancel: (() => void) | undefined;
    const end = () => {
      unsubscribe();
      cancel?.();
      wait.signal?.removeEventListener("abort", onAbort);
    };
    const fail = (error: unknown) => {
      end();
      reject(error);
    };
    const met = (run: RunRecord) => {
      end();
      resolve(run);
    };
    const onAbort = () => fail(wait.signal!.reason);
    const judge = new Judge(context, wait.status, met, fail);
    const unsubscribe = context.watch.subscribe(runId, judge);
    if (timeoutMs !== undefined) cancel = context.clock.after(timeoutMs, () => fail(timedOut(runId, wait)));
    wait.signal?.addEventListener("abort", onAbort, { once: true });
    // Subscribed first, looked at second: nothing can slip through in between.
    const look = (run: RunRecord | undefined) => {
      if (run && isNamed(run, name)) judge.saw(run);
      else fail(noSuchRun("await", name));
    };
    const hot = known(runId);
    if (hot) look(hot);
    else readRun(context, runId).then((held) => look(held?.record)).catch(fail);
  });
}

function timedOut(runId: string, wait: Wait): PawlError {
  const goal = wait.status === undefined ? "its end" : `status "${wait.status}"`;
  return new PawlError("AWAIT_TIMEOUT", `Run ${runId} did not reach ${goal} within ${wait.timeout}`);
}

/** Decides from what is seen of a run whether a wait is met. History knows the statuses that went by unseen. */
class Judge implements Waiter {
  readonly #context: EngineContext;
  readonly #status: string | undefined;
  readonly #met: (run: RunRecord) => void;
  readonly #failed: (error: unknown) => void;
  #version = 0;
  #position: number | undefined;

  constructor(
    context: EngineContext,
    status: string | undefined,
    met: (run: RunRecord) => void,
    failed: (error: unknown) => void,
  ) {
    this.#context = context;
    this.#status = status;
    this.#met = met;
    this.#failed = failed;
  }

  saw(run: RunRecord): void {
    if (run.version <= this.#version) return;
    const missed = run.version > this.#version + 1;
    this.#version = run.version;
    if (this.#status === undefined) {
      if (isFinished(run.state)) this.#met(run);
    } else if (run.status === this.#status) {
      this.#met(run);
    } else if (missed || isFinished(run.state)) {
      this.#consult(run, this.#status).catch(this.#failed);
    }
  }

  ended(reason: unknown): void {
    this.#failed(reason);
  }

  async #consult(run: RunRecord, status: string): Promise<void> {
    for (;;) {
      const rows = await readHistory(this.#context, {
        runId: run.id,
        ...(this.#position !== undefined && { after: this.#position }),
      });
      if (rows.some((row) => row.kind !== "late" && (row.to === status || row.from === status))) {
        return this.#met(run);
      }
      this.#position = rows.at(-1)?.position ?? this.#position;
      if (rows.length < this.#context.limits.pageMax) break;
    }
    if (isFinished(run.state)) this.#failed(new RunEndedError(run.id, run.state, run.status, status));
  }
}
