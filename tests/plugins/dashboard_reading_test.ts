/**
 * What the dashboard makes of addresses, filters, JSON, metrics and lines.
 *
 * @module
 */
import fc from "fast-check";
import assert from "node:assert/strict";
import { jsonRows, partsShown, searchJson } from "../../plugins/hono/dashboard/json_rows.ts";
import { lookOf, momentsOf, rateOf } from "../../plugins/hono/dashboard/meter.ts";
import { readMetrics } from "../../plugins/hono/dashboard/metric_text.ts";
import { readLines } from "../../plugins/hono/dashboard/ndjson.ts";
import { hrefOf, readPlace } from "../../plugins/hono/dashboard/place.ts";
import { recurrenceText } from "../../plugins/hono/dashboard/recurrence_text.ts";
import { apiFilter, filterOf, filterText, isAll, paramsOf } from "../../plugins/hono/dashboard/run_filter.ts";
import { mergeRows } from "../../plugins/hono/dashboard/run_feed.ts";
import { ownersOf } from "../../plugins/hono/dashboard/shard_owners.ts";
import type { History } from "../../plugins/hono/dashboard/wire.ts";
import { prometheusTelemetry } from "pawl/plugins/prometheus";

Deno.test("readPlace finds the names and parameters that hrefOf wrote, whatever they hold", () => {
  const name = fc.string({ minLength: 1, maxLength: 12, unit: "binary" }).filter((text) =>
    text.isWellFormed()
  );
  fc.assert(fc.property(fc.array(name, { minLength: 1 }), name, (names, value) => {
    const place = readPlace(hrefOf(names, { key: value, none: "", several: [value, "b"] }));
    assert.deepEqual(place.names, names);
    assert.equal(place.params.get("key"), value);
    assert.equal(place.params.get("none"), null);
    assert.deepEqual(place.params.getAll("several"), [value, "b"]);
  }));
  const odd = ["a/b", "?x=1", "100%", "#", ".."];
  assert.deepEqual(readPlace(hrefOf(odd)).names, odd);
  assert.deepEqual(readPlace("").names, []);
  assert.deepEqual(readPlace("#/runs/100%").names, ["runs", "100%"]);
});

Deno.test("filterOf reads back what paramsOf wrote, and takes nothing that is no filter", () => {
  const filter = filterOf(
    new URLSearchParams("definition=orders&state=paused&state=nonsense&within=1h&order=x&key=a*"),
  );
  assert.deepEqual([filter.states, filter.order], [["paused"], "newest"]);
  const place = readPlace(hrefOf(["runs"], paramsOf(filter)));
  assert.deepEqual(filterOf(place.params), filter);
  assert.deepEqual(apiFilter(filter, Date.UTC(2030, 0, 1, 12)), {
    ...{ definition: "orders", runState: ["paused"], keyPrefix: "a" },
    createdAfter: "2030-01-01T11:00:00.000Z",
  });
  assert.equal(
    filterText(filter),
    "all runs of orders, with a key like a*, that are paused, created in the last 1h",
  );
  assert.ok(isAll(filterOf(new URLSearchParams("order=oldest&within=yesterday"))));
  const range = filterOf(new URLSearchParams("within=range&after=2030-01-01T10:00&before=rubbish"));
  const { createdAfter, createdBefore } = apiFilter(range, 0);
  assert.deepEqual([createdAfter, createdBefore], [new Date("2030-01-01T10:00").toISOString(), undefined]);
});

const order = {
  customer: { name: "Ann", city: "Brno" },
  items: [{ sku: "tea", n: 2 }, { sku: "cup", n: 1 }],
  "a/b~c": null,
};
const view = { toggled: new Map<string, boolean>(), search: "" };

Deno.test("jsonRows shows what is open, in order, with the path of each", () => {
  const rows = jsonRows(order, view);
  assert.deepEqual(rows.map(({ path, depth, text }) => `${depth} ${path} ${text}`), [
    ...["0  { 3 }", "1 /customer { 2 }", '2 /customer/name "Ann"', '2 /customer/city "Brno"'],
    ...["1 /items [ 2 ]", "2 /items/0 { 2 }", "2 /items/1 { 2 }", "1 /a~1b~0c null"],
  ]);
  assert.deepEqual(rows.map(({ isOpen }) => isOpen), [
    ...[true, true, undefined, undefined, true, false, false, undefined],
  ]);
  const toggled = new Map([["/customer", false], ["/items/0", true]]);
  assert.deepEqual(jsonRows(order, { ...view, toggled }).map(({ path }) => path), [
    ...["", "/customer", "/items", "/items/0", "/items/0/sku", "/items/0/n", "/items/1", "/a~1b~0c"],
  ]);
});

