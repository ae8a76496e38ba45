/**
 * A libSQL file as SQL text, which can be committed and read, and the file made of it again.
 *
 * @module
 */
import Database from "libsql";

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Everything of a file: tables, rows, and then what would act on rows that are inserted. */
export function textOf(path: string): string {
  const db = new Database(path, { readonly: true });
  const all = (sql: string) => db.prepare(sql).all() as Record<string, string | number | null>[];
  const parts = all("select type, name, sql from sqlite_master where sql is not null order by type, name");
  const lines: string[] = ["begin;"];
  const tables = parts.filter(({ type }) => type === "table");
  for (const { name, sql } of tables) {
    lines.push(`${sql};`);
    for (const row of all(`select * from "${name}"`)) {
      const values = Object.values(row).map((value) =>
        typeof value === "string" ? quoted(value) : String(value)
      );
      lines.push(`insert into "${name}" values (${values.join(", ")});`);
    }
  }
  for (const kind of ["index", "view", "trigger"]) {
    for (const { sql } of parts.filter(({ type }) => type === kind)) lines.push(`${sql};`);
  }
  db.close();
  return [...lines, "commit;", ""].join("\n");
}

/** Makes a file. */
export function fileOf(text: string, path: string): void {
  const db = new Database(path);
  db.exec("pragma journal_mode = wal");
  db.exec(text);
  db.close();
}
