import { CommandError, type Terminal, UsageError } from "./command.ts";

/**
 * Asks before something that cannot be undone.
 *
 * @param terminal Where somebody is, or nobody.
 * @param what What is about to be done.
 * @param isYes Whether `--yes` was given.
 * @throws {UsageError} When there is nobody to ask.
 * @throws {CommandError} When the answer is no.
 */
export async function confirm(terminal: Terminal, what: string, isYes: boolean): Promise<void> {
  if (isYes) return;
  if (!terminal.isInteractive) throw new UsageError(`${what}: there is nobody to ask whether to; give --yes`);
  const answer = await terminal.ask(`${what}. Go on? [y/N] `);
  if (!/^\s*y(es)?\s*$/i.test(answer)) throw new CommandError("NOT_CONFIRMED", "Nothing was done");
}