Deno.test("jsonRows shows of a search what has it, and all that leads there", () => {
  const found = (search: string) => jsonRows(order, { ...view, search }).map(({ path }) => path);
  assert.deepEqual(found("CUP"), ["", "/items", "/items/1", "/items/1/sku"]);
  assert.deepEqual(found("sku"), ["", "/items", "/items/0", "/items/0/sku", "/items/1", "/items/1/sku"]);
  assert.deepEqual(found("ann"), ["", "/customer", "/customer/name"]);
  assert.deepEqual(found("nowhere"), []);
  assert.deepEqual([...searchJson(order, "b~c")], ["/a~1b~0c"]);
});

Deno.test("jsonRows shows a front of what has many parts, and more when asked", () => {
  const many = { all: Array.from({ length: 1_000 }, (_, n) => n) };
  const rows = jsonRows(many, view);
  assert.equal(rows.length, 2 + partsShown + 1);
  assert.equal(rows.at(-1)!.text, `${1_000 - partsShown} more`);
  assert.equal(jsonRows(many, { ...view, shown: new Map([["/all", 1_000]]) }).length, 1_002);
  assert.ok(jsonRows(many, { ...view, search: "999" }).some(({ path }) => path === "/all/999"));
});

Deno.test("jsonRows has a row for each part of any JSON when all is open", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
    const count = (each: unknown): number =>
      1 +
      (typeof each === "object" && each !== null
        ? Object.values(each).reduce((sum: number, part) => sum + count(part), 0)
        : 0);
    const toggled = { get: () => true } as unknown as ReadonlyMap<string, boolean>;
    const rows = jsonRows(value, { toggled, search: "" });
    assert.equal(rows.length, count(value));
    assert.equal(new Set(rows.map(({ path }) => path)).size, rows.length);
  }));
});

Deno.test("readMetrics reads what the Prometheus plugin writes, whatever the labels hold", () => {
  const telemetry = prometheusTelemetry();
  const counter = telemetry.counter({ name: "seen", help: "x", labels: ["a", "b"] });
  const labels = { a: 'say "x\\y"\n{1}', b: "} 2" };
  counter.add(3, labels);
  const [sample] = readMetrics(telemetry.render(), new Set(["seen"]));
  assert.deepEqual(sample, { name: "seen", labels, value: 3 });
});

Deno.test("momentsOf gives rates between looks, and begins anew when the engine did", () => {
  const text = (steps: number) =>
    `workflow_process_latency_seconds_count{process_name="p"} ${steps}
workflow_process_lag_seconds{process_name="p"} 2
workflow_process_lag_seconds{process_name="q"} 7
workflow_run_state_changes{current_run_state="completed",previous_run_state="running"} ${steps}
`;
  const moments = momentsOf([lookOf(text(10), 0), lookOf(text(30), 2_000), lookOf(text(4), 4_000)]);
  assert.deepEqual(moments.map(({ steps, ended, lag }) => [steps, ended, lag]), [[10, 10, 7], [2, 2, 7]]);
  assert.equal(rateOf(1, 2, 0), 0);
});

Deno.test("readLines gives each value of a text that is cut anywhere", async () => {
  const values = [{ type: "progress", done: 1 }, { text: "ü\n" }, { last: true }];
  const text = values.map((value) => JSON.stringify(value)).join("\n");
  for (let cut = 1; cut < text.length; cut++) {
    const pieces = (async function* () {
      yield text.slice(0, cut);
      yield text.slice(cut);
    })();
    const found: unknown[] = [];
    for await (const value of readLines(pieces)) found.push(value);
    assert.deepEqual(found, values);
  }
});

Deno.test("mergeRows keeps each row of a history once, in order, however it came", () => {
  const rows = [1, 2, 3, 5, 8].map((position) => ({ position }) as History);
  fc.assert(fc.property(fc.array(fc.subarray(rows), { maxLength: 5 }), (parts) => {
    const found = parts.reduce<readonly History[]>((known, part) => mergeRows(known, part), []);
    const wanted = rows.filter((each) => parts.some((part) => part.includes(each)));
    assert.deepEqual(found, wanted);
  }));
});

Deno.test("ownersOf counts the shards of each owner, with those of nobody last", () => {
  const shard = (shard: number, engineId?: string) => ({
    ...{ shard, definition: "orders", epoch: 2, since: "" },
    ...(engineId !== undefined && { engineId }),
  });
  assert.deepEqual(ownersOf([shard(2, "a"), shard(3), shard(0, "b"), shard(1, "b"), shard(4), shard(5)]), [{
    definition: "orders",
    handOvers: 12,
    owners: [
      { engineId: "b", shards: [0, 1] },
      { engineId: "a", shards: [2] },
      { engineId: undefined, shards: [3, 4, 5] },
    ],
  }]);
});

Deno.test("recurrenceText says what is known in words, and shows the rest as it is stored", () => {
  const texts = [
    { type: "every", spec: { everyMs: 86_400_000, phaseMs: 7_200_000 } },
    { type: "cron", spec: { expression: "0 2 * * *" } },
    { type: "other", spec: "x" },
  ].map(recurrenceText);
  assert.deepEqual(texts, ["every 1 d, shifted by 2 h", 'cron {"expression":"0 2 * * *"}', "other x"]);
});
