/** What the pages of a storm have told the site, which outlives all of them. */
export interface Ledger {
  /** Triggers that were acknowledged. */
  readonly acks: { readonly key: string; readonly runId: string }[];
  /** Attempts of steps, each told before it had an answer. */
  readonly effects: { readonly runId: string; readonly status: string; readonly stepId: string }[];
}

/** Writes down what a page posts. */
export async function note(ledger: Ledger, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const body = await request.json();
  if (pathname === "/ack") ledger.acks.push(body);
  else if (pathname === "/effect") ledger.effects.push(body);
  else return new Response(`nobody listens at ${pathname}`, { status: 404 });
  return new Response("noted");
}
