/**
 * Errors as answers: `application/problem+json` (RFC 9457) with the code of the error.
 *
 * @module
 */
import { type ErrorCode, PawlError } from "pawl";

/** The HTTP status of each code. */
export const statusOfCode: Readonly<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: 400,
  INVALID_DURATION: 400,
  INVALID_RECURRENCE: 400,
  NOT_JSON: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  WEBHOOK_REFUSED: 403,
  NOT_FOUND: 404,
  UNKNOWN_DEFINITION: 404,
  RUN_NOT_FOUND: 404,
  HOOK_NOT_FOUND: 404,
  SCHEDULE_NOT_FOUND: 404,
  AWAIT_TIMEOUT: 408,
  LOCK_TIMEOUT: 408,
  RUN_IN_PROGRESS: 409,
  RUN_ENDED: 409,
  RUN_STATE: 409,
  SCHEDULE_EXISTS: 409,
  ALREADY_APPLIED: 409,
  ALREADY_HELD: 409,
  DEADLOCK: 409,
  LOCK_LOST: 409,
  CONFLICT: 409,
  WEBHOOK_EXPIRED: 410,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA: 415,
  INVALID_DATA: 422,
  IDEMPOTENCY_MISMATCH: 422,
  UNKNOWN_STATUS: 422,
  NO_CALLBACK: 422,
  UNKNOWN_RECURRENCE: 422,
  UNKNOWN_FILTER: 422,
  POLICY_NOT_ALLOWED: 422,
  LIMIT_EXCEEDED: 422,
  IMPORT_INCOMPLETE: 422,
  RATE_LIMITED: 429,
  UNSUPPORTED: 501,
  HTTP_FAILED: 502,
  STORE_BUSY: 503,
  STORE_UNREACHABLE: 503,
  STORE_CLOSED: 503,
  LEASE_LOST: 503,
  ENGINE_STOPPED: 503,
  STORE_FULL: 507,
  INTEGRATION_FAILED: 500,
  INVALID_GRAPH: 500,
  INVALID_TRANSITION: 500,
  SCHEMA_FAILED: 500,
  MIGRATION_FAILED: 500,
  DATA_TOO_NEW: 500,
  NOT_REACHED: 500,
  SIMULATION_FAILED: 500,
  OUTCOME_UNKNOWN: 500,
  STORE_UNAUTHORIZED: 500,
  STORE_READ_ONLY: 500,
  STORE_CORRUPT: 500,
  STORE_INCOMPATIBLE: 500,
  STORE_FAILED: 500,
  STEP_TIMEOUT: 500,
  INTERNAL: 500,
};

/** An error as it is told. */
export interface Problem {
  /** Names the kind of problem. */
  readonly type: string;
  /** The same for people. */
  readonly title: string;
  /** The HTTP status. */
  readonly status: number;
  /** What happened, to what, the value seen and the value wished. */
  readonly detail: string;
  /** The code of the error. */
  readonly code: ErrorCode;
  /** The run that it is about. */
  readonly runId?: string;
  /** Its state. */
  readonly runState?: string;
  /** What is wrong, where. */
  readonly issues?: readonly { readonly message: string; readonly path: readonly (string | number)[] }[];
}

/** Fields of errors that callers branch on. */
const told = ["runId", "runState", "issues"] as const;

/**
 * An error as a problem. What is no error of Pawl's may say anything, so nothing of it is told.
 *
 * @param error Whatever was thrown.
 * @returns It, for the caller.
 */
export function problemOf(error: unknown): Problem {
  const isOurs = error instanceof PawlError;
  const code = isOurs ? error.code : "INTERNAL";
  const fields = isOurs
    ? told.flatMap((name) =>
      name in error ? [[name, (error as unknown as Record<string, unknown>)[name]]] : []
    )
    : [];
  return {
    type: `urn:pawl:error:${code}`,
    title: titleOf(code),
    status: statusOfCode[code] ?? 500,
    detail: isOurs
      ? error.message
      : "Cannot answer: something failed that Pawl does not know; the server's log tells",
    code,
    ...Object.fromEntries(fields),
  };
}

function titleOf(code: string): string {
  const words = code.toLowerCase().replaceAll("_", " ");
  return words[0]!.toUpperCase() + words.slice(1);
}

/** A refusal with what a schema has against the request. */
export class InvalidRequestError extends PawlError {
  /** What is wrong, where; the first 20. */
  readonly issues: readonly { readonly message: string; readonly path: readonly (string | number)[] }[];

  /**
   * @param what Which part of the request.
   * @param issues What is wrong with it.
   */
  constructor(what: string, issues: readonly { readonly message: string; readonly path: PropertyKey[] }[]) {
    const shown = issues.slice(0, 20).map(({ message, path }) => ({
      message: message.slice(0, 200),
      path: path.map((part) => typeof part === "number" ? part : String(part).slice(0, 100)),
    }));
    const text = shown.slice(0, 5).map(({ path, message }) => `${[what, ...path].join(".")}: ${message}`);
    super("INVALID_ARGUMENT", `Cannot read the request: ${text.join("; ")}`);
    this.issues = shown;
  }
}

/** A refusal that tells when to come again. */
export class RateLimitedError extends PawlError {
  /** When. */
  readonly retryAfterMs: number;

  /**
   * @param message What is too much.
   * @param retryAfterMs When to come again.
   */
  constructor(message: string, retryAfterMs: number) {
    super("RATE_LIMITED", message);
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * @param error Whatever was thrown.
 * @returns The answer that tells of it.
 */
export function problemResponse(error: unknown): Response {
  const problem = problemOf(error);
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  const wait = error instanceof RateLimitedError
    ? error.retryAfterMs
    : problem.status === 503
    ? 1_000
    : undefined;
  if (wait !== undefined) headers["retry-after"] = String(Math.max(1, Math.ceil(wait / 1_000)));
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}
