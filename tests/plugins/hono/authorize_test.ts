/**
 * Who may do what: a table over all routes, so that a route that is added without a check fails here.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  type AuthorizeCall,
  bearerTokens,
  type HttpApiOptions,
  type Scope,
} from "../../../plugins/hono/mod.ts";
import { routes } from "../../../plugins/hono/table.ts";
import { hourly, type Stage, stage } from "./stage.ts";

/** What each route is asked, all of it of the namespace `acme`. */
const asks: Readonly<Record<string, { path: string; body?: unknown }>> = {
  "GET /health": { path: "/health" },
  "GET /metrics": { path: "/metrics" },
  "GET /openapi.json": { path: "/openapi.json" },
  "POST /tick": { path: "/tick" },
  "GET /definitions": { path: "/definitions" },
  "GET /definitions/:definition/diagram": { path: "/definitions/order/diagram" },
  "GET /runs": { path: "/runs?keyPrefix=acme/" },
  "GET /timers": { path: "/timers?keyPrefix=acme/" },
  "GET /runs/:definition/:key": { path: "/runs/order/acme%2Fo" },
  "GET /runs/:definition/:key/history": { path: "/runs/order/acme%2Fo/history" },
  "GET /runs/:definition/:key/await": { path: "/runs/order/acme%2Fo/await?timeout=1" },
  "GET /runs/:definition/:key/watch": { path: "/runs/order/acme%2Fo/watch" },
  "POST /runs/:definition/:key": { path: "/runs/order/acme%2Fnew" },
  "POST /runs/:definition/:key/callback/:status": { path: "/runs/order/acme%2Fo/callback/placed" },
  "POST /runs/:definition/:key/pause": { path: "/runs/order/acme%2Fo/pause" },
  "POST /runs/:definition/:key/resume": { path: "/runs/order/acme%2Fo/resume" },
  "POST /runs/:definition/:key/cancel": { path: "/runs/order/acme%2Fo/cancel" },
  "DELETE /runs/:definition/:key": { path: "/runs/order/acme%2Fo" },
  "POST /batches": {
    path: "/batches",
    body: { action: "cancel", filter: { definition: "order", keyPrefix: "acme/" } },
  },
  "GET /events": { path: "/events?topic=acme/news" },
  "GET /states": { path: "/states" },
  "GET /engines": { path: "/engines" },
  "GET /shards": { path: "/shards" },
  "GET /unserved": { path: "/unserved" },
  "GET /relays": { path: "/relays" },
  "GET /parked": { path: "/parked" },
  "POST /parked/:id/retry": { path: "/parked/PARKED/retry" },
  "POST /verify": { path: "/verify" },
  "GET /schedules": { path: "/schedules" },
  "POST /schedules": { path: "/schedules", body: { ...hourly, id: "acme/new" } },
  "GET /schedules/:schedule": { path: "/schedules/acme%2Fhourly" },
  "PATCH /schedules/:schedule": { path: "/schedules/acme%2Fhourly", body: { note: "mine" } },
  "DELETE /schedules/:schedule": { path: "/schedules/acme%2Fhourly" },
  "POST /schedules/:schedule/pause": { path: "/schedules/acme%2Fhourly/pause" },
  "POST /schedules/:schedule/unpause": { path: "/schedules/acme%2Fhourly/unpause" },
  "POST /schedules/:schedule/trigger": { path: "/schedules/acme%2Fhourly/trigger" },
  "POST /schedules/:schedule/backfill": {
    path: "/schedules/acme%2Fhourly/backfill",
    body: { from: "2026-01-01T00:00:00Z", until: "2026-01-02T00:00:00Z" },
  },
  "GET /schedules/:schedule/outcomes": { path: "/schedules/acme%2Fhourly/outcomes" },
  "GET /locks": { path: "/locks?namespace=acme" },
  "GET /locks/:namespace/:lock": { path: "/locks/acme/printer" },
  "POST /locks/:namespace/:lock/force-release": { path: "/locks/acme/printer/force-release" },
  "GET /ui": { path: "/ui" },
  "GET /ui/": { path: "/ui/" },
  "GET /ui/:file": { path: "/ui/index.html" },
};

