import type { Line } from "./ledger.ts";

/** What is left of a line whose writer was killed within its write. */
export interface Torn {
  readonly text: string;
  /** How many whole lines stand before it. */
  readonly after: number;
}

/** Reads a ledger that others may still be writing, a piece at a time. */
export class LedgerReader {
  readonly #path: string;
  #readTo = 0;
  /** The lines seen so far, in the order in which they were written. */
  readonly lines: Line[] = [];
  /** What is no line. */
  readonly torn: Torn[] = [];

  /**
   * @param path The file.
   */
  constructor(path: string) {
    this.#path = path;
  }

  /** Reads what is new. */
  read(): readonly Line[] {
    using file = Deno.openSync(this.#path, { create: true, write: true, read: true });
    const { size } = file.statSync();
    if (size === this.#readTo) return this.lines;
    file.seekSync(this.#readTo, Deno.SeekMode.Start);
    const bytes = new Uint8Array(size - this.#readTo);
    let length = 0;
    while (length < bytes.length) length += file.readSync(bytes.subarray(length)) ?? bytes.length;
    const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
    this.#readTo += whole.length;
    for (const text of new TextDecoder().decode(whole).split("\n")) if (text !== "") this.#take(text);
    return this.lines;
  }

  #take(text: string): void {
    try {
      this.lines.push(JSON.parse(text) as Line);
    } catch {
      this.torn.push({ text, after: this.lines.length });
    }
  }
}

/** Whose line it was, and which, as far as its front tells. */
const front = /^\{"by":"([^"]+)","n":(\d+),/;

/**
 * What makes a ledger worthless: a line that is missing, or torn anywhere but at the end of a killed writer's life.
 *
 * @param lines Its lines.
 * @param torn What is no line.
 * @returns What is wrong.
 */
export function damageOf(lines: readonly Line[], torn: readonly Torn[] = []): string[] {
  const damage: string[] = [];
  const last = new Map<string, number>();
  const killed = new Set<string>();
  for (const line of lines) {
    const want = (last.get(line.by) ?? 0) + 1;
    if (line.n !== want) damage.push(`line ${line.n} of ${line.by} stands where its line ${want} should be`);
    last.set(line.by, line.n);
    if (line.what === "event" && line.name === "kill") killed.add(line.to);
  }
  const nameless = torn.filter(({ text }) => !front.test(text));
  if (nameless.length > killed.size) {
    damage.push(`${nameless.length} torn lines without a name, but only ${killed.size} writers were killed`);
  }
  for (const { text } of torn) {
    const [, by, n] = front.exec(text) ?? [];
    if (by === undefined) continue;
    const isLast = killed.has(by) && Number(n) === (last.get(by) ?? 0) + 1;
    if (!isLast) {
      damage.push(`line ${n} of ${by} is torn, but not at the end of a killed writer's life: ${text}`);
    }
  }
  return damage;
}
