/**
 * An account and its welcome mail, both or neither: the row and the run are written by one transaction.
 *
 * @module
 */
import type { Client } from "@libsql/client";
import { type Engine, machine } from "pawl";

/** Somebody who signs up. */
export interface Account {
  readonly email: string;
  readonly name: string;
}

/** Where mails go; a test hands in a list. */
export type SendMail = (stepId: string, account: Account) => Promise<void>;

/** The machine that welcomes an account. */
export function welcomeMachine(send: SendMail) {
  return machine<Account>("welcome")
    .step("signed-up", ["welcomed"], async (run) => {
      await send(run.stepId, run.data);
      return "welcomed";
    })
    .build();
}

/** The user's own table. */
export const accountsTable =
  "create table if not exists accounts (email text primary key, name text not null)";

/** Attempts to sign up while others are first with the same key; each of theirs is over by then. */
const attemptsMax = 5;

/**
 * Writes the account and starts its welcome, in one transaction.
 *
 * @returns The run that welcomes it.
 * @throws {RunInProgressError} When it is being welcomed already.
 * @throws {LibsqlError} The user's own, such as an account that exists; then there is no run, either.
 */
export async function signUp(
  db: Client,
  engine: Engine,
  welcome: ReturnType<typeof welcomeMachine>,
  account: Account,
): Promise<string> {
  for (let attempt = 1;; attempt++) {
    const prepared = await engine.prepareTrigger(welcome, account.email, { data: account });
    try {
      await db.batch([
        { sql: "insert into accounts (email, name) values (?, ?)", args: [account.email, account.name] },
        ...prepared.statements,
      ], "write");
      prepared.landed();
      return prepared.runId;
    } catch (error) {
      const refused = await prepared.refusal(error);
      if (refused?.code !== "CONFLICT" || attempt === attemptsMax) throw refused ?? error;
    }
  }
}
