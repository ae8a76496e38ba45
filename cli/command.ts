/**
 * What a command of the tool is, and what it has of the world: tests give it another.
 *
 * @module
 */

/** One command of the tool. */
export interface Command {
  /** What it is called by: `pawl NAME`. */
  readonly name: string;
  /** What it does, in half a line. */
  readonly summary: string;
  /** With `--db` it needs `--definitions`. */
  readonly needsCode?: boolean;
  /** All that `pawl NAME --help` says, without the summary. */
  readonly usage: string;
  /**
   * Does it.
   *
   * @param args What follows its name.
   * @param terminal What it has of the world.
   * @returns The exit code: 0, or 1 where it has already told what failed.
   * @throws {UsageError} When it is called wrongly; anything else when it fails.
   */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}

/** What a command has of the world. */
export interface Terminal {
  /** Writes results, as they are; resolves when more may be written. */
  out(text: string): void | Promise<void>;
  /** Writes what is no result: progress, questions, errors. */
  error(text: string): void;
  /** Whether somebody reads the results on a screen. */
  readonly isTerminal: boolean;
  /** Whether somebody reads on a screen what is no result, so that a line may be written over. */
  readonly isErrorTerminal: boolean;
  /** Whether somebody is there to answer a question. */
  readonly isInteractive: boolean;
  /** Characters of a line. */
  readonly columns: number;
  /** Aborted when the command is to end. */
  readonly signal: AbortSignal;
  /** A variable of the environment. */
  env(name: string): string | undefined;
  /** The folder that paths start from. */
  readonly cwd: string;
  /** What is piped in. */
  input(): AsyncIterable<string>;
  /** Asks whoever is there, and gives a line. */
  ask(question: string): Promise<string>;
  /** What sends requests; absent: the global `fetch`. */
  readonly fetch?: (input: string, init?: RequestInit) => Response | Promise<Response>;
  /** What time it is. */
  now(): Date;
}

/** The command cannot do what it is to do: exit code 1. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** As those of the engine's errors. */
  readonly code: string;

  /**
   * @param code What is wrong, for programs.
   * @param message What is wrong, and what to do.
   * @param options `cause`.
   */
  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The command was called wrongly: exit code 2, with a hint at its help. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
