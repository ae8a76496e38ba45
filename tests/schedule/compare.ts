import assert from "node:assert/strict";
import fc from "fast-check";
import { every, PawlError, type Recurrence } from "../../mod.ts";
import { cron } from "../../plugins/cron/mod.ts";
import { rrule } from "../../plugins/rrule/mod.ts";
import { cronOracle, cronPrograms, writeCron } from "./cron_oracle.ts";
import { changesOf, occurrencesOf, type OracleClock, type OracleRule, shownAt } from "./oracle.ts";
import { rruleOracle, rrulePrograms, writeRule } from "./rrule_oracle.ts";

/** How long the oracle walks before it says that it has seen nothing. */
const horizonMs = 45 * 86_400_000;
/** Occurrences compared of each rule. */
const compared = 4;

/** Zones whose clocks are changed in every way there is: at night, at midnight, by half an hour, by a day. */
export const zones: readonly string[] = [
  "UTC",
  "America/New_York",
  "Europe/London",
  "Australia/Lord_Howe",
  "Africa/Cairo",
  "Africa/Casablanca",
  "America/St_Johns",
  "Pacific/Apia",
];

const span = { from: Date.UTC(2009, 0, 1), to: Date.UTC(2031, 0, 1) };

const changes = new Map(zones.map((zone) => [zone, changesOf(zone, span.from, span.to)]));

const clocks: fc.Arbitrary<OracleClock> = fc.record({
  timeZone: fc.constantFrom(...zones),
  gap: fc.constantFrom("skip", "first-valid"),
  overlap: fc.constantFrom("first", "both"),
});

/** An instant, most often close to one at which a clock is changed. */
const instants = (timeZone: string): fc.Arbitrary<number> => {
  const anywhere = fc.integer({ min: span.from / 1_000, max: span.to / 1_000 }).map((second) =>
    second * 1_000
  );
  const near = changes.get(timeZone)!;
  if (near.length === 0) return anywhere;
  const close = fc.tuple(fc.constantFrom(...near), fc.integer({ min: -200_000, max: 100_000 }))
    .map(([change, seconds]) => change + seconds * 1_000);
  return fc.oneof({ weight: 3, arbitrary: close }, { weight: 1, arbitrary: anywhere });
};

/** One question to both: what comes after. */
interface Question {
  readonly title: string;
  readonly make: () => Recurrence;
  readonly expected: (after: number, to: number) => Iterable<number>;
  readonly after: number;
}

const iso = (instant: number | undefined) => instant === undefined ? "none" : new Date(instant).toISOString();

/** Asks both, and throws where they differ. */
export function compare({ title, make, expected, after }: Question): "compared" | "empty" {
  let made: Recurrence;
  try {
    made = make();
  } catch (error) {
    // What never occurs is refused; then the oracle may not find anything either.
    if (!(error instanceof PawlError && /never occurs|no calendar has/.test(error.message))) throw error;
    for (const instant of expected(after, after + horizonMs)) {
      assert.fail(`${title} was refused, but for ${iso(instant)}`);
    }
    return "empty";
  }
  const [until, seen] = [after + horizonMs, [] as string[]];
  let from = after;
  for (const instant of expected(after, until)) {
    seen.push(iso(instant));
    assert.equal(iso(made.next(from)), iso(instant), `${title}: after ${iso(from)}`);
    from = instant;
    if (seen.length === compared) break;
  }
  const rest = made.next(from);
  if (seen.length < compared && rest !== undefined) {
    assert(rest >= until, `${title}: ${iso(rest)} after ${iso(from)}`);
  }
  assert.deepEqual(JSON.parse(JSON.stringify(made.stored)), made.stored);
  assert.equal(made.code.parse(made.stored.spec).next(after), made.next(after), `${title}: read again`);
  return seen.length > 0 ? "compared" : "empty";
}

const walk = (rule: OracleRule, clock: OracleClock) => (after: number, to: number) =>
  occurrencesOf(rule, clock, after + 1, to);

const cronQuestions: fc.Arbitrary<Question> = fc.tuple(cronPrograms, clocks).chain(([program, clock]) =>
  instants(clock.timeZone).map((after) => ({
    title: `cron ${writeCron(program)} ${JSON.stringify(clock)}`,
    make: () => cron(writeCron(program), clock),
    expected: walk(cronOracle(program), clock),
    after,
  }))
);

