import { settleCall } from "../../core/store/settle.ts";
import type { CallResult, CommitCall, ReadRequest, ReadResult } from "../../core/store/store.ts";
import type { Database, Driver, Prepared, Row } from "./driver.ts";
import { overlaysOf, type ShardOverlay } from "../../core/store/overlay.ts";
import { planRead } from "./read_plan.ts";
import { metaStatements, readMeta, setupStatements, type Statement, type StoreMeta } from "./schema.ts";

/**
 * When a commit of only relaxed batches is synced to disk: `full`: as every other; `normal`: with the next strict
 * commit, so that a power cut may take it, but nothing before it.
 */
export type Durability = "full" | "normal";

/** What a connection needs to know. */
export interface ConnectionOptions {
  /** A path, or `:memory:`. */
  readonly path: string;
  /** Milliseconds that a statement waits for another connection's lock, in which the event loop stands still. */
  readonly busyTimeoutMs: number;
  /** When relaxed commits are synced. */
  readonly durability: Durability;
  /** Whether to build or drop the table of `sqlIndexes`; absent: it stays as it is. */
  readonly sqlIndexes?: boolean;
}

type Overlays = ReadonlyMap<number, ShardOverlay>;

/** Pages are larger than SQLite's 4 kB: records are about 1 kB, and a commit touches fewer pages (measured +8%). */
const pageBytes = 8_192;

/** Page cache, in kB: the hot part of a busy store, small beside the runs an engine keeps in memory. */
const cacheKb = 32_768;

/**
 * Rows of one insert, as few statements as there may be. Measured: 32 is near the best; sorted rows gain 25%; a row per
 * statement costs 30%; and five at once cost more than four and one.
 */
const rowsPerInsert = [32, 8, 4, 3, 2, 1] as const;

/** Of a row, besides its shard, which a statement is given once: each value costs a quarter of a microsecond. */
const columns = 3;

/**
 * A shard's counter, and the keys among those of a JSON object whose versions differ from it: mostly none, and a row costs
 * more than its lookup. An object, because its members need no parsing of their own.
 */
const loadSql = `select null, version from pawl_shard where shard = ?
  union all
  select j.key, k.version from json_each(?) j left join pawl_kv k on k.shard = ? and k.key = j.key
  where k.version is not j.value`;

/** One native connection and its prepared statements. All calls block the event loop until they are done. */
export class Connection {
  readonly #db: Database;
  readonly #prepared = new Map<string, Prepared>();
  /** By the number of their rows. */
  #inserts: Prepared[] = [];
  readonly #relaxes: boolean;
  readonly #sqlIndexes: boolean | undefined;
  #synchronous = "full";

