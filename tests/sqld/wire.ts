/** One end of a TCP connection, read by the message. */
export class Wire {
  readonly #conn: Deno.TcpConn;
  #buffer = new Uint8Array(0);

  constructor(conn: Deno.TcpConn) {
    conn.setNoDelay(true);
    this.#conn = conn;
  }

  /** Reads one HTTP message: its head and its body, as it was sent. `undefined`: the connection has ended. */
  async http(): Promise<{ readonly head: string; readonly raw: Uint8Array } | undefined> {
    const headEnd = await this.#until("\r\n\r\n", 0);
    if (headEnd === undefined) return undefined;
    const head = text(this.#buffer.subarray(0, headEnd));
    // sqld gives the answer that begins a WebSocket a length, but no body.
    const length = head.startsWith("HTTP/1.1 101") ? 0 : /^content-length: *(\d+)/im.exec(head)?.[1];
    const chunked = /^transfer-encoding: *chunked/im.test(head);
    const end = chunked ? await this.#until("0\r\n\r\n", headEnd) : headEnd + Number(length ?? 0);
    if (end === undefined) return undefined;
    const raw = await this.#take(end);
    return raw && { head, raw };
  }

  /** Reads one WebSocket frame: its text and the bytes as they were sent. */
  async frame(): Promise<{ readonly text: string; readonly raw: Uint8Array } | undefined> {
    const head = await this.#peek(2);
    if (!head) return undefined;
    const short = head[1]! & 0x7f;
    const masked = (head[1]! & 0x80) !== 0;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    const front = await this.#peek(2 + lengthBytes + (masked ? 4 : 0));
    if (!front) return undefined;
    const length = lengthBytes === 0 ? short : Number(big(front.subarray(2, 2 + lengthBytes)));
    const raw = await this.#take(front.length + length);
    if (!raw) return undefined;
    const body = raw.slice(front.length);
    if (masked) {
      const mask = raw.subarray(front.length - 4, front.length);
      for (let at = 0; at < body.length; at++) body[at]! ^= mask[at % 4]!;
    }
    return { text: text(body), raw };
  }

  /** Writes all of it; to an end that has gone away, nothing. */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) done += await this.#conn.write(bytes.subarray(done));
    } catch {
      // Whoever has gone away hears nothing more.
    }
  }

  /** Ends the connection without a word. */
  close(): void {
    try {
      this.#conn.close();
    } catch {
      // It has ended already.
    }
  }

  async #until(mark: string, from: number): Promise<number | undefined> {
    for (;;) {
      const at = text(this.#buffer).indexOf(mark, from);
      if (at >= 0) return at + mark.length;
      if (!await this.#more()) return undefined;
    }
  }

  async #peek(count: number): Promise<Uint8Array | undefined> {
    while (this.#buffer.length < count) if (!await this.#more()) return undefined;
    return this.#buffer.subarray(0, count);
  }

  async #take(count: number): Promise<Uint8Array | undefined> {
    if (!await this.#peek(count)) return undefined;
    const taken = this.#buffer.slice(0, count);
    this.#buffer = this.#buffer.slice(count);
    return taken;
  }

  async #more(): Promise<boolean> {
    const chunk = new Uint8Array(65_536);
    const count = await this.#conn.read(chunk).catch(() => null);
    if (count === null) return false;
    const joined = new Uint8Array(this.#buffer.length + count);
    joined.set(this.#buffer);
    joined.set(chunk.subarray(0, count), this.#buffer.length);
    this.#buffer = joined;
    return true;
  }
}

/** A character a byte, so that places in the text are places in the bytes. */
const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);

const big = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
