/**
 * Tables of text that fit the screen.
 *
 * @module
 */
import { cutTo, shown, widthOf } from "./width.ts";

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  /** What stands in it; absent: nothing. */
  readonly text: (row: Row) => string | undefined;
  /** Numbers stand at its right. */
  readonly isRight?: boolean;
  /** It gives way where the screen is narrow; the others are whole at all times. */
  readonly canShrink?: boolean;
  /** What its text looks like, when it is in its place. */
  readonly paint?: (text: string, row: Row) => string;
}

const gap = "  ";

/** What is left of a column that gives way. */
const shrunkMin = 8;

/**
 * Lays out rows.
 *
 * @param rows What is shown.
 * @param columns How; those in which nothing stands are left out.
 * @param width Places of a line.
 * @returns Lines, each with its end.
 */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number): string {
  const cells = columns.map(({ text }) => rows.map((row) => shown(text(row) ?? "")));
  const there = columns.flatMap((column, index) =>
    cells[index]!.some((cell) => cell !== "") ? [{ column, cells: cells[index]! }] : []
  );
  const widths = fit(
    there.map(({ column, cells }) => ({
      width: Math.max(widthOf(column.title), ...cells.map(widthOf)),
      canShrink: column.canShrink ?? false,
    })),
    width,
  );
  const line = (textAt: (index: number) => string, paintAt: (text: string, index: number) => string) =>
    there.map(({ column: { isRight } }, index) => {
      const text = cutTo(textAt(index), widths[index]!);
      const space = " ".repeat(Math.max(0, widths[index]! - widthOf(text)));
      const painted = paintAt(text, index);
      return isRight ? space + painted : painted + space;
    }).join(gap).trimEnd() + "\n";
  const head = line((index) => there[index]!.column.title, (text) => text);
  const body = rows.map((row, at) =>
    line(
      (index) => there[index]!.cells[at]!,
      (text, index) => there[index]!.column.paint?.(text, row) ?? text,
    )
  );
  return head + body.join("");
}

/** Takes from the widest of the columns that give way, until all fit or nothing can be taken any more. */
function fit(
  columns: readonly { readonly width: number; readonly canShrink: boolean }[],
  width: number,
): readonly number[] {
  const widths = columns.map((each) => each.width);
  let excess = widths.reduce((sum, each) => sum + each, 0) + gap.length * (widths.length - 1) - width;
  while (excess > 0) {
    const open = columns.flatMap(({ canShrink }, index) =>
      canShrink && widths[index]! > shrunkMin ? [index] : []
    );
    if (open.length === 0) break;
    const widest = open.reduce((best, each) => widths[each]! > widths[best]! ? each : best);
    const second = Math.max(
      shrunkMin,
      ...open.filter((each) => each !== widest).map((each) => widths[each]!),
    );
    const taken = Math.min(excess, Math.max(1, widths[widest]! - second));
    widths[widest]! -= taken;
    excess -= taken;
  }
  return widths;
}

/**
 * Lays out names with what belongs to them, one below the other.
 *
 * @param fields Names and texts; those without a text are left out. A text may have several lines.
 * @returns Lines, each with its end.
 */
export function fields(fields: readonly (readonly [name: string, text: string | undefined])[]): string {
  const there = fields.filter(([, text]) => text !== undefined && text !== "");
  const width = Math.max(0, ...there.map(([name]) => name.length));
  return there.map(([name, text]) => {
    const [first, ...rest] = text!.split("\n");
    const more = rest.map((each) => `\n${" ".repeat(width)}${gap}${each}`).join("");
    return `${name.padEnd(width)}${gap}${first}${more}\n`;
  }).join("");
}
