import type { Authorize } from "./options.ts";
import { PawlError } from "pawl";
import { problemResponse } from "./problem.ts";
import type { Scope } from "./scope.ts";

/** Whoever sends a token. */
export interface TokenHolder {
  /** What is sent as `Authorization: Bearer ...`; 16 characters or more, no spaces. */
  readonly token: string;
  /** What its holder may reach; default: all. */
  readonly scope?: Scope;
  /** Whether its holder may only look; default `false`. */
  readonly readOnly?: boolean;
}

/**
 * An `authorize` for those who are known by a token. A browser that opens the dashboard asks for it: it is the password,
 * with any name. Tokens are compared by their digests, and all of them each time, so
 * the time that takes tells nothing.
 *
 * @param holders Who may come in.
 * @returns For `httpApi(engine, { authorize })`. It answers 401 to whoever is not known.
 * @throws {PawlError} `INVALID_ARGUMENT` when a token is too short, or has spaces.
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
  // One with a space in it could never be sent.
  if (holders.some(({ token }) => typeof token !== "string" || !/^\S{16,}$/.test(token))) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      "Cannot authorize by tokens: one is shorter than 16 characters, or has spaces",
    );
  }
  const known = Promise.all(
    holders.map(async (holder) => ({ holder, digest: await digestOf(holder.token) })),
  );
  return async ({ request, access }) => {
    const digest = await digestOf(tokenOf(request.headers.get("authorization") ?? ""));
    const [found] = (await known).filter((each) => isSame(each.digest, digest));
    if (!found) return unknown(request);
    const { scope, readOnly = false } = found.holder;
    return readOnly && access === "write" ? false : scope ?? true;
  };
}

function tokenOf(authorization: string): string {
  const [, scheme, given = ""] = /^(Bearer|Basic) +(\S+) *$/i.exec(authorization) ?? [];
  return scheme?.toLowerCase() === "basic" ? passwordOf(given) : given;
}

function passwordOf(base64: string): string {
  try {
    const text = new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
    const [, password = ""] = /^[^:]*:(.*)$/s.exec(text) ?? [];
    return password;
  } catch {
    return "";
  }
}

function unknown({ headers }: Request): Response {
  const error = new PawlError(
    "UNAUTHORIZED",
    "Cannot answer: want a token that is known, as Authorization: Bearer ...",
  );
  const answer = problemResponse(error);
  // A browser that has no token to send asks its user for it.
  const isAsked = headers.has("sec-fetch-mode") && !/^Bearer/i.test(headers.get("authorization") ?? "");
  answer.headers.set(
    "www-authenticate",
    isAsked ? 'Basic realm="pawl", charset="UTF-8"' : 'Bearer realm="pawl"',
  );
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
