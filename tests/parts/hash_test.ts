import assert from "node:assert/strict";
import fc from "fast-check";
import { fingerprint, hash32 } from "../../core/hash.ts";
import { hashSuffix, shardOfHash, shardOfRunId } from "../../core/parts/run_id.ts";

// These values are in stored keys and run ids: a change of one would lose runs.
const golden: readonly (readonly [text: string, hash: number, fingerprint: string])[] = [
  ["", 2_872_998_923, "ab3e7c0bebb6c228-0"],
  ["a", 444_641_715, "1a80b1b32e2ac387-1"],
  ["orders order-1", 416_850_329, "18d8a19925ab44ef-e"],
  ['key "quoted"', 2_119_980_417, "7e5c55812341bc46-c"],
  ["漢字", 920_954_693, "36e4a745dce3632c-2"],
  ["\u{1f600}", 1_787_143_206, "6a85a426ff3381f9-2"],
  ["\ud800", 1_463_727_854, "573eb6ee6bdb0410-1"],
  ["__proto__", 3_182_021_803, "bda9ccab56bda26e-9"],
  ["x".repeat(1_000), 1_841_099_346, "6dbcf252f39878f4-3e8"],
];

Deno.test("hash32() gives the values of the stored format", () => {
  for (const [text, hash] of golden) assert.equal(hash32(text), hash, JSON.stringify(text));
});

Deno.test("fingerprint() gives the values of the stored format", () => {
  for (const [text, , print] of golden) assert.equal(fingerprint(text), print, JSON.stringify(text));
});

Deno.test("hash32() is unsigned, whole and below 2^32 for any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const hash = hash32(text);
    assert.ok(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32);
    assert.equal(hash32(text), hash);
  }));
});

Deno.test("hash32() spreads short similar keys evenly over 16 shards", () => {
  const counts = new Array<number>(16).fill(0);
  for (let index = 0; index < 16_000; index++) counts[shardOfHash(hash32(`orders order-${index}`), 16)]!++;
  assert.ok(Math.min(...counts) > 850 && Math.max(...counts) < 1_150, counts.join(" "));
});

Deno.test("shardOfRunId() finds in an id the shard that shardOfHash() chose", () => {
  fc.assert(fc.property(fc.nat(0xffffffff), fc.integer({ min: 1, max: 65_536 }), (hash, shards) => {
    const id = "0123456789ab".padEnd(26, "0") + hashSuffix(hash);
    assert.equal(shardOfRunId(id, shards), shardOfHash(hash, shards));
  }));
});

Deno.test("shardOfRunId() refuses what is no run id", () => {
  for (const text of ["", "x".repeat(30), "0".repeat(29), "0".repeat(31), "A".repeat(30)]) {
    assert.equal(shardOfRunId(text, 4), undefined, text);
  }
});

Deno.test("fingerprint() tells texts apart that differ in one character", () => {
  fc.assert(fc.property(fc.string({ minLength: 1 }), fc.nat(), (text, at) => {
    const index = at % text.length;
    const other = text.slice(0, index) + "\u0000x" + text.slice(index + 1);
    assert.notEqual(fingerprint(text), fingerprint(other));
  }));
});
