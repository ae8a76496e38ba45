import assert from "node:assert/strict";
import type { Logger } from "../../../mod.ts";
import { virtualClock } from "../../../core/testing/virtual_clock.ts";
import { order, stage, tea } from "./stage.ts";

const json = { "content-type": "application/json" };

Deno.test("httpApi() refuses bodies that are too large, whatever their header says, and those that are no JSON", async () => {
  const { app, engine } = await stage({ limits: { bodyBytesMax: 100 } });
  const post = async (body: BodyInit | null, headers: Record<string, string> = json) => {
    const response = await app.request("/pawl/runs/order/k", { method: "POST", headers, body });
    return [response.status, (await response.json()).code];
  };
  const large = JSON.stringify({ data: { text: "x".repeat(100) } });
  assert.deepEqual(await post(large), [413, "PAYLOAD_TOO_LARGE"]);
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(50 + sent++)),
  });
  const streamed = new Request(
    "http://api/pawl/runs/order/k",
    { method: "POST", headers: json, body: endless, duplex: "half" } as RequestInit,
  );
  assert.equal((await app.request(streamed)).status, 413);
  assert.ok(sent < 100);
  assert.deepEqual(await post("{"), [400, "NOT_JSON"]);
  assert.deepEqual(await post(new Uint8Array([0x22, 0xff, 0x22])), [400, "NOT_JSON"]);
  assert.deepEqual(await post("[]"), [400, "INVALID_ARGUMENT"]);
  assert.deepEqual(await post('{"dat":1}'), [400, "INVALID_ARGUMENT"]);
  for (
    const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/jsonp",
    ]
  ) {
    assert.deepEqual(await post('{"data":null}', { "content-type": type }), [415, "UNSUPPORTED_MEDIA"], type);
  }
  assert.deepEqual(await engine.list(), { items: [] });
  assert.deepEqual(await post('{"data":{}}', { "content-type": "Application/JSON; charset=utf-8" }), [
    201,
    undefined,
  ]);
  await engine.stop({ grace: 0 });
});

Deno.test("httpApi() changes nothing that a page of another origin asks with a browser's cookies", async () => {
  const { app, engine } = await stage({ origins: ["https://office.example"] });
  const trigger = async (headers: Record<string, string>) => {
    const key = crypto.randomUUID();
    const response = await app.request(`http://pawl.example/pawl/runs/order/${key}`, {
      method: "POST",
      headers,
    });
    return response.status;
  };
  for (const site of ["cross-site", "same-site", "odd"]) {
    assert.equal(await trigger({ "sec-fetch-site": site }), 403, site);
  }
  assert.equal(await trigger({ origin: "https://evil.example" }), 403);
  assert.equal(await trigger({ origin: "null" }), 403);
  assert.equal(await trigger({ origin: "https://evil.example", "sec-fetch-site": "cross-site" }), 403);
  assert.equal((await engine.list()).items.length, 0);
  assert.equal(await trigger({}), 201, "who is no browser has no cookies to be abused");
  assert.equal(await trigger({ "sec-fetch-site": "same-origin" }), 201);
  assert.equal(await trigger({ "sec-fetch-site": "none" }), 201);
  assert.equal(await trigger({ origin: "http://pawl.example" }), 201);
  assert.equal(await trigger({ origin: "https://office.example", "sec-fetch-site": "cross-site" }), 201);
  const read = await app.request("/pawl/runs", { headers: { "sec-fetch-site": "cross-site" } });
  assert.equal(read.status, 200, "reading changes nothing, and without CORS the page cannot see it");
  await engine.stop({ grace: 0 });
});

Deno.test("httpApi() asks its rate limit first, and says when to come again", async () => {
  const asked: string[] = [];
  const { app, engine } = await stage({
    authorize: () => assert.fail("it is asked before who asks"),
    isTooMuch: ({ verb, request }) => {
      asked.push(verb);
      return request.headers.has("slow") ? { retryAfterMs: 2_500 } : true;
    },
  });
  const slow = await app.request("/pawl/runs", { headers: { slow: "1" } });
  assert.deepEqual([slow.status, slow.headers.get("retry-after"), (await slow.json()).code], [
    429,
    "3",
    "RATE_LIMITED",
  ]);
  assert.equal((await app.request("/pawl/webhooks/x", { method: "POST" })).headers.get("retry-after"), "1");
  assert.deepEqual(asked, ["list", "webhook"]);
  await engine.stop({ grace: 0 });
});

