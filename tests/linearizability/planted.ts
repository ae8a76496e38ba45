/**
 * Stores that break one rule each, some of the time: what the checker must notice.
 *
 * @module
 */
import { StoreBusyError } from "../../core/errors.ts";
import { type Random, seededRandom } from "../../core/ports/random.ts";
import { stamp } from "../../core/store/key.ts";
import type {
  Batch,
  CallResult,
  CommitCall,
  Entry,
  ReadOp,
  ReadRequest,
  ReadResult,
  Store,
} from "../../core/store/store.ts";
import type { Wrap } from "./scene.ts";

/** What a planted store does otherwise. */
interface Otherwise {
  read?(requests: readonly ReadRequest[], inner: Store): Promise<readonly ReadResult[]>;
  commit?(calls: readonly CommitCall[], inner: Store): Promise<readonly CallResult[]>;
}

/** How to break a rule, with chance and memory of its own. */
type Plant = (random: Random) => Otherwise;

/** Every so many requests. */
const part = 0.15;

/** Changes the calls of a commit on their way. */
const onCalls = (change: (call: CommitCall) => CommitCall): Plant => () => ({
  commit: (calls, inner) => inner.commit(calls.map(change)),
});

/** Changes the batches of a commit on their way. */
const onBatches = (change: (batch: Batch) => Batch): Plant =>
  onCalls((call) => ({ ...call, batches: call.batches.map(change) }));

/** Changes what is told of each op. */
const onFound = (change: (found: readonly Entry[]) => readonly Entry[]): Plant => () => ({
  read: async (requests, inner) => (await inner.read(requests)).map((ops) => ops.map(change)),
});

let planted = 0;

/** A call of nobody, past all outcome rows. */
const anonymous = (shard: number, batches: readonly Batch[]): CommitCall => ({
  shard,
  committer: { id: `planted ${++planted}`, callId: "1" },
  batches,
});

const blind = (parts: Partial<Batch>): Batch => ({ checks: [], puts: [], deletes: [], ...parts });

/** The batches of a commit with what became of them. */
function told(calls: readonly CommitCall[], results: readonly CallResult[]) {
  return calls.flatMap(({ shard, batches }, index) => {
    const result = results[index]!;
    return result.outcome === "done"
      ? batches.map((batch, at) => ({ shard, batch, result: result.results[at]! }))
      : [];
  });
}

function foundIn(entries: readonly Entry[], op: ReadOp): Entry[] {
  if ("get" in op) return entries.filter((each) => each.key === op.get);
  const found = entries.filter(({ key }) => key >= op.start && key < op.end);
  return (op.reverse ? found.reverse() : found).slice(0, op.limit);
}

/** Commits something after a commit, where a batch of it came to this. */
const afterwards = (isOk: boolean, more: (batch: Batch) => Batch): Plant => () => ({
  async commit(calls, inner) {
    const results = await inner.commit(calls);
    const hit = told(calls, results).filter(({ result, batch }) =>
      result.ok === isOk && batch.puts.length > 0
    );
    if (hit.length > 0) await inner.commit(hit.map(({ shard, batch }) => anonymous(shard, [more(batch)])));
    return results;
  },
});

