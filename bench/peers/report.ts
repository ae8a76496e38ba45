/**
 * The tables: absolute numbers, and ratios to the first engine.
 *
 * @module
 */
import type { Subject } from "./subjects.ts";

/** What one measurement has come to. */
export interface Outcome {
  readonly subject: string;
  readonly job: string;
  readonly round: number;
  /** Absent: it failed, or the engine has no such thing. */
  readonly numbers?: Readonly<Record<string, number>>;
  readonly error?: string;
  readonly cpuMs?: number;
  readonly rssMb?: number;
}

/** A column of the tables. */
export interface Column {
  readonly job: string;
  readonly title: string;
  /** The number that the ratio is of. */
  readonly number: string;
  /** One that is shown beside it. */
  readonly beside?: string;
  /** Whether less is better. */
  readonly less?: boolean;
}

/** The middle one, or the mean of the two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1]!, sorted[sorted.length >> 1]!];
  return (low + high) / 2;
}

/** A number with three digits that mean something. */
export function figure(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString("en-US");
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function valuesOf(outcomes: readonly Outcome[], subject: Subject, { job }: Column, number: string): number[] {
  return outcomes
    .filter((each) => each.subject === subject.id && each.job === job && each.numbers)
    .map(({ numbers }) => numbers![number]!);
}

function absolute(outcomes: readonly Outcome[], subject: Subject, column: Column): string {
  const mine = outcomes.filter((each) => each.subject === subject.id && each.job === column.job);
  const values = valuesOf(outcomes, subject, column, column.number);
  if (values.length === 0) return mine.some(({ error }) => error) ? "failed" : mine.length > 0 ? "none" : "";
  const spread = `(${figure(Math.min(...values))} to ${figure(Math.max(...values))})`;
  const beside = column.beside && `; ${figure(median(valuesOf(outcomes, subject, column, column.beside)))}`;
  const failed = mine.filter(({ error }) => error).length;
  return `${figure(median(values))} ${spread}${beside ?? ""}${failed > 0 ? `, ${failed} failed` : ""}`;
}

function ratio(outcomes: readonly Outcome[], [first, subject]: [Subject, Subject], column: Column): string {
  const [base, values] = [first, subject].map((each) => valuesOf(outcomes, each, column, column.number));
  if (base!.length === 0 || values!.length === 0) return "";
  const quotient = median(values!) / median(base!);
  return (column.less ? 1 / quotient : quotient).toFixed(quotient > 0.01 && quotient < 100 ? 2 : 4);
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) =>
    Math.max(...[head, ...rows].map((row) => row[at]!.length), title.length, 3)
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** Both tables, what failed, and the configurations. */
export function report(
  outcomes: readonly Outcome[],
  subjects: readonly Subject[],
  columns: readonly Column[],
): string {
  const titles = columns.map(({ title }) => title);
  const failures = Map.groupBy(
    outcomes.filter(({ error }) => error),
    ({ subject, error }) => `${subject}: ${error}`,
  );
  const told = [...failures].map(([what, all]) =>
    `- ${what} (${all.map(({ job, round }) => `${job} ${round}`).join(", ")})`
  );
  return [
    "Medians (least to most)",
    table(
      ["engine", ...titles],
      subjects.map((each) => [each.name, ...columns.map((column) => absolute(outcomes, each, column))]),
    ),
    `Times as fast as ${subjects[0]!.name}; more is faster in every column`,
    table(
      ["engine", ...titles],
      subjects.map((
        each,
      ) => [each.name, ...columns.map((column) => ratio(outcomes, [subjects[0]!, each], column))]),
    ),
    "Configurations",
    table(
      ["engine", "what is durable when", "what was set"],
      subjects.map(({ name, durability, tuned }) => [name, durability, tuned]),
    ),
    ...(told.length > 0 ? ["Failed measurements, and in which rounds", told.join("\n")] : []),
  ].join("\n\n");
}
