import type { Client } from "@libsql/client";
import type { Accounts } from "./accounts.ts";

/**
 * Accounts in a table with a column for the token: a write under an older one changes no row.
 *
 * @param db The database.
 * @returns The accounts, with those that are named, each with nothing on it.
 */
export async function sqlAccounts(db: Client, names: readonly string[]): Promise<Accounts> {
  await db.executeMultiple(`
    create table account (id text primary key, balance integer not null, token integer not null);
    create table booking (id text primary key, account text not null);
  `);
  for (const name of names) {
    await db.execute({ sql: "insert into account values (?, 0, 0)", args: [name] });
  }
  return {
    async balance(account) {
      const { rows } = await db.execute({ sql: "select balance from account where id = ?", args: [account] });
      return Number(rows[0]!.balance);
    },
    async isBooked(account, payment) {
      const { rows } = await db.execute({
        sql: "select 1 from booking where id = ? and account = ?",
        args: [payment, account],
      });
      return rows.length > 0;
    },
    async book(account, payment, balance, token) {
      const [updated] = await db.batch([
        {
          sql: "update account set balance = ?, token = ? where id = ? and token <= ?",
          args: [balance, token, account, token],
        },
        { sql: "insert into booking select ?, ? where changes() = 1", args: [payment, account] },
      ], "write");
      return updated!.rowsAffected === 1;
    },
  };
}
