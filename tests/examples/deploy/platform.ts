/**
 * A platform like Deploy, in small: it starts isolates (processes of `deno serve`) when requests come, ends them when it likes,
 * and kills them.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../../examples/deno-deploy/main.ts", import.meta.url));

/** One isolate. */
interface Isolate {
  readonly child: Deno.ChildProcess;
  readonly origin: string;
  /** Resolves when it has ended. */
  readonly ended: Promise<Deno.CommandStatus>;
}

/** What isolates are told. */
export interface PlatformOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Draws which isolate gets a request. */
  readonly float: () => number;
  /** What isolates say, but for the line that they listen. */
  readonly log: (line: string) => void;
  /** Flags beside those that the guide names. */
  readonly flags?: readonly string[];
}

/** Starts isolates, and sends requests to them. */
export class Platform {
  /** Ends of isolates, by how. */
  readonly counts = { started: 0, killed: 0, stopped: 0 };
  /** Isolates that ended in a way that nobody asked for. */
  readonly failures: string[] = [];
  readonly #options: PlatformOptions;
  #isolates: Isolate[] = [];
  #starting: Promise<Isolate> | undefined;

  /** @param options What isolates are told. */
  constructor(options: PlatformOptions) {
    this.#options = options;
  }

  /** How many there are. */
  get size(): number {
    return this.#isolates.length;
  }

  /** Sends a request to one of them; if there is none, starts one. */
  readonly fetch = async (input: string, init?: RequestInit): Promise<Response> => {
    const isolate = this.#any() ?? await this.start();
    const { pathname, search } = new URL(input);
    return await fetch(`${isolate.origin}${pathname}${search}`, init);
  };

  /** Starts one; who asks meanwhile is given the same. */
  start(): Promise<Isolate> {
    this.#starting ??= this.#start().finally(() => this.#starting = undefined);
    return this.#starting;
  }

  /** `kill -9` of one. */
  async kill(): Promise<void> {
    const isolate = this.#take();
    if (!isolate) return;
    this.counts.killed++;
    isolate.child.kill("SIGKILL");
    await isolate.ended;
  }

  /** Tells one to go, as Deploy does with those that it does not need. */
  async stop(): Promise<void> {
    const isolate = this.#take();
    if (!isolate) return;
    this.counts.stopped++;
    isolate.child.kill("SIGINT");
    const { code, signal } = await isolate.ended;
    if (code !== 0 || signal !== null) this.failures.push(`told to go, it ended with ${code} ${signal}`);
  }

  /** Kills all. */
  async close(): Promise<void> {
    await this.#starting;
    while (this.size > 0) await this.kill();
  }

  #any(): Isolate | undefined {
    return this.#isolates[Math.floor(this.#options.float() * this.#isolates.length)];
  }

  #take(): Isolate | undefined {
    const isolate = this.#any();
    this.#isolates = this.#isolates.filter((each) => each !== isolate);
    return isolate;
  }

  async #start(): Promise<Isolate> {
    const { env, flags = [], log } = this.#options;
    this.counts.started++;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["serve", "--host", "127.0.0.1", "--port", "0", "--no-check", "--no-prompt", "--frozen"],
        ...["--allow-net", "--allow-env=TURSO_DATABASE_URL,TURSO_AUTH_TOKEN,API_TOKEN,SHOP_URL,LEASE"],
        ...flags,
        main,
      ],
      env: { ...env, NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const listens = Promise.withResolvers<string>();
    const hear = (line: string) => {
      const origin = /Listening on (\S+?)\/?$/.exec(line)?.[1];
      if (origin) listens.resolve(origin);
      else log(line);
    };
    const heard = Promise.all([eachLine(child.stdout, hear), eachLine(child.stderr, hear)]);
    const ended = heard.then(() => child.status);
    void ended.then(({ code }) => listens.reject(new Error(`An isolate ended with ${code} as it started`)));
    const isolate = { child, ended, origin: await listens.promise };
    this.#isolates.push(isolate);
    void ended.then(({ code, signal }) => {
      if (!this.#isolates.includes(isolate)) return;
      this.#isolates = this.#isolates.filter((each) => each !== isolate);
      this.failures.push(`it ended by itself with ${code} ${signal}`);
    });
    return isolate;
  }
}

async function eachLine(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  hear: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    lines.forEach(hear);
  }
  if (rest !== "") hear(rest);
}
