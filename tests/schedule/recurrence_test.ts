import assert from "node:assert/strict";
import { recurrenceReader } from "../../core/schedule/recurrence_reader.ts";
import { every, type Recurrence } from "../../mod.ts";
import { cron } from "../../plugins/cron/mod.ts";
import { rrule } from "../../plugins/rrule/mod.ts";

const all: readonly Recurrence[] = [
  every("15m", { phase: "1m", end: new Date(Date.UTC(2040, 0)) }),
  cron("30 2 * * mon", { timeZone: "Africa/Cairo", gap: "skip", overlap: "both" }),
  cron("@every 90s"),
  rrule("FREQ=WEEKLY;COUNT=40;BYDAY=MO,TU", {
    timeZone: "Europe/London",
    start: new Date(Date.UTC(2030, 0, 1)),
  }),
];

Deno.test("recurrenceReader() reads again, from JSON, what every type has stored", () => {
  const read = recurrenceReader([cron, rrule]);
  for (const made of all) {
    const again = read(JSON.parse(JSON.stringify(made.stored)));
    assert.deepEqual(again.stored, made.stored);
    assert.equal(again.code, made.code);
    let after = Date.UTC(2030, 2, 1);
    for (let i = 0; i < 20; i++) {
      assert.equal(again.next(after), made.next(after));
      after = made.next(after)!;
    }
  }
});

Deno.test("recurrenceReader() refuses a type that it was not given, and says what to do", () => {
  assert.throws(() => recurrenceReader([rrule])(all[1]!.stored), {
    code: "UNKNOWN_RECURRENCE",
    message: `Cannot read a recurrence of type "cron": this engine carries "every", "rrule"; ` +
      `give the type to createEngine({ recurrences })`,
  });
});

Deno.test("recurrenceReader() takes a type twice, and refuses two of one name", () => {
  assert.doesNotThrow(() => recurrenceReader([cron, cron, every]));
  const other = { type: "cron", parse: () => ({ next: () => undefined }) };
  assert.throws(() => recurrenceReader([cron, other]), { code: "INVALID_ARGUMENT", message: /named "cron"/ });
});
