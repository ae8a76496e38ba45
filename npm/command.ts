/**
 * Runs other programs, and tells what they said when they fail.
 *
 * @module
 */

/** How a program is run. */
export interface RunOptions {
  /** Where; default: the current folder. */
  readonly cwd?: string | URL;
  /** Names that are added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a program to its end.
 *
 * @param program Its name or path.
 * @param args Its arguments.
 * @param options Where it runs.
 * @returns What it said on standard output.
 * @throws {Error} With all that it said, when it ends with another code than 0.
 */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, env }: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env: { NO_COLOR: "1", ...env },
    ...(cwd !== undefined && { cwd }),
  }).output();
  const [said, complained] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (code !== 0) {
    throw new Error(`${program} ${args.join(" ")} ended with code ${code}:\n${said}\n${complained}`);
  }
  return said!;
}

/** Runs npm, which is quiet but for errors. */
export function npm(args: readonly string[], cwd: string | URL): Promise<string> {
  return run("npm", [...args, "--loglevel=error", "--no-audit", "--no-fund", "--no-update-notifier"], {
    cwd,
  });
}
