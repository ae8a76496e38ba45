import assert from "node:assert/strict";
import fc from "fast-check";
import { jsonText, parseStored } from "../../core/json.ts";

const max = 1_000_000;

class Money {
  cents = 5;
}

Deno.test("jsonText() keeps every JSON value unchanged", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    // The one value JSON itself does not keep is -0, which it writes as 0.
    const zeroed = JSON.parse(JSON.stringify(value));
    assert.deepEqual(JSON.parse(jsonText(value, "data", max)), zeroed);
  }));
});

Deno.test("jsonText() keeps the keys __proto__, constructor and toString as plain data", () => {
  const text = '{"__proto__":{"admin":true},"constructor":1,"toString":"x","hasOwnProperty":null}';
  assert.equal(jsonText(JSON.parse(text), "data", max), text);
});

Deno.test("jsonText() leaves out undefined properties and writes undefined as null", () => {
  assert.equal(jsonText({ a: 1, b: undefined }, "data", max), '{"a":1}');
  assert.equal(jsonText(undefined, "data", max), "null");
});

Deno.test("jsonText() refuses what JSON would change, with NOT_JSON and the path", () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{ a: { b: 5n } }, /data\.a\.b: got a bigint/],
    [{ at: new Date(0) }, /data\.at: got a Date/],
    [{ list: [1, NaN] }, /data\.list\[1\]: got NaN/],
    [{ n: -Infinity }, /data\.n: got -Infinity/],
    [[undefined], /data\[0\]: got a undefined/],
    // deno-lint-ignore no-sparse-arrays
    [[1, , 2], /data\[1\]/],
    [{ f: () => 1 }, /data\.f: got a function/],
    [{ s: Symbol("x") }, /data\.s: got a symbol/],
    [{ m: new Map() }, /data\.m: got a Map/],
    [{ m: new Money() }, /data\.m: got a Money/],
    [{ b: new Uint8Array(1) }, /data\.b: got a Uint8Array/],
    [{ b: Object(true) }, /data\.b: got a Boolean/],
    [{ [Symbol("k")]: 1 }, /symbol keys/],
    [{ toJSON: () => 1 }, /data\.toJSON/],
    [cycle, /cycle/],
    [5n, /data: got a bigint/],
  ];
  for (const [value, message] of cases) {
    assert.throws(() => jsonText(value, "data", max), { code: "NOT_JSON", message }, String(message));
  }
});

Deno.test("jsonText() accepts objects without a prototype and of 400 levels", () => {
  assert.equal(jsonText(Object.assign(Object.create(null), { a: 1 }), "data", max), '{"a":1}');
  let deep: unknown = 1;
  for (let level = 0; level < 400; level++) deep = [deep];
  assert.equal(jsonText(deep, "data", max).length, 801);
});

Deno.test("jsonText() refuses text over the limit with PAYLOAD_TOO_LARGE and takes text at the limit", () => {
  assert.equal(jsonText("x".repeat(8), "data", 10).length, 10);
  assert.throws(() => jsonText("x".repeat(9), "data", 10), {
    code: "PAYLOAD_TOO_LARGE",
    message: /11 .* 10/,
  });
});

Deno.test("jsonText() writes lone surrogates so that any store can keep them", () => {
  const text = jsonText("\ud800", "data", max);
  assert.equal(text, '"\\ud800"');
  assert.equal(JSON.parse(text), "\ud800");
});

Deno.test("parseStored() names where the damage is, with STORE_CORRUPT", () => {
  assert.deepEqual(parseStored("[1]", "row"), [1]);
  assert.throws(() => parseStored("{", "key row"), { code: "STORE_CORRUPT", message: /key row/ });
});
