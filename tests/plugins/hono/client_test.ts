import assert from "node:assert/strict";
import {
  every,
  type HistoryRow,
  PawlError,
  RunEndedError,
  RunInProgressError,
  RunStateError,
} from "../../../mod.ts";
import { createClient } from "../../../plugins/hono/client.ts";
import type { PawlApi } from "../../../plugins/hono/mod.ts";
import { hc } from "hono/client";
import { bundle } from "../../../bench/size.ts";
import { failing, order, printing, stage, tea } from "./stage.ts";

const url = "http://api/pawl";

/** A client that reaches the app without a network. */
async function local() {
  const { app, engine } = await stage();
  const fetch = (input: string, init?: RequestInit) => app.request(input, init);
  return {
    client: createClient({ url, fetch, retryMs: 1 }),
    engine,
    app,
    fetch,
    stop: () => engine.stop({ grace: 0 }),
  };
}

Deno.test("createClient() has the engine's verbs, with its types, dates and views", async () => {
  const { client, engine, stop } = await local();
  const made = await client.trigger(tea, "k/1 ü%2F", { data: { sugar: 1 } });
  const run = await client.await(tea, "k/1 ü%2F", { status: "ready", timeout: "10s" });
  const sugar: number = run.data.sugar;
  assert.equal(sugar, 2);
  assert.deepEqual(await client.get(tea, "k/1 ü%2F"), await engine.get(tea, "k/1 ü%2F"));
  assert.deepEqual(await client.history(tea, "k/1 ü%2F"), await engine.history({ runId: made.runId }));
  assert.equal(await client.get(tea, "none"), undefined);
  assert.deepEqual(
    await client.list({ definition: "tea", include: ["data"] }),
    await engine.list({ include: ["data"] }),
  );
  assert.deepEqual(await client.list({ createdAfter: new Date(Date.now() + 1e6) }), { items: [] });
  assert.equal(
    (await client.deleteData(tea, "k/1 ü%2F", { reason: "asked" })).runState,
    "deletion-requested",
  );

  await client.trigger(order, "o");
  assert.deepEqual(await client.timers(), await engine.timers());
  assert.equal((await client.pause(order, "o", { reason: "wait" })).reason, "wait");
  assert.equal((await client.resume(order, "o")).runState, "running");
  const answer = await client.callback(order, "o", "placed", { amount: 3 }, { idempotencyKey: "once" });
  assert.deepEqual([answer.applied, answer.status], [true, "paid"]);
  assert.deepEqual(
    await client.callback(order, "o", "placed", { amount: 3 }, { idempotencyKey: "once" }),
    answer,
  );
  await client.trigger(order, "o2");
  assert.equal((await client.cancel(order, "o2")).runState, "cancelled");
  assert.equal(await client.diagram(order, { direction: "TB" }), engine.diagram(order, { direction: "TB" }));
  assert.deepEqual(await client.states(), engine.states());
  assert.deepEqual(await client.admin.engines(), await engine.admin.engines());
  assert.deepEqual(await client.admin.shards(), await engine.admin.shards());
  assert.ok((await client.admin.verify()).ok);
  await stop();
});

Deno.test("createClient() takes no data, status or payload that the definition does not have", async () => {
  const { client, stop } = await local();
  // @ts-expect-error -- tea needs data
  await client.trigger(tea, "x");
  // @ts-expect-error -- sugar is a number
  await client.trigger(tea, "y", { data: { sugar: "much" } });
  // @ts-expect-error -- tea has no such status
  await assert.rejects(client.await(tea, "y", { status: "cold" }), { code: "UNKNOWN_STATUS" });
  // @ts-expect-error -- a payment is an amount
  await assert.rejects(client.callback(order, "none", "placed", "5"), { code: "RUN_NOT_FOUND" });
  await stop();
});

