/**
 * Problems as errors: what the engine threw there is thrown here.
 *
 * @module
 */
import {
  ConflictError,
  type ErrorCode,
  InvalidDataError,
  LeaseLostError,
  OutcomeUnknownError,
  PawlError,
  RunEndedError,
  RunInProgressError,
  RunStateError,
  StoreBusyError,
  StoreClosedError,
} from "pawl";
import type { Problem } from "../problem.ts";

/** Codes that have a class of their own. */
const classes: Partial<Record<ErrorCode, { readonly prototype: PawlError; readonly name: string }>> = {
  RUN_IN_PROGRESS: RunInProgressError,
  RUN_ENDED: RunEndedError,
  RUN_STATE: RunStateError,
  INVALID_DATA: InvalidDataError,
  CONFLICT: ConflictError,
  LEASE_LOST: LeaseLostError,
  OUTCOME_UNKNOWN: OutcomeUnknownError,
  STORE_BUSY: StoreBusyError,
  STORE_CLOSED: StoreClosedError,
};

/**
 * @param problem As the API tells it.
 * @returns The error: of the same class, with the same code and fields, as the engine's.
 */
export function errorOf(problem: Problem): PawlError {
  const { code, detail, runId, runState, issues } = problem;
  const error = new PawlError(code, detail);
  const known = classes[code];
  // Their constructors make the message, which is here already.
  if (known) Object.setPrototypeOf(error, known.prototype);
  const fields = { runId, runState, issues, ...(known && { name: known.name }) };
  return Object.assign(
    error,
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
  );
}

/**
 * @param response No success.
 * @returns What it tells of.
 */
export async function failureOf(response: Response): Promise<PawlError> {
  const text = await response.text().catch(() => "");
  if (response.headers.get("content-type")?.startsWith("application/problem+json")) {
    try {
      const problem = JSON.parse(text) as Problem;
      if (typeof problem.code === "string" && typeof problem.detail === "string") return errorOf(problem);
    } catch {
      // A proxy has cut it.
    }
  }
  return new HttpFailedError(
    `The server answered ${response.status}, and not as the API does`,
    response.status,
  );
}

/** No answer of the API came: the network failed, or something in between answered. */
export class HttpFailedError extends PawlError {
  /** The status of what came; absent: nothing did. */
  readonly status?: number;

  /**
   * Describes one such situation.
   *
   * @param message What happened.
   * @param status The status of what came.
   * @param options `cause`: the error of `fetch`.
   */
  constructor(message: string, status?: number, options?: { cause?: unknown }) {
    super("HTTP_FAILED", message, options);
    if (status !== undefined) this.status = status;
  }
}

const passing: ReadonlySet<string> = new Set([
  "STORE_BUSY",
  "STORE_UNREACHABLE",
  "LEASE_LOST",
  "RATE_LIMITED",
  "ENGINE_STOPPED",
  "STORE_CLOSED",
]);

/** Whether asking the same again may go better: reads only, as a write may have happened. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof PawlError)) return false;
  if (error instanceof HttpFailedError) {
    return error.status === undefined || error.status >= 500 || error.status === 408;
  }
  return passing.has(error.code);
}
