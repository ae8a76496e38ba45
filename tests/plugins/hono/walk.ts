/**
 * Asks every route of a server once, over HTTP, and checks each answer against what the document says of it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { problem } from "../../../plugins/hono/schemas.ts";
import { routes } from "../../../plugins/hono/table.ts";
import { hourly } from "./stage.ts";

/** Names of all routes. */
export const routeIds = routes.map(({ method, path }) => `${method} ${path}`);

type Params = Readonly<Record<string, string>>;

/** What is asked of a route. */
export interface Ask {
  readonly params?: Params;
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
}

/** A server, and which of its routes were asked. */
export class Walk {
  readonly asked = new Set<string>();
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  /** Asks a route; what comes must be as the route says. */
  async ask(
    id: string,
    { params = {}, query = "", body, headers = {}, status = 200 }: Ask = {},
  ): Promise<Response> {
    const route = routes.find(({ method, path }) => id === `${method} ${path}`);
    assert.ok(route, id);
    this.asked.add(id);
    const path = route.path.replace(/:(\w+)/g, (_, name) => encodeURIComponent(params[name]!));
    const fetched = await fetch(`${this.#base}${path}${query}`, {
      method: route.method,
      redirect: "manual",
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const response = await whole(fetched);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    if (response.status !== status) assert.fail(`${id}: ${response.status} ${await response.text()}`);
    const answer = route.answers[status];
    const type = response.headers.get("content-type") ?? "";
    if (answer?.schema) assert.ok(type.startsWith(answer.type ?? "application/json"), `${id}: ${type}`);
    if (answer?.schema && answer.type === undefined) answer.schema.parse(await response.clone().json());
    if (status >= 400) {
      assert.equal(type, "application/problem+json");
      assert.equal(problem.parse(await response.clone().json()).status, status);
    }
    return response;
  }
}

/** What is no stream of events is read at once, so that no test leaves half of it. */
async function whole(response: Response): Promise<Response> {
  const { status, headers } = response;
  if (headers.get("content-type")?.startsWith("text/event-stream")) return response;
  const text = await response.text();
  return new Response(text === "" ? null : text, { status, headers });
}

/** Reads events of a stream until one is as wished, then leaves. */
export async function eventsUntil(response: Response, isLast: (text: string) => boolean): Promise<string> {
  let text = "";
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (isLast(text)) break;
  }
  return text;
}

/** @param origin Where a stage is served. */
export async function walk(origin: string): Promise<void> {
  const steps = new Walk(`${origin}/pawl`);
  await runs(steps);
  await webhook(steps, origin);
  await events(steps, origin);
  await schedules(steps);
  await locks(steps);
  await operators(steps);
  assert.deepEqual(routeIds.filter((id) => !steps.asked.has(id)), [], "routes that nobody asked");
}

/**
 * Readers that go away without a word make room for others.
 *
 * @param origin Where a stage of two streams is served.
 */
export async function leave(origin: string): Promise<void> {
  const run = `${origin}/pawl/runs/order/left`;
  await (await fetch(run, { method: "POST" })).text();
  for (let n = 0; n < 10; n++) {
    const abort = new AbortController();
    let response = await fetch(`${run}/watch`, { signal: abort.signal });
    // The server hears of it when it hears of it.
    while (response.status === 429) {
      await response.text();
      response = await fetch(`${run}/watch`, { signal: abort.signal });
    }
    assert.equal(response.status, 200);
    await response.body!.getReader().read();
    abort.abort();
  }
}

async function runs(steps: Walk): Promise<void> {
  const params = { definition: "tea", key: "acme/cup 1?#%ü" };
  const body = { data: { sugar: 1 }, idempotencyKey: "once" };
  const run = "/runs/:definition/:key";
  const made = await (await steps.ask(`POST ${run}`, { params, body, status: 201 })).json();
  const again = await (await steps.ask(`POST ${run}`, { params, body })).json();
  assert.deepEqual(again, { runId: made.runId, created: false });
  const ended = await (await steps.ask(`GET ${run}/await`, { params, query: "?timeout=10s" })).json();
  assert.deepEqual([ended.key, ended.status, ended.data], [params.key, "ready", { sugar: 2 }]);
  assert.deepEqual(
    await (await steps.ask(`GET ${run}`, { params, query: `?runId=${made.runId}` })).json(),
    ended,
  );
  const { items } = await (await steps.ask(`GET ${run}/history`, { params })).json();
  assert.deepEqual(items.map(({ kind }: { kind: string }) => kind), ["trigger", "move"]);
  const told = await eventsUntil(
    await steps.ask(`GET ${run}/watch`, { params }),
    (text) => text.includes("event: end"),
  );
  assert.equal(told.match(/event: history/g)!.length, 2);
  assert.ok(told.includes(`id: ${items[1].position}\n`), told);
  const listed = await (await steps.ask("GET /runs", {
    query: "?definition=tea&keyPrefix=acme/&status=ready&include=data",
  })).json();
  assert.deepEqual(listed.items, [ended]);
  await steps.ask(`DELETE ${run}`, { params, query: "?reason=asked" });

  const other = { definition: "order", key: "acme/o-1" };
  await steps.ask(`POST ${run}`, { params: other, status: 201 });
  await steps.ask(`POST ${run}`, { params: other, status: 409 });
  assert.equal(
    (await (await steps.ask("GET /timers", { query: "?definition=order" })).json()).items.length,
    1,
  );
  const paused = await steps.ask(`POST ${run}/pause`, { params: other, body: { reason: "wait" } });
  assert.equal((await paused.json()).reason, "wait");
  await steps.ask(`POST ${run}/pause`, { params: other, status: 409 });
  await steps.ask(`POST ${run}/resume`, { params: other });
  const called = await steps.ask(`POST ${run}/callback/:status`, {
    params: { ...other, status: "placed" },
    body: { payload: { amount: 5 } },
  });
  assert.equal((await called.json()).applied, true);
  await steps.ask(`POST ${run}`, { params: { ...other, key: "acme/o-2" }, status: 201 });
  await steps.ask(`POST ${run}/cancel`, { params: { ...other, key: "acme/o-2" } });
  for (const key of ["acme/b-1", "acme/b-2", "beta/b-3"]) {
    await steps.ask(`POST ${run}`, { params: { ...other, key }, status: 201 });
  }
  const batch = { action: "cancel", filter: { definition: "order", keyPrefix: "acme/b" } };
  const lines = (await (await steps.ask("POST /batches", { body: batch })).text()).trim().split("\n");
  assert.deepEqual(JSON.parse(lines.at(-1)!), { type: "done", matched: 2, done: 2, failed: 0 });
}

async function webhook(steps: Walk, origin: string): Promise<void> {
  const params = { definition: "order", key: "acme/o-3" };
  const { runId } = await (await steps.ask("POST /runs/:definition/:key", { params, status: 201 })).json();
  const target = JSON.stringify({ ...params, runId, status: "placed" });
  const headers = { "content-type": "application/json" };
  const url = await (await fetch(`${origin}/make/webhook`, { method: "POST", headers, body: target })).text();
  const token = url.slice(url.lastIndexOf("/") + 1);
  await steps.ask("POST /webhooks/:token", { params: { token }, body: { amount: 7 } });
  await steps.ask("POST /webhooks/:token", {
    params: { token: `${token}x` },
    body: { amount: 7 },
    status: 403,
  });
}

async function events(steps: Walk, origin: string): Promise<void> {
  const stream = await steps.ask("GET /events", { query: "?topic=news&from=start" });
  const headers = { "content-type": "application/json" };
  for (const body of ["1", "2"]) {
    await fetch(`${origin}/make/event`, { method: "POST", headers, body }).then((r) => r.text());
  }
  const text = await eventsUntil(stream, (text) => text.includes('"data":2'));
  const [, id] = /id: (\S+)\n/.exec(text)!;
  const rest = await steps.ask("GET /events", { query: "?topic=news", headers: { "last-event-id": id! } });
  const after = await eventsUntil(rest, (text) => text.includes('"data":2'));
  assert.ok(!after.includes('"data":1'), after);
}

async function schedules(steps: Walk): Promise<void> {
  const params = { schedule: hourly.id };
  const one = "/schedules/:schedule";
  const made = await (await steps.ask("POST /schedules", { body: hourly, status: 201 })).json();
  assert.equal((await (await steps.ask("POST /schedules", { body: hourly })).json()).created, false);
  assert.deepEqual((await (await steps.ask("GET /schedules")).json()).items, [made.schedule]);
  assert.equal((await (await steps.ask(`GET ${one}`, { params })).json()).upcoming.length, 10);
  const changed = await steps.ask(`PATCH ${one}`, { params, body: { overlap: "bufferOne", limit: 3 } });
  assert.deepEqual((({ overlap, limit }) => [overlap, limit])(await changed.json()), ["bufferOne", 3]);
  assert.equal(
    (await (await steps.ask(`PATCH ${one}`, { params, body: { limit: null } })).json()).limit,
    undefined,
  );
  await steps.ask(`POST ${one}/pause`, { params, body: { note: "stop" } });
  await steps.ask(`POST ${one}/unpause`, { params });
  await steps.ask(`POST ${one}/trigger`, { params, status: 202 });
  const now = Date.now();
  const range = { from: new Date(now - 7_200_000), until: new Date(now - 1) };
  await steps.ask(`POST ${one}/backfill`, { params, body: range, status: 202 });
  await steps.ask(`GET ${one}/outcomes`, { params });
  await steps.ask(`DELETE ${one}`, { params, status: 204 });
  await steps.ask(`GET ${one}`, { params, status: 404 });
}

async function locks(steps: Walk): Promise<void> {
  const place = { namespace: "acme", lock: "printer" };
  const params = { definition: "printing", key: "acme/p-1" };
  await steps.ask("POST /runs/:definition/:key", { params, status: 201 });
  for (let held = 0; held === 0;) {
    const { items } = await (await steps.ask("GET /locks", { query: "?namespace=acme" })).json();
    held = items[0]?.holders.length ?? 0;
  }
  const lock = await (await steps.ask("GET /locks/:namespace/:lock", { params: place })).json();
  assert.equal(lock.holders[0].definition, "printing");
  await steps.ask("GET /locks/:namespace/:lock", { params: { ...place, lock: "none" }, status: 404 });
  const body = { token: lock.holders[0].token, reason: "jam" };
  const released = await steps.ask("POST /locks/:namespace/:lock/force-release", { params: place, body });
  assert.deepEqual(await released.json(), { released: 1 });
  await steps.ask("POST /runs/:definition/:key/cancel", { params });
}

async function operators(steps: Walk): Promise<void> {
  await steps.ask("POST /runs/:definition/:key", {
    params: { definition: "failing", key: "acme/f" },
    status: 201,
  });
  let hook: { readonly id: string } | undefined;
  while (!hook) hook = (await (await steps.ask("GET /parked")).json()).items[0];
  await steps.ask("POST /parked/:id/retry", { params: { id: hook.id }, status: 204 });
  await steps.ask("POST /parked/:id/retry", { params: { id: "x" }, status: 400 });
  const { items } = await (await steps.ask("GET /definitions")).json();
  const found = items.find(({ name }: { name: string }) => name === "order");
  assert.deepEqual(found, {
    name: "order",
    kind: "machine",
    statuses: ["placed", "paid", "late"],
    starts: ["placed"],
    terminals: ["paid", "late"],
    callbacks: ["placed"],
  });
  const diagram = await steps.ask("GET /definitions/:definition/diagram", {
    params: { definition: "order" },
    query: "?direction=TB&status=paid",
  });
  assert.match(await diagram.text(), /direction TB[^]*class s_paid here/);
  assert.equal((await (await steps.ask("GET /engines")).json()).items.length, 1);
  const { items: [till] } = await (await steps.ask("GET /integrations")).json();
  assert.deepEqual([till.name, till.isReady, till.configMap.config], ["till", true, { url: "http://till" }]);
  for (const path of ["/states", "/shards", "/unserved", "/relays", "/health"]) {
    await steps.ask(`GET ${path}`);
  }
  assert.match(await (await steps.ask("GET /metrics")).text(), /^# HELP/);
  assert.match((await (await steps.ask("GET /openapi.json")).json()).openapi, /^3\.1\./);
  assert.equal((await (await steps.ask("POST /verify")).json()).ok, true);
  await steps.ask("POST /tick", { body: { budgetMs: 1 } });
  await steps.ask("POST /tick", { body: { budgetMs: 1, again: true } });
  await steps.ask("POST /tick", { body: { budgetMs: 0 }, status: 400 });
  const moved = await steps.ask("GET /ui", { status: 308 });
  assert.equal(moved.headers.get("location"), "ui/");
  const page = await steps.ask("GET /ui/");
  assert.match(page.headers.get("content-security-policy")!, /^default-src 'none'; script-src 'self';/);
  await page.text();
  await steps.ask("GET /ui/:file", { params: { file: "none.js" }, status: 404 });
}
