import assert from "node:assert/strict";
import { wallClock, type WallClockRule } from "../../mod.ts";
import { cron } from "../../plugins/cron/mod.ts";
import { rrule } from "../../plugins/rrule/mod.ts";
import { changesOf, occurrencesOf, type OracleClock, type OracleRule } from "./oracle.ts";

const iso = (instant: number | undefined) => instant === undefined ? "none" : new Date(instant).toISOString();

/** What comes after an instant, so many times. */
function occurrences(
  of: { next(after: number): number | undefined },
  after: string,
  count: number,
): string[] {
  const found: string[] = [];
  let at: number | undefined = Date.parse(after);
  while (found.length < count && (at = of.next(at!)) !== undefined) found.push(iso(at)!);
  return found;
}

const gaps = ["skip", "first-valid"] as const;
const overlaps = ["first", "both"] as const;

/** Every minute, or every minute of some: 7 is prime to all that clocks are changed by. */
const everyMinutes = (minutes: number): OracleRule & { readonly rule: WallClockRule } => ({
  mayBeOn: () => true,
  secondsOf: (shown) => shown % minutes === 0 ? [0] : [],
  rule: { next: (time) => (Math.floor(time / (minutes * 60_000)) + 1) * minutes * 60_000 },
});

for (const timeZone of ["America/New_York", "Europe/London", "Australia/Lord_Howe", "Africa/Cairo"]) {
  // Egypt began again in 2023 what it had given up in 2014.
  const changes = changesOf(timeZone, Date.UTC(2023, 0), Date.UTC(2028, 0));

  Deno.test(`wallClock() tells each minute around all changes of five years in ${timeZone}`, () => {
    assert(changes.length >= 9, `${changes.length} changes`);
    for (const minutes of [1, 7, 60]) {
      const { rule, ...oracle } = everyMinutes(minutes);
      for (const gap of gaps) {
        for (const overlap of overlaps) {
          const clock: OracleClock = { timeZone, gap, overlap };
          const made = wallClock(clock).occurrences(rule);
          for (const change of changes) {
            const [from, to] = [change - 4 * 3_600_000, change + 4 * 3_600_000];
            const expected = [...occurrencesOf(oracle, clock, from, to + 4 * 3_600_000)];
            for (let after = from, at = 0; after < to; after += 60_000) {
              while (expected[at]! <= after) at++;
              const title = `${minutes} ${gap} ${overlap} after ${iso(after)}`;
              if (made.next(after) !== expected[at]) {
                assert.equal(iso(made.next(after)), iso(expected[at]), title);
              }
              assert.equal(made.next(expected[at]! - 1), expected[at], title);
            }
          }
        }
      }
    }
  });

  Deno.test(`wallClock() reads what it shows around all changes of five years in ${timeZone}`, () => {
    const clock = wallClock({ timeZone });
    for (const change of changes) {
      for (let instant = change - 4 * 3_600_000; instant < change + 4 * 3_600_000; instant += 60_000) {
        const read = clock.instantOf(clock.timeAt(instant));
        assert(read <= instant && instant - read <= 3_600_000, `${iso(instant)}`);
        assert.equal(clock.timeAt(read), clock.timeAt(instant), `${iso(instant)}`);
      }
    }
  });
}

Deno.test("cron() at a time that is skipped runs at the first instant that is there, or not at all", () => {
  const at = (expression: string, timeZone: string, after: string) =>
    gaps.map((gap) => occurrences(cron(expression, { timeZone, gap }), after, 1)[0]);
  assert.deepEqual(at("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z"), [
    "2026-03-09T06:30:00.000Z",
    "2026-03-08T07:00:00.000Z",
  ]);
  assert.deepEqual(at("30 1 * * *", "Europe/London", "2026-03-28T12:00:00Z"), [
    "2026-03-30T00:30:00.000Z",
    "2026-03-29T01:00:00.000Z",
  ]);
  assert.deepEqual(at("10 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z"), [
    "2026-10-04T15:10:00.000Z",
    "2026-10-03T15:30:00.000Z",
  ]);
  assert.deepEqual(at("0 0 * * *", "Africa/Cairo", "2026-04-23T12:00:00Z"), [
    "2026-04-24T21:00:00.000Z",
    "2026-04-23T22:00:00.000Z",
  ]);
});

Deno.test("cron() at times that are skipped together runs once for all of them", () => {
  const made = cron("*/10 2,4 * * *", { timeZone: "America/New_York" });
  assert.deepEqual(occurrences(made, "2026-03-07T12:00:00Z", 2), [
    "2026-03-08T07:00:00.000Z",
    "2026-03-08T08:00:00.000Z",
  ]);
});

