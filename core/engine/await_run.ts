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
import type { Ownership } from "./ownership.ts";
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
 * @throws {RunEndedError} When the run ended without reaching the status.
 * @throws {PawlError} `RUN_NOT_FOUND`, `AWAIT_TIMEOUT`, or `ENGINE_STOPPED`; or the signal's reason.
 */
export async function awaitRun(
  context: EngineContext,
  ownership: Pick<Ownership, "ownerOf">,
  name: RunName,
  wait: Wait,
): Promise<RunRecord> {
  wait.signal?.throwIfAborted();
  checkName(name.key, "key", context.limits.keyLengthMax);
  const timeoutMs = wait.timeout === undefined ? undefined : durationMs(wait.timeout, "timeout");
  const runId = name.runId ?? await latestRunId(context, name);
  wait.signal?.throwIfAborted();
  if (runId === undefined) throw noSuchRun("await", name);
  // A text that is no run id is refused before anything waits for it.
  const owner = ownership.ownerOf(name.definition, shardOfRun(context, runId));
  return await new Promise<RunRecord>((resolve, reject) => {
    const meeting = new Meeting(context, { ...name, runId }, wait, resolve, reject);
    meeting.begin(owner?.known(runId), timeoutMs);
  });
}

/**
 * One wait. Decides from what is seen of the run whether it is met; history knows the statuses that went by unseen. An
 * object and not a handful of closures: thousands may wait.
 */
class Meeting implements Waiter {
  readonly #context: EngineContext;
  readonly #name: RunName & { readonly runId: string };
  readonly #wait: Wait;
  readonly #resolve: (run: RunRecord) => void;
  readonly #reject: (error: unknown) => void;
  #cancelTimer: (() => void) | undefined;
  #version = 0;
  #position: number | undefined;

  constructor(
    context: EngineContext,
    name: RunName & { readonly runId: string },
    wait: Wait,
    resolve: (run: RunRecord) => void,
    reject: (error: unknown) => void,
  ) {
    this.#context = context;
    this.#name = name;
    this.#wait = wait;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /**
   * Begins to wait: subscribed first, looked at second, so that nothing can slip through in between.
   *
   * @param known The run's record, if this engine has it in memory: then nothing is read.
   */
  begin(known: RunRecord | undefined, timeoutMs: number | undefined): void {
    const { clock, watch } = this.#context;
    const { runId } = this.#name;
    watch.subscribe(runId, this);
    if (timeoutMs !== undefined) {
      this.#cancelTimer = clock.after(timeoutMs, () => this.ended(timedOut(runId, this.#wait)));
    }
    this.#wait.signal?.addEventListener("abort", this, { once: true });
    if (known) return this.#look(known);
    readRun(this.#context, runId).then(
      (held) => this.#look(held?.record),
      (error) => this.ended(error),
    );
  }

  saw(run: RunRecord): void {
    if (run.version <= this.#version) return;
    const { status } = this.#wait;
    const missed = run.version > this.#version + 1;
    this.#version = run.version;
    if (status === undefined) {
      if (isFinished(run.state)) this.#met(run);
    } else if (run.status === status) {
      this.#met(run);
    } else if (missed || isFinished(run.state)) {
      this.#consult(run, status).catch((error) => this.ended(error));
    }
  }

  ended(reason: unknown): void {
    this.#end();
    this.#reject(reason);
  }

  /** The signal was aborted. */
  handleEvent(): void {
    this.ended(this.#wait.signal!.reason);
  }

  #look(run: RunRecord | undefined): void {
    if (run && isNamed(run, this.#name)) this.saw(run);
    else this.ended(noSuchRun("await", this.#name));
  }

  #met(run: RunRecord): void {
    this.#end();
    this.#resolve(run);
  }

  #end(): void {
    this.#context.watch.unsubscribe(this.#name.runId, this);
    this.#cancelTimer?.();
    this.#wait.signal?.removeEventListener("abort", this);
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
    if (isFinished(run.state)) this.ended(new RunEndedError(run.id, run.state, run.status, status));
  }
}

function timedOut(runId: string, wait: Wait): PawlError {
  const goal = wait.status === undefined ? "its end" : `status "${wait.status}"`;
  return new PawlError("AWAIT_TIMEOUT", `Run ${runId} did not reach ${goal} within ${wait.timeout}`);
}