Deno.test("createClient() throws what the engine throws: same class, code, message and fields", async () => {
  const { client, engine, stop } = await local();
  const { runId } = await client.trigger(order, "k");
  const same = async (asked: Promise<unknown>, told: Promise<unknown>, kind: typeof PawlError) => {
    const [mine, theirs] = await Promise.all(
      [asked, told].map((each) => each.then(() => assert.fail(), (error) => error)),
    );
    assert.ok(mine instanceof kind && theirs instanceof kind, `${mine}`);
    assert.deepEqual({ ...mine }, { ...theirs });
    assert.equal(mine.message, theirs.message);
    assert.equal(mine.name, theirs.name);
  };
  const any = PawlError as never;
  await same(client.trigger(order, "k"), engine.trigger(order, "k"), RunInProgressError as never);
  await client.callback(order, "k", "placed", { amount: 1 });
  await same(client.pause(order, "k"), engine.pause(order, "k"), RunStateError as never);
  await same(
    client.await(order, "k", { status: "late" }),
    engine.await(order, "k", { status: "late" }),
    RunEndedError as never,
  );
  await same(client.cancel(order, "none"), engine.cancel(order, "none"), any);
  await same(
    client.history(order, "k", { runId, limit: 1 }).then(() => client.cancel(order, "")),
    engine.cancel(order, "").catch(() => {
      throw new PawlError("INVALID_ARGUMENT", 'Cannot ask for "" over HTTP: no URL can hold that name');
    }),
    any,
  );
  for (const key of [".", "..", "\ud800"]) {
    await assert.rejects(client.cancel(order, key), { code: "INVALID_ARGUMENT", message: /no URL can hold/ });
  }
  await assert.rejects(client.callback(order, "late", "placed", { amount: -1 }), { code: "RUN_NOT_FOUND" });
  await client.trigger(order, "bad");
  await assert.rejects(client.callback(order, "bad", "placed", { amount: -1 }), (error: PawlError) => {
    assert.equal(error.code, "INTERNAL");
    assert.doesNotMatch(error.message, /4111/);
    return true;
  });
  await stop();
});

Deno.test("client.await() polls until its time is over, stays with its run, and ends with its signal", async () => {
  const { engine, app, stop } = await local();
  let polls = 0;
  let afterPoll: (() => Promise<void>) | undefined;
  const client = createClient({
    url,
    pollMs: 20,
    retryMs: 1,
    async fetch(input, init) {
      if (!input.includes("/await")) return await app.request(input, init);
      polls++;
      if (polls === 2) throw new TypeError("the network is gone");
      if (polls === 3) return new Response("<html>", { status: 502 });
      const response = await app.request(input, init);
      const after = afterPoll;
      afterPoll = undefined;
      await after?.();
      return response;
    },
  });
  await engine.trigger(order, "k");
  await assert.rejects(client.await(order, "k", { timeout: 150 }), { code: "AWAIT_TIMEOUT" });
  assert.ok(polls > 3, `${polls} polls`);
  afterPoll = async () => {
    await engine.callback(order, "k", "placed", { amount: 9 });
    await engine.trigger(order, "k");
  };
  const run = await client.await(order, "k", { timeout: "10s" });
  assert.equal(run.data?.paid, 9, "the run that was there at the call, though the key has another by now");
  const abort = new AbortController();
  const aborted = client.await(order, "k", { signal: abort.signal });
  abort.abort(new Error("enough"));
  await assert.rejects(aborted, { message: "enough" });
  await assert.rejects(client.await(order, "none"), { code: "RUN_NOT_FOUND" });
  await stop();
});

Deno.test("client.watch() goes on where a broken connection left it: no row is missed, none comes twice", async () => {
  const { engine, app, stop } = await local();
  const resumed: (string | null)[] = [];
  const client = createClient({
    url,
    retryMs: 1,
    async fetch(input, init) {
      const response = await app.request(input, init);
      if (!input.includes("/watch")) return response;
      resumed.push(new Headers(init?.headers).get("last-event-id"));
      // Cut after the second row, in the middle of what follows.
      let rows = 0;
      const cut = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          if (new TextDecoder().decode(chunk).includes("event: history") && ++rows > 2) {
            controller.enqueue(chunk.slice(0, 20));
            controller.error(new TypeError("the network is gone"));
          } else controller.enqueue(chunk);
        },
      });
      return new Response(response.body!.pipeThrough(cut), response);
    },
  });
  const { runId } = await engine.trigger(order, "k");
  for (const _ of [1, 2, 3]) {
    await engine.pause(order, "k");
    await engine.resume(order, "k");
  }
  const rows: HistoryRow[] = [];
  for await (const row of client.watch(order, "k")) {
    rows.push(row);
    // Another run of the key is no news of this one.
    if (rows.length === 6) {
      await engine.cancel(order, "k");
      await engine.trigger(order, "k");
    }
  }
  assert.deepEqual(rows, await engine.history({ runId }));
  assert.equal(rows.length, 8);
  assert.deepEqual(resumed, [
    null,
    ...[1, 3, 5].map((index) => String(rows[index]!.position)),
    ...resumed.slice(4),
  ]);
  await assert.rejects(async () => {
    for await (const _ of client.watch(order, "none")) assert.fail();
  }, { code: "RUN_NOT_FOUND" });
  const abort = new AbortController();
  await assert.rejects(async () => {
    for await (const _ of client.watch(order, "k", { signal: abort.signal })) {
      abort.abort(new Error("enough"));
    }
  }, { message: "enough" });
  await stop();
});

