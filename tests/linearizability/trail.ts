/** What was done, so that it can be taken back. */
export class Trail {
  readonly #undos: (() => void)[] = [];

  /** Notes how to take back what was just done. */
  push(undo: () => void): void {
    this.#undos.push(undo);
  }

  /** The present, to come back to. */
  mark(): number {
    return this.#undos.length;
  }

  /** Takes back all that was done since. */
  rewind(mark: number): void {
    while (this.#undos.length > mark) this.#undos.pop()!();
  }
}
