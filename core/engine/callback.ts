/**
 * Callbacks: the outside world answers a run that waits for it. Runs in the caller, at once, on any engine.
 *
 * @module
 */
import { ConflictError, PawlError } from "../errors.ts";
import { fingerprint } from "../hash.ts";
import { jsonText } from "../json.ts";
import { readAnswer } from "../parts/key_rows.ts";
import { type Attempt, land } from "../parts/landing.ts";
import type { ChangeOf } from "../parts/run_change.ts";
import { isFinished, type RunRecord, type RunState } from "../parts/run_record.ts";
import { keyspace } from "../store/keyspace.ts";
import { AttemptSignal, type Code } from "./attempt_call.ts";
import type { Definition } from "./behaviour.ts";
import { checkName } from "./check_input.ts";
import { type EngineContext, shardOf } from "./context.ts";
import { Stale } from "./hot_runs.ts";
import { changeRun, requireRun, type RunName } from "./operate.ts";
import type { Ownership } from "./ownership.ts";
import { runCode } from "./step_runner.ts";
import type { Also } from "./write_change.ts";

/** What a callback came to. */
export interface CallbackResult {
  /** Whether the run took it; if not, nothing was written. */
  readonly applied: boolean;
  /** The run. */
  readonly runId: string;
  /** Where the run is now. */
  readonly status: string;
  /** Its state now. */
  readonly runState: RunState;
  /** Why it was not applied. */
  readonly reason?: string;
}

