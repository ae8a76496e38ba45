import assert from "node:assert/strict";
import { order, tea } from "../plugins/hono/stage.ts";
import { jsonLines, stage, ways } from "./stage.ts";

for (const way of ways) {
  Deno.test(`pawl pause --all tells how many, asks, and does it to those alone that match: ${way}`, async () => {
    await using on = await stage();
    const ask = on[way];
    for (const key of ["a-1", "a-2", "b-1"]) await on.engine.trigger(order, key);
    await on.engine.trigger(tea, "a-3", { data: { sugar: 1 } });
    const paused = async () =>
      (await on.engine.list({ runState: "paused" })).items.map(({ key }) => key).sort();
    const all = ["pause", "--all", "--definition", "order", "--prefix", "a-", "--reason", "why"];

    const nobody = await ask(all);
    assert.deepEqual([nobody.code, nobody.out], [2, ""]);
    assert.match(nobody.error, /^This is about to pause 2 runs of order in .*: there is nobody to ask/);
    const no = await ask(all, { answer: "" });
    assert.deepEqual([no.code, await paused()], [1, []]);
    const yes = await ask(all, { answer: "yes" });
    assert.deepEqual([yes.code, yes.out], [0, "2 of 2 done, 0 refused\n"]);
    assert.deepEqual(await paused(), ["a-1", "a-2"]);
    assert.equal((await on.engine.get(order, "a-1"))?.reason, "why");

    // Only those that it is for: what is paused already is not looked for.
    const rest = await ask(["pause", "--all", "--definition", "order", "--yes", "--json"]);
    assert.deepEqual(jsonLines(rest), [{ type: "done", matched: 1, done: 1, failed: 0 }]);
    assert.deepEqual(await ask(all), { code: 0, out: "", error: "There is no such run.\n" });
    const one = await ask(["resume", "--all", "--definition", "order", "--limit", "1", "-y"]);
    assert.equal(one.out, "1 of 1 done, 0 refused\n");
    assert.deepEqual(await paused(), ["a-2", "b-1"]);
    assert.equal(
      (await ask(["cancel", "--all", "--definition", "order", "-y"])).out,
      "3 of 3 done, 0 refused\n",
    );
    assert.equal(
      (await ask(["delete-data", "--all", "--definition", "order", "-y"])).out,
      "3 of 3 done, 0 refused\n",
    );
  });

  Deno.test(`a verb on many runs goes on where one refuses, tells of each, and fails: ${way}`, async () => {
    await using on = await stage();
    const ask = on[way];
    for (const key of ["a", "b", "c"]) await on.engine.trigger(order, key);
    const { runId } = await on.engine.pause(order, "b");
    const any = [
      "pause",
      "--all",
      "--definition",
      "order",
      "--state",
      "running",
      "--state",
      "initiated",
      "--state",
      "paused",
    ];
    const told = jsonLines(await ask([...any, "-y", "--json"]));
    assert.deepEqual(told.map(({ type, code, key }) => [type, code, key]), [
      ["failure", "RUN_STATE", "b"],
      ["done", undefined, undefined],
    ]);
    assert.equal(told[0].runId, runId);
    assert.deepEqual([told[1].done, told[1].failed], [2, 1]);
    const table = await ask([...any, "-y"], { columns: 80 });
    assert.deepEqual([table.code, table.out], [1, "0 of 3 done, 3 refused\n"]);
    const lines = table.error.split("\n");
    assert.equal(lines.filter((line) => / {2}[abc] {2}RUN_STATE: Cannot pause run /.test(line)).length, 3);
  });

  Deno.test(`a verb on many runs leaves alone what was triggered after the question: ${way}`, async () => {
    await using on = await stage(false);
    await on.engine.trigger(order, "asked");
    const answer = async () => {
      // Ids are ordered by the millisecond.
      for (const began = Date.now(); Date.now() <= began + 2;) await on.engine.list();
      await on.engine.trigger(order, "later");
      return "y";
    };
    const told = await on[way](["cancel", "--all", "--definition", "order"], { answer });
    assert.equal(told.out, "1 of 1 done, 0 refused\n");
    assert.equal((await on.engine.get(order, "later"))?.runState, "initiated");
  });

  Deno.test(`a verb on many runs refuses what could mean more than was meant: ${way}`, async () => {
    await using on = await stage(false);
    const ask = on[way];
    for (
      const args of [
        ["cancel", "--all", "-y"],
        ["cancel", "--all", "--definition", "order", "--definition", "tea", "-y"],
        ["cancel", "order", "a", "--all", "-y"],
        ["cancel", "order", "a", "--prefix", "b"],
        ["cancel", "order", "a", "--definition", "order"],
        ["cancel", "order", "a", "--limit", "2"],
      ]
    ) assert.equal((await ask(args)).code, 2, args.join(" "));
  });
}
