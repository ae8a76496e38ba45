/**
 * Requests of all shapes: whatever is sent, the answer is one that the API knows, and never that something broke.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createClient } from "../../../plugins/hono/client.ts";
import { problem } from "../../../plugins/hono/schemas.ts";
import { routes } from "../../../plugins/hono/table.ts";
import { hourly, order, stage } from "./stage.ts";

/** Texts that mean something somewhere, beside those that mean nothing. */
const words = fc.oneof(
  fc.constantFrom(
    "order",
    "tea",
    "failing",
    "placed",
    "paid",
    "acme",
    "acme/o",
    "news",
    "tea-ready",
    "1",
    "0",
    "-1",
    "1e9",
    "5s",
    "true",
    "data",
  ),
  fc.constantFrom(
    "2030-01-01T00:00:00Z",
    "999999999999999999999",
    "..",
    "%",
    "%2F",
    "a/b",
    "\u0000",
    "__proto__",
    "constructor",
    "🪝",
    "x".repeat(300),
  ),
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
);

const values = fc.oneof(
  { maxDepth: 3 },
  words,
  fc.jsonValue({ maxDepth: 3 }),
  fc.integer(),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
);

/** Fields of all bodies, so that what is wished for often stands where it is looked for. */
const fields = [
  "data",
  "startAt",
  "idempotencyKey",
  "runId",
  "reason",
  "payload",
  "action",
  "filter",
  "definition",
  "key",
  "keyPrefix",
  "limit",
  "dryRun",
  "id",
  "recurrence",
  "overlap",
  "catchUp",
  "jitter",
  "from",
  "until",
  "enabled",
  "note",
  "budgetMs",
  "token",
  "force",
  "catchUp",
  "type",
  "spec",
];
const body = fc.oneof(
  fc.record({ data: values, payload: values, idempotencyKey: words }, { requiredKeys: [] }),
  fc.record({ data: values }),
  fc.constant({}),
  fc.dictionary(fc.constantFrom(...fields), values, { maxKeys: 6 }),
  fc.record({
    ...Object.fromEntries(
      Object.entries(hourly).map(([name, value]) => [name, fc.oneof(fc.constant(value), values)]),
    ),
  }, { requiredKeys: [] }),
  fc.record({
    action: fc.constantFrom("pause", "resume", "cancel", "delete"),
    filter: fc.dictionary(
      fc.constantFrom("definition", "status", "runState", "key", "keyPrefix", "createdAfter"),
      values,
    ),
  }),
  values,
).map((value) => JSON.stringify(value));

const queries = [
  "definition",
  "status",
  "runState",
  "key",
  "keyPrefix",
  "createdAfter",
  "order",
  "limit",
  "cursor",
  "include",
  "runId",
  "after",
  "timeout",
  "direction",
  "namespace",
  "topic",
  "from",
  "reason",
];
const query = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...queries), words), words), { maxLength: 4 });

const headers = fc.record({
  "content-type": fc.oneof(
    { arbitrary: fc.constant("application/json"), weight: 9 },
    fc.constantFrom("text/plain", "x"),
  ),
  "last-event-id": fc.constantFrom("1", "0.1.0", "x", "-1", "99999999999999999"),
  "idempotency-key": fc.constantFrom("a", '"a"', "", "x".repeat(300)),
}, { requiredKeys: ["content-type"] });

/** Mostly what is there. */
const param = (...real: readonly string[]) =>
  fc.oneof({ arbitrary: fc.constantFrom(...real), weight: 3 }, {
    arbitrary: words.map((word) => word.isWellFormed() ? word : "x"),
    weight: 1,
  });

const request = fc.record({
  route: fc.constantFrom(...routes),
  params: fc.record({
    definition: param("order", "order", "tea"),
    key: param("acme/o", "k"),
    status: param("placed", "paid"),
    schedule: param(hourly.id),
    namespace: param("acme", "default"),
    lock: param("printer"),
    id: param(`${"0".repeat(30)}-1-1`),
    token: words,
    file: param("index.html"),
  }),
  query,
  body: fc.option(body, { nil: undefined }),
  headers,
});

Deno.test("httpApi() answers no request with 500, whatever is in it", async () => {
  const { app, engine } = await stage({ limits: { awaitMsMax: 1, tickMsMax: 1 } });
  await engine.trigger(order, "acme/o");
  const seen = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(request, async ({ route, params, query, body, headers }) => {
      const named: Readonly<Record<string, string>> = params;
      const path = route.path.replace(/:(\w+)/g, (_, name) => encodeURIComponent(named[name]!));
      const search = new URLSearchParams(query.map(([name, value]) => [name, value]));
      const isRead = route.method === "GET";
      const response = await app.request(`http://api/pawl${path}?${search}`, {
        method: route.method,
        headers: headers as Record<string, string>,
        ...(!isRead && body !== undefined && { body }),
      });
      seen.set(response.status, (seen.get(response.status) ?? 0) + 1);
      const type = response.headers.get("content-type") ?? "";
      if (type === "application/problem+json") {
        const told = problem.parse(await response.json());
        assert.ok(told.status === response.status && told.status !== 500, JSON.stringify(told));
      } else if (type === "text/event-stream") await response.body!.cancel();
      else {
        await response.text();
        // A path that a URL's parser has changed is none of the API's.
        assert.ok(response.status < 400 || response.status === 404, `${response.status}`);
      }
    }),
    { numRuns: Number(Deno.env.get("FUZZ_RUNS") ?? 2_000) },
  );
  for (const status of [200, 400, 404]) {
    assert.ok(seen.has(status), `no ${status} in ${[...seen.keys()]}`);
  }
  assert.ok((await engine.admin.verify()).ok);
  await engine.stop({ grace: 0 });
});

Deno.test("createClient() names runs by any key that a URL can hold", async () => {
  const { app, engine } = await stage();
  const client = createClient({ url: "http://api/pawl", fetch: (input, init) => app.request(input, init) });
  const keys = fc.string({ unit: "binary", minLength: 1, maxLength: 40 }).filter((key) =>
    key.isWellFormed() && !/^\.\.?$/.test(key)
  );
  await fc.assert(
    fc.asyncProperty(keys, async (key) => {
      await client.trigger(order, key).catch((error) => assert.equal(error.code, "RUN_IN_PROGRESS"));
      assert.equal((await engine.get(order, key))?.key, key);
      assert.equal((await client.get(order, key))?.key, key);
    }),
    {
      numRuns: 150,
      examples: [
        ["%"],
        ["%2F"],
        ["a/b"],
        ["?"],
        ["#"],
        ["%25"],
        ["index"],
        [":key"],
        ["a%00b"],
        [" "],
        ["+"],
        ["/"],
      ],
    },
  );
  await engine.stop({ grace: 0 });
});
