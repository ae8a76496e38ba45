import assert from "node:assert/strict";
import { RRuleTemporal } from "rrule-temporal";
import type { Recurrence } from "../../mod.ts";
import { rrule, type RruleOptions } from "../../plugins/rrule/mod.ts";

/** What comes after, so many times, to the minute. */
function next(made: Recurrence, after: string, count = 9): string[] {
  const found: string[] = [];
  let at: number | undefined = Date.parse(after);
  while (found.length < count && (at = made.next(at!)) !== undefined) {
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

const start = "2020-01-01T00:00:00Z";

Deno.test("rrule() reads one line with DTSTART among its parts, and lines of iCalendar, alike", () => {
  const texts = [
    "FREQ=SECONDLY;DTSTART=20200612T182105Z;INTERVAL=60",
    "RRULE:FREQ=SECONDLY;DTSTART=20200612T182105Z;INTERVAL=60",
    "DTSTART:20200612T182105Z\nRRULE:FREQ=SECONDLY;INTERVAL=60",
    "RRULE:FREQ=SECONDLY;INTERVAL=60\r\nDTSTART;TZID=UTC:20200612T182105\r\n",
    "dtstart:20200612t182105z\nrrule:interval=60;freq=secondly;",
    "DTSTART:2020061\n 2T182105Z\nRRULE:FREQ=SECOND\r\n\tLY;INTERVAL=60",
  ];
  for (const text of texts) {
    const made = rrule(text);
    assert.equal(made.next(Date.parse("2026-11-21T10:00:05Z")), Date.parse("2026-11-21T10:01:05Z"), text);
    assert.equal(made.next(0), Date.parse("2020-06-12T18:21:05Z"), text);
  }
});

Deno.test("rrule() knows the example rules of RFC 5545", () => {
  const of = (rule: string, after = "1997-09-02T12:59:59Z", count = 3) =>
    next(rrule(`DTSTART;TZID=America/New_York:19970902T090000\nRRULE:${rule}`), after, count).map((at) =>
      at.slice(0, 10)
    );
  assert.deepEqual(of("FREQ=MONTHLY;COUNT=10;BYDAY=1FR"), ["1997-09-05", "1997-10-03", "1997-11-07"]);
  assert.deepEqual(of("FREQ=MONTHLY;BYMONTHDAY=-3"), ["1997-09-28", "1997-10-29", "1997-11-28"]);
  assert.deepEqual(of("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3"), [
    "1997-09-04",
    "1997-10-07",
    "1997-11-06",
  ]);
  assert.deepEqual(of("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2"), [
    "1997-09-29",
    "1997-10-30",
    "1997-11-27",
  ]);
  assert.deepEqual(of("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13"), ["1998-02-13", "1998-03-13", "1998-11-13"]);
  assert.deepEqual(of("FREQ=YEARLY;BYDAY=20MO"), ["1998-05-18", "1999-05-17", "2000-05-15"]);
  assert.deepEqual(of("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO"), ["1998-05-11", "1999-05-17", "2000-05-15"]);
  assert.deepEqual(of("FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100,200"), [
    "2000-01-01",
    "2000-04-09",
    "2000-07-18",
  ]);
  const election = "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8";
  const since1996 = rrule(`DTSTART;TZID=America/New_York:19961105T090000\nRRULE:${election}`);
  assert.deepEqual(next(since1996, "1996-01-01T00:00:00Z", 3).map((at) => at.slice(0, 10)), [
    "1996-11-05",
    "2000-11-07",
    "2004-11-02",
  ]);
});

Deno.test("rrule() counts weeks from WKST, as RFC 5545 shows", () => {
  const of = (weekStart: string) =>
    next(
      rrule(`DTSTART:19970805T090000Z\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=${weekStart}`),
      "1997-01-01T00:00:00Z",
    )
      .map((at) => at.slice(5, 10));
  assert.deepEqual(of("MO"), ["08-05", "08-10", "08-19", "08-24"]);
  assert.deepEqual(of("SU"), ["08-05", "08-17", "08-19", "08-31"]);
});

Deno.test("rrule() ends with UNTIL, itself included, and a date means all of its day", () => {
  const of = (until: string, head = "DTSTART;TZID=America/New_York:20260105T220000") =>
    next(rrule(`${head}\nRRULE:FREQ=DAILY;UNTIL=${until}`), start);
  assert.deepEqual(of("20260107T030000Z"), ["2026-01-06T03:00", "2026-01-07T03:00"]);
  assert.deepEqual(of("20260106T220000"), ["2026-01-06T03:00", "2026-01-07T03:00"]);
  assert.deepEqual(of("20260106T215959"), ["2026-01-06T03:00"]);
  assert.deepEqual(of("20260106"), ["2026-01-06T03:00", "2026-01-07T03:00"]);
  assert.deepEqual(of("20260106", "DTSTART;VALUE=DATE:20260105"), ["2026-01-05T00:00", "2026-01-06T00:00"]);
});

Deno.test("rrule() takes dates out with EXDATE and puts others in with RDATE", () => {
  const head = "DTSTART;TZID=Europe/London:20260701T090000\nRRULE:FREQ=DAILY;COUNT=4\n";
  const of = (more: string) => next(rrule(head + more), start).map((at) => at.slice(5));
  const all = ["07-01T08:00", "07-02T08:00", "07-03T08:00", "07-04T08:00"];
  assert.deepEqual(of("EXDATE;TZID=Europe/London:20260702T090000,20260704T090000"), [all[0], all[2]]);
  assert.deepEqual(of("EXDATE:20260702T080000Z\nEXDATE:20260703T090000"), [all[0], all[3]]);
  assert.deepEqual(of("EXDATE;TZID=America/New_York:20260702T040000"), [all[0], all[2], all[3]]);
  assert.deepEqual(of("EXDATE;VALUE=DATE:20260702"), [all[0], all[2], all[3]]);
  assert.deepEqual(of("EXDATE:20260702T090001"), all);
  assert.deepEqual(of("RDATE:20260702T120000,20260801T120000Z,20260703T090000\nEXDATE:20260801T120000Z"), [
    "07-01T08:00",
    "07-02T08:00",
    "07-02T11:00",
    "07-03T08:00",
    "07-04T08:00",
  ]);
});

Deno.test("rrule() with EXDATE of a time that is skipped takes out what it has become", () => {
  const text =
    "DTSTART;TZID=America/New_York:20260307T023000\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260308T023000";
  assert.deepEqual(next(rrule(text, { gap: "first-valid" }), start), [
    "2026-03-07T07:30",
    "2026-03-09T06:30",
  ]);
});

Deno.test("rrule() with EXDATE of a day leaves the midnight after it", () => {
  const made = rrule("DTSTART:20260701T000000Z\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20260702");
  assert.deepEqual(next(made, start), ["2026-07-01T00:00", "2026-07-03T00:00"]);
});

Deno.test("rrule() that begins at a time that is skipped begins at what that has become", () => {
  const made = rrule("DTSTART;TZID=America/New_York:20260308T023000\nRRULE:FREQ=DAILY;COUNT=2", {
    gap: "first-valid",
  });
  assert.deepEqual(next(made, start), ["2026-03-08T07:00", "2026-03-09T06:30"]);
});

Deno.test("rrule() occurs at nothing before a start in UTC, be it the second time that a clock shows", () => {
  const made = rrule("DTSTART:20261101T063000Z\nRRULE:FREQ=DAILY;COUNT=2", { timeZone: "America/New_York" });
  assert.deepEqual(next(made, start), ["2026-11-02T06:30", "2026-11-03T06:30"]);
});

Deno.test("rrule() without DTSTART begins where it is told, for ever", () => {
  const options: RruleOptions = { start: new Date("2026-03-01T10:00:00Z"), timeZone: "Europe/London" };
  const made = rrule("FREQ=MINUTELY;INTERVAL=7;COUNT=3", options);
  assert.deepEqual(made.stored, {
    type: "rrule",
    spec: {
      text: "DTSTART:20260301T100000Z\nFREQ=MINUTELY;INTERVAL=7;COUNT=3",
      timeZone: "Europe/London",
      gap: "skip",
      overlap: "first",
      last: Date.parse("2026-03-01T10:14:00Z"),
    },
  });
  assert.deepEqual(next(made, start), ["2026-03-01T10:00", "2026-03-01T10:07", "2026-03-01T10:14"]);
  const again = rrule.parse(JSON.parse(JSON.stringify(made.stored.spec)));
  assert.equal(again.next(Date.parse("2026-03-01T10:07:00Z")), Date.parse("2026-03-01T10:14:00Z"));
  assert.equal(again.next(Date.parse("2026-03-01T10:14:00Z")), undefined);
});

Deno.test("rrule() without DTSTART or start has all of its COUNT still to come", () => {
  const before = Date.now();
  const made = rrule("FREQ=DAILY;COUNT=2");
  const first = made.next(Date.now())!;
  assert(first > before && first % 1_000 === 0);
  assert.equal(made.next(first), first + 86_400_000);
  assert.equal(made.next(first + 86_400_000), undefined);
});

Deno.test("rrule() of a start in UTC is read by the clock of its time zone", () => {
  const made = rrule("DTSTART:20260701T080000Z\nRRULE:FREQ=MONTHLY", { timeZone: "Europe/London" });
  assert.deepEqual(next(made, "2026-10-01T09:00:00Z", 2), ["2026-11-01T09:00", "2026-12-01T09:00"]);
});

Deno.test("rrule() tells the same whether COUNT was counted when it was made or is counted again", () => {
  const { text } = rrule("FREQ=DAILY;BYHOUR=1,2,3;COUNT=7", { start: new Date(start) }).stored.spec as {
    text: string;
  };
  const made = rrule.parse({ text });
  assert.equal(made.next(Date.parse("2020-01-03T00:00:00Z")), Date.parse("2020-01-03T01:00:00Z"));
  assert.equal(made.next(Date.parse("2020-01-03T01:00:00Z")), undefined);
});

/** Calls of one or any function of the library's rules: what it computes with. */
function callsOf(act: () => void, only?: string): number {
  const { prototype } = RRuleTemporal;
  const own = Object.getOwnPropertyDescriptors(prototype);
  let calls = 0;
  for (const [name, { value }] of Object.entries(own)) {
    if (name !== (only ?? name) || name === "constructor" || typeof value !== "function") continue;
    const counted = function (this: unknown, ...given: unknown[]): unknown {
      calls++;
      return value.apply(this, given);
    };
    Object.defineProperty(prototype, name, { ...own[name], value: counted });
  }
  try {
    act();
  } finally {
    Object.defineProperties(prototype, own);
  }
  return calls;
}

Deno.test("rrule() costs no more when it is old: calls of the library do not grow with its age", () => {
  const rules = [
    "FREQ=SECONDLY",
    "FREQ=SECONDLY;INTERVAL=7;COUNT=900000000",
    "FREQ=MINUTELY;INTERVAL=15;BYHOUR=9,10",
    "FREQ=HOURLY;BYDAY=MO,TU;BYHOUR=8;COUNT=9999",
    "FREQ=DAILY",
    "FREQ=DAILY;COUNT=10000",
    "FREQ=DAILY;INTERVAL=3;BYHOUR=1,2;BYMINUTE=0,30",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2000",
    "FREQ=YEARLY;BYMONTH=2,7;BYDAY=1MO",
  ];
  const now = Date.parse("2026-11-21T10:00:03Z");
  for (const rule of rules) {
    // As it is stored: its COUNT was counted when it was made.
    const last = rule.includes("COUNT") ? { last: Date.UTC(2060, 0) } : {};
    const cost = (year: number) => {
      const text = `DTSTART:${year}0101T000000Z\nRRULE:${rule}`;
      return callsOf(() => {
        const made = rrule.parse({ text, timeZone: "America/New_York", ...last });
        let at = now;
        for (let i = 0; i < 5; i++) at = made.next(at)!;
        assert(at > now, rule);
      });
    };
    const [old, young] = [cost(2000), cost(2026)];
    assert(old <= 2 * young + 20 && old < 2_000, `${rule}: ${old} calls when old, ${young} when young`);
  }
});

const all = (count: number) => Array.from({ length: count }, (_, i) => i).join(",");

const refusals: readonly (readonly [string, string, RegExp])[] = [
  [
    "FREQ=DAILY;INTERVAL=0.25",
    "a fraction of an interval",
    /at character 21, got "0.25", want a whole number/,
  ],
  ["FREQ=DAILY;INTERVAL=0", "no interval", /at character 21, got "0"/],
  ["FREQ=OFTEN", "a frequency that is none", /at character 6, got "OFTEN", want one of SECONDLY, /],
  ["INTERVAL=2", "a rule without frequency", /at character 1, got a rule without FREQ/],
  ["", "nothing", /got no rule/],
  ["DTSTART:20260101T000000Z", "a start alone", /got no rule/],
  ["FREQ=DAILY;FREQ=DAILY", "a part that stands twice", /at character 12, got a second FREQ/],
  [
    "FREQ=DAILY;BYEASTER=1",
    "a part it does not know",
    /at character 12, got part "BYEASTER", want one of FREQ/,
  ],
  ["FREQ=DAILY;COUNT", "a part without value", /at character 12, got "COUNT", want one part of the form/],
  ["FREQ=DAILY;COUNT=0", "a count of nothing", /at character 18, got "0"/],
  [
    "FREQ=DAILY;COUNT=2;UNTIL=20300101",
    "a count and an end",
    /at character 26, got UNTIL .* either COUNT or UNTIL/,
  ],
  ["FREQ=DAILY;UNTIL=20260230", "a date that is not there", /at character 18, got "20260230", want a date/],
  ["FREQ=DAILY;UNTIL=tomorrow", "what is no date", /at character 18, got "tomorrow"/],
  [
    "DTSTART:20260101T250000Z\nRRULE:FREQ=DAILY",
    "an hour that is not there",
    /at character 9, got "20260101T25/,
  ],
  [
    "DTSTART;TZID=Europe/London:20260101T000000Z\nRRULE:FREQ=DAILY",
    "UTC under a TZID",
    /at character 28, got a time in UTC/,
  ],
  [
    "DTSTART;TZID=Mars/Olympus:20260101T000000\nRRULE:FREQ=DAILY",
    "a TZID that is none",
    /zone "Mars\/Olympus"/,
  ],
  [
    "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;DTSTART=20260101T000000Z",
    "two starts",
    /at character 1, got a second DTSTART/,
  ],
  ["RRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY", "two rules", /at character 18, got a second RRULE/],
  ["RRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY", "a line it does not know", /at character 18, got "EXRULE"/],
  [
    "RRULE:FREQ=DAILY\nRDATE;VALUE=PERIOD:20260101T000000Z/PT1H",
    "periods",
    /at character 30, got VALUE=PERIOD/,
  ],
  [
    "FREQ=DA\n ILY;BYHOUR=\n 24",
    "an hour that is none, in a folded line",
    /at character 23, got BYHOUR "24", want 0 to 23/,
  ],
  [
    "FREQ=MONTHLY;BYMONTHDAY=1,-32",
    "a day over the month",
    /at character 27, got BYMONTHDAY "-32", want 1 to 31, or -31/,
  ],
  ["FREQ=MONTHLY;BYMONTHDAY=0", "day 0 of a month", /at character 25, got BYMONTHDAY "0"/],
  [
    "FREQ=WEEKLY;BYDAY=MO,XX",
    "a weekday that is none",
    /at character 22, got BYDAY "XX", want one of SU, MO/,
  ],
  [
    "FREQ=WEEKLY;BYDAY=1MO",
    "a numbered weekday of weeks",
    /at character 19, got BYDAY .*weekdays without numbers/,
  ],
  [
    "FREQ=WEEKLY;BYMONTHDAY=1",
    "days of the month of weeks",
    /at character 24, got BYMONTHDAY in a rule of FREQ=WEEKLY/,
  ],
  [
    "FREQ=MONTHLY;BYWEEKNO=1",
    "weeks of the year of months",
    /at character 23, got BYWEEKNO .*want FREQ=YEARLY/,
  ],
  ["FREQ=DAILY;BYYEARDAY=1", "days of the year of days", /at character 22, got BYYEARDAY/],
  ["FREQ=YEARLY;BYWEEKNO=1;BYMONTHDAY=1", "weeks beside days of the month", /either BYWEEKNO or BYMONTHDAY/],
  [
    "FREQ=YEARLY;BYYEARDAY=1;BYMONTHDAY=1",
    "days of the year beside those of the month",
    /either BYYEARDAY or/,
  ],
  ["FREQ=YEARLY;BYYEARDAY=1;BYDAY=MO", "days of the year beside weekdays", /either BYYEARDAY or BYDAY/],
  ["FREQ=YEARLY;BYMONTHDAY=1;BYDAY=1MO", "numbered weekdays beside days of the month", /beside BYMONTHDAY/],
  ["FREQ=DAILY;BYSETPOS=1", "a choice of nothing", /at character 21, got BYSETPOS .*another BY part/],
  [
    "FREQ=DAILY;BYHOUR=1,2;BYSETPOS=3",
    "a choice of what no period has",
    /at character 32, got BYSETPOS=3, want 1 to 2/,
  ],
  [
    `FREQ=YEARLY;BYDAY=MO,TU;BYHOUR=${all(24)};BYMINUTE=${all(60)}`,
    "periods of too many occurrences",
    /at character 6, got up to 152640/,
  ],
  ["FREQ=DAILY;BYHOUR=1,2;COUNT=10001", "more than it counts", /got COUNT=10001, want at most 10000/],
  ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "30 February", /got a rule that never occurs/],
  ["FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "each second of 30 February", /got a rule that never occurs/],
  [
    "DTSTART:20260101T100000Z\nRRULE:FREQ=HOURLY;INTERVAL=24;BYHOUR=9",
    "an hour it never comes to",
    /never occurs/,
  ],
  ["DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;UNTIL=20251231", "an end before its start", /never occurs/],
  [
    "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;COUNT=1\nEXDATE:20260101T000000Z",
    "all taken out",
    /never occurs/,
  ],
];
for (const [text, what, message] of refusals) {
  Deno.test(`rrule() refuses ${what}, and says where`, () => {
    assert.throws(() => rrule(text, { start: new Date(start) }), { code: "INVALID_RECURRENCE", message });
  });
}

Deno.test("rrule() of BYWEEKNO keeps the weekday of its start, however old it is", () => {
  const made = rrule("DTSTART:20231109T120000Z\nRRULE:FREQ=YEARLY;BYWEEKNO=46");
  assert.deepEqual(next(made, "2024-01-01T00:00:00Z", 3).map((at) => at.slice(0, 10)), [
    "2024-11-14",
    "2025-11-13",
    "2026-11-12",
  ]);
});

Deno.test("rrule() of BYWEEKNO means years of weeks, which begin before January or after", () => {
  const made = rrule(
    "DTSTART:20240101T120000Z\nRRULE:FREQ=YEARLY;INTERVAL=2;BYWEEKNO=1;BYDAY=MO,TU,WE,TH;BYSETPOS=1",
  );
  assert.deepEqual(next(made, "2024-06-01T00:00:00Z", 2).map((at) => at.slice(0, 10)), [
    "2025-12-29",
    "2028-01-03",
  ]);
});

Deno.test("rrule() finds what is far away once, and not from every change of the clock before it", () => {
  const text = "DTSTART:20281025T072254Z\nRRULE:FREQ=HOURLY;BYMONTHDAY=29;BYMONTH=2;BYDAY=TU;BYHOUR=3";
  const calls = callsOf(() => {
    const made = rrule.parse({ text, timeZone: "Africa/Cairo" });
    assert.equal(made.next(0), Date.parse("2056-02-29T01:22:54Z"));
  }, "next");
  assert(calls <= 10, `${calls} calls`);
});

Deno.test("rrule() refuses in every zone what no clock ever shows", () => {
  const text = "DTSTART;TZID=America/New_York:20260101T000000\nRRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30";
  assert.throws(() => rrule(text), { code: "INVALID_RECURRENCE", message: /never occurs/ });
  const skipped = "DTSTART;TZID=America/New_York:20260101T000000\n" +
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU;BYHOUR=2;BYMINUTE=30";
  assert.throws(() => rrule(skipped), { code: "INVALID_RECURRENCE", message: /never occurs/ });
  assert.deepEqual(next(rrule(skipped, { gap: "first-valid" }), start, 2), [
    "2026-03-08T07:00",
    "2027-03-14T07:00",
  ]);
});

Deno.test("rrule() refuses options, texts and stored specs that are none", () => {
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ["FREQ=DAILY", { timeZone: "Nowhere" }, /time zone "Nowhere"/],
    ["FREQ=DAILY", { start: "2026" }, /start 2026, want a valid Date/],
    ["FREQ=DAILY", { until: 1 }, /option "until"/],
    [
      "DTSTART;TZID=Europe/London:20260101T000000\nRRULE:FREQ=DAILY",
      { timeZone: "UTC" },
      /time zone "UTC" beside it/,
    ],
  ];
  for (const [text, options, message] of wrong) {
    assert.throws(() => rrule(text, options as never), { code: "INVALID_RECURRENCE", message });
  }
  const code = "INVALID_RECURRENCE";
  assert.throws(() => rrule(undefined as never), { code, message: /got no text/ });
  assert.throws(() => rrule.parse({ text: "FREQ=DAILY" }), { code, message: /stored rule without DTSTART/ });
  assert.throws(() => rrule.parse({ text: "FREQ=DAILY;DTSTART=20260101", last: "x" }), {
    code,
    message: /last "x"/,
  });
  assert.throws(() => rrule("FREQ=DAILY").next(NaN), { code: "INVALID_ARGUMENT", message: /after NaN/ });
});
