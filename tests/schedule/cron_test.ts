import assert from "node:assert/strict";
import { Cron } from "croner";
import { cron } from "../../plugins/cron/mod.ts";

/** What comes after, so many times, to the minute. */
function next(expression: string, after: string, count = 1): string[] {
  const made = cron(expression);
  const found: string[] = [];
  let at: number | undefined = Date.parse(after);
  while (found.length < count && (at = made.next(at!)) !== undefined) {
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

Deno.test("cron() of 29 February occurs in each leap year, and 100 years may have one less", () => {
  assert.deepEqual(next("0 0 29 2 *", "2028-02-29T00:00:00Z", 2), ["2032-02-29T00:00", "2036-02-29T00:00"]);
  assert.deepEqual(next("0 0 29 2 *", "2096-02-29T00:00:00Z"), ["2104-02-29T00:00"]);
});

Deno.test("cron() takes either day when both are named, as Vixie's does", () => {
  assert.deepEqual(next("0 0 13 * fri", "2026-02-01T00:00:00Z", 4), [
    "2026-02-06T00:00",
    "2026-02-13T00:00",
    "2026-02-20T00:00",
    "2026-02-27T00:00",
  ]);
  assert.deepEqual(next("0 0 13,14 * 0-6", "2026-02-01T00:00:00Z", 2), [
    "2026-02-02T00:00",
    "2026-02-03T00:00",
  ]);
});

Deno.test("cron() wants both days when one begins with a star, be it a step's", () => {
  assert.deepEqual(next("0 0 */2 * mon", "2026-02-01T00:00:00Z", 2), [
    "2026-02-09T00:00",
    "2026-02-23T00:00",
  ]);
  assert.deepEqual(next("0 0 13 * *", "2026-02-01T00:00:00Z", 2), ["2026-02-13T00:00", "2026-03-13T00:00"]);
  assert.deepEqual(next("0 0 ? * fri", "2026-02-01T00:00:00Z", 1), ["2026-02-06T00:00"]);
});

Deno.test("cron() reads names, lists, ranges, steps, Sundays of both numbers, and days that depend on the month", () => {
  assert.deepEqual(next("0 9-17/4,23 1 JAN-mar *", "2026-01-01T13:00:00Z", 3), [
    "2026-01-01T17:00",
    "2026-01-01T23:00",
    "2026-02-01T09:00",
  ]);
  for (const sunday of ["0", "7", "sun", "Sun", "7-7"]) {
    assert.deepEqual(next(`0 0 * * ${sunday}`, "2026-02-02T00:00:00Z"), ["2026-02-08T00:00"], sunday);
  }
  assert.deepEqual(next("0 0 * * fri-sun", "2026-02-02T00:00:00Z", 3).map((at) => at.slice(8, 10)), [
    "06",
    "07",
    "08",
  ]);
  assert.deepEqual(next("0 0 L * *", "2028-02-01T00:00:00Z"), ["2028-02-29T00:00"]);
  assert.deepEqual(next("0 0 * * tue#2", "2026-02-01T00:00:00Z"), ["2026-02-10T00:00"]);
  assert.deepEqual(next("0 0 * * friL", "2026-02-01T00:00:00Z"), ["2026-02-27T00:00"]);
  assert.deepEqual(next("30 5 0 * * *", "2026-02-01T00:00:00Z"), ["2026-02-01T00:05"]);
});

Deno.test("cron() reads the names of whole expressions", () => {
  const from = "2026-02-03T10:30:00Z";
  const names = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
  assert.deepEqual(names.map((name) => next(name, from)[0]), [
    "2027-01-01T00:00",
    "2027-01-01T00:00",
    "2026-03-01T00:00",
    "2026-02-08T00:00",
    "2026-02-04T00:00",
    "2026-02-04T00:00",
    "2026-02-03T11:00",
  ]);
  assert.deepEqual(next("@every 1h30m", from), ["2026-02-03T12:00"]);
});

Deno.test("cron() stores what it was made of, with what it means by default", () => {
  assert.deepEqual(cron("0 2 * * *", { timeZone: "Europe/London" }).stored, {
    type: "cron",
    spec: { expression: "0 2 * * *", timeZone: "Europe/London", gap: "first-valid", overlap: "first" },
  });
  assert.deepEqual(cron("*/5 * * * *").stored.spec, {
    expression: "*/5 * * * *",
    timeZone: "UTC",
    gap: "skip",
    overlap: "both",
  });
  assert.deepEqual(cron("@every 15m").stored.spec, { expression: "@every 15m" });
});

Deno.test("cron() asks croner the same few times, however long ago it was asked about", () => {
  const { prototype } = Cron;
  const { nextRun } = prototype;
  let asked = 0;
  prototype.nextRun = function (...given) {
    asked++;
    return nextRun.apply(this, given);
  };
  try {
    const made = cron("*/7 * * * * *", { timeZone: "America/New_York" });
    for (const year of [1950, 2020, 2026, 2400]) {
      asked = 0;
      assert(made.next(Date.UTC(year, 5, 1)));
      assert(asked <= 2, `asked ${asked} times in ${year}`);
    }
  } finally {
    prototype.nextRun = nextRun;
  }
});

const refusals: readonly (readonly [string, string, RegExp])[] = [
  ["60 * * * *", "a minute that is none", /at character 1, got minute "60", want 0 to 59/],
  ["0 25 * * *", "an hour that is none", /at character 3, got hour "25", want 0 to 23/],
  ["0 0 0 * *", "day 0 of a month", /at character 5, got day of month "0", want 1 to 31/],
  ["0 0 1 foo *", "a month that is none", /at character 7, got month "foo", want 1 to 12, or jan to dec/],
  ["0  0 * * 1,8", "a day of the week that is none", /at character 12, got day of week "8"/],
  ["0 0 * * 1#6", "a sixth Monday", /at character 11, got "6", want 1 to 5: which 1 of the month/],
  ["1,,2 * * * *", "nothing in a list", /at character 3, got minute ""/],
  ["-5 * * * *", "a negative minute", /at character 1, got minute ""/],
  ["0 22-2 * * *", "a range that runs backwards", /at character 3.*want a list of two: "22-23,0-2"/],
  ["1-2-3 * * * *", "a range of three", /at character 5, got a second range "3"/],
  ["*-5 * * * *", "a range from a star", /at character 3, got a range from "\*"/],
  ["5/10 * * * *", "a step after one value", /at character 3.*want a range: "5-59\/10"/],
  ["*/0 * * * *", "a step of nothing", /at character 3, got the step "0"/],
  [
    "*/90 * * * *",
    "a step over the hour",
    /at character 3, got the step "90", want a whole number from 1 to 59/,
  ],
  ["*/5/5 * * * *", "a step of a step", /at character 5, got a second step "5"/],
  ["? * * * *", "any minute by a question mark", /at character 1, got minute "\?"/],
  ["* * * *", "four fields", /at character 8, got 4 fields, want 5, or 6/],
  ["* * * * * * *", "seven fields", /at character 13, got 7 fields/],
  ["", "nothing", /at character 1, got 0 fields/],
  [
    "@reboot",
    "a name it does not know",
    /at character 1, got "@reboot", want "@every 15m", or one of @yearly/,
  ],
  ["@every soon", "a span that is none", /at character 8 "soon", want a duration/],
  ["@every 0s", "a span of nothing", /at character 8 "0s"/],
  ["0 0 30 2 *", "a day that never comes", /got days that no calendar has/],
  ["0 0 31 4,6,9,11 *", "the 31st of short months", /got days that no calendar has/],
];
for (const [expression, what, message] of refusals) {
  Deno.test(`cron() refuses ${what}, and says where`, () => {
    assert.throws(() => cron(expression), { code: "INVALID_RECURRENCE", message });
  });
}

Deno.test("cron() refuses zones, policies, options and stored specs that are none", () => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [{ timeZone: "Mars/Olympus" }, /time zone "Mars\/Olympus"/],
    [{ timeZone: null }, /time zone "null"/],
    [{ gap: "jump" }, /gap "jump", want "skip" or "first-valid"/],
    [{ overlap: "last" }, /overlap "last", want "first" or "both"/],
    [{ zone: "UTC" }, /option "zone"/],
  ];
  for (const [options, message] of wrong) {
    for (const expression of ["0 2 * * *", "@every 1m"]) {
      assert.throws(() => cron(expression, options as never), { code: "INVALID_RECURRENCE", message });
    }
  }
  assert.throws(() => cron(5 as never), { code: "INVALID_RECURRENCE", message: /got no text/ });
  assert.throws(() => cron.parse(null), { code: "INVALID_RECURRENCE", message: /got no text/ });
  assert.throws(() => cron.parse({ expression: "0 2 * * *", other: 1 }), { message: /option "other"/ });
});
