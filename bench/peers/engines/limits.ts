/**
 * What the machine bears without an engine: `node limits.ts '{"folder":"...","seconds":1}'` prints one line of JSON.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import Database from "libsql";
import { libsqlStore } from "pawl/adapters/libsql";
import { memoryStore } from "pawl/adapters/memory";
import { bareRate } from "../../bare.ts";
import { order } from "./peer.ts";

const { folder, seconds } = JSON.parse(process.argv[2]!) as { folder: string; seconds: number };

/** How often something can be done in a second. */
function rate(each: () => number): number {
  let done = 0;
  const startedAt = performance.now();
  let now = startedAt;
  while (now < startedAt + seconds * 1_000) {
    done += each();
    now = performance.now();
  }
  return done * 1_000 / (now - startedAt);
}

/** 4 KiB at the end of a file, and on the disk. */
function fsyncs(): number {
  const file = openSync(`${folder}/appended`, "a");
  const page = Buffer.alloc(4_096, 1);
  const perSecond = rate(() => (writeSync(file, page), fdatasyncSync(file), 1));
  closeSync(file);
  return perSecond;
}

/** Rows as large as those of a step, by one prepared statement, so many in a transaction. */
function rows(perTransaction: number): number {
  const db = new Database(`${folder}/rows-${perTransaction}.db`);
  db.exec("pragma journal_mode = wal");
  db.exec("pragma synchronous = full");
  db.exec("create table kv (k text primary key, v text not null, version integer not null) without rowid");
  const put = db.prepare("insert or replace into kv values (?, ?, ?)");
  const value = JSON.stringify(order("row"));
  let done = 0;
  const perSecond = rate(() => {
    db.exec("begin immediate");
    for (let row = 0; row < perTransaction; row++) {
      put.run(`run ${String(done).padStart(24, "0")}`, value, ++done);
    }
    db.exec("commit");
    return perTransaction;
  });
  db.close();
  return perSecond;
}

const file = libsqlStore({ url: `file:${folder}/bare.db`, durability: "full" });
const memory = memoryStore();
const limits = {
  fsyncs: fsyncs(),
  rowsAlone: rows(1),
  rowsBatched: rows(2_048),
  bareFile: await bareRate(file, 1_000, 5),
  bareMemory: await bareRate(memory, 1_000, 5),
};
await file.close();
process.stdout.write(`\n${JSON.stringify(limits)}\n`);
