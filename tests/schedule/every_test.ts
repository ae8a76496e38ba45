import assert from "node:assert/strict";
import { every, PawlError } from "../../mod.ts";

Deno.test("every() is anchored at its phase in 1970, not at when it was made or asked", () => {
  const hourly = every("1h", { phase: "10m" });
  const noon = Date.UTC(2030, 0, 1, 12);
  assert.equal(hourly.next(noon), noon + 600_000);
  assert.equal(hourly.next(new Date(noon + 599_999)), noon + 600_000);
  assert.equal(hourly.next(noon + 600_000), noon + 4_200_000);
  assert.equal(hourly.next(noon + 599_999.5), noon + 600_000);
  assert.equal(every("1h", { phase: "10m" }).next(-1), 600_000);
  assert.equal(hourly.next(-3_000_001), -3_000_000);
});

Deno.test("every() keeps its start and its end, both with themselves", () => {
  const start = Date.UTC(2030, 0, 1);
  const end = start + 60_000;
  const of = every("30s", { start: new Date(start), end: new Date(end) });
  assert.equal(of.next(0), start);
  assert.equal(of.next(start), start + 30_000);
  assert.equal(of.next(end - 1), end);
  assert.equal(of.next(end), undefined);
  assert.deepEqual(of.stored, { type: "every", spec: { everyMs: 30_000, phaseMs: 0, start, end } });
});

Deno.test("every() ends where dates end", () => {
  const last = 8_640_000_000_000_000;
  const daily = every("1d");
  assert.equal(daily.next(last - 1), last);
  assert.equal(daily.next(last), undefined);
  assert.equal(daily.next(-last), -last + 86_400_000);
});

const refusals: readonly (readonly [string, () => unknown, string, RegExp])[] = [
  ["no time", () => every(0), "INVALID_RECURRENCE", /got every 0 ms, want at least 1 ms/],
  ["less than a millisecond", () => every(0.3), "INVALID_RECURRENCE", /got every 0 ms/],
  ["what is no duration", () => every("soon"), "INVALID_DURATION", /duration of every\(\)/],
  [
    "a phase as long as itself",
    () => every("1m", { phase: "1m" }),
    "INVALID_RECURRENCE",
    /less than the 60000 ms/,
  ],
  [
    "a start that is no date",
    () => every(1, { start: new Date(NaN) }),
    "INVALID_RECURRENCE",
    /start Invalid Date/,
  ],
  [
    "an option it does not know",
    () => every(1, { jitter: 1 } as never),
    "INVALID_RECURRENCE",
    /option "jitter"/,
  ],
  [
    "a stored spec of another shape",
    () => every.parse(undefined),
    "INVALID_RECURRENCE",
    /got every undefined ms/,
  ],
  [
    "a stored bound of another shape",
    () => every.parse({ everyMs: 1, phaseMs: 0, end: "x" }),
    "INVALID_RECURRENCE",
    /x/,
  ],
  ["to tell what follows no instant", () => every(1).next(new Date(NaN)), "INVALID_ARGUMENT", /Invalid Date/],
  ["to tell what follows infinity", () => every(1).next(Infinity), "INVALID_ARGUMENT", /Infinity/],
];
for (const [what, act, code, message] of refusals) {
  Deno.test(`every() refuses ${what}`, () => {
    assert.throws(act, (error: PawlError) => {
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  });
}
