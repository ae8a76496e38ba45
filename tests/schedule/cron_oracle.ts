import fc from "fast-check";
import type { OracleRule } from "./oracle.ts";

/** One item of a field, before it is written. */
interface Item {
  readonly from?: number;
  readonly to?: number;
  readonly step?: number;
  readonly special?: string;
}

/** A cron expression before it is written: seconds to days of the week. */
export interface CronProgram {
  readonly fields: readonly (readonly Item[])[];
  /** Without it, five fields are written. */
  readonly hasSeconds: boolean;
  readonly areNamed: boolean;
}

const bounds = [[0, 59], [0, 59], [0, 23], [1, 31], [1, 12], [0, 6]] as const;
const names = [
  undefined,
  undefined,
  undefined,
  undefined,
  ["", "JAN", "feb", "Mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  ["sun", "Mon", "tue", "wed", "thu", "FRI", "sat"],
];

/** The expression as a user writes it. */
export function writeCron({ fields, hasSeconds, areNamed }: CronProgram): string {
  return fields.slice(hasSeconds ? 0 : 1).map((items, index) => {
    const field = hasSeconds ? index : index + 1;
    const write = (value: number) => areNamed && names[field] ? names[field][value]! : String(value);
    return items.map(({ from, to, step, special }) => {
      const span = from === undefined ? "*" : to === undefined ? write(from) : `${write(from)}-${write(to)}`;
      return special ?? (step === undefined ? span : `${span}/${step}`);
    }).join(",");
  }).join(" ");
}

function isMeant(items: readonly Item[], field: number, value: number): boolean {
  return items.some(({ from, to, step, special }) => {
    if (special !== undefined) return false;
    if (from === undefined) return (value - bounds[field]![0]) % (step ?? 1) === 0;
    return value >= from && value <= (to ?? from) && (value - from) % (step ?? 1) === 0;
  });
}

function isSpecialDay(items: readonly Item[], date: Date): boolean {
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  return items.some(({ special }) => {
    if (special === undefined) return false;
    if (special === "L") return date.getUTCDate() === last;
    if (date.getUTCDay() !== Number(special[0])) return false;
    return special.endsWith("L")
      ? date.getUTCDate() + 7 > last
      : Math.ceil(date.getUTCDate() / 7) === Number(special[2]);
  });
}

/** What the expression means. */
export function cronOracle({ fields, hasSeconds }: CronProgram): OracleRule {
  const [seconds, minutes, hours, days, months, weekdays] = fields as [
    Item[],
    Item[],
    Item[],
    Item[],
    Item[],
    Item[],
  ];
  const is = (items: readonly Item[], field: number) => {
    const values = new Set(
      Array.from({ length: 60 }, (_, i) => i).filter((value) => isMeant(items, field, value)),
    );
    return (value: number) => values.has(value);
  };
  const [isMinute, isHour, isMonth] = [is(minutes, 1), is(hours, 2), is(months, 4)];
  const meantSeconds = hasSeconds
    ? Array.from({ length: 60 }, (_, i) => i).filter((value) => isMeant(seconds, 0, value))
    : [0];
  const isStar = (items: readonly Item[]) => items[0]!.from === undefined && items[0]!.special === undefined;
  const onDay = new Map<number, boolean>();
  const mayBeOn = (day: number) => {
    const known = onDay.get(day);
    if (known !== undefined) return known;
    const date = new Date(day * 86_400_000);
    const isDay = isMeant(days, 3, date.getUTCDate()) || isSpecialDay(days, date);
    const isWeekday = isMeant(weekdays, 5, date.getUTCDay()) || isSpecialDay(weekdays, date);
    const isAny = isStar(days) || isStar(weekdays) ? isDay && isWeekday : isDay || isWeekday;
    const may = isMonth(date.getUTCMonth() + 1) && isAny;
    onDay.set(day, may);
    return may;
  };
  return {
    mayBeOn,
    secondsOf(shown) {
      const isNow = isMinute(shown % 60) && isHour(Math.floor(shown / 60) % 24) &&
        mayBeOn(Math.floor(shown / 1_440));
      return isNow ? meantSeconds : [];
    },
  };
}

function items(field: number): fc.Arbitrary<readonly Item[]> {
  const [min, max] = bounds[field]!;
  const value = fc.integer({ min, max });
  const range = fc.tuple(value, value).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
  const step = fc.integer({ min: 1, max: Math.max(2, max >> 1) });
  const special: fc.Arbitrary<Item>[] = field === 3 ? [fc.constant({ special: "L" })] : field === 5
    ? [
      fc.tuple(value, fc.integer({ min: 1, max: 5 })).map(([day, which]) => ({ special: `${day}#${which}` })),
      value.map((day) => ({ special: `${day}L` })),
    ]
    : [];
  const item = fc.oneof(
    { weight: 6, arbitrary: value.map((from) => ({ from })) },
    { weight: 2, arbitrary: range },
    { weight: 1, arbitrary: fc.tuple(range, step).map(([of, by]) => ({ ...of, step: by })) },
    ...special.map((arbitrary) => ({ weight: 1, arbitrary })),
  );
  return fc.oneof(
    { weight: field > 2 ? 6 : 2, arbitrary: fc.constant([{}]) },
    { weight: 1, arbitrary: step.map((by) => [{ step: by }]) },
    { weight: 5, arbitrary: fc.array(item, { minLength: 1, maxLength: 3 }) },
  );
}

/** Any expression. */
export const cronPrograms: fc.Arbitrary<CronProgram> = fc.record({
  fields: fc.tuple(...bounds.map((_, field) => items(field))),
  hasSeconds: fc.boolean(),
  areNamed: fc.boolean(),
});
