import { PawlError } from "pawl";

const safe: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses what another site makes a browser send with the cookies it has for this one. A browser says where a request
 * comes from, and no page can make it lie; who is no browser says nothing, and has no cookies to be abused.
 *
 * @param request Any request.
 * @param origins Those that may, beside the API's own.
 * @throws {PawlError} `FORBIDDEN`.
 */
export function checkSender(request: Request, origins: readonly string[]): void {
  if (safe.has(request.method)) return;
  const site = request.headers.get("sec-fetch-site");
  const origin = request.headers.get("origin");
  if (origin !== null && origins.includes(origin)) return;
  if (site === "same-origin" || site === "none") return;
  if (site === null && (origin === null || isOwn(request, origin))) return;
  throw new PawlError(
    "FORBIDDEN",
    "Cannot answer: the request comes from a page of another origin; allow it: httpApi(engine, { origins })",
  );
}

function isOwn(request: Request, origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  return new URL(origin).host === (request.headers.get("host") ?? new URL(request.url).host);
}
