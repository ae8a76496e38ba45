/**
 * Waiting for a run: read first, then listen; one subscription per run, whoever waits.
 *
 * @module
 */
import { PawlError, RunEndedError } from "../errors.ts";
import { type Duration, durationMs } from "../duration.ts";
import { isFinished, type RunRecord } from "../parts/run_record.ts";
import type { EngineContext } from "./context.ts";
import { readHistory, requireRun, type RunName } from "./operate.ts";
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
 * @throws {RunEndedError} When the run ended without reaching the status.
 * @throws {PawlError} `RUN_NOT_FOUND`, `AWAIT_TIMEOUT`, or `ENGINE_STOPPED`; or the signal's reason.
 */
export async function awaitRun(
  context: EngineContext,
  stopped: AbortSignal,
  name: RunName,
  wait: Wait,
): Promise<RunRecord> {
  wait.signal?.throwIfAborted();
  const { record } = await requireRun(context, "await", name);
  return new Promise<RunRecord>((resolve, reject) => {
    const ends: (() => void)[] = [];
    const end = (settle: () => void) => {
      for (const each of ends.splice(0)) each();
      settle();
    };
    const fail = (error: unknown) => end(() => reject(error));
    const judge = new Judge(context, wait.status, (run) => end(() => resolve(run)), fail);
    ends.push(context.watch.subscribe(record.id, (run) => judge.saw(run)));
    onAbort(wait.signal, () => fail(wait.signal!.reason), ends);
    onAbort(stopped, () => fail(stopped.reason), ends);
    if (wait.timeout !== undefined) {
      ends.push(context.clock.after(durationMs(wait.timeout, "timeout"), () => fail(timedOut(record, wait))));
    }
    // The record was read before we subscribed: what changed in between is seen by this second look.
    readRun(context, record.id).then((held) => held && judge.saw(held.record), fail);
  });
}

function onAbort(signal: AbortSignal | undefined, act: () => void, ends: (() => void)[]): void {
  if (!signal) return;
  if (signal.aborted) return act();
  signal.addEventListener("abort", act, { once: true });
  ends.push(() => signal.removeEventListener("abort", act));
}

function timedOut(record: RunRecord, wait: Wait): PawlError {
  const goal = wait.status === undefined ? "its end" : `status "${wait.status}"`;
  return new PawlError("AWAIT_TIMEOUT", `Run ${record.id} did not reach ${goal} within ${wait.timeout}`);
}

/** Decides from what is seen of a run whether a wait is met. History knows the statuses that went by unseen. */
class Judge {
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
