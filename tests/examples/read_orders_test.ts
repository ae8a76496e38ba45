import assert from "node:assert/strict";
import { readOrders } from "../../examples/orders/read_orders.ts";

const good = (await Deno.readTextFile(new URL("../../examples/orders/orders.ndjson", import.meta.url)))
  .split("\n")[0]!;
const order = (fields: Record<string, unknown>) => JSON.stringify({ ...JSON.parse(good), ...fields });

/** What is said of one line. */
async function said(line: string): Promise<string> {
  for await (const read of readOrders([line])) {
    return "problem" in read ? read.problem : `good: ${read.order.id}`;
  }
  return "passed over";
}

const cases: readonly [line: string, said: RegExp][] = [
  [good, /^good: /],
  [`\uFEFF${good}\r`, /^good: /],
  ["", /^passed over$/],
  ["   ", /^passed over$/],
  ["{", /not JSON/],
  ["[]", /list/],
  ["null", /object/],
  [order({ id: undefined }), /id is missing/],
  [order({ id: "" }), /id/],
  [order({ id: 7 }), /id is 7/],
  [order({ id: "__proto__" }), /^good: __proto__$/],
  [order({ id: "constructor" }), /^good: constructor$/],
  [order({ constructor: 1 }), /constructor/],
  [`{"__proto__":{},${good.slice(1)}`, /__proto__/],
  [order({ items: [] }), /items/],
  [order({ items: "many" }), /items/],
  [order({ notes: "x".repeat(1_000_000) }), /KiB/],
];

for (const [line, want] of cases) {
  Deno.test(`readOrders() says ${want} of ${JSON.stringify(line.slice(0, 30))}`, async () => {
    assert.match(await said(line), want);
  });
}

Deno.test("readOrders() names the first line of an id that comes twice", async () => {
  const read = [];
  for await (const line of readOrders([good, "", good])) read.push(line);
  assert.equal(read.length, 2);
  assert.deepEqual("problem" in read[1]! && [read[1].line, /line 1/.test(read[1].problem)], [3, true]);
});