Deno.test("cron() at a time that clocks show twice runs at the first, or at both", () => {
  const at = (expression: string, timeZone: string, after: string) =>
    overlaps.map((overlap) => occurrences(cron(expression, { timeZone, overlap }), after, 2));
  assert.deepEqual(at("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z"), [
    ["2026-11-01T05:30:00.000Z", "2026-11-02T06:30:00.000Z"],
    ["2026-11-01T05:30:00.000Z", "2026-11-01T06:30:00.000Z"],
  ]);
  assert.deepEqual(at("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T06:00:00Z"), [
    ["2026-04-04T14:45:00.000Z", "2026-04-05T15:15:00.000Z"],
    ["2026-04-04T14:45:00.000Z", "2026-04-04T15:15:00.000Z"],
  ]);
  assert.deepEqual(at("30 23 * * *", "Africa/Cairo", "2026-10-29T12:00:00Z"), [
    ["2026-10-29T20:30:00.000Z", "2026-10-30T21:30:00.000Z"],
    ["2026-10-29T20:30:00.000Z", "2026-10-29T21:30:00.000Z"],
  ]);
});

Deno.test("cron() of every hour goes on through both changes unless told otherwise", () => {
  const timeZone = "America/New_York";
  const hours = (after: string) =>
    occurrences(cron("30 * * * *", { timeZone }), after, 4).map((at) => at.slice(11, 16));
  assert.deepEqual(hours("2026-03-08T05:00:00Z"), ["05:30", "06:30", "07:30", "08:30"]);
  assert.deepEqual(hours("2026-11-01T04:00:00Z"), ["04:30", "05:30", "06:30", "07:30"]);
  const told = cron("30 * * * *", { timeZone, gap: "first-valid", overlap: "first" });
  assert.deepEqual(occurrences(told, "2026-03-08T06:00:00Z", 3).map((at) => at.slice(11, 16)), [
    "06:30",
    "07:00",
    "07:30",
  ]);
  assert.deepEqual(occurrences(told, "2026-11-01T05:00:00Z", 2).map((at) => at.slice(11, 16)), [
    "05:30",
    "07:30",
  ]);
});

Deno.test("rrule() of hours, minutes and seconds goes by elapsed time, with the hour that is shown twice", () => {
  const hourly = rrule("DTSTART;TZID=America/New_York:20261101T000000\nRRULE:FREQ=HOURLY");
  assert.deepEqual(occurrences(hourly, "2026-11-01T04:00:00Z", 4).map((at) => at.slice(11, 16)), [
    "05:00",
    "06:00",
    "07:00",
    "08:00",
  ]);
  const byHour = rrule("DTSTART;TZID=America/New_York:20261101T000000\nRRULE:FREQ=HOURLY;BYHOUR=1,2");
  assert.deepEqual(occurrences(byHour, "2026-11-01T04:00:00Z", 4).map((at) => at.slice(8, 16)), [
    "01T05:00",
    "01T06:00",
    "01T07:00",
    "02T06:00",
  ]);
  const half = rrule("DTSTART;TZID=Australia/Lord_Howe:20260404T230000\nRRULE:FREQ=MINUTELY;INTERVAL=45");
  assert.deepEqual(occurrences(half, "2026-04-04T14:00:00Z", 4).map((at) => at.slice(11, 16)), [
    "14:15",
    "15:00",
    "15:45",
    "16:30",
  ]);
  const spring = rrule("DTSTART;TZID=Africa/Cairo:20260423T220000\nRRULE:FREQ=HOURLY;INTERVAL=2");
  assert.deepEqual(occurrences(spring, "2026-04-23T20:00:00Z", 3).map((at) => at.slice(11, 16)), [
    "22:00",
    "00:00",
    "02:00",
  ]);
});

Deno.test("rrule() of days skips a time that is not there and takes the first of two, unless told otherwise", () => {
  const of = (text: string, options = {}) => rrule(`DTSTART;TZID=America/New_York:${text}`, options);
  const spring = "20260306T023000\nRRULE:FREQ=DAILY;COUNT=3";
  assert.deepEqual(occurrences(of(spring), "2026-03-01T00:00:00Z", 9).map((at) => at.slice(8, 16)), [
    "06T07:30",
    "07T07:30",
    "09T06:30",
  ]);
  assert.deepEqual(
    occurrences(of(spring, { gap: "first-valid" }), "2026-03-01T00:00:00Z", 9).map((at) => at.slice(8, 16)),
    ["06T07:30", "07T07:30", "08T07:00"],
  );
  const autumn = "20261031T013000\nRRULE:FREQ=DAILY;COUNT=3";
  assert.deepEqual(occurrences(of(autumn), "2026-10-01T00:00:00Z", 9).map((at) => at.slice(5, 16)), [
    "10-31T05:30",
    "11-01T05:30",
    "11-02T06:30",
  ]);
  assert.deepEqual(
    occurrences(of(autumn, { overlap: "both" }), "2026-10-01T00:00:00Z", 9).map((at) => at.slice(5, 16)),
    ["10-31T05:30", "11-01T05:30", "11-01T06:30"],
  );
});