Deno.test("client.events() reads a topic from any place of it", async () => {
  const { client, engine, stop } = await local();
  for (let n = 0; n < 3; n++) {
    await engine.streams.send("news", [{ id: `${n}`, key: "k", type: "told", data: { n } }]);
  }
  const places: string[] = [];
  for await (const { event, after } of client.events("news")) {
    assert.ok(event.at instanceof Date);
    places.push(after);
    if (places.length === 3) break;
  }
  for await (const { event } of client.events("news", { after: places[1]! })) {
    assert.deepEqual([event.id, event.data], ["2", { n: 2 }]);
    break;
  }
  await stop();
});

Deno.test("client.schedules, locks and batch() are the engine's", async () => {
  const { client, engine, stop } = await local();
  const made = await client.schedules.create({
    id: "s",
    recurrence: every("1h"),
    target: tea,
    key: "s",
    data: { sugar: 1 },
  });
  assert.deepEqual(made, { created: true, schedule: await engine.schedules.get("s") });
  assert.deepEqual(await client.schedules.describe("s"), await engine.schedules.describe("s"));
  assert.deepEqual(await client.schedules.get("s"), await engine.schedules.get("s"));
  const until = new Date(Date.now() + 1e9);
  assert.deepEqual((await client.schedules.update("s", { until, recurrence: every("2h") })).until, until);
  assert.deepEqual(await client.schedules.list(), await engine.schedules.list());
  assert.equal((await client.schedules.pause("s")).enabled, false);
  assert.ok((await client.schedules.trigger("s")).scheduledFor instanceof Date);
  await client.schedules.unpause("s", { catchUp: false });
  assert.ok((await client.schedules.outcomes("s")).items.every(({ decidedAt }) => decidedAt instanceof Date));
  await client.schedules.delete("s");
  assert.equal(await client.schedules.get("s"), undefined);

  await client.trigger(printing, "p");
  while ((await client.locks.inspect("printer", { namespace: "acme" }))?.holders.length !== 1);
  assert.deepEqual(
    await client.locks.list({ namespace: "acme" }),
    await engine.locks.list({ namespace: "acme" }),
  );
  assert.equal(await client.locks.forceRelease("printer", { namespace: "acme", reason: "jam" }), 1);
  assert.equal(await client.locks.inspect("none"), undefined);

  for (let n = 0; n < 30; n++) await engine.trigger(order, `b${n}`);
  await engine.callback(order, "b7", "placed", { amount: 1 });
  const lines = [];
  for await (const line of client.batch({ action: "pause", filter: { definition: order, keyPrefix: "b" } })) {
    lines.push(line);
  }
  const failure = lines.find(({ type }) => type === "failure");
  assert.deepEqual([(failure as { key: string; code: string }).key, (failure as { code: string }).code], [
    "b7",
    "RUN_STATE",
  ]);
  assert.deepEqual(lines.at(-1), { type: "done", matched: 30, done: 29, failed: 1 });
  await client.trigger(failing, "f");
  await stop();
});

Deno.test("hc() knows the API's routes by its type alone", async () => {
  const { fetch, stop } = await local();
  const api = hc<PawlApi>(url, { fetch: fetch as typeof globalThis.fetch });
  const made = await api.runs[":definition"][":key"].$post({ param: { definition: "order", key: "k" } });
  const { created } = await made.json();
  const isCreated: boolean = created;
  assert.deepEqual([made.status, isCreated], [201, true]);
  // @ts-expect-error -- there is no such filter
  await api.runs.$get({ query: { colour: "red" } });
  await stop();
});

Deno.test({
  name: "createClient() brings nothing of the server, nor of the engine, into a bundle",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const { files, text } = await bundle(`export { createClient } from "pawl/plugins/hono/client";`);
    const names = files.map(([file]) => file);
    assert.deepEqual(
      names.filter((file) =>
        /zod|hono\/dist\/(hono|router|context)|engine\/(pawl_engine|work)|core\/store\/(?!key)|plugins\/hono\/(?!client)/
          .test(file)
      ),
      [],
    );
    assert.ok(text.length < 25_000, `${text.length} bytes, minified`);
  },
});
