/**
 * The browser aborts a commit at each of its requests in turn, in each way in which it can: what was told to the committer is
 * what lies in the database.
 *
 * @module
 */
import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { type IndexedDbStore, indexedDbStore } from "pawl/adapters/indexeddb";
import type { CommitCall } from "../../mod.ts";
import { testTabs } from "./databases.ts";

const life = crypto.randomUUID();
let names = 0;

/** More requests than the commit below has. */
const requestsMax = 40;

/** What befalls a request. */
const ways = {
  /** The browser aborts the transaction when the request has been made, as when it shuts down. */
  aborted: {
    code: /^(STORE_BUSY|STORE_FAILED|OUTCOME_UNKNOWN)$/,
    befall: (tx: IDBTransaction) => tx.abort(),
  },
  /** The request is refused, as when the database has been damaged. */
  refused: { code: /^STORE_FAILED$/, befall: () => fail("DataError") },
  /** There is no room, which only a write can meet; here, any request. */
  full: { code: /^STORE_FULL$/, befall: () => fail("QuotaExceededError") },
} as const;

function fail(name: string): never {
  throw new DOMException("so the browser says", name);
}

const requests = ["get", "put", "delete"] as const;

/** @returns Whether there was an n-th request while the work went on. */
async function befallingAt(
  n: number,
  befall: (tx: IDBTransaction) => void,
  work: () => Promise<void>,
): Promise<boolean> {
  let made = 0;
  const proto = IDBObjectStore.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
  const originals = requests.map((name) => proto[name]!);
  requests.forEach((name, index) => {
    proto[name] = function (this: IDBObjectStore, ...args) {
      const request = originals[index]!.apply(this, args);
      if (++made === n) befall(this.transaction);
      return request;
    };
  });
  try {
    await work();
  } finally {
    requests.forEach((name, index) => proto[name] = originals[index]!);
  }
  return made >= n;
}

async function contentOf(store: IndexedDbStore): Promise<string> {
  const all = { start: " ", end: "~", limit: 1_000 };
  const shards = await store.read([{ shard: 0, ops: [all] }, { shard: 1, ops: [all] }]);
  // What a committer was told last is the store's own.
  return JSON.stringify(shards.map(([rows]) => rows!.filter(({ key }) => !key.startsWith("outcome "))));
}

/** A committer that writes, checks and removes in two shards, in one commit. */
function committer(id: string) {
  let previous: string | undefined;
  return (callId: string): readonly CommitCall[] => {
    const calls = [0, 1].map((shard): CommitCall => ({
      shard,
      committer: { id, callId, ...(previous !== undefined && { previous }) },
      batches: [
        {
          checks: [{ key: "never", version: null }],
          puts: [{ key: `a${callId}`, value: "1" }],
          deletes: ["old"],
        },
        {
          checks: [{ key: `a${callId}`, version: null }],
          puts: [{ key: "refused", value: "1" }],
          deletes: [],
        },
        {
          checks: [],
          puts: [{ key: "same", value: `"${callId}"` }, { key: "s ", value: "1", stamped: true }],
          deletes: [],
        },
      ],
    }));
    previous = callId;
    return calls;
  };
}

for (const [way, { code, befall }] of Object.entries(ways)) {
  testTabs(
    `a commit that is ${way} at any of its requests is done whole or not at all, as its committer is told`,
    async () => {
      let struck = 0;
      for (let n = 1; n <= requestsMax; n++) {
        const store = indexedDbStore({ name: `${life} ${names++}`, shards: 2, reserveBytes: 0 });
        const next = committer("c");
        await store.commit(next("1"));
        const before = await contentOf(store);
        const calls = next("2");
        let told = "done";
        const isStruck = await befallingAt(n, befall, async () => {
          await store.commit(calls).catch((error) => told = error.code);
        });
        if (isStruck) struck++;
        assert.match(told, isStruck ? code : /^done$/, `request ${n}`);
        const after = await contentOf(store);
        if (told === "done") assert.notEqual(after, before);
        else if (told !== "OUTCOME_UNKNOWN" || after !== before) {
          assert.equal(after, before, `request ${n} of a commit that is ${told} has left something behind`);
        }
        // An empty call in the place of the last says what became of it, whatever is remembered.
        const settled = await store.commit(calls.map((call) => ({
          ...call,
          committer: { ...call.committer, callId: "3" },
          batches: [],
        })));
        const isDone = settled.every(({ outcome }) => outcome === "superseded");
        assert.equal(isDone, after !== before, `request ${n}`);
        assert.equal(settled.some(({ outcome }) => outcome === "superseded"), isDone, `request ${n}`);
        await store.close();
      }
      assert.ok(struck > 10 && struck < requestsMax, `${struck} requests`);
    },
  );
}
