import assert from "node:assert/strict";
import { virtualClock } from "../../../core/testing/virtual_clock.ts";
import {
  createWebhooks,
  httpApi,
  type WebhooksOptions,
  type WebhookUrlOptions,
} from "../../../plugins/hono/mod.ts";
import { silentLogger } from "../../../mod.ts";
import { order, poll, senderSecret, stage } from "./stage.ts";
import { Webhook } from "standardwebhooks";

const secret = "a secret of thirty-two characters";

/** An order that waits, and somebody outside with a URL for it. */
async function waiting(options: Partial<WebhooksOptions> = {}) {
  const clock = virtualClock({ now: Date.UTC(2030, 0, 1) });
  const { engine } = await stage();
  const webhooks = createWebhooks({ url: "http://api/pawl/", secrets: [secret], clock, ...options });
  const api = httpApi(engine, { webhooks, logger: silentLogger });
  const { runId } = await engine.trigger(order, "o");
  const target = { definition: "order", key: "o", runId, status: "placed" };
  return {
    engine,
    api,
    clock,
    webhooks,
    target,
    url: (given?: WebhookUrlOptions) => webhooks.url(target, given),
    async post(url: string, body: string | undefined, headers: Record<string, string> = {}) {
      const path = url.slice("http://api/pawl".length);
      const response = await api.request(path, {
        method: "POST",
        headers,
        ...(body !== undefined && { body }),
      });
      const answer = await response.json();
      return [response.status, answer.code ?? answer.applied];
    },
    stop: () => engine.stop({ grace: 0 }),
  };
}

const amount = (n: number) => JSON.stringify({ amount: n });

Deno.test("a webhook's URL answers its run, and can be neither guessed, changed nor read", async () => {
  const { url, post, stop, engine } = await waiting();
  const made = await url();
  assert.match(made, /^http:\/\/api\/pawl\/webhooks\/[\w-]+$/);
  assert.notEqual(made, await url());
  const token = made.split("/").at(-1)!;
  const bytes = atob(token.replaceAll("-", "+").replaceAll("_", "/"));
  assert.doesNotMatch(bytes, /order|placed/);
  for (let at = 0; at < token.length; at += 7) {
    const other = token[at] === "A" ? "B" : "A";
    const changed = `http://api/pawl/webhooks/${token.slice(0, at)}${other}${token.slice(at + 1)}`;
    assert.deepEqual(await post(changed, amount(1)), [403, "WEBHOOK_REFUSED"], String(at));
  }
  for (const odd of ["x", "", "%00", "a".repeat(9_000)]) {
    const [status] = await post(`http://api/pawl/webhooks/${odd || "-"}`, amount(1));
    assert.equal(status, 403);
  }
  assert.deepEqual(await post(made, amount(5)), [200, true]);
  assert.equal((await engine.get(order, "o"))?.data?.paid, 5);
  await stop();
});

Deno.test("a webhook has an end, and secrets that are changed still open what they sealed", async () => {
  const { target, url, post, clock, stop, engine } = await waiting();
  const old = await url({ expiresIn: "1h" });
  await clock.advance(3_600_000 - 1);
  const changed = createWebhooks({ url: "http://api/pawl", secrets: [secret.toUpperCase(), secret], clock });
  const api = httpApi(engine, { webhooks: changed, logger: silentLogger });
  const send = (url: string) =>
    api.request(url.slice("http://api/pawl".length), { method: "POST", body: amount(2) });
  const fresh = await changed.url(target, { expiresIn: "1h" });
  assert.deepEqual(
    await post(fresh, amount(1)),
    [403, "WEBHOOK_REFUSED"],
    "who does not know the new secret",
  );
  await clock.advance(1);
  assert.deepEqual(await post(old, amount(1)), [410, "WEBHOOK_EXPIRED"]);
  assert.equal((await send(old)).status, 410);
  assert.equal((await send(fresh)).status, 200);
  await stop();
});

Deno.test("a webhook that may be used once is used up by what the run took, on any engine and for ever", async () => {
  const { url, post, stop, engine, webhooks } = await waiting();
  const threw = await url({ once: true });
  assert.deepEqual(
    await post(threw, '{"amount":-1}'),
    [500, "INTERNAL"],
    "the callback threw: nothing was taken",
  );
  assert.deepEqual(await post(threw, amount(7)), [200, true]);
  // A run that goes on waiting at the same status.
  const { runId } = await engine.trigger(poll, "p", { data: { votes: 0 } });
  const target = { definition: "poll", key: "p", runId, status: "open" };
  const once = { once: true, id: "step-1" };
  const [first, other] = [await webhooks.url(target, once), await webhooks.url(target, once)];
  assert.deepEqual(await post(first, amount(7)), [200, true]);
  assert.deepEqual(await post(first, amount(7)), [200, true], "the same again is the same answer");
  assert.deepEqual(await post(first, amount(8)), [410, "WEBHOOK_EXPIRED"]);
  assert.deepEqual(
    await post(other, amount(9)),
    [410, "WEBHOOK_EXPIRED"],
    "a URL of the same step, when it ran again",
  );
  assert.equal((await engine.get(poll, "p"))?.data.votes, 7);
  const many = await webhooks.url(target);
  for (const _ of [1, 2]) assert.deepEqual(await post(many, amount(1)), [200, true]);
  assert.equal((await engine.get(poll, "p"))?.data.votes, 9);
  await stop();
});

