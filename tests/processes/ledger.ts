/**
 * The record of what happened outside the engine, written by every process of the fleet and believed before the store.
 *
 * All processes append to one file. A line is one `write` of a file that was opened to append, so lines of several
 * processes do not mix, and a process that dies leaves its line whole or not at all. There is no lock: a process that is
 * stopped while it held one would stop all the others.
 *
 * @module
 */

/** Who saw a line: a worker or client, its process, and when by the clock that all of them share. */
interface Seen {
  readonly by: string;
  readonly at: number;
}

/** User code of a step begins. */
export interface Began extends Seen {
  readonly what: "began";
  readonly stepId: string;
  readonly attempt: number;
}

/** The outside world has changed: the step is about to return. */
export interface Effect extends Seen {
  readonly what: "effect";
  readonly stepId: string;
  readonly key: string;
  readonly status: string;
  readonly attempt: number;
}

/** The verbs that a client asks for. */
export type Verb = "trigger" | "pause" | "resume" | "cancel" | "await";

/** A client is about to ask for something. */
export interface Asked extends Seen {
  readonly what: "asked";
  /** Names the question. */
  readonly id: string;
  readonly verb: Verb;
  readonly definition: string;
  readonly key: string;
  /** Which run; a trigger knows none yet. */
  readonly runId?: string;
  /** Of a trigger: what the run carries in its data. Questions with one idempotency key share it. */
  readonly token?: string;
  /** Of an await: the status waited for; absent: the end. */
  readonly status?: string;
}

/** The engine has acknowledged it. */
export interface Told extends Seen {
  readonly what: "told";
  readonly id: string;
  readonly runId: string;
  /** Of a trigger: the run was made by this call. */
  readonly created?: boolean;
  /** Of a verb: the run's version after it. */
  readonly version?: number;
  /** Of an await: the state that the run ended in. */
  readonly state?: string;
}

/** The engine has refused it; every code but `OUTCOME_UNKNOWN` says that nothing was written, and nothing will be. */
export interface Refused extends Seen {
  readonly what: "refused";
  readonly id: string;
  readonly code: string;
}

/** Something happened to a process: `started`, `left`, `kill`, `freeze`, `thaw`, ... */
export interface Event extends Seen {
  readonly what: "event";
  readonly name: string;
  /** The process it happened to. */
  readonly to: string;
  /** Of `started`: the id of the worker's engine. */
  readonly engineId?: string;
}

/** A line of the ledger. */
export type Line = Began | Effect | Asked | Told | Refused | Event;

/** A line as its writer gives it. */
type Draft<L> = L extends Line ? Omit<L, keyof Seen> : never;

/** The pen of one process. */
export class Ledger {
  readonly #file: Deno.FsFile;
  readonly #by: string;

  /**
   * @param path The file, shared by all.
   * @param by Who writes.
   */
  constructor(path: string, by: string) {
    this.#file = Deno.openSync(path, { create: true, append: true });
    this.#by = by;
  }

  /** Appends a line; it is in the file when this returns. */
  write(line: Draft<Line>): void {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...line, by: this.#by, at: Date.now() }) + "\n");
    const written = this.#file.writeSync(bytes);
    if (written !== bytes.length) {
      throw new Error(`Only ${written} of ${bytes.length} bytes of a line written`);
    }
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }
}

/** Reads a ledger that others may still be writing, a piece at a time. */
export class LedgerReader {
  readonly #path: string;
  #readTo = 0;
  /** The lines seen so far, in the order in which they were written. */
  readonly lines: Line[] = [];

  /**
   * @param path The file.
   */
  constructor(path: string) {
    this.#path = path;
  }

  /** Reads what is new. */
  read(): readonly Line[] {
    using file = Deno.openSync(this.#path, { create: true, write: true, read: true });
    file.seekSync(this.#readTo, Deno.SeekMode.Start);
    const bytes = new Uint8Array(file.statSync().size - this.#readTo);
    let length = 0;
    while (length < bytes.length) length += file.readSync(bytes.subarray(length)) ?? bytes.length;
    const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
    this.#readTo += whole.length;
    const texts = new TextDecoder().decode(whole).split("\n").slice(0, -1);
    this.lines.push(...texts.map((text) => JSON.parse(text) as Line));
    return this.lines;
  }
}