/** Routes that show everybody the same, whatever the scope, and those whose lists leave out what is not within it. */
const same = [
  "GET /health",
  "GET /openapi.json",
  "GET /definitions",
  "GET /definitions/:definition/diagram",
  "GET /ui",
  "GET /ui/",
  "GET /ui/:file",
];
const lists = ["GET /parked", "GET /schedules"];

const ids = routes.filter(({ verb }) => verb !== "webhook").map(({ method, path }) => `${method} ${path}`);

/** A stage with something of everything in `acme`, and the id of a parked hook of it. */
async function filled(options: HttpApiOptions): Promise<Stage & { readonly parked: string }> {
  const all = await stage(options);
  const { engine } = all;
  const definition = (name: string) => engine.definitions.get(name)!;
  await engine.trigger(definition("order"), "acme/o");
  await engine.trigger(definition("failing"), "acme/f");
  await engine.trigger(definition("printing"), "acme/p");
  const { recurrence, definition: _, ...rest } = hourly;
  await engine.schedules.create({
    ...rest,
    recurrence: { stored: recurrence } as never,
    target: definition("tea"),
  });
  while (
    (await engine.admin.parked()).items.length === 0 ||
    (await engine.locks.list({ namespace: "acme" })).items.length === 0
  );
  return { ...all, parked: (await engine.admin.parked()).items[0]!.id };
}

/** What the store holds, to see that nothing was changed. */
async function imageOf({ engine }: Stage): Promise<unknown> {
  const lines: string[] = [];
  for await (const line of engine.admin.export()) lines.push(line);
  const locks = await engine.locks.list({ namespace: "acme" });
  return [
    lines.slice(1),
    await engine.schedules.list(),
    locks.items.map(({ holders }) => holders),
    (await engine.admin.parked()).items,
  ];
}

