/**
 * The dashboard's files. They hold no data: the page asks the other routes for it, with what the browser sends by
 * itself, and shows what they allow.
 *
 * @module
 */
import { PawlError } from "pawl";
import { z } from "zod";
import { type Route, route } from "../route.ts";
import { assets } from "../ui/assets.ts";

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function assetResponse(name: string): Response {
  const found = assets.find((each) => each.name === name);
  if (!found) {
    throw new PawlError("NOT_FOUND", `Cannot show ${JSON.stringify(name)}: the dashboard has no such file`);
  }
  return new Response(found.text, {
    headers: {
      "content-type": found.type,
      "content-security-policy": policy,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-frame-options": "DENY",
      "cache-control": "no-cache",
    },
  });
}

const answers = { 200: { description: "The file", type: "text/html", schema: z.string() } } as const;

/** The routes. */
export const uiRoutes: readonly Route[] = [
  route("GET /ui", {
    verb: "ui",
    summary: "Leads to the dashboard",
    reach: "anybody",
    answers: { 308: { description: "To its folder, so that the page's paths are right" } },
    handle: ({ request }) => {
      const last = new URL(request.url).pathname.split("/").at(-1)!;
      return new Response(null, { status: 308, headers: { location: `${last}/` } });
    },
  }),
  route("GET /ui/", {
    verb: "ui",
    summary: "The dashboard",
    reach: "anybody",
    answers,
    handle: () => assetResponse("index.html"),
  }),
  route("GET /ui/:file", {
    verb: "ui",
    summary: "A file of the dashboard",
    reach: "anybody",
    answers,
    handle: ({ params }) => assetResponse(params.file),
  }),
];
