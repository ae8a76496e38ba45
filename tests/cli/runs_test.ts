import assert from "node:assert/strict";
import { order, poll, printing, tea } from "../plugins/hono/stage.ts";
import { json, jsonLines, stage, ways } from "./stage.ts";

for (const way of ways) {
  Deno.test(`pawl list shows runs as a table and as JSON, filtered, page by page and all: ${way}`, async () => {
    await using on = await stage();
    const ask = on[way];
    assert.deepEqual(await ask(["list"]), { code: 0, out: "", error: "There is no such run.\n" });
    await on.engine.trigger(tea, "green", { data: { sugar: 1 } });
    await on.engine.await(tea, "green");
    for (const key of ["a-1", "a-2", "b-1"]) await on.engine.trigger(order, key);
    await on.engine.pause(order, "a-2", { reason: "stock-taking" });

    const table = await ask(["list", "--order", "oldest"]);
    const lines = table.out.trimEnd().split("\n");
    assert.match(lines[0]!, /^RUN +DEFINITION +KEY +STATUS +STATE +TRIGGERED +CHANGED +WHY$/);
    assert.match(
      lines[1]!,
      /^[0-9a-f]{30} {2}tea +green {2}ready +completed {2}\d{4}-\d\d-\d\dT\S+Z {2}\S+Z$/,
    );
    assert.match(lines[3]!, /order +a-2 .* paused .* stock-taking$/);
    assert.equal(lines.length, 5);
    assert.equal(table.error, "");

    const keys = async (...args: string[]) =>
      json(await ask(["list", "--json", ...args])).items.map((each: { key: string }) => each.key);
    assert.deepEqual(await keys("--definition", "order", "--state", "paused"), ["a-2"]);
    assert.deepEqual(await keys("--state", "paused", "--state", "completed"), ["a-2", "green"]);
    assert.deepEqual(await keys("--prefix", "a-", "--order", "oldest"), ["a-1", "a-2"]);
    assert.deepEqual(await keys("--status", "ready", "--limit", "1"), ["green"]);
    assert.deepEqual(await keys("--definition", "order", "--key", "b-1"), ["b-1"]);
    assert.deepEqual(await keys("--after", "1h", "--before", "2999-01-01"), ["b-1", "a-2", "a-1", "green"]);
    assert.deepEqual(await keys("--before", "1h"), []);

    const page = json(await ask(["list", "--json", "--limit", "2", "--data"]));
    assert.equal(page.items.length, 2);
    const rest = json(await ask(["list", "--json", "--data", "--cursor", page.cursor]));
    assert.deepEqual(rest.items.map((each: { key: string }) => each.key), ["a-1", "green"]);
    assert.deepEqual(rest.items[1].data, { sugar: 2 });
    const told = await ask(["list", "--limit", "1"]);
    assert.match(told.error, /^There may be more: --cursor [0-9a-f]{30}, or --all\n$/);
    const all = jsonLines(await ask(["list", "--all", "--limit", "1", "--json"]));
    assert.deepEqual(all.map((each) => each.key), ["b-1", "a-2", "a-1", "green"]);
  });

  Deno.test(`pawl show, history and watch tell of a run by its key and by its id: ${way}`, async () => {
    await using on = await stage();
    const ask = on[way];
    const { runId } = await on.engine.trigger(tea, "green", { data: { sugar: 1 } });
    await on.engine.await(tea, "green");
    const shown = await ask(["show", "tea", "green"]);
    assert.match(shown.out, /^status {6}ready$/m);
    assert.match(shown.out, /^triggered {3}\d{4}-\d\d-\d\dT\S+Z \((now|\d+ s ago)\)$/m);
    assert.equal(json(await ask(["show", runId, "--json"])).key, "green");
    assert.deepEqual(json(await ask(["show", "tea", "green", "--run", runId, "--json"])).data, { sugar: 2 });

    const other = runId.replace(/.$/, (digit) => digit === "0" ? "1" : "0");
    assert.equal((await ask(["show", "1".padStart(30, "0")])).code, 1, "an id before all others");
    const nowhere = await ask(["show", other]);
    assert.deepEqual([nowhere.code, nowhere.error.split(":")[0]], [1, "RUN_NOT_FOUND"]);
    assert.match(
      (await ask(["show", "tea", "black"])).error,
      /^RUN_NOT_FOUND: "tea" has no run for key "black" in /,
    );

    const rows = json(await ask(["history", runId, "--json"])).items;
    assert.deepEqual(rows.map((row: { kind: string }) => row.kind), ["trigger", "move"]);
    const first = json(await ask(["history", runId, "--json", "--limit", "1"]));
    assert.equal(first.after, rows[0].position);
    const second = await ask(["history", "tea", "green", "--after", String(first.after)]);
    assert.match(
      second.out,
      /^TIME +WHAT +BY +FROM +TO +STATE +TOOK\n\S+Z {2}move +step +brewing +ready +completed .*ms\n$/,
    );
    assert.deepEqual(jsonLines(await ask(["history", runId, "--all", "--json"])).length, 2);

    const watched = await ask(["watch", runId]);
    assert.match(
      watched.out,
      /Z {2}initiated {2}trigger {3}-> brewing\n.*Z {2}completed {2}move {2}brewing -> ready\n$/,
    );
    assert.deepEqual(jsonLines(await ask(["watch", runId, "--json"])), rows);
  });

  Deno.test(`pawl trigger, callback and await take a run through its life: ${way}`, async () => {
    await using on = await stage();
    const ask = on[way];
    const again = ["trigger", "poll", "lunch", "--data", '{"votes":1}', "--idempotency-key", "k", "--json"];
    const made = json(await ask(again));
    assert.deepEqual(json(await ask(again)), { runId: made.runId, created: false });
    const busy = await ask(["trigger", "poll", "lunch", "--data", "-"], { input: '{"votes":2}' });
    assert.match(busy.error, /^RUN_IN_PROGRESS: /);

    const vote = await ask(["callback", "poll", "lunch", "open", "--payload", "-"], {
      input: '{"amount":4}',
    });
    assert.deepEqual(vote, { code: 0, out: `${made.runId} is running at open\n`, error: "" });
    assert.equal((await on.engine.get(poll, "lunch"))?.data.votes, 5);
    await on.engine.cancel(poll, "lunch");
    const late = await ask(["callback", made.runId, "open", "--payload", '{"amount":4}']);
    assert.equal(late.code, 1);
    assert.match(late.error, /^NOT_APPLIED: /);

    assert.equal((await ask(["await", "poll", "lunch"])).code, 1, "it was cancelled");
    assert.equal((await ask(["await", "poll", "lunch", "--status", "open"])).code, 0);
    const started = await ask(["trigger", "order", "o", "--json"]);
    const waited = await ask(["await", json(started).runId, "--timeout", "1ms"]);
    assert.deepEqual([waited.code, waited.error.split(":")[0]], [1, "AWAIT_TIMEOUT"]);
    await ask(["callback", "order", "o", "placed", "--payload", '{"amount":3}']);
    assert.equal(json(await ask(["await", "order", "o", "--json"])).status, "paid");
    const wrong = await ask(["await", "order", "o", "--status", "late"]);
    assert.match(wrong.error, /^RUN_ENDED: /);
  });

  Deno.test(`pawl pause, resume, cancel and delete-data do what operators do to a run: ${way}`, async () => {
    await using on = await stage();
    const ask = on[way];
    const { runId } = await on.engine.trigger(order, "o");
    assert.equal(json(await ask(["pause", runId, "--reason", "wait", "--json"])).reason, "wait");
    const twice = await ask(["pause", "order", "o"]);
    assert.deepEqual([twice.code, twice.error.split(":")[0]], [1, "RUN_STATE"]);
    assert.match((await ask(["resume", "order", "o"])).out, /^state {7}running$/m);
    assert.equal((await ask(["resume", "order", "o", "--reason", "no"])).code, 2, "it keeps none");
    assert.equal(json(await ask(["cancel", "order", "o", "--run", runId, "--json"])).runState, "cancelled");

    const nobody = await ask(["delete-data", "order", "o"]);
    assert.equal(nobody.code, 2);
    assert.match(nobody.error, /there is nobody to ask whether to; give --yes\n/);
    const no = await ask(["delete-data", "order", "o"], { answer: "no" });
    assert.deepEqual([no.code, no.out], [1, ""]);
    assert.match(no.error, /for good\. Go on\? \[y\/N\] NOT_CONFIRMED: Nothing was done\n$/);
    assert.equal((await on.engine.get(order, "o"))?.runState, "cancelled");
    assert.equal((await ask(["delete-data", "order", "o"], { answer: "y" })).code, 0);
    const state = (await on.engine.get(order, "o"))!.runState;
    assert.ok(state === "deletion-requested" || state === "deleted", state);
  });

  Deno.test(`pawl show tells of a lock, and what somebody has stored cannot write to the screen: ${way}`, async () => {
    await using on = await stage();
    const { runId } = await on.engine.trigger(printing, "p");
    for await (const row of on.engine.watch(printing, "p")) if (row.kind === "lock-acquired") break;
    await on.engine.pause(printing, "p", { reason: "\x1b[31mred\nline" });
    const { out } = await on[way](["show", runId]);
    assert.match(out, /^reason {6}\\u001b\[31mred\\nline$/m);
    assert.match(out, /^lock +holds acme\/printer$/m);
    assert.ok(!out.includes("\x1b"));
  });
}
