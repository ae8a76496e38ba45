/**
 * The office: it serves the app, and receives photos and inspections. What it has received it knows again by the run's id,
 * so that a request that is repeated, as its answer was lost, changes nothing.
 *
 * @module
 */
import type { Inspection } from "./app/inspection.ts";

/** An inspection that the office has. */
export interface Received {
  readonly runId: string;
  readonly receivedAt: string;
  readonly inspection: Inspection;
}

/** What the office needs. */
export interface OfficeOptions {
  /** Where the built app lies. */
  readonly folder: string;
  /** Where it writes what it receives; it reads that again when it starts. */
  readonly archive: string;
  /** Which assets it knows; an inspection of any other is refused. */
  readonly assets: ReadonlySet<string>;
}

const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
  webmanifest: "application/manifest+json",
};
const bytesMax = 10_000_000;

/**
 * Makes the office.
 *
 * @param options Where its files are, and what it knows.
 * @returns What answers requests, for `Deno.serve`; and all that it has received.
 */
export async function openOffice(options: OfficeOptions) {
  const { folder, archive, assets } = options;
  await Deno.mkdir(`${archive}/photos`, { recursive: true });
  const received = await readReceived(`${archive}/inspections.ndjson`);
  // One after the other, so that of two requests at once the second finds what the first has written.
  let before: Promise<unknown> = Promise.resolve();

  async function receive(request: Request): Promise<Response> {
    const runId = request.headers.get("idempotency-key");
    if (!runId) return refusal(400, "The request has no Idempotency-Key");
    const inspection: Inspection = await request.json();
    const known = received.get(runId);
    if (known) return Response.json({ receivedAt: known.receivedAt });
    if (!assets.has(inspection.asset)) {
      return refusal(422, `The office does not know an asset ${inspection.asset}`);
    }
    const entry: Received = { runId, receivedAt: new Date().toISOString(), inspection };
    await Deno.writeTextFile(`${archive}/inspections.ndjson`, JSON.stringify(entry) + "\n", { append: true });
    received.set(runId, entry);
    return Response.json({ receivedAt: entry.receivedAt });
  }

  async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (Number(request.headers.get("content-length")) > bytesMax) return refusal(413, "That is too large");
    if (request.method === "POST" && pathname === "/inspections") {
      const turn = before.then(() => receive(request));
      before = turn.catch(() => {});
      return await turn;
    }
    const photo = /^\/photos\/([0-9a-f-]{36})$/.exec(pathname)?.[1];
    if (request.method === "PUT" && photo) {
      await Deno.writeFile(`${archive}/photos/${photo}`, new Uint8Array(await request.arrayBuffer()));
      return Response.json({ receivedAt: new Date().toISOString() });
    }
    if (request.method !== "GET") return refusal(405, "There is nothing of that kind here");
    return await serveFile(folder, pathname);
  }

  return { answer, received };
}

async function readReceived(path: string): Promise<Map<string, Received>> {
  const text = await Deno.readTextFile(path).catch(() => "");
  const entries = text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Received);
  return new Map(entries.map((entry) => [entry.runId, entry]));
}

async function serveFile(folder: string, pathname: string): Promise<Response> {
  const name = pathname === "/" ? "index.html" : pathname.slice(1);
  const type = types[name.split(".").at(-1)!];
  // Names without folders, so that nobody climbs out of this one.
  const isName = /^[a-z_]+\.[a-z]+$/.test(name);
  const file = type && isName ? await Deno.readFile(`${folder}/${name}`).catch(() => undefined) : undefined;
  if (!file) return refusal(404, "There is no such file");
  return new Response(file, {
    headers: {
      "content-type": type!,
      "cache-control": "no-cache",
      "content-security-policy": "default-src 'self'",
    },
  });
}

function refusal(status: number, text: string): Response {
  return new Response(text, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}
