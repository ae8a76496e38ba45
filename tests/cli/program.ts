/**
 * A program that is watched while it runs: what it says, on either stream, can be waited for.
 *
 * @module
 */

/** One that runs; it is killed when it goes out of scope. */
export interface Program extends AsyncDisposable {
  /**
   * Waits until it has said something.
   *
   * @returns What of it matches.
   * @throws {Error} With all that it said, when it ends without.
   */
  says(pattern: RegExp): Promise<string>;
  /** Sends it a signal, if it still runs, and waits until it has ended. */
  end(signal: Deno.Signal): Promise<void>;
  /**
   * Waits until it has ended by itself.
   *
   * @returns All that it said.
   * @throws {Error} With that, when its code is not 0.
   */
  ended(): Promise<string>;
}

/** How a program is started. */
export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts a program.
 *
 * @param name Its name or path.
 * @param args Its arguments.
 * @param options Where it runs.
 */
export function startProgram(
  name: string,
  args: readonly string[],
  { cwd, env }: ProgramOptions,
): Program {
  const child = new Deno.Command(name, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let said = "";
  let isOver = false;
  const waiting = new Set<() => void>();
  const wake = () => waiting.forEach((look) => look());
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
      said += piece;
      wake();
    }
  };
  const over = Promise.all([child.status, read(child.stdout), read(child.stderr)]).then(([status]) => {
    isOver = true;
    wake();
    return status;
  });
  const failure = (what: string) => new Error(`${name} ${args.join(" ")} ${what}:\n${said}`);
  async function end(signal: Deno.Signal): Promise<void> {
    if (!isOver) {
      try {
        child.kill(signal);
      } catch { /* It has ended, and the rest of what it said is on its way. */ }
    }
    await over;
  }
  return {
    end,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(said)?.[0];
          if (found === undefined && !isOver) return waiting.add(look);
          waiting.delete(look);
          if (found !== undefined) resolve(found);
          else reject(failure(`ended without ${pattern}`));
        };
        look();
      }),
    async ended() {
      const { code } = await over;
      if (code !== 0) throw failure(`ended with code ${code}`);
      return said;
    },
    [Symbol.asyncDispose]: () => end("SIGKILL"),
  };
}
