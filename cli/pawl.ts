/**
 * The tool as a function: which command is meant, and what becomes of its errors.
 *
 * @module
 */
import { type Command, type Terminal, UsageError } from "./command.ts";
import { commands } from "./commands.ts";
import { version } from "./version.ts";

/** Exit codes; 130 is that of shells for a program that was interrupted. */
const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/**
 * Runs one command of the tool.
 *
 * @param args What follows `pawl`.
 * @param terminal What it has of the world.
 * @returns The exit code.
 */
export async function pawl(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--version" || name === "-V" || name === "version") return await say(terminal, `${version}\n`);
  const isHelp = name === undefined || name === "--help" || name === "-h" || name === "help";
  if (isHelp && (name === undefined || rest.length === 0)) {
    if (name !== undefined) return await say(terminal, overview());
    terminal.error(overview());
    return exitCodes.usage;
  }
  const wanted = isHelp ? rest[0]! : name;
  const command = commands.find((each) => each.name === wanted);
  if (!command) {
    terminal.error(`${unknownCommand(wanted)}\n`);
    return exitCodes.usage;
  }
  if (isHelp || asksForHelp(rest)) {
    return await say(terminal, helpOf(command));
  }
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    return failed(error, command, rest, terminal);
  }
}

async function say(terminal: Terminal, text: string): Promise<number> {
  await terminal.out(text);
  return exitCodes.done;
}

function helpOf({ summary, usage, needsCode }: Command): string {
  const needs = needsCode ? ". With --db it needs the code: --definitions" : "";
  return `${summary}${needs}.\n\n${usage.trim()}\n`;
}

/** What stands after `--` is a name, and may be `--help`. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).some((each) => each === "--help" || each === "-h");
}

function overview(): string {
  const width = Math.max(0, ...commands.map(({ name }) => name.length));
  return [
    "pawl: look at durable workflows, and take a hand in them.",
    "",
    "usage: pawl COMMAND [...]",
    "",
    ...commands.map(({ name, summary, needsCode }) =>
      `  ${name.padEnd(width)} ${needsCode ? "*" : " "} ${summary}`
    ),
    "",
    "  * on a database it needs the code of the machines: --definitions FILE",
    "",
    "  pawl COMMAND --help tells more of a command; pawl --version tells the release.",
    "",
  ].join("\n");
}

function unknownCommand(name: string): string {
  if (name.startsWith("-")) {
    return `The first argument must be a command, not "${name}"; pawl --help lists the commands.`;
  }
  const near = commands.map((each) => each.name).filter((each) => distance(each, name) <= 2);
  const hint = near.length > 0 ? `did you mean ${near.join(" or ")}? ` : "";
  return `There is no command "${name}"; ${hint}pawl --help lists the commands.`;
}

/** How many letters must be put, taken or replaced to make one word of another. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [above, letter] of [...one].entries()) {
    const next = [above + 1];
    for (const [index, wanted] of [...other].entries()) {
      const replaced = row[index]! + (letter === wanted ? 0 : 1);
      next.push(Math.min(replaced, row[index + 1]! + 1, next[index]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}

function failed(error: unknown, command: Command, args: readonly string[], terminal: Terminal): number {
  const { signal } = terminal;
  if (signal.aborted && (error === signal.reason || (error as Error)?.name === "AbortError")) {
    terminal.error("Interrupted.\n");
    return exitCodes.interrupted;
  }
  const { message, stack, code } = error as Error & { readonly code?: unknown };
  if (error instanceof UsageError) {
    terminal.error(`${message}\nusage: ${usageLine(command)}\n`);
    return exitCodes.usage;
  }
  const told = error instanceof Error ? message : String(error);
  terminal.error(`${typeof code === "string" ? `${code}: ` : ""}${told}\n`);
  if (args.includes("--debug") && stack !== undefined) terminal.error(`${stack}\n`);
  return exitCodes.failed;
}

/** The first line of a command's usage, which is how it is called. */
function usageLine({ usage }: Command): string {
  return usage.trim().split("\n")[0]!.replace(/^usage: /, "");
}
