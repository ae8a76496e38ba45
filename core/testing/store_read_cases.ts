import { seededRandom } from "../ports/random.ts";
import { encodeKey, type KeyPart } from "../store/key.ts";
import type { Put, ReadOp } from "../store/store.ts";
import { fails, holds, same } from "./check.ts";
import { batch, everything, put, type StoreCase } from "./store_probe.ts";

const range = (start: string, end: string, limit: number, reverse = false): ReadOp => ({
  start,
  end,
  limit,
  ...(reverse && { reverse }),
});

const puts = (keys: readonly string[]): Put[] => keys.map((key, index) => ({ key, value: String(index) }));

/** Texts that stores are known to order or keep differently. */
const oddTexts = [
  "",
  " ",
  "!",
  "\u0000",
  "\u0000a",
  "a",
  "a ",
  "a b",
  "a!",
  "A",
  "Z",
  "~",
  "\u007f",
  "\u0080",
  "é",
  "e\u0301",
  "\uffff",
  "\ud800",
  "\udfff",
  "\ud800a",
  "😀",
  "😀\udc00",
  "__proto__",
  "constructor",
  "'; drop table pawl_kv; --",
  '"',
  "%_?*",
];

/** By code points, as the contract of keys has it; parts before what follows them. */
function compareTuples(a: readonly KeyPart[], b: readonly KeyPart[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = comparePoints(a[index] as string, b[index] as string);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function comparePoints(a: string, b: string): number {
  const [left, right] = [[...a], [...b]].map((chars) => chars.map((char) => char.codePointAt(0)!));
  for (let index = 0; index < Math.min(left!.length, right!.length); index++) {
    if (left![index] !== right![index]) return left![index]! - right![index]!;
  }
  return left!.length - right!.length;
}

/** Rules 1 and 5: what a read finds, and in which order. */
export const readCases: readonly StoreCase[] = [
  {
    name: "read() finds nothing in an empty store",
    async run({ probe }) {
      same(await probe.read([{ get: "a" }, everything, range("a", "b", 5, true)]), [[], [], []], "results");
      same(await probe.store.read([]), [], "result of no requests");
      same(await probe.read([]), [], "result of no ops");
    },
  },
  {
    name: "read() answers each op of each request in its place",
    async run({ probe }) {
      const last = probe.store.shards - 1;
      await probe.putAll(puts(["a", "b", "c"]));
      if (last > 0) await probe.put("z", 9, last);
      const results = await probe.store.read([
        { shard: 0, ops: [{ get: "b" }, range("a", "c", 9), { get: "absent" }, { get: "b" }] },
        { shard: last, ops: [] },
        { shard: last, ops: [{ get: last > 0 ? "z" : "a" }] },
        { shard: 0, ops: [{ get: "c" }, range("b", "b!", 1)] },
      ]);
      const keys = results.map((result) => result.map((found) => found.map((entry) => entry.key).join("")));
      same(keys, [["b", "ab", "", "b"], [], [last > 0 ? "z" : "a"], ["c", "b"]], "keys found");
    },
  },
  {
    name: "read() takes a range from its start up to, not including, its end",
    async run({ probe }) {
      const keys = ["a", "a ", "a 0", "a!", "aa", "b", "b ", "c"];
      await probe.putAll(puts(keys));
      const expected: [ReadOp, string[]][] = [
        [range("a", "b", 99), ["a", "a ", "a 0", "a!", "aa"]],
        [range("a ", "a!", 99), ["a ", "a 0"]],
        [range("a ", "b ", 99, true), ["b", "aa", "a!", "a 0", "a "]],
        [range("a", "a", 99), []],
        [range("b", "a", 99), []],
        [range("a1", "a9", 99), []],
        [range("a", "c", 0), []],
        [range("a", "c", 2), ["a", "a "]],
        [range("a", "c", 2, true), ["b ", "b"]],
        [range("a", "c", 7), keys.slice(0, 7)],
        [range(" ", "d", 99, true), keys.toReversed()],
        [range("b", "b ", 1), ["b"]],
      ];
      const found = await probe.read(expected.map(([op]) => op));
      expected.forEach(([op, wanted], index) => {
        same(found[index]!.map((entry) => entry.key), wanted, JSON.stringify(op));
      });
    },
  },
  {
    name: "read() reads long ranges whole",
    async run({ probe }) {
      const keys = Array.from({ length: 1_000 }, (_, index) => encodeKey("row", index * 3));
      await probe.putAll(puts(keys));
      for (const count of [99, 100, 101, 200, 999, 1_000]) {
        same(await probe.keys(range("row", "row!", count)), keys.slice(0, count), `first ${count}`);
        const last = keys.toReversed().slice(0, count);
        same(await probe.keys(range("row", "row!", count, true)), last, `last ${count}`);
      }
    },
  },
  {
    name: "read() keeps shards apart",
    async run({ probe }) {
      const shards = Array.from({ length: probe.store.shards }, (_, shard) => shard);
      for (const shard of shards) await probe.put(`key${shard}`, shard, shard);
      for (const shard of shards) {
        same(await probe.keys(everything, shard), [`key${shard}`], `keys of shard ${shard}`);
      }
    },
  },
  {
    name: "read() finds keys in the order of their tuples",
    async run({ probe }) {
      const random = seededRandom(7);
      const text = () => oddTexts[Math.floor(random.float() * oddTexts.length)]!;
      const tuples = [
        ...oddTexts.map((odd) => [odd]),
        ...oddTexts.map((odd) => ["a", odd]),
        ...Array.from({ length: 300 }, () => [text() + text(), text() + text()]),
      ];
      const byKey = new Map(tuples.map((tuple) => [encodeKey("t", ...tuple), tuple]));
      await probe.putAll(puts([...byKey.keys()]));
      const wanted = [...byKey].sort(([, a], [, b]) => compareTuples(a, b)).map(([key]) => key);
      same(await probe.keys(range("t ", "t!", 1_000)), wanted, "keys");
      const found = await probe.read(wanted.map((key) => ({ get: key })));
      same(found.map(([entry]) => entry?.key), wanted, "keys one by one");
    },
  },
  {
    name: "read() gives values back as they were written",
    async run({ probe }) {
      const values: unknown[] = [
        null,
        0,
        -1.5e-300,
        true,
        "",
        [],
        {},
        JSON.parse('{"__proto__": {"a": 1}, "constructor": null}'),
        ...oddTexts,
        oddTexts,
        { 'quotes "\\" and \'': "\\u0000 \u0000 \u2028 \u2029 \r\n\t" },
        "x".repeat(1_000_000),
        '😀\u0000"\\'.repeat(50_000),
      ];
      const texts = values.map((value) => JSON.stringify(value));
      // White space is part of the text, and the text is the store's to keep.
      texts.push(' {\n\t"a" : [ 1 , 2 ] } ');
      for (const [index, value] of texts.entries()) {
        await probe.commit([batch({ puts: [{ key: `v${index}`, value }] })]);
      }
      for (const [index, value] of texts.entries()) {
        const entry = await probe.get(`v${index}`);
        holds(entry?.value === value, `value ${index} came back changed: ${value.slice(0, 80)}`);
      }
    },
  },
  {
    name: "read() sees one snapshot",
    async run({ probe }) {
      await probe.commit([batch({ puts: [{ key: "x", value: "0" }, { key: "z", value: "0" }] })]);
      const write = async () => {
        for (let round = 1; round <= 40; round++) {
          const value = String(round);
          await probe.commit([batch({ puts: [{ key: "x", value }, { key: "z", value }] })]);
        }
      };
      const read = async () => {
        for (let round = 0; round < 40; round++) {
          const [a, both, z] = await probe.read([{ get: "x" }, range("x", "~", 9), { get: "z" }]);
          const versions = [...a!, ...both!, ...z!].map((entry) => entry.version);
          same(new Set(versions).size, 1, `versions ${versions}`);
        }
      };
      await Promise.all([write(), read(), read()]);
    },
  },
  {
    name: "read() sees every commit that was answered before it",
    async run({ probe }) {
      for (let round = 0; round < 20; round++) {
        await probe.commit([put("a", round)]);
        same(await probe.value("a"), round, "value");
      }
    },
  },
  {
    name: "read() refuses what is outside the limits",
    async run({ probe }) {
      const { limits } = probe.store;
      const gets = Array.from({ length: limits.opsPerReadMax }, () => ({ get: "a" }));
      const half = [{ shard: 0, ops: gets }, { shard: 0, ops: gets.slice(0, 1) }];
      await fails(() => probe.store.read(half), "LIMIT_EXCEEDED", "one op too many");
      same((await probe.read(gets)).length, gets.length, "results of as many ops as allowed");
      const long = range("a", "b", limits.entriesPerRangeMax + 1);
      await fails(() => probe.read([long]), "LIMIT_EXCEEDED", "a long range");
      same(await probe.read([range("a", "b", limits.entriesPerRangeMax)]), [[]], "the longest range");
      for (const limit of [-1, 0.5, NaN]) {
        await fails(() => probe.read([range("a", "b", limit)]), "INVALID_ARGUMENT", `limit ${limit}`);
      }
    },
  },
];