const everyQuestions: fc.Arbitrary<Question> = fc.record({
  everyMs: fc.integer({ min: 1, max: 10_000_000 }),
  phase: fc.integer({ min: 0, max: 10_000_000 }),
  start: instants("Europe/London"),
  end: fc.integer({ min: 0, max: 30_000_000 }),
  after: fc.integer({ min: -20_000_000, max: 30_000_000 }),
}).map(({ everyMs, phase, start, end, after }) => ({
  title: `every ${everyMs} ${phase} from ${iso(start)} for ${end}`,
  make: () => every(everyMs, { phase: phase % everyMs, start: new Date(start), end: new Date(start + end) }),
  *expected(from: number) {
    // Multiples one after another, from the last hour or two before it could begin.
    let at = start - start % everyMs - everyMs + phase % everyMs;
    for (; at <= start + end; at += everyMs) if (at >= start && at > from) yield at;
  },
  after: start + after,
}));

const ics = (seconds: number) => new Date(seconds * 1_000).toISOString().replace(/[-:]|\.\d+Z/g, "");

const rruleQuestions: fc.Arbitrary<Question> = fc.tuple(
  rrulePrograms,
  clocks,
  fc.record({
    /** Where it begins, in seconds before or after the question. */
    lead: fc.oneof(fc.integer({ min: -3_000_000, max: 100_000 }), fc.integer({ min: -200_000_000, max: 0 })),
    bound: fc.constantFrom("none", "none", "count", "until"),
    count: fc.integer({ min: 1, max: 12 }),
    excluded: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { maxLength: 2 }),
    added: fc.uniqueArray(fc.integer({ min: -100_000, max: 500_000 }), { maxLength: 2 }),
  }),
).chain(([program, clock, more]) =>
  instants(clock.timeZone).map((after) => {
    // A count is counted from the start, minute by minute; so the start is then not far.
    const lead = more.bound === "count" ? more.lead % 3_000_000 : more.lead;
    const instant = Math.floor(after / 1_000) + lead;
    const minute = Math.floor(instant / 60);
    const shown = shownAt(clock.timeZone, minute) * 60 + instant % 60;
    const rule = rruleOracle(program, { shown, instant });
    const all = walk(rule, clock);
    const near = [...take(all(instant * 1_000 - 1, instant * 1_000 + horizonMs), 12)];
    const until = more.bound === "until" ? (near[more.count] ?? instant * 1_000 + horizonMs / 2) : undefined;
    const excluded = more.excluded.flatMap((index) => near[index] ?? []);
    const added = more.added.map((seconds) => Math.floor(after / 1_000) * 1_000 + seconds * 1_000)
      .filter((each) => !excluded.includes(each));
    const bound = more.bound === "count"
      ? `;COUNT=${more.count}`
      : until
      ? `;UNTIL=${ics(until / 1_000)}Z`
      : "";
    const dates = (name: string, values: readonly number[]) =>
      values.length > 0 ? `\n${name}:${values.map((each) => `${ics(each / 1_000)}Z`).join(",")}` : "";
    const text = `DTSTART:${ics(instant)}Z\nRRULE:${writeRule(program)}${bound}` + dates("EXDATE", excluded) +
      dates("RDATE", added);
    return {
      title: `rrule ${JSON.stringify(text)} ${JSON.stringify(clock)}`,
      make: () => rrule(text, clock),
      *expected(from: number, to: number) {
        const ofRule = more.bound === "count"
          ? [...take(all(instant * 1_000 - 1, to), more.count)].filter((each) => each > from)
          : all(Math.max(from, instant * 1_000 - 1), to);
        let extra = added.filter((each) => each > from && each < to).sort((a, b) => a - b);
        for (const each of ofRule) {
          if (until !== undefined && each > until) break;
          for (const before of extra) if (before < each) yield before;
          extra = extra.filter((other) => other > each);
          if (!excluded.includes(each)) yield each;
        }
        yield* extra;
      },
      after,
    };
  })
);

function* take<T>(values: Iterable<T>, count: number): Generator<T> {
  let left = count;
  if (left > 0) { for (const value of values) if (yield value, --left === 0) return; }
}

/** What may be asked, and how much of all questions it is. */
const questions: Readonly<
  Record<string, { readonly share: number; readonly arbitrary: fc.Arbitrary<Question> }>
> = {
  every: { share: 0.1, arbitrary: everyQuestions },
  cron: { share: 0.4, arbitrary: cronQuestions },
  rrule: { share: 0.5, arbitrary: rruleQuestions },
};

/** The kinds of recurrences that are compared. */
export const kinds: readonly string[] = Object.keys(questions);

/** Asks so many questions of a kind, its share of `runs`; how many had an occurrence to compare. */
export function compareMany(
  kind: string,
  { runs, seed }: { readonly runs: number; readonly seed: number },
): number {
  const { share, arbitrary } = questions[kind]!;
  let told = 0;
  fc.assert(
    fc.property(arbitrary, (question) => {
      if (compare(question) === "compared") told++;
    }),
    { numRuns: Math.round(runs * share), seed },
  );
  return told;
}
