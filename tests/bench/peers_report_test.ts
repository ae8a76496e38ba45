import assert from "node:assert/strict";
import { type Column, figure, median, type Outcome, report, table } from "../../bench/peers/report.ts";
import { type Subject, subjects } from "../../bench/peers/subjects.ts";

const subject = (id: string): Subject => ({ id, name: id, engine: id, durability: "none", tuned: "nothing" });
const [first, second] = [subject("first"), subject("second")];
const rate: Column = { job: "chains", title: "steps/s", number: "rate" };
const wait: Column = { job: "latency", title: "ms; p99", number: "p50", beside: "p99", less: true };

const rates = (id: string, ...values: number[]): Outcome[] =>
  values.map((value, index) => ({ subject: id, job: "chains", round: index + 1, numbers: { rate: value } }));

/** The cells of an engine in the absolute table, and in that of ratios. */
function cellsOf(outcomes: readonly Outcome[], columns: readonly Column[]) {
  const lines = report(outcomes, [first, second], columns).split("\n").filter((line) =>
    /^\| second/.test(line)
  );
  return lines.map((line) => line.split("|").slice(2, -1).map((cell) => cell.trim()));
}

Deno.test("a median is the middle one, or the mean of the two in the middle", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 9, 2]), 3);
  assert.deepEqual([12_345, 123.4, 12.34, 1.234].map(figure), ["12,345", "123", "12.3", "1.23"]);
});

Deno.test("a cell has the median with its spread, and a ratio of more is faster, also where less is better", () => {
  const times: Outcome[] = [
    { subject: "first", job: "latency", round: 1, numbers: { p50: 1, p99: 3 } },
    { subject: "second", job: "latency", round: 1, numbers: { p50: 4, p99: 8 } },
  ];
  const outcomes = [...rates("first", 200, 100, 400), ...rates("second", 50, 10, 100), ...times];
  assert.deepEqual(cellsOf(outcomes, [rate, wait]).slice(0, 2), [
    ["50.0 (10.0 to 100)", "4.00 (4.00 to 4.00); 8.00"],
    ["0.25", "0.25"],
  ]);
});

Deno.test("what failed is told, and differs from what an engine has not", () => {
  const failure: Outcome = {
    subject: "second",
    job: "chains",
    round: 2,
    error: "3 of 9 runs did not come to an end",
  };
  const some = cellsOf([...rates("first", 100), ...rates("second", 50), failure], [rate]);
  assert.deepEqual(some.slice(0, 2), [["50.0 (50.0 to 50.0), 1 failed"], ["0.50"]]);
  const all = cellsOf([...rates("first", 100), failure], [rate]);
  assert.deepEqual(all.slice(0, 2), [["failed"], [""]]);
  const none = cellsOf([...rates("first", 100), { subject: "second", job: "chains", round: 1 }], [rate]);
  assert.deepEqual(none.slice(0, 2), [["none"], [""]]);
  assert.match(
    report([failure], [first, second], [rate]),
    /- second: 3 of 9 runs did not come to an end \(chains 2\)/,
  );
});

Deno.test("the ratios are of Pawl on a libSQL file, and names of engines can be told apart", () => {
  assert.equal(subjects[0]!.id, "pawl");
  assert.equal(new Set(subjects.map(({ id }) => id)).size, subjects.length);
  assert.equal(table(["a", "b"], [["one", "2"]]), "| a   | b   |\n| --- | --- |\n| one | 2   |");
});