Deno.test("httpApi() opens only so many streams, and forgets those that are left, also by HEAD", async () => {
  const { app, engine } = await stage({ limits: { streamsMax: 2 } });
  await engine.trigger(order, "k");
  const open = (method = "GET") => app.request("/pawl/runs/order/k/watch", { method });
  const streams = [await open(), await open()];
  const refused = await open();
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "5"]);
  await streams[0]!.body!.cancel();
  for (let n = 0; n < 5; n++) assert.equal((await open("HEAD")).status, 200);
  const again = await open();
  assert.equal(again.status, 200);
  await engine.cancel(order, "k");
  const texts = await Promise.all([again, streams[1]!].map((each) => each.text()));
  for (const text of texts) assert.match(text, /"runState":"cancelled"[^]*event: end\ndata: \{\}\n\n$/);
  assert.equal((await open()).status, 200);
  await engine.stop({ grace: 0 });
});

Deno.test("httpApi() sends signs of life while nothing happens, and a problem when the engine stops", async () => {
  const clock = virtualClock({ now: Date.UTC(2030, 0, 1) });
  const { app, engine } = await stage({ clock });
  await engine.trigger(order, "k");
  const reader = (await app.request("/pawl/runs/order/k/watch")).body!.pipeThrough(new TextDecoderStream())
    .getReader();
  let text = "";
  while (!text.includes("event: history")) text += (await reader.read()).value;
  for (let n = 0; n < 3; n++) {
    const next = reader.read();
    await new Promise((resolve) => setTimeout(resolve, 1));
    await clock.advance(15_000);
    assert.equal((await next).value, ": still here\n\n");
  }
  const last = reader.read();
  await engine.stop({ grace: 0 });
  assert.match((await last).value!, /^event: problem\ndata: .*"code":"ENGINE_STOPPED"/);
  assert.equal((await reader.read()).done, true);
});

Deno.test("httpApi() bounds what a caller may wait for", async () => {
  const { app, engine } = await stage({ limits: { awaitMsMax: 20 } });
  await engine.trigger(order, "k");
  for (const query of ["", "?timeout=1h", "?timeout=99999999", "?timeout=1"]) {
    const response = await app.request(`/pawl/runs/order/k/await${query}`);
    assert.deepEqual([response.status, (await response.json()).code], [408, "AWAIT_TIMEOUT"]);
  }
  assert.equal((await app.request("/pawl/runs/order/k/await?timeout=soon")).status, 400);
  await engine.stop({ grace: 0 });
});

Deno.test("httpApi() writes nothing of what users send into a log, and tells no stranger's error to the caller", async () => {
  const lines: unknown[] = [];
  const errors: unknown[] = [];
  const logger: Logger = { log: (...line) => lines.push(line) };
  const { app, engine } = await stage({ logger, onError: (error, { route }) => errors.push([route, error]) });
  await engine.trigger(order, "secret-key");
  const body = JSON.stringify({ payload: { amount: -1 } });
  const response = await app.request("/pawl/runs/order/secret-key/callback/placed", {
    method: "POST",
    headers: json,
    body,
  });
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /4111|secret/);
  assert.deepEqual(lines, [["error", "A request failed", {
    route: "POST /runs/:definition/:key/callback/:status",
    code: "INTERNAL",
    error: "Error",
  }]]);
  assert.match(
    String((errors as [string, Error][])[0]![1].message),
    /4111/,
    "who asks for errors gets them whole",
  );
  await app.request("/pawl/runs/order/none");
  assert.equal(lines.length, 1, "what the caller did wrong is no news");
  await engine.stop({ grace: 0 });
});

Deno.test("httpApi() lets authorize answer in its own way", async () => {
  const { app, engine } = await stage({ authorize: () => Response.redirect("http://login.example/", 302) });
  const moved = await app.request("/pawl/ui");
  assert.deepEqual([moved.status, moved.headers.get("location")], [302, "http://login.example/"]);
  assert.equal(moved.headers.get("cache-control"), "no-store");
  await engine.stop({ grace: 0 });
});

Deno.test("httpApi() answers an idempotency key in the header as one in the body, and refuses two that differ", async () => {
  const { app, engine } = await stage();
  const post = async (header: string, idempotencyKey?: string) => {
    const headers = { ...json, "idempotency-key": header };
    const body = JSON.stringify({ data: { sugar: 1 }, ...(idempotencyKey && { idempotencyKey }) });
    const response = await app.request("/pawl/runs/tea/k", { method: "POST", headers, body });
    return [response.status, await response.json()];
  };
  const [status, made] = await post("one");
  assert.deepEqual([status, made.created], [201, true]);
  await engine.await(tea, "k");
  for (const header of ["one", '"one"']) {
    assert.deepEqual(await post(header), [200, { ...made, created: false }]);
  }
  assert.deepEqual(await post("one", "one"), [200, { ...made, created: false }]);
  assert.equal((await post("one", "two"))[0], 400);
  const headers = { ...json, "idempotency-key": "one" };
  const other = await app.request("/pawl/runs/tea/k", {
    method: "POST",
    headers,
    body: '{"data":{"sugar":2}}',
  });
  assert.deepEqual([other.status, (await other.json()).code], [422, "IDEMPOTENCY_MISMATCH"]);
  await engine.stop({ grace: 0 });
});