/** Bugs, by what they do. */
export const plants: Readonly<Record<string, Plant>> = {
  "reads from a snapshot that is old": () => {
    const snapshots = new Map<number, readonly Entry[]>();
    return {
      async read(requests, inner) {
        const all = { start: "", end: "~", limit: 10_000 };
        const now = await inner.read(requests.map(({ shard }) => ({ shard, ops: [all] })));
        return requests.map(({ shard, ops }, index) => {
          const snapshot = snapshots.get(shard) ?? now[index]![0]!;
          snapshots.set(shard, now[index]![0]!);
          return ops.map((op) => foundIn(snapshot, op));
        });
      },
    };
  },
  "reads each key by itself": () => ({
    async read(requests, inner) {
      const answers: ReadResult[] = [];
      for (const { shard, ops } of requests) {
        const found: (readonly Entry[])[] = [];
        for (const op of ops) {
          found.push((await inner.read([{ shard, ops: [op] }]))[0]![0]!);
          for (let hop = 0; hop < 10; hop++) await null;
        }
        answers.push(found);
      }
      return answers;
    },
  }),
  "ignores the first check of a batch": onBatches((batch) => ({ ...batch, checks: batch.checks.slice(1) })),
  "takes every check of absence for one that holds": onBatches((batch) => ({
    ...batch,
    checks: batch.checks.filter((each) => each.version !== null),
  })),
  "ignores guards": onCalls(({ guard: _, ...call }) => call),
  "forgets deletes": onBatches((batch) => ({ ...batch, deletes: [] })),
  "loses the last put of a batch": onBatches((batch) => ({ ...batch, puts: batch.puts.slice(0, -1) })),
  "tears a batch in two": () => ({
    async commit(calls, inner) {
      const [first, second] = [0, 1].map((half) =>
        calls.map((call) => ({
          ...call,
          batches: call.batches.map((each) =>
            each.puts.length < 2 ? each : { ...each, puts: [each.puts[half]!] }
          ),
        }))
      );
      const results = await inner.commit(first!);
      for (let hop = 0; hop < 10; hop++) await null;
      const rest = told(second!, results).filter(({ batch, result }) => result.ok && batch.puts.length > 0);
      await inner.commit(rest.map(({ shard, batch }) => anonymous(shard, [{ ...batch, checks: [] }])));
      return results;
    },
  }),
  "leaves something of a refused batch": afterwards(false, ({ puts }) => blind({ puts: puts.slice(0, 1) })),
  "applies a batch twice": afterwards(true, (batch) => ({ ...batch, checks: [] })),
  "gives out a version again": () => {
    const last = new Map<number, number>();
    return {
      async commit(calls, inner) {
        const results = await inner.commit(calls);
        return results.map((result, index) => {
          if (result.outcome !== "done") return result;
          const { shard } = calls[index]!;
          const versions = result.results.map((each) => {
            if (!each.ok) return each;
            const version = last.get(shard) ?? each.version;
            last.set(shard, each.version);
            return { ok: true as const, version };
          });
          return { ...result, results: versions };
        });
      },
    };
  },
  "answers before it has written, and forgets": onBatches((batch) => ({ ...batch, puts: [], deletes: [] })),
  "says busy of what it has written": () => ({
    async commit(calls, inner) {
      await inner.commit(calls);
      throw new StoreBusyError("busy, says the plant");
    },
  }),
  "leaves out a key of a range": onFound((found) => found.length > 1 ? found.slice(1) : found),
  "tells of a key that is not there": onFound((found) => {
    const last = found.at(-1);
    return last ? [...found, { ...last, key: `${last.key}!`, value: `"nobody ${last.version}"` }] : found;
  }),
  "tells ranges in the wrong order": onFound((found) => [...found].reverse()),
  "stamps keys with another version": () => ({
    async commit(calls, inner) {
      return await inner.commit(calls.map((call) => ({
        ...call,
        batches: call.batches.map((batch) => ({
          ...batch,
          puts: batch.puts.map((put) => put.stamped ? { key: put.key + stamp(7), value: put.value } : put),
        })),
      })));
    },
  }),
  "makes up that a check has failed": () => ({
    commit(calls, inner) {
      const results = calls.map((call): CallResult => ({
        outcome: "done",
        results: call.batches.map(() => ({ ok: false, failed: 0 })),
      }));
      return calls.every((call) => call.batches.every((each) => each.checks.length > 0))
        ? Promise.resolve(results)
        : inner.commit(calls);
    },
  }),
};

/** Bugs of a store that keeps outcomes. */
export const outcomePlants: Readonly<Record<string, Plant>> = {
  "lets a call land in the wrong place of its chain": (random) => ({
    async commit(calls, inner) {
      const results = await inner.commit(calls);
      // As a server does that takes a request up again when its client has long settled it.
      const late = calls.filter((_, index) =>
        results[index]!.outcome === "superseded" || random.float() < 0.2
      );
      await inner.commit(late.map(({ shard, batches }) => anonymous(shard, batches)));
      return results;
    },
  }),
  "answers a superseded call as if it had landed": () => ({
    async commit(calls, inner) {
      const results = await inner.commit(calls);
      return results.map((each) =>
        each.outcome === "superseded" ? { outcome: "done", results: each.last?.results ?? [] } : each
      );
    },
  }),
  "says of a lost call that all of it was refused": () => ({
    async commit(calls, inner) {
      const results = await inner.commit(calls);
      return results.map((each) => {
        if (each.outcome !== "superseded" || !each.last?.results) return each;
        const refused = each.last.results.map(() => ({ ok: false as const, failed: 0 }));
        return { ...each, last: { ...each.last, results: refused } };
      });
    },
  }),
};

/** Breaks a rule of a store. */
export const wrapWith = (plant: Plant): Wrap => (inner, seed) => {
  const random = seededRandom(seed);
  const { read, commit } = plant(random);
  return {
    limits: inner.limits,
    shards: inner.shards,
    read: (requests) => read && random.float() < part ? read(requests, inner) : inner.read(requests),
    commit: (calls) => commit && random.float() < part ? commit(calls, inner) : inner.commit(calls),
    close: () => inner.close(),
  };
};
