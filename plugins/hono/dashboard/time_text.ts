/**
 * Times and durations as people read them.
 *
 * @module
 */

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const units: readonly (readonly [name: string, ms: number])[] = [
  ["d", day],
  ["h", hour],
  ["min", minute],
  ["s", second],
];

/**
 * A duration in its two largest units, such as `2 h 5 min`, `1.2 s` or `350 ms`.
 *
 * @param ms How long; negative counts as nothing.
 */
export function durationText(ms: number): string {
  if (!(ms > 0)) return "0 ms";
  if (ms < second) return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`;
  if (ms < 10 * second) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const at = units.findIndex(([, size]) => ms >= size);
  const [name, size] = units[at]!;
  const next = units[at + 1];
  const whole = Math.floor(ms / size);
  const rest = next ? Math.floor((ms % size) / next[1]) : 0;
  return rest > 0 ? `${whole} ${name} ${rest} ${next![0]}` : `${whole} ${name}`;
}

/**
 * A time by its distance from now, in one unit: `12 s ago`, `in 3 h`.
 *
 * @param at The time.
 * @param now When it is read.
 */
export function relativeText(at: number, now: number): string {
  const distance = Math.abs(now - at);
  if (distance < second) return "now";
  const [name, size] = units.find(([, size]) => distance >= size)!;
  const text = `${Math.floor(distance / size)} ${name}`;
  return at < now ? `${text} ago` : `in ${text}`;
}

const two = (value: number) => String(value).padStart(2, "0");

/** A time to the second in the reader's zone, the same width for all: `2026-11-21 09:05:00`. */
export function absoluteText(at: number): string {
  const date = new Date(at);
  const days = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${days} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}

/** A time to the millisecond, with its zone. */
export function exactText(at: number): string {
  const date = new Date(at);
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${
    two(Math.abs(offset) % 60)
  }`;
  return `${absoluteText(at)}.${String(date.getMilliseconds()).padStart(3, "0")} ${zone}`;
}

/** The time of day to the millisecond. */
export function clockText(at: number): string {
  return `${absoluteText(at).slice(11)}.${String(new Date(at).getMilliseconds()).padStart(3, "0")}`;
}

/** What an input of type `datetime-local` shows for a time, in the reader's zone. */
export function inputText(at: number): string {
  return absoluteText(at).replace(" ", "T");
}
