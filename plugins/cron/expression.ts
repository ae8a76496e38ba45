import { Cron } from "croner";
import type { WallClockRule } from "pawl";
import { type Field, fieldKinds, FieldReader } from "./field.ts";

/** An expression that is read. */
export interface Expression {
  /** The times that it names. */
  readonly rule: WallClockRule;
  /** Whether it names every hour of a day, so that it means spans of time more than times of the day. */
  readonly isHourly: boolean;
}

const nicknames: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/**
 * Reads what has fields, or a name for them.
 *
 * @param expression Five fields, six with seconds first, or a name such as `@daily`.
 * @returns The rule that it says.
 * @throws {PawlError} `INVALID_RECURRENCE` with the place in it.
 */
export function readExpression(expression: string): Expression {
  const reader = new FieldReader(expression);
  const text = nicknames[expression.trim().toLowerCase()] ?? expression;
  const pieces = [...text.matchAll(/\S+/g)].map((match) => ({ text: match[0], at: match.index }));
  const [first] = pieces;
  if (first?.text.startsWith("@")) {
    reader.refuse(first, `"${first.text}"`, `"@every 15m", or one of ${Object.keys(nicknames).join(", ")}`);
  }
  if (pieces.length !== 5 && pieces.length !== 6) {
    const place = pieces[6] ?? { text: "", at: text.length };
    reader.refuse(place, `${pieces.length} fields`, "5, or 6 with seconds first");
  }
  const kinds = fieldKinds.slice(-pieces.length);
  const read = kinds.map((kind, index) => reader.read(kind, pieces[index]!));
  const fields = read.length === 5 ? [onTheMinute, ...read] : read;
  return { rule: ruleOf(fields), isHourly: fields[2]!.isEvery };
}

const onTheMinute: Field = { isOpen: false, isEvery: false, text: "0" };

function ruleOf(fields: readonly Field[]): WallClockRule {
  const [, , , dayOfMonth, , dayOfWeek] = fields;
  const pattern = new Cron(fields.map((field) => field.text).join(" "), {
    mode: "6-part",
    // Times are those of a clock in UTC: what is done about clocks that are changed is not croner's here.
    utcOffset: 0,
    // As in Vixie's cron: either day will do, unless a field begins with a star, be it that of a step.
    domAndDow: dayOfMonth!.isOpen || dayOfWeek!.isOpen,
  });
  return { next: (time) => pattern.nextRun(new Date(time))?.getTime() };
}
