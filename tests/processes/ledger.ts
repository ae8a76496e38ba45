/**
 * The record of what happened outside the engine, written by every process of the fleet and believed before the store.
 *
 * All processes append to one file. A line is one `write` of a file that was opened to append, so lines of several
 * processes do not mix. There is no lock: a process that is stopped while it held one would stop all the others.
 *
 * A process that is killed within a write may leave the front of a line. So each line also begins with a line end, which
 * cuts off what was left before it, and each writer numbers its lines: a line that is missing or torn anywhere but at the
 * end of a killed writer's life is seen, and makes the ledger worthless.
 *
 * @module
 */

/** Who saw a line: a process of the fleet, its how-manieth line it is, and when by the clock that all of them share. */
export interface Seen {
  readonly by: string;
  /** From 1, without gaps. */
  readonly n: number;
  readonly at: number;
}

/** What user code runs for; it also tells how its `stepId` is made. */
export type Lane = "step" | "timer" | "callback";

/** User code begins. */
export interface Began extends Seen {
  readonly what: "began";
  readonly lane: Lane;
  readonly stepId: string;
  readonly attempt: number;
}

/** The outside world has changed: the code is about to return. */
export interface Effect extends Seen {
  readonly what: "effect";
  readonly lane: Lane;
  readonly stepId: string;
  readonly key: string;
  readonly status: string;
  readonly attempt: number;
  /** Of a callback: what its payload carries. */
  readonly token?: string;
}

/** The verbs that a client asks for; `send` hands an event to a connector. */
export type Verb = "trigger" | "callback" | "pause" | "resume" | "cancel" | "delete" | "await" | "send";

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
  /** What a run carries in its data that this made or changed; of `send`: the event's id. */
  readonly token?: string;
  /** It is safe to ask again, with the same token: an idempotency key, or the id of an event. */
  readonly isRepeatable?: boolean;
  /** Of a trigger: what the run is to come to. */
  readonly wish?: "good" | "bad";
}

/** The engine has acknowledged it. */
export interface Told extends Seen {
  readonly what: "told";
  readonly id: string;
  /** Absent for a `send`. */
  readonly runId?: string;
  /** Of a trigger: the run was made by this call. */
  readonly created?: boolean;
  /** Of a verb: the run's version after it. */
  readonly version?: number;
  /** Of an await: the state that the run ended in. */
  readonly state?: string;
  /** Of a callback: whether the run took it. */
  readonly applied?: boolean;
}

/** The engine has refused it; every code but `OUTCOME_UNKNOWN` says that nothing was written, and nothing will be. */
export interface Refused extends Seen {
  readonly what: "refused";
  readonly id: string;
  readonly code: string;
}

/** A hook begins, or is about to return. */
export interface Hooked extends Seen {
  readonly what: "hook";
  readonly phase: "began" | "ended";
  readonly definition: string;
  readonly runId: string;
  /** Of the run at the change that it hears of. */
  readonly version: number;
  readonly kind: string;
  readonly name: string;
  readonly state: string;
  /** The steps in the data that it sees. */
  readonly landed: readonly string[];
}

/** A connector's handler is about to return: its event is done. */
export interface Handled extends Seen {
  readonly what: "handled";
  readonly connector: string;
  readonly eventId: string;
  readonly key: string;
}

/** A receiver of a stream has been given an event and has not acked it, or the relay has sent one. */
export interface Got extends Seen {
  readonly what: "got";
  readonly via: "receiver" | "relay";
  readonly topic: string;
  readonly runId: string;
  readonly version: number;
  readonly state: string;
}

/** Something happened to a process: `started`, `left`, `kill`, `ended`, `freeze`, `thaw`, ... */
export interface Event extends Seen {
  readonly what: "event";
  readonly name: string;
  /** The process it happened to. */
  readonly to: string;
  /** Of `started`: the id of the worker's engine. */
  readonly engineId?: string;
  /** Of `kill`: what the process was at. Of `log`: what its engine said. */
  readonly about?: string;
}

/** A line of the ledger. */
export type Line = Began | Effect | Asked | Told | Refused | Hooked | Handled | Got | Event;

/** A line as its writer gives it. */
export type Draft<L = Line> = L extends Line ? Omit<L, keyof Seen> : never;

/** The pen of one process. */
export class Ledger {
  readonly #file: Deno.FsFile;
  readonly #by: string;
  readonly #encoder = new TextEncoder();
  #written = 0;

  /**
   * @param path The file, shared by all.
   * @param by Who writes: nobody else, before or after, writes under this name.
   */
  constructor(path: string, by: string) {
    this.#file = Deno.openSync(path, { create: true, append: true });
    this.#by = by;
  }

  /** Appends a line; it is in the file when this returns. */
  write(line: Draft): void {
    // Whose line it is comes first: what is left of a torn one may still tell.
    const text = JSON.stringify({ by: this.#by, n: ++this.#written, at: Date.now(), ...line });
    const bytes = this.#encoder.encode(`\n${text}\n`);
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