async function ask(
  { app, parked }: Stage & { readonly parked: string },
  id: string,
  headers: HeadersInit = {},
): Promise<Response> {
  const { path, body } = asks[id]!;
  return await app.request(`/pawl${path.replace("PARKED", parked)}`, {
    method: id.split(" ")[0]!,
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers as Record<string, string>,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

Deno.test("every route is in the table of who may ask it", () => {
  assert.deepEqual(Object.keys(asks).sort(), [...ids].sort());
});

Deno.test("httpApi() refuses everything until it is given authorize, and whatever authorize does not clearly allow", async () => {
  const odd = [undefined, false, null, 0, 1, "yes", {}, [], { keyPrefix: "a" }, { namespace: "" }, {
    namespace: "acme",
    key: "x",
  }, { definitions: "order" }];
  for (const given of [...odd, new Error("no")]) {
    const authorize = given === undefined ? undefined : () => {
      if (given instanceof Error) throw given;
      return given as never;
    };
    const all = await filled({ authorize: authorize as never });
    const before = await imageOf(all);
    for (const id of given === undefined || given === false ? ids : ids.slice(6, 9)) {
      const response = await ask(all, id);
      const { code, detail } = await response.json();
      if (given === undefined || given === false) {
        assert.deepEqual([response.status, code], [403, "FORBIDDEN"], id);
      } else assert.ok(response.status >= 400, `${id} with ${JSON.stringify(given)}`);
      if (given === undefined) assert.match(detail, /httpApi\(engine, \{ authorize \}\)/);
    }
    assert.deepEqual(await imageOf(all), before);
    await all.engine.stop({ grace: 0 });
  }
});

Deno.test("httpApi() refuses every route of what is out of the caller's scope, and changes nothing", async () => {
  const scopes: readonly Scope[] = [{ namespace: "beta" }, { namespace: "acm" }, { namespace: "acme/o" }, {
    definitions: ["notes"],
  }];
  for (const scope of scopes) {
    const all = await filled({ authorize: () => scope });
    const before = await imageOf(all);
    for (const id of ids.filter((each) => !same.includes(each))) {
      const response = await ask(all, id);
      if (lists.includes(id)) {
        assert.deepEqual((await response.json()).items, [], id);
      } else if (response.ok && ["GET /runs", "GET /timers"].includes(id)) {
        // What was asked is wider than the scope, and becomes it.
        assert.deepEqual((await response.json()).items, [], id);
      } else if (response.ok && id === "POST /batches") {
        assert.equal(JSON.parse(await response.text()).matched, 0);
      } else {
        const { code } = await response.json();
        const isHidden = ["SCHEDULE_NOT_FOUND", "HOOK_NOT_FOUND"].includes(code);
        assert.ok(
          code === "FORBIDDEN" || isHidden,
          `${id} of ${JSON.stringify(scope)}: ${response.status} ${code}`,
        );
      }
    }
    assert.deepEqual(await imageOf(all), before, JSON.stringify(scope));
    await all.engine.stop({ grace: 0 });
  }
});

Deno.test("httpApi() lets a scope reach all that is its own, and nothing of the store as a whole", async () => {
  for (const id of ids) {
    const all = await filled({ authorize: () => ({ namespace: "acme" }) });
    const response = await ask(all, id);
    const { reach } = routes.find(({ method, path }) => id === `${method} ${path}`)!;
    const expected = reach === "store"
      ? [403]
      : id.endsWith("/resume") || id.startsWith("DELETE /runs")
      ? [409]
      : id.endsWith("/await")
      ? [408]
      : [200, 201, 202, 204, 308];
    assert.ok(expected.includes(response.status), `${id}: ${response.status}`);
    await response.body?.cancel();
    await all.engine.stop({ grace: 0 });
  }
});

Deno.test("httpApi() lists for a scope only what is within it, whatever is asked", async () => {
  let scope: Scope = {};
  const { app, engine } = await filled({ authorize: () => scope });
  for (const key of ["acme2/x", "beta/x", "acme", "x"]) {
    await engine.trigger(engine.definitions.get("order")!, key);
  }
  const keys = async (query: string) => {
    const { items } = await (await app.request(`/pawl/runs?order=oldest&${query}`)).json();
    return items?.map(({ key }: { key: string }) => key);
  };
  scope = { namespace: "acme" };
  assert.deepEqual(await keys(""), ["acme/o", "acme/f", "acme/p"]);
  assert.deepEqual(await keys("keyPrefix=a"), ["acme/o", "acme/f", "acme/p"]);
  assert.deepEqual(await keys("keyPrefix=acme/f"), ["acme/f"]);
  assert.deepEqual(await keys("keyPrefix=beta/"), undefined);
  assert.deepEqual(await keys("definition=order"), ["acme/o"]);
  assert.deepEqual(await keys("definition=order&key=beta/x"), undefined);
  scope = { definitions: ["order", "failing"] };
  assert.deepEqual(await keys(""), ["acme/o", "acme/f", "acme2/x", "beta/x", "acme", "x"]);
  assert.deepEqual(await keys("definition=printing"), undefined);
  scope = { namespace: "beta", definitions: ["order"] };
  assert.deepEqual(await keys(""), ["beta/x"]);
  await engine.stop({ grace: 0 });
});

Deno.test("httpApi() shows events of a scope's runs only", async () => {
  let scope: Scope = { namespace: "acme" };
  const { app, engine } = await filled({ authorize: () => scope });
  for (const key of ["beta/t", "acme/t"]) {
    await engine.trigger(engine.definitions.get("tea")!, key, { data: { sugar: 1 } });
  }
  const first = async (topic: string) => {
    const response = await app.request(`/pawl/events?from=start&topic=${topic}`);
    if (!response.ok) return response.status;
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const [, data] = /^data: (.*)$/m.exec(text) ?? [];
      if (data) return JSON.parse(data).headers.key;
    }
  };
  assert.equal(await first("tea-brewing"), "acme/t");
  assert.equal(await first("beta/news"), 403);
  scope = { definitions: ["order"] };
  assert.equal(await first("tea-brewing"), 403);
  assert.equal(await first("news"), 403);
  scope = { definitions: ["tea"] };
  assert.equal(await first("tea-brewing"), "beta/t");
  await engine.stop({ grace: 0 });
});

Deno.test("authorize is told what is asked for, and no parameter that means nothing can deceive it", async () => {
  const calls: Omit<AuthorizeCall, "request">[] = [];
  const all = await filled({
    authorize: ({ request: _, ...call }) => {
      calls.push(call);
      return false;
    },
  });
  const told = async (path: string, init: RequestInit = {}) => {
    await all.app.request(`/pawl${path}`, { ...init, headers: { "content-type": "application/json" } });
    return calls.pop();
  };
  const post = (body: unknown) => ({ method: "POST", body: JSON.stringify(body) });
  assert.deepEqual(await told("/definitions?definition=order&key=x"), {
    verb: "definitions",
    access: "read",
  });
  assert.deepEqual(await told("/runs/order/a%2Fb?definition=x&key=y"), {
    verb: "get",
    access: "read",
    definition: "order",
    key: "a/b",
  });
  assert.deepEqual(await told("/runs?definition=order&definition=tea"), { verb: "list", access: "read" });
  assert.deepEqual(await told("/runs?definition=order&key=k"), {
    verb: "list",
    access: "read",
    definition: "order",
    key: "k",
  });
  assert.deepEqual(await told("/locks"), { verb: "locks.list", access: "read", namespace: "default" });
  assert.deepEqual(await told("/locks/a/b/force-release", post({})), {
    verb: "locks.release",
    access: "write",
    namespace: "a",
    lock: "b",
  });
  const batch = { action: "pause", filter: { definition: "order", key: "k" } };
  assert.deepEqual(await told("/batches", post(batch)), {
    verb: "pause",
    access: "write",
    definition: "order",
    key: "k",
  });
  assert.deepEqual(await told("/batches", post("nonsense")), { verb: "delete", access: "write" });
  assert.deepEqual(await told("/schedules", post({ id: "i", definition: "tea", key: "k" })), {
    verb: "schedules.create",
    access: "write",
    schedule: "i",
    definition: "tea",
    key: "k",
  });
  assert.deepEqual(await told("/schedules/s", { method: "PATCH", body: '{"key":"other","schedule":"x"}' }), {
    verb: "schedules.update",
    access: "write",
    schedule: "s",
    key: "other",
  });
  await all.engine.stop({ grace: 0 });
});

Deno.test("bearerTokens() knows its holders, their scopes, and who may only look", async () => {
  const authorize = bearerTokens([
    { token: "the token of the operator".replaceAll(" ", "-") },
    { token: "the-token-of-acme", scope: { namespace: "acme" } },
    { token: "the-token-of-a-reader", readOnly: true },
  ]);
  const all = await filled({ authorize });
  const status = async (id: string, token?: string) =>
    (await ask(all, id, token === undefined ? {} : { authorization: token })).status;
  for (
    const token of [
      undefined,
      "",
      "Bearer",
      "Bearer the-token-of-acm",
      "Basic the-token-of-acme",
      "Bearer the-token-of-acme x",
    ]
  ) {
    assert.equal(await status("GET /runs", token), 401, String(token));
  }
  const unknown = await ask(all, "GET /runs");
  assert.equal(unknown.headers.get("www-authenticate"), 'Bearer realm="pawl"');
  assert.equal((await unknown.json()).code, "UNAUTHORIZED");
  assert.equal(await status("GET /engines", "Bearer the-token-of-the-operator"), 200);
  assert.equal(await status("GET /engines", "Bearer the-token-of-acme"), 403);
  assert.equal(await status("GET /runs", "bearer the-token-of-acme"), 200);
  assert.equal(await status("GET /engines", "Bearer the-token-of-a-reader"), 200);
  assert.equal(await status("POST /verify", "Bearer the-token-of-a-reader"), 403);
  assert.throws(() => bearerTokens([{ token: "short" }]), { code: "INVALID_ARGUMENT" });
  await all.engine.stop({ grace: 0 });
});
