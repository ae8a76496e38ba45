import { PawlError } from "pawl";

/** What one of the five or six fields may say. */
export interface FieldKind {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names of its values, the first for `firstNamed`. */
  readonly names?: readonly string[];
  readonly firstNamed?: number;
}

/** What a field says. */
export interface Field {
  /** Whether it begins with `*` or `?`, and so, for a day, says that any would do. */
  readonly isOpen: boolean;
  /** Whether it names all values that there are. */
  readonly isEvery: boolean;
  /** In numbers, for croner. */
  readonly text: string;
}

/** A piece of an expression, and where it stands there. */
interface Piece {
  readonly text: string;
  readonly at: number;
}

/** The kinds of fields, in the order of six. */
export const fieldKinds: readonly FieldKind[] = [
  { name: "second", min: 0, max: 59 },
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of month", min: 1, max: 31 },
  {
    name: "month",
    min: 1,
    max: 12,
    names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    firstNamed: 1,
  },
  {
    name: "day of week",
    min: 0,
    max: 7,
    names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    firstNamed: 0,
  },
];

/** Reads fields of one expression, so that what it refuses is shown with the place in it. */
export class FieldReader {
  readonly #expression: string;

  /** @param expression All of it, as it was written. */
  constructor(expression: string) {
    this.#expression = expression;
  }

  /** What a field says: a list of values, ranges and steps, and of days that depend on the month. */
  read(kind: FieldKind, field: Piece): Field {
    const values = new Set<number>();
    const special: string[] = [];
    for (const item of split(field, ",")) {
      const day = this.#dayOfMonth(kind, item);
      if (day !== undefined) special.push(day);
      else for (const value of this.#range(kind, item)) values.add(isSunday(kind, value) ? 0 : value);
    }
    const sorted = [...values].sort((a, b) => a - b);
    const all = kind.max - kind.min + (kind.names && kind.min === 0 ? 0 : 1);
    const isEvery = sorted.length === all;
    const isOpen = /^[*?]/.test(field.text);
    return {
      isOpen,
      isEvery,
      text: isEvery && isOpen ? "*" : [...sorted, ...special].join(","),
    };
  }

  /** Refuses a piece. */
  refuse(piece: Piece, seen: string, wished: string): never {
    throw new PawlError(
      "INVALID_RECURRENCE",
      `Cannot read cron ${JSON.stringify(this.#expression)}: at character ${
        piece.at + 1
      }, got ${seen}, want ${wished}`,
    );
  }

  /** A day that is another number in each month: `L`, `fri#2` or `friL`; nothing, if it is none of these. */
  #dayOfMonth(kind: FieldKind, item: Piece): string | undefined {
    if (kind.name === "day of month" && /^l$/i.test(item.text)) return "L";
    const [, day, which] = /^(\w+?)(#.*|l)$/i.exec(item.text) ?? [];
    if (kind.name !== "day of week" || day === undefined || which === undefined) return undefined;
    const value = this.#value(kind, { text: day, at: item.at });
    if (!/^(#[1-5]|l)$/i.test(which)) {
      const at = item.at + day.length + 1;
      this.refuse({ text: which, at }, `"${which.slice(1)}"`, `1 to 5: which ${day} of the month`);
    }
    return `${isSunday(kind, value) ? 0 : value}${which.toUpperCase()}`;
  }

  #range(kind: FieldKind, item: Piece): number[] {
    const [span, step, ...rest] = split(item, "/");
    if (rest[0]) this.refuse(rest[0], `a second step "${rest[0].text}"`, "one");
    const [from, to, ...others] = split(span!, "-");
    if (others[0]) this.refuse(others[0], `a second range "${others[0].text}"`, "one, or a list with commas");
    const isDay = kind.name.startsWith("day");
    if (from!.text === "*" || from!.text === "?" && isDay) {
      if (to) this.refuse(to, `a range from "${from!.text}"`, "numbers or names at both ends");
      const max = kind.name === "day of week" ? 6 : kind.max;
      return this.#steps(kind, { from: kind.min, to: max }, step);
    }
    const first = this.#value(kind, from!);
    if (!to) {
      if (step) this.refuse(step, `a step after one value`, `a range: "${first}-${kind.max}/${step.text}"`);
      return [first];
    }
    const last = this.#value(kind, to);
    // A week may end with Sunday, whichever of its two numbers is written.
    const end = last === 0 && first > 0 && kind.name === "day of week" ? 7 : last;
    if (end < first) {
      const instead = `"${from!.text}-${kind.max},${kind.min}-${to.text}"`;
      this.refuse(item, `the range "${span!.text}", which runs backwards`, `a list of two: ${instead}`);
    }
    return this.#steps(kind, { from: first, to: end }, step);
  }

  #steps(kind: FieldKind, range: { readonly from: number; readonly to: number }, step?: Piece): number[] {
    const by = step ? Number(/^\d+$/.test(step.text) ? step.text : NaN) : 1;
    if (!(by >= 1 && by <= kind.max)) {
      this.refuse(step!, `the step "${step!.text}"`, `a whole number from 1 to ${kind.max}`);
    }
    const values: number[] = [];
    for (let value = range.from; value <= range.to; value += by) values.push(value);
    return values;
  }

  #value(kind: FieldKind, piece: Piece): number {
    const named = kind.names?.indexOf(piece.text.toLowerCase()) ?? -1;
    if (named >= 0) return kind.firstNamed! + named;
    const value = /^\d+$/.test(piece.text) ? Number(piece.text) : NaN;
    if (value >= kind.min && value <= kind.max) return value;
    const names = kind.names ? `, or ${kind.names[0]} to ${kind.names.at(-1)}` : "";
    return this.refuse(piece, `${kind.name} "${piece.text}"`, `${kind.min} to ${kind.max}${names}`);
  }
}

const isSunday = (kind: FieldKind, value: number) => kind.name === "day of week" && value === 7;

function split(piece: Piece, by: string): Piece[] {
  let at = piece.at;
  return piece.text.split(by).map((text) => {
    const part = { text, at };
    at += text.length + by.length;
    return part;
  });
}