  /**
   * @param driver The library.
   * @param options Where and how.
   * @throws The driver's error.
   */
  constructor(driver: Driver, options: ConnectionOptions) {
    this.#db = driver.open(options.path, options.busyTimeoutMs);
    this.#sqlIndexes = options.sqlIndexes;
    try {
      this.#pragma(`page_size = ${pageBytes}`);
      const journal = this.#pragma("journal_mode = wal");
      // Only a write-ahead log loses a suffix of the commits. A file system without shared memory refuses one.
      this.#relaxes = options.durability === "normal" && journal === "wal";
      this.#pragma("synchronous = full");
      this.#pragma(`cache_size = -${cacheKb}`);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /**
   * Creates the tables if need be.
   *
   * @returns What the store is.
   * @throws {PawlError} `STORE_INCOMPATIBLE`.
   */
  setUp(id: string, shards: number, where: string): StoreMeta {
    return this.#transaction("immediate", () => {
      const rows = metaStatements(id, shards).map((statement) => this.#run(statement)).at(-1)!;
      const meta = readMeta(rows as unknown as [string, string][], shards, where);
      for (const statement of setupStatements(meta, this.#sqlIndexes)) this.#run(statement);
      // The plans of statements prepared against missing tables are of no use.
      this.#prepared.clear();
      return meta;
    });
  }

  /**
   * Reads everything in one snapshot.
   *
   * @throws The driver's error.
   */
  read(requests: readonly ReadRequest[]): ReadResult[] {
    const { statements, answer } = planRead(requests);
    const run = () => statements.map((statement) => this.#run(statement));
    return answer(statements.length > 1 ? this.#transaction("deferred", run) : run());
  }

  /**
   * Settles and writes everything in one transaction.
   *
   * @throws The driver's error; then nothing was written.
   */
  commit(calls: readonly CommitCall[]): CallResult[] {
    const overlays = overlaysOf(calls);
    const strict = calls.some((call) => call.batches.some((batch) => !batch.relaxed));
    if (this.#relaxes) this.#setSynchronous(strict ? "full" : "normal");
    return this.#transaction("immediate", () => {
      this.#load(overlays);
      const results = calls.map((call) => settleCall(call, overlays.get(call.shard)!, false));
      this.#store(overlays, this.#relaxes && strict);
      return results;
    });
  }

  /** Closes the file; what was relaxed is then on disk. */
  close(): void {
    try {
      this.#pragma("wal_checkpoint(truncate)");
    } catch {
      // Another connection is at work; the log stays, and nothing is lost by it.
    }
    this.#prepared.clear();
    this.#db.close();
  }

  #load(overlays: Overlays): void {
    const statement = this.#prepare(loadSql);
    for (const overlay of overlays.values()) {
      const { shard, known } = overlay;
      const [counter, ...differing] = statement.all([shard, objectText(known), shard]);
      overlay.load(counter![1] as number);
      for (const [key, version] of differing) known.set(key as string, version as number | null);
    }
  }

  #store(overlays: Overlays, mustWrite: boolean): void {
    for (const overlay of overlays.values()) {
      const { shard, written } = overlay;
      // In key order, neighbours in the tree are written one after the other.
      const deletes: string[] = [];
      const puts: (number | string)[] = [];
      for (const key of [...written.keys()].sort()) {
        const value = written.get(key)!;
        if (value === null) deletes.push(key);
        else puts.push(key, value.version, value.value);
      }
      // Shard by shard: for a pair of columns SQLite would walk the whole shard.
      if (deletes.length > 0) this.#prepare(deleteSql).run([shard, JSON.stringify(deletes)]);
      // A strict commit syncs the relaxed ones before it, also when it has nothing of its own to write (rule 8).
      // A version is spent on that, because SQLite does not write a page that stays the same.
      if (mustWrite && !overlay.isDirty) overlay.nextVersion();
      if (overlay.isDirty) this.#prepare(countSql).run([overlay.counter, shard]);
      this.#insert(shard, puts);
    }
  }

  #insert(shard: number, puts: readonly (number | string)[]): void {
    let done = 0;
    for (const rows of rowsPerInsert) {
      const size = rows * columns;
      for (; done + size <= puts.length; done += size) {
        this.#insertOf(rows).run([shard, ...puts.slice(done, done + size)]);
      }
    }
  }

  #insertOf(rows: number): Prepared {
    return this.#inserts[rows] ??= this.#db.prepare(insertSql(rows));
  }

  #setSynchronous(mode: "full" | "normal"): void {
    if (this.#synchronous === mode) return;
    this.#pragma(`synchronous = ${mode}`);
    this.#synchronous = mode;
  }

  #transaction<T>(mode: "immediate" | "deferred", body: () => T): T {
    this.#db.exec(`begin ${mode}`);
    try {
      const result = body();
      this.#db.exec("commit");
      return result;
    } catch (error) {
      this.#db.rollback();
      throw error;
    }
  }

  #run({ sql, args }: Statement): Row[] {
    return this.#rows(sql, args);
  }

  #rows(sql: string, args: readonly unknown[]): Row[] {
    // Never `get`: it leaves the statement, and with it an old snapshot, open.
    return this.#prepare(sql).all(args);
  }

  #prepare(sql: string): Prepared {
    let statement = this.#prepared.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  #pragma(source: string): unknown {
    return this.#db.prepare(`pragma ${source}`).all([])[0]?.[0];
  }
}

const countSql = "update pawl_shard set version = ? where shard = ?";

const deleteSql = "delete from pawl_kv where shard = ? and key in (select value from json_each(?))";

/** As `JSON.stringify` of an object with these members, which would cost ten times as much to make. */
function objectText(members: ReadonlyMap<string, number | null>): string {
  const texts: string[] = [];
  for (const [key, value] of members) texts.push(`${JSON.stringify(key)}:${value}`);
  return `{${texts.join(",")}}`;
}

function insertSql(rows: number): string {
  const places = Array.from({ length: rows }, (_, row) => 2 + row * columns);
  return `insert into pawl_kv (shard, key, version, value)
          values ${places.map((at) => `(?1, ?${at}, ?${at + 1}, ?${at + 2})`).join(", ")}
          on conflict (shard, key) do update set version = excluded.version, value = excluded.value`;
}
