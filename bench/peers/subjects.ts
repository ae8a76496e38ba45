/**
 * Who is measured, in which configuration, and what that configuration keeps of a power cut.
 *
 * @module
 */

/** A server that an engine needs. */
export type ServerKind = "postgres" | "redis-everysec" | "redis-always";

/** An engine in one configuration. */
export interface Subject {
  readonly id: string;
  readonly name: string;
  /** The file in `engines/`. */
  readonly engine: string;
  readonly variant?: string;
  readonly server?: ServerKind;
  /** When what it says is done is on the disk. */
  readonly durability: string;
  readonly tuned: string;
  /** Runs of the latency job, where a hundred would take too long. */
  readonly latencies?: number;
}

/** All of them; the first is what the ratios are of. */
export const subjects: readonly Subject[] = [
  {
    id: "pawl",
    name: "Pawl, libSQL file",
    engine: "pawl",
    variant: "libsql",
    durability: "fsync before each answer, shared by what commits together",
    tuned: 'nothing; `durability: "full"` is the default',
  },
  {
    id: "pawl-sqlite",
    name: "Pawl, node:sqlite file",
    engine: "pawl",
    variant: "sqlite",
    durability: "the same",
    tuned: "nothing",
  },
  {
    id: "pawl-memory",
    name: "Pawl, memory",
    engine: "pawl",
    variant: "memory",
    durability: "none",
    tuned: "nothing",
  },
  {
    id: "openworkflow",
    name: "OpenWorkflow 0.10, SQLite",
    engine: "openworkflow",
    durability: "fsync per write (WAL, synchronous FULL, both its defaults)",
    tuned: "worker of 100 runs at a time; its polls (100 ms and more for work, 1 s for results) are fixed",
    latencies: 10,
  },
  {
    id: "dbos",
    name: "DBOS 5.3, PostgreSQL",
    engine: "dbos",
    server: "postgres",
    durability: "fsync per write, shared by connections that commit together",
    tuned: "20 connections; the backlog's queue: 500 at a time, polled every 20 ms",
  },
  {
    id: "bullmq",
    name: "BullMQ 6.7, Redis everysec",
    engine: "bullmq",
    server: "redis-everysec",
    durability: "fsync once a second: a power cut takes up to a second of what was answered",
    tuned: "AOF as its guide advises; `addBulk` by 1,000, 100 jobs at a time; steps by `updateData`",
  },
  {
    id: "bullmq-always",
    name: "BullMQ 6.7, Redis always",
    engine: "bullmq",
    server: "redis-always",
    durability: "fsync before each answer, shared by what comes together",
    tuned: "the same with `appendfsync always`",
  },
  {
    id: "pg-boss",
    name: "pg-boss 12.35, PostgreSQL",
    engine: "pg_boss",
    server: "postgres",
    durability: "fsync per batch",
    tuned:
      "`insert` by 1,000, two workers per queue, 200 jobs a batch, NOTIFY, burst, polls of 0.5 s (its least)",
  },
  {
    id: "durabletask",
    name: "durabletask-js 0.4, memory",
    engine: "durabletask",
    durability: "none",
    tuned: "its in-process backend, with its log lines thrown away",
  },
  {
    id: "xstate",
    name: "XState 5.33, snapshots in SQLite",
    engine: "xstate",
    durability: "fsync per transition (WAL, synchronous FULL); its timers are not durable",
    tuned: "prepared statements of node:sqlite",
  },
];
