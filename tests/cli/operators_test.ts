import assert from "node:assert/strict";
import { every } from "../../mod.ts";
import { failing, printing, tea } from "../plugins/hono/stage.ts";
import { json, stage, ways } from "./stage.ts";

for (const way of ways) {
  Deno.test(`pawl schedules lists, shows, pauses, unpauses, triggers and deletes: ${way}`, async () => {
    await using on = await stage();
    const ask = on[way];
    assert.equal((await ask(["schedules"])).error, "There is none.\n");
    for (const id of ["nightly", "often"]) {
      const recurrence = every("1000d");
      await on.engine.schedules.create({ id, target: tea, key: id, data: { sugar: 2 }, recurrence });
    }
    const table = (await ask(["schedules", "list"])).out;
    assert.match(table, /^SCHEDULE +DEFINITION +KEY +RECURRENCE +IS +NEXT/);
    assert.match(table, /^often +tea +often +every \{"everyMs":86400000000,.*\} +on +\d{4}-/m);
    const page = json(await ask(["schedules", "--limit", "1", "--json"]));
    assert.deepEqual(page.items.map((each: { id: string }) => each.id), ["nightly"]);
    assert.equal(json(await ask(["schedules", "--cursor", page.cursor, "--json"])).items[0].id, "often");

    const paused = json(await ask(["schedules", "pause", "often", "--note", "stock-taking", "--json"]));
    assert.deepEqual([paused.enabled, paused.note], [false, "stock-taking"]);
    assert.match((await ask(["schedules", "show", "often"])).out, /^is {10}paused$/m);
    assert.equal(json(await ask(["schedules", "unpause", "often", "--no-catch-up", "--json"])).enabled, true);
    assert.equal(json(await ask(["schedules", "show", "often", "--json"])).upcoming.length, 10);
    assert.match((await ask(["schedules", "trigger", "often"])).out, /^an occurrence for \d{4}-\S+Z\n$/);
    // Whoever is at work hears of it.
    let outcomes = "";
    for (let asked = 0; asked < 1_000 && outcomes === ""; asked++) {
      outcomes = (await ask(["schedules", "outcomes", "often"])).out;
    }
    assert.match(outcomes, /^FOR +OUTCOME +BY +RUN +DECIDED\n\S+Z +started +trigger +[0-9a-f]{30} +\S+Z\n$/);
    assert.equal((await on.engine.await(tea, "often")).status, "ready");

    assert.equal((await ask(["schedules", "delete", "often"])).code, 2);
    assert.equal((await ask(["schedules", "delete", "often"], { answer: "y" })).out, "deleted\n");
    const gone = await ask(["schedules", "delete", "often", "--yes"]);
    assert.deepEqual([gone.code, gone.error.split(":")[0]], [1, "SCHEDULE_NOT_FOUND"]);
    assert.match((await ask(["schedules", "pause", "often"])).error, /^SCHEDULE_NOT_FOUND/);
    assert.equal((await ask(["schedules", "stop", "often"])).code, 2);
    assert.equal((await ask(["schedules", "trigger", "nightly", "--overlap", "no"])).code, 2);
  });

  Deno.test(`pawl locks shows who holds and who waits, and takes a lock away: ${way}`, async () => {
    await using on = await stage();
    const ask = on[way];
    assert.equal((await ask(["locks"])).error, "There is no lock that anybody has asked for.\n");
    const { runId } = await on.engine.trigger(printing, "p");
    for await (const row of on.engine.watch(printing, "p")) if (row.kind === "lock-acquired") break;
    const place = ["--namespace", "acme"];
    assert.match(
      (await ask(["locks", ...place])).out,
      new RegExp(`^acme +printer +mutex +1 +printing ${runId} +0$`, "m"),
    );
    assert.match(
      (await ask(["locks", "show", "printer", ...place])).out,
      /^holders +printing [0-9a-f]{30}, token 1, since /m,
    );
    assert.equal(json(await ask(["locks", "show", "printer", ...place, "--json"])).holders[0].holder, runId);
    assert.match(
      (await ask(["locks", "show", "printer"])).error,
      /^NOT_FOUND: Nobody has ever asked for lock "printer"/,
    );

    const release = ["locks", "force-release", "printer", ...place, "--reason", "it burns"];
    assert.equal((await ask(release)).code, 2);
    assert.equal((await ask([...release, "--token", "7", "--yes"])).out, "0 holds released\n");
    assert.equal((await ask(release, { answer: "y" })).out, "1 hold released\n");
    const rows = await on.engine.history({ runId });
    assert.equal(rows.find((row) => row.kind === "lock-lost")?.reason, "it burns");
  });

  Deno.test(`pawl parked lists hooks that failed too often, and pawl retry tries one again: ${way}`, async () => {
    await using on = await stage();
    const ask = on[way];
    const none = await ask(["parked"]);
    assert.equal(none.error, "There is no parked hook.\n");
    await on.engine.trigger(failing, "f");
    // It is parked by the engine, after the run has ended.
    let items: { readonly id: string }[] = [];
    for (let asked = 0; asked < 1_000 && items.length === 0; asked++) {
      items = json(await ask(["parked", "--definition", "failing", "--json"])).items;
    }
    assert.match((await ask(["parked"])).out, /^[0-9a-f]{30}-\d+-\d+ +failing +f +complete 1 +1 +no$/m);
    assert.match((await ask(["status"])).out, /Hooks have failed too often: see pawl parked/);
    assert.equal((await ask(["retry", items[0]!.id])).out, "is tried again\n");
    const unknown = await ask(["retry", items[0]!.id.replace(/^./, "f")]);
    assert.match(unknown.error, /^HOOK_NOT_FOUND: /);
  });

  Deno.test(`pawl status, verify, definitions and diagram tell of engines, store and code: ${way}`, async () => {
    await using on = await stage();
    const ask = on[way];
    await on.engine.trigger(tea, "green", { data: { sugar: 1 } });
    await on.engine.await(tea, "green");
    const status = json(await ask(["status", "--counts", "--json"]));
    assert.equal(status.engines[0].engineId, on.engine.admin.engineId);
    assert.deepEqual(status.counts, [{ definition: "tea", runState: "completed", runs: 1 }]);
    const told = await ask(["status", "--owners", "--counts", "--definition", "order"]);
    assert.match(
      told.out,
      new RegExp(`^${on.engine.admin.engineId} +alive .* 5 +tea, order, poll, printing, failing$`, "m"),
    );
    assert.match(told.out, new RegExp(`^ +0 +tea +${on.engine.admin.engineId} `, "m"));
    assert.match(told.out, /\nThere is no run\.\n$/);

    const verified = await ask(["verify"]);
    assert.match(verified.out, /^sound: 1 runs, \d+ entries, 0 findings\n$/);
    assert.equal(json(await ask(["verify", "--json"])).ok, true);
    assert.match(
      (await ask(["definitions"])).out,
      /^order +machine +placed, paid, late +paid, late +placed$/m,
    );
    assert.equal(json(await ask(["definitions", "--json"])).items.length, 5);
    assert.match(
      (await ask(["diagram", "tea", "--direction", "TB"])).out,
      /^stateDiagram-v2\n {2}direction TB\n/,
    );
    assert.match(json(await ask(["diagram", "tea", "--json"])).diagram, /^stateDiagram-v2/);
    assert.equal((await ask(["diagram", "tea", "--direction", "up"])).code, 2);
  });
}