Deno.test("a webhook that comes before its run is there is refused, so that it is sent again", async () => {
  const { url, post, stop, engine } = await waiting();
  const made = await url();
  await engine.pause(order, "o");
  assert.deepEqual(await post(made, amount(1)), [409, "RUN_STATE"]);
  await engine.resume(order, "o");
  assert.deepEqual(await post(made, amount(1)), [200, true]);
  assert.deepEqual(await post(made, amount(1)), [410, "WEBHOOK_EXPIRED"], "the run has ended");
  await stop();
});

Deno.test("a webhook of a sender that signs takes what Standard Webhooks' own library signs, and nothing else", async () => {
  const second = "whsec_" + btoa("another secret of the same sender");
  const { url, post, clock, stop } = await waiting({ senders: { bank: [second, senderSecret] } });
  const made = await url({ sender: "bank" });
  const at = new Date(clock.now());
  const body = amount(4);
  const headersOf = (given: Partial<Record<"id" | "body" | "secret", string>> & { at?: Date } = {}) => {
    const { id = "msg_1", body: signed = body, secret: by = senderSecret, at: when = at } = given;
    return {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(Number(when) / 1_000)),
      "webhook-signature": new Webhook(by).sign(id, when, signed),
    };
  };
  const refused = [403, "WEBHOOK_REFUSED"];
  assert.deepEqual(await post(made, body), refused, "not signed");
  assert.deepEqual(await post(made, body, headersOf({ body: amount(5) })), refused, "of another body");
  assert.deepEqual(await post(made, body, headersOf({ secret: "whsec_" + btoa("x".repeat(24)) })), refused);
  assert.deepEqual(await post(made, body, { ...headersOf(), "webhook-id": "msg_2" }), refused);
  for (const minutes of [-6, 6]) {
    assert.deepEqual(
      await post(made, body, headersOf({ at: new Date(Number(at) + minutes * 60_000) })),
      refused,
      "replayed",
    );
  }
  for (
    const signature of [
      "",
      "v1,",
      "v2,abc",
      "v1,%%%",
      "nonsense",
      headersOf()["webhook-signature"].replace("v1,", "v1a,"),
    ]
  ) {
    assert.deepEqual(
      await post(made, body, { ...headersOf(), "webhook-signature": signature }),
      refused,
      signature,
    );
  }
  const both = { ...headersOf(), "webhook-signature": `v1,AAAA ${headersOf()["webhook-signature"]}` };
  assert.deepEqual(await post(made, body, both), [200, true]);
  assert.deepEqual(
    await post(made, body, headersOf()),
    [200, true],
    "sent again: the same answer, though the run has ended",
  );
  assert.deepEqual(await post(made, body, headersOf({ id: "msg_2" })), [410, "WEBHOOK_EXPIRED"]);
  await stop();
});

Deno.test("createWebhooks() refuses weak secrets, senders that nobody knows, and URLs that are none", async () => {
  const make = (options: Partial<WebhooksOptions>) => () =>
    createWebhooks({ url: "http://x", secrets: [secret], ...options });
  const refused = { code: "INVALID_ARGUMENT" };
  assert.throws(make({ secrets: [] }), refused);
  assert.throws(make({ secrets: ["short"] }), refused);
  assert.throws(make({ url: "/pawl" }), refused);
  assert.throws(make({ senders: { bank: ["whsec_short"] } }), refused);
  assert.throws(make({ tolerance: "soon" }), { code: "INVALID_DURATION" });
  const target = { definition: "order", key: "k", runId: "r", status: "placed" };
  await assert.rejects(make({})().url(target, { sender: "bank" }), refused);
});

Deno.test("httpApi() without webhooks has none, and authorize is not asked about them", async () => {
  const { app, engine } = await stage({ webhooks: undefined as never, authorize: () => assert.fail() });
  const response = await app.request("/pawl/webhooks/x", { method: "POST" });
  assert.deepEqual([response.status, (await response.json()).code], [404, "NOT_FOUND"]);
  await engine.stop({ grace: 0 });
});