/** What a callback was asked for. */
export interface CallbackInput {
  readonly runId?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A callback, checked. */
interface Wish {
  readonly definition: Definition;
  readonly name: RunName;
  readonly status: string;
  /** The payload as JSON text. */
  readonly payload: string;
  readonly idempotency: { readonly row: string; readonly input: string } | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * @returns What it came to.
 * @throws {PawlError} `UNKNOWN_STATUS`, `NO_CALLBACK`, `RUN_NOT_FOUND`, `NOT_JSON`, `PAYLOAD_TOO_LARGE`,
 * `IDEMPOTENCY_MISMATCH`, `CONFLICT`; or what the callback's code throws.
 */
export async function callback(
  context: EngineContext,
  ownership: Ownership,
  definition: Definition,
  key: string,
  target: { readonly status: string; readonly payload: unknown },
  input: CallbackInput,
): Promise<CallbackResult> {
  const wish = checkCallback(context, definition, key, target, input);
  for (let rebase = 0; rebase <= context.limits.rebasesMax; rebase++) {
    wish.signal?.throwIfAborted();
    const kept = await answerOf(context, wish);
    if (kept) return kept;
    const result = await tryOnce(context, ownership, wish);
    // What refused it may be the same call by somebody else, which came in between.
    if (result) return result.applied ? result : await answerOf(context, wish) ?? result;
  }
  throw new ConflictError(
    `Cannot call back "${definition.name}" for key "${key}": other writers were first ${context.limits.rebasesMax} times`,
  );
}

function checkCallback(
  { limits }: EngineContext,
  definition: Definition,
  key: string,
  { status, payload }: { readonly status: string; readonly payload: unknown },
  { runId, idempotencyKey, signal }: CallbackInput,
): Wish {
  const { name, behaviour } = definition;
  checkName(key, "key", limits.keyLengthMax);
  checkTarget(definition, status);
  if (idempotencyKey !== undefined) checkName(idempotencyKey, "idempotencyKey", limits.keyLengthMax);
  if (!behaviour.receive) throw new PawlError("NO_CALLBACK", `"${name}" has no callbacks`);
  const text = jsonText(payload, "payload", limits.payloadBytesMax);
  return {
    definition,
    name: { definition: name, key, runId },
    status,
    payload: text,
    idempotency: idempotencyKey === undefined ? undefined : {
      row: keyspace.idempotency.key(name, key, "callback", idempotencyKey),
      input: fingerprint(`${status} ${text}`),
    },
    signal,
  };
}

function checkTarget({ name, behaviour }: Definition, status: unknown): void {
  const all = [...behaviour.statuses];
  if (!behaviour.statuses.has(status as string)) {
    throw new PawlError(
      "UNKNOWN_STATUS",
      `Cannot call back status ${JSON.stringify(status)}: "${name}" has ${quoteAll(all)}`,
    );
  }
  if (behaviour.accepts?.(status as string)) return;
  const known = all.filter((each) => behaviour.accepts?.(each));
  throw new PawlError(
    "NO_CALLBACK",
    `Cannot call back status "${status}" of "${name}": it has no callback; those that have: ${
      quoteAll(known) || "none"
    }`,
  );
}

/** The answer of an earlier call with the same idempotency key. */
async function answerOf(context: EngineContext, wish: Wish): Promise<CallbackResult | undefined> {
  if (!wish.idempotency) return undefined;
  const { definition, key } = wish.name;
  const entry = await context.reader.get(shardOf(context, definition, key), wish.idempotency.row);
  if (!entry) return undefined;
  const { input, runId, status, runState } = readAnswer(entry);
  if (input === wish.idempotency.input && status !== undefined && runState !== undefined) {
    return { applied: true, runId, status, runState };
  }
  throw new PawlError(
    "IDEMPOTENCY_MISMATCH",
    `Cannot call back "${definition}" for key "${key}": the idempotency key was used before with other input ` +
      `(run ${runId}); use another one`,
  );
}

/** Runs the callbacks on the run as it is now, and applies what they answer unless it has changed by then. */
async function tryOnce(
  context: EngineContext,
  ownership: Ownership,
  wish: Wish,
): Promise<CallbackResult | undefined> {
  const held = await requireRun(context, "call back", wish.name);
  const base = held.record;
  const refusal = refusalOf(base, wish.status);
  if (refusal) return { applied: false, ...placeOf(base), reason: refusal };
  const end = new AttemptSignal();
  let refuse!: (reason: unknown) => void;
  const aborted = new Promise<never>((_, reject) => refuse = reject);
  aborted.catch(() => {});
  const onAbort = () => {
    end.abort(wish.signal!.reason);
    refuse(wish.signal!.reason);
  };
  wish.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const { clock } = context;
    const startedAt = clock.monotonic();
    const answer = runCode(context, wish.definition, base, end, codeOf(wish, base, clock.now()));
    // Code that does not heed its signal goes on unheard.
    const landing = await (wish.signal ? Promise.race([answer, aborted]) : answer);
    const isOld = answer instanceof Promise;
    wish.signal?.throwIfAborted();
    const durationMs = Math.round(clock.monotonic() - startedAt);
    const { visit, payload } = base;
    const attempt = { visit, payload, durationMs, chance: 0, by: "callback" } as const;
    const changeOf = landOn(wish, base, land(wish.definition.behaviour, attempt satisfies Attempt, landing));
    const after = await changeRun(context, ownership, held, changeOf, { also: keepAnswer(wish), isOld });
    return { applied: true, ...placeOf(after) };
  } catch (error) {
    if (error instanceof Stale) return undefined;
    throw error;
  } finally {
    wish.signal?.removeEventListener("abort", onAbort);
  }
}

function codeOf(wish: Wish, base: RunRecord, now: number): Code {
  const name = wish.idempotency?.input ?? String(base.version);
  return {
    kind: "callback",
    run: (behaviour, call) => behaviour.receive!(call, () => JSON.parse(wish.payload)),
    name: `callback:${name}`,
    attempt: 0,
    timeoutMs: 0,
    dueAt: now,
  };
}

/** Its code saw one state of the data, and nothing else may be overwritten; so it is run again on what is new. */
function landOn(wish: Wish, base: RunRecord, change: ChangeOf): ChangeOf {
  let tries = 0;
  return (run, now) => {
    tries++;
    const isOther = run.visit !== base.visit || run.payload !== base.payload;
    // With an idempotency key, what refused the first try may be the same call by somebody else.
    if (isOther || refusalOf(run, wish.status) || (tries > 1 && wish.idempotency)) throw new Stale();
    return change(run, now);
  };
}

function keepAnswer({ idempotency }: Wish): Also | undefined {
  if (!idempotency) return undefined;
  const { row, input } = idempotency;
  return (batch, { id, status, state }) => {
    batch.check(row, null).put(row, JSON.stringify({ runId: id, input, status, runState: state }));
  };
}

function refusalOf(run: RunRecord, status: string): string | undefined {
  if (isFinished(run.state)) return `the run is ${run.state}`;
  if (run.state === "paused" || run.state === "stalled") return `the run is ${run.state}`;
  return run.status === status ? undefined : `the run is at "${run.status}"`;
}

function placeOf({ id, status, state }: RunRecord): Omit<CallbackResult, "applied"> {
  return { runId: id, status, runState: state };
}

function quoteAll(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
