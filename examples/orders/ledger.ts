/**
 * The outside world of the demo: banks, warehouses and carriers that understand idempotency keys, all in one file.
 *
 * A step may run again after a crash, when its effect was made but its result was not yet committed. The outside world
 * then hears the same key twice and does nothing the second time. The ledger is the witness: it is a file of its own,
 * apart from the database, and must never hold the same key on two lines.
 *
 * @module
 */

/** One line of the ledger. */
export interface Effect {
  /** The idempotency key: which step of which run caused it. */
  readonly stepId: string;
  /** The order's id. */
  readonly order: string;
  /** The status whose step it was. */
  readonly status: string;
  readonly at: string;
}

/** What a ledger needs to know of a step: any `run` of a handler will do. */
export interface Cause {
  readonly stepId: string;
  readonly key: string;
  readonly status: string;
}

const newline = 10;

/** An append-only file of effects, safe to share between processes and to be killed at any instruction. */
export class Ledger {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  readonly #latencyMs: number;
  readonly #known = new Set<string>();
  /** Bytes of the file that are in `#known`. */
  #readTo = 0;
  #twice = 0;
  #added = 0;
  #absorbed = 0;
  #beganAt: number | undefined;

  /**
   * @param path The file; it is made if need be.
   * @param latencyMs How long the outside world takes to answer.
   */
  constructor(path: string, latencyMs = 0) {
    this.#path = path;
    this.#latencyMs = latencyMs;
    this.#file = Deno.openSync(path, { create: true, read: true, append: true });
    try {
      this.#locked(() => this.#catchUp());
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** Effects made by this process. */
  get added(): number {
    return this.#added;
  }

  /** Requests of this process whose effect was there already. */
  get absorbed(): number {
    return this.#absorbed;
  }

  /** When this process asked for its first effect, by `performance.now()`. */
  get beganAt(): number | undefined {
    return this.#beganAt;
  }

  /**
   * Looks at the whole file, other processes' effects included.
   *
   * @returns How many effects it holds, and how many of them twice: none, or the outside world has been harmed.
   */
  count(): { readonly effects: number; readonly twice: number } {
    this.#locked(() => this.#catchUp());
    return { effects: this.#known.size, twice: this.#twice };
  }

  /**
   * Makes the effect of a step, once, however often it is asked for.
   *
   * @param cause The step.
   */
  async record(cause: Cause): Promise<void> {
    this.#beganAt ??= performance.now();
    // The request travels, the effect is made, the answer travels: a process killed on the way never hears it.
    if (this.#latencyMs > 0) await delay(this.#latencyMs / 2);
    this.#locked(() => {
      this.#catchUp();
      this.#apply(cause);
    });
    if (this.#latencyMs > 0) await delay(this.#latencyMs / 2);
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }

  #apply({ stepId, key, status }: Cause): void {
    if (this.#known.has(stepId)) {
      this.#absorbed++;
      return;
    }
    const effect: Effect = { stepId, order: key, status, at: new Date().toISOString() };
    const line = new TextEncoder().encode(JSON.stringify(effect) + "\n");
    for (let written = 0; written < line.length;) written += this.#file.writeSync(line.subarray(written));
    this.#known.add(stepId);
    this.#readTo += line.length;
    this.#added++;
  }

  /**
   * Reads what other processes, or an earlier one, have written. A last line without its end was torn by a kill: its
   * writer holds no lock any more, so it is dead, and nobody was told of that effect.
   */
  #catchUp(): void {
    const { size } = this.#file.statSync();
    if (size === this.#readTo) return;
    const bytes = new Uint8Array(size - this.#readTo);
    this.#file.seekSync(this.#readTo, Deno.SeekMode.Start);
    for (let read = 0; read < bytes.length;) {
      read += this.#file.readSync(bytes.subarray(read)) ?? bytes.length;
    }
    const end = bytes.lastIndexOf(newline) + 1;
    if (end < bytes.length) this.#file.truncateSync(this.#readTo + end);
    for (const line of new TextDecoder().decode(bytes.subarray(0, end)).split("\n")) {
      if (line === "") continue;
      const stepId = this.#stepIdOf(line);
      if (this.#known.has(stepId)) this.#twice++;
      this.#known.add(stepId);
    }
    this.#readTo += end;
  }

  #stepIdOf(line: string): string {
    try {
      const { stepId } = JSON.parse(line) as Effect;
      if (typeof stepId === "string") return stepId;
    } catch { /* Told below, with the name of the file. */ }
    throw new Error(`Cannot read ledger "${this.#path}": this line is no effect: ${line.slice(0, 80)}`);
  }

  #locked(work: () => void): void {
    this.#file.lockSync(true);
    try {
      work();
    } finally {
      this.#file.unlockSync();
    }
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
