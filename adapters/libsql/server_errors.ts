/**
 * What the failure of a request to a server means: whether it was refused, or may have been done all the same.
 *
 * @module
 */
import { OutcomeUnknownError, PawlError, StoreBusyError } from "../../core/errors.ts";
import { codeOf, messageOf, storeError } from "../sql/errors.ts";
import type { Ask } from "./link.ts";

/** Who is at the other end. */
export interface Peer {
  /** The token that it was opened with; never in a message. */
  readonly authToken: string | undefined;
}

/** What was asked for. */
type Request = Pick<Ask, "doing" | "mode">;

/** True only of answers that come from the server, or of a client that sent nothing. */
export function wasAnswered(error: unknown): boolean {
  if (error instanceof PawlError) return true;
  if (typeof (Object(error) as { statementIndex?: unknown }).statementIndex === "number") return true;
  const status = statusOf(error);
  if (status !== undefined) return status >= 400 && status < 500 && status !== 408;
  return /^(SQLITE_|SQL_|AUTH|NOT_AUTH|BLOCKED|URL_|TRANSACTION_|CLIENT_CLOSED)/.test(codeOf(error));
}

/**
 * Names an answer of the server that is a refusal: nothing was done.
 *
 * @param error What the client threw; {@linkcode wasAnswered} says so.
 * @param request What was asked for.
 * @param peer Who answered.
 * @returns An error with a stable code.
 */
export function serverError(error: unknown, { doing, mode }: Request, peer: Peer): PawlError {
  if (error instanceof PawlError) return error;
  const options = { cause: error };
  const status = statusOf(error);
  if (status === 401 || (status === 403 && mode === "read") || /^(AUTH|NOT_AUTH)/.test(codeOf(error))) {
    const token = peer.authToken === undefined ? "no token was given" : "the token was not accepted";
    return new PawlError(
      "STORE_UNAUTHORIZED",
      `Cannot ${doing}: ${token} (${
        explain(error, peer)
      }); open the store with an authToken that is valid now`,
      options,
    );
  }
  if (status === 403) return readOnly(error, doing, peer);
  if (status === 429) return new StoreBusyError(`Cannot ${doing}: the server is asked too often`, options);
  if (status !== undefined) {
    const answer = `Cannot ${doing}: ${explain(error, peer)}; is that the address of a libSQL server?`;
    return new PawlError("STORE_FAILED", answer, options);
  }
  return storeError(error, doing, explain(error, peer));
}

/**
 * Names the end of a request that got no answer.
 *
 * @param error What the client threw.
 * @param request What was asked for.
 * @param peer Who did not answer.
 * @returns `OUTCOME_UNKNOWN` of a write, `STORE_UNREACHABLE` of a read.
 */
export function lostError(error: unknown, request: Request, peer: Peer): PawlError {
  const { doing, mode } = request;
  if (mode === "read") return awayError(error, request, peer);
  // Over a WebSocket a server says nothing to a write that the token does not allow: it hangs up.
  if (mayOnlyRead(peer.authToken)) return readOnly(error, doing, peer);
  if (mode === "open") return awayError(error, request, peer);
  return new OutcomeUnknownError(
    `Cannot tell whether it was applied: ${doing}: ${explain(error, peer)}${hangUpHint(error)}`,
    { cause: error },
  );
}

/** What cannot be told from a connection that broke, where the store does not know the token. */
const hangUpHint = (error: unknown) =>
  codeOf(error).startsWith("HRANA") && !messageOf(error).includes("connect")
    ? " (so ends a write of a token that may only read, too)"
    : "";

/**
 * Names a server that is away: what was asked for was surely not done, or may be done again at will.
 *
 * @param why What the client threw last.
 * @param request What was asked for.
 * @param peer Who is away.
 * @returns `STORE_UNREACHABLE`; of a store that was never open `STORE_FAILED`, as its address may be wrong.
 */
export function awayError(why: unknown, { doing, mode }: Request, peer: Peer): PawlError {
  const reason = `Cannot ${doing}: ${explain(why, peer)}`;
  const options = { cause: why };
  if (mode !== "open") {
    return new PawlError("STORE_UNREACHABLE", `${reason}; nothing was done, try again later`, options);
  }
  return new PawlError(
    "STORE_FAILED",
    `${reason}${hangUpHint(why)}; is the server up, and is that its address?`,
    options,
  );
}

/** The innermost reason, without secrets. */
function explain(error: unknown, { authToken }: Peer): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  const text = messageOf(inner).replace(/\/\/[^\s/@]*@/g, "//");
  return authToken ? text.replaceAll(authToken, "***") : text;
}

function readOnly(error: unknown, doing: string, peer: Peer): PawlError {
  return new PawlError(
    "STORE_READ_ONLY",
    `Cannot ${doing}: the server does not let this token write (${explain(error, peer)}); ` +
      `open the store with an authToken that may read and write`,
    { cause: error },
  );
}

/** Whether a token says of itself that it may only read. It is not verified: that is for the server to do. */
function mayOnlyRead(token: string | undefined): boolean {
  try {
    const claims = token?.split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/");
    return claims !== undefined && (JSON.parse(atob(claims)) as { a?: unknown }).a === "ro";
  } catch {
    return false;
  }
}

function statusOf(error: unknown): number | undefined {
  const status = (Object((Object(error) as { cause?: unknown }).cause) as { status?: unknown }).status;
  return typeof status === "number" ? status : undefined;
}
