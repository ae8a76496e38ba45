/**
 * Times for whoever reads them on a screen.
 *
 * @module
 */

const units = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1_000]] as const;

/** `250 ms`, `12 s`, `3 m 20 s`, `2 d 4 h`: the two largest units. */
export function lengthText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const first = units.findIndex(([, size]) => ms >= size);
  const [[name, size], smaller] = [units[first]!, units[first + 1]];
  const rest = smaller ? Math.floor((ms % size) / smaller[1]) : 0;
  return `${Math.floor(ms / size)} ${name}${rest > 0 ? ` ${rest} ${smaller![0]}` : ""}`;
}

/** How long ago, or in how long. */
export function distanceText(time: Date, now: Date): string {
  const ms = time.getTime() - now.getTime();
  if (Math.abs(ms) < 1_000) return "now";
  const [name, size] = units.find(([, each]) => Math.abs(ms) >= each)!;
  const count = `${Math.floor(Math.abs(ms) / size)} ${name}`;
  return ms < 0 ? `${count} ago` : `in ${count}`;
}

/** For tables: on a screen, how long ago; for files and programs, the time itself. */
export function timeText(time: Date | undefined, now: Date, isTerminal: boolean): string | undefined {
  if (time === undefined) return undefined;
  return isTerminal ? distanceText(time, now) : time.toISOString();
}

/** The time itself, and how far away it is. */
export function fullTimeText(time: Date | undefined, now: Date): string | undefined {
  return time && `${time.toISOString()} (${distanceText(time, now)})`;
}
