/**
 * What a program says, line by line.
 *
 * @module
 */

/** Lines of a stream of bytes, as they come. */
export class TextLines {
  readonly #chunks: AsyncIterator<string>;
  #rest = "";

  /** @param bytes Of text in UTF-8. */
  constructor(bytes: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#chunks = bytes.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  }

  /** @returns The next line that fits; `undefined` when the stream has ended without it. */
  async find(fits: (line: string) => boolean): Promise<string | undefined> {
    while (true) {
      for (let end = this.#rest.indexOf("\n"); end >= 0; end = this.#rest.indexOf("\n")) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        if (fits(line)) return line;
      }
      const { done, value } = await this.#chunks.next();
      if (done) return undefined;
      this.#rest += value;
    }
  }
}
