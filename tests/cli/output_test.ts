import assert from "node:assert/strict";
import fc from "fast-check";
import { fields, table } from "../../cli/output/table.ts";
import { distanceText, lengthText, timeText } from "../../cli/output/times.ts";
import { cutTo, shown, widthOf } from "../../cli/output/width.ts";
import { order } from "../plugins/hono/stage.ts";
import { run, stage } from "./stage.ts";

const columns = [
  { title: "ID", text: (row: readonly string[]) => row[0] },
  { title: "ONE", text: (row: readonly string[]) => row[1], canShrink: true },
  { title: "TWO", text: (row: readonly string[]) => row[2], canShrink: true },
];

Deno.test("a table is as wide as the screen at most, its columns are straight, and ids are whole", () => {
  const cell = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 20 }));
  const row = fc.tuple(fc.stringMatching(/^[a-f0-9]{6}$/), cell, cell);
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 28, max: 90 }),
      (rows, width) => {
        const lines = table(rows, columns, width).trimEnd().split("\n");
        assert.equal(lines.length, rows.length + 1);
        for (const [index, line] of lines.entries()) {
          assert.ok(widthOf(line) <= width, `${widthOf(line)} > ${width}: ${line}`);
          if (index > 0) assert.ok(line.startsWith(rows[index - 1]![0]));
        }
      },
    ),
  );
});

Deno.test("a column that gives way shows where something is left out, and a column of nothing is not shown", () => {
  const rows = [["1", "a long text that does not fit", "short"]];
  assert.equal(table(rows, columns, 30), "ID  ONE                  TWO\n1   a long text that d…  short\n");
  assert.equal(table([["1", "", "x"]], columns, 30), "ID  TWO\n1   x\n");
  assert.equal(table(rows, columns, Infinity).split("\n")[1], "1   a long text that does not fit  short");
});

Deno.test("nothing that is stored moves on the screen, and wide characters count for two", () => {
  assert.equal(shown("a\x1b[2Jb\nc\u202e\x9b"), "a\\u001b[2Jb\\nc\\u202e\\u009b");
  assert.deepEqual(["abc", "日本", "é", "e\u0301", "🍵"].map(widthOf), [3, 4, 1, 1, 2]);
  assert.deepEqual([cutTo("日本語", 5), cutTo("日本語", 6), cutTo("abc", 2)], ["日本…", "日本語", "a…"]);
});

Deno.test("fields stand below each other, with further lines below the first", () => {
  assert.equal(fields([["a", "1\n2"], ["long", "3"], ["none", undefined]]), "a     1\n      2\nlong  3\n");
});

Deno.test("times are told by their distance on a screen, and in full elsewhere", () => {
  const now = new Date("2030-01-31T12:00:00Z");
  const at = (ms: number) => new Date(now.getTime() + ms);
  const told = [-500, -1_500, -90_000, 7_200_000, -3 * 86_400_000].map((ms) => distanceText(at(ms), now));
  assert.deepEqual(told, ["now", "1 s ago", "1 m ago", "in 2 h", "3 d ago"]);
  assert.equal(timeText(at(-90_000), now, false), "2030-01-31T11:58:30.000Z");
  assert.deepEqual([12, 1_000, 200_000, 187_200_000].map(lengthText), [
    "12 ms",
    "1 s",
    "3 m 20 s",
    "2 d 4 h",
  ]);
});

Deno.test("there are colours on a screen alone, and none where NO_COLOR is set or the screen has none", async () => {
  await using on = await stage(false);
  await on.engine.trigger(order, "o");
  await on.engine.pause(order, "o");
  const list = async (world: Parameters<typeof run>[1]) => (await on.onDatabase(["list"], world)).out;
  assert.ok((await list({ columns: 120 })).includes("\x1b[33mpaused\x1b[0m"));
  for (
    const world of [{}, { columns: 120, env: { NO_COLOR: "1" } }, { columns: 120, env: { TERM: "dumb" } }]
  ) assert.ok(!(await list(world)).includes("\x1b"));
});
