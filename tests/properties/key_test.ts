import assert from "node:assert/strict";
import fc from "fast-check";
import {
  encodeKey,
  escapeText,
  keyAfter,
  keyNumberMax,
  type KeyPart,
  prefixKey,
  rangeOf,
  readStamp,
  splitKey,
  stamp,
  unescapeText,
} from "../../core/store/key.ts";
import { describeKey, keyspace } from "../../core/store/keyspace.ts";

/** Any UTF-16, lone surrogates included, and often what is special to the encoding. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 })
    .map((units) => String.fromCharCode(...units)),
  fc.string({
    unit: fc.constantFrom(" ", "!", "~", "\u007f", "}", '"', "\0", "a", "\ud83d", "\ude00"),
    maxLength: 6,
  }),
);
const number = fc.oneof(fc.nat({ max: keyNumberMax }), fc.nat({ max: 20 }), fc.constant(keyNumberMax));

/** Two tuples of one shape: of what a range mixes, the n-th parts are all texts or all numbers. */
const tuples = fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }).chain((shape) => {
  const tuple = fc.tuple(...shape.map((isText): fc.Arbitrary<KeyPart> => isText ? text : number));
  return fc.tuple(tuple, tuple, fc.nat({ max: shape.length }));
});

function compareText(a: string, b: string): number {
  const left = Array.from(a, (char) => char.codePointAt(0)!);
  const right = Array.from(b, (char) => char.codePointAt(0)!);
  const at = left.findIndex((point, index) => point !== right[index]);
  if (at < 0) return left.length - right.length;
  return at >= right.length ? 1 : left[at]! - right[at]!;
}

function compareTuples(a: readonly KeyPart[], b: readonly KeyPart[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left, right] = [a[index]!, b[index]!];
    const order = typeof left === "number" ? left - (right as number) : compareText(left, right as string);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

const sign = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0;

Deno.test("encodeKey() keeps the order of tuples", () => {
  fc.assert(
    fc.property(tuples, ([a, b, cut]) => {
      assert.equal(sign(encodeKey(...a), encodeKey(...b)), Math.sign(compareTuples(a, b)));
      const front = b.slice(0, cut);
      if (cut === 0) return;
      assert.equal(sign(encodeKey(...a), encodeKey(...front)), Math.sign(compareTuples(a, front)));
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("encodeKey() writes printable ASCII, from which the parts can be read", () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (parts) => {
      const key = encodeKey(...parts);
      assert.match(key, /^[ -~]*$/);
      assert.deepEqual(splitKey(key).map(unescapeText), parts);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("escapeText() can be undone and keeps the order of code points", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.equal(unescapeText(escapeText(a)), a);
      assert.equal(sign(escapeText(a), escapeText(b)), Math.sign(compareText(a, b)));
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("stamp() can be undone and keeps the order of numbers", () => {
  fc.assert(fc.property(number, number, (a, b) => {
    assert.equal(readStamp(stamp(a)), a);
    assert.equal(sign(stamp(a), stamp(b)), Math.sign(a - b));
  }));
  for (const bad of [-1, 0.5, NaN, keyNumberMax + 1]) assert.throws(() => stamp(bad), { code: "INTERNAL" });
});

Deno.test("rangeOf() holds exactly the keys that continue a tuple", () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 2 }), fc.array(text, { maxLength: 3 }), (a, b) => {
      const { start, end } = rangeOf(...a);
      const key = encodeKey(...b);
      const continues = b.length > a.length && a.every((part, index) => part === b[index]);
      assert.equal(key >= start && key < end, continues);
      const longer = encodeKey(...a, ...b);
      assert.equal(longer >= start && longer < end, b.length > 0);
      assert.equal(prefixKey(...a), start);
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("keyAfter() has no key before it", () => {
  fc.assert(fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), text, (parts, other) => {
    const key = encodeKey(...parts);
    for (
      const later of [
        encodeKey(...parts, other),
        encodeKey(...parts.slice(0, -1), parts.at(-1)! + other + "a"),
      ]
    ) {
      assert.ok(keyAfter(key) > key && keyAfter(key) <= later);
    }
  }));
});

Deno.test("describeKey() reads keys back", () => {
  fc.assert(fc.property(text, text, (definition, key) => {
    const described = describeKey(keyspace.key.key(definition, key));
    assert.equal(described?.space, keyspace.key);
    assert.deepEqual({ ...described?.parts }, { definition, key });
  }));
});
