import type { Authorize } from "./options.ts";
import { PawlError } from "pawl";
import { problemResponse } from "./problem.ts";
import type { Scope } from "./scope.ts";

/** Whoever sends a token. */
export interface TokenHolder {
  /** What is sent as `Authorization: Bearer ...`; 16 characters or more. */
  readonly token: string;
  /** What its holder may reach; default: all. */
  readonly scope?: Scope;
  /** Whether its holder may only look; default `false`. */
  readonly readOnly?: boolean;
}

/**
 * An `authorize` for those who are known by a token. Tokens are compared by their digests, and all of them each time, so
 * the time that takes tells nothing.
 *
 * @param holders Who may come in.
 * @returns For `httpApi(engine, { authorize })`. It answers 401 to whoever is not known.
 * @throws {PawlError} `INVALID_ARGUMENT` when a token is too short.
 *
 * @example
 * ```ts
 * import { createEngine } from "pawl";
 * import { memoryStore } from "pawl/adapters/memory";
 * import { bearerTokens, httpApi } from "pawl/plugins/hono";
 * import assert from "node:assert/strict";
 * const engine = createEngine({ store: memoryStore(), definitions: [] });
 * const authorize = bearerTokens([{ token: "a-long-secret-of-ann", scope: { namespace: "ann" } }]);
 * const api = httpApi(engine, { authorize });
 * assert.equal((await api.request("/runs")).status, 401);
 * const headers = { authorization: "Bearer a-long-secret-of-ann" };
 * assert.equal((await api.request("/runs", { headers })).status, 200);
 * assert.equal((await api.request("/engines", { headers })).status, 403);
 * await engine.stop();
 * ```
 */
export function bearerTokens(holders: readonly TokenHolder[]): Authorize {
  if (holders.some(({ token }) => typeof token !== "string" || token.length < 16)) {
    throw new PawlError("INVALID_ARGUMENT", "Cannot authorize by tokens: one is shorter than 16 characters");
  }
  const known = Promise.all(
    holders.map(async (holder) => ({ holder, digest: await digestOf(holder.token) })),
  );
  return async ({ request, access }) => {
    const [, given = ""] = /^Bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "") ?? [];
    const digest = await digestOf(given);
    const [found] = (await known).filter((each) => isSame(each.digest, digest));
    if (!found) return unknown();
    const { scope, readOnly = false } = found.holder;
    return readOnly && access === "write" ? false : scope ?? true;
  };
}

function unknown(): Response {
  const error = new PawlError(
    "UNAUTHORIZED",
    "Cannot answer: want a token that is known, as Authorization: Bearer ...",
  );
  const answer = problemResponse(error);
  answer.headers.set("www-authenticate", 'Bearer realm="pawl"');
  return answer;
}

async function digestOf(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (const [index, byte] of a.entries()) difference |= byte ^ b[index]!;
  return difference === 0;
}
