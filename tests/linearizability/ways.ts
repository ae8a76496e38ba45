import { OutcomeUnknownError, PawlError, StoreBusyError } from "../../core/errors.ts";
import type { Random } from "../../core/ports/random.ts";
import type { CallResult, CommitCall, Store } from "../../core/store/store.ts";

/** Lets others have their turn, some number of times. */
export function hops(random: Random, most: number): () => Promise<void> {
  return async () => {
    for (let left = Math.floor(random.float() * random.float() * most); left > 0; left--) await null;
  };
}

/**
 * Puts a way between clients and a store in the same process: what is asked arrives some time later, and so does the
 * answer.
 *
 * @param inner The store.
 * @param random Decides how long.
 */
export function farStore(inner: Store, random: Random): Store {
  const way = hops(random, 20);
  return {
    limits: inner.limits,
    shards: inner.shards,
    async read(requests) {
      await way();
      const answer = await inner.read(requests);
      await way();
      return answer;
    },
    async commit(calls) {
      await way();
      const answer = await inner.commit(calls);
      await way();
      return answer;
    },
    close: () => inner.close(),
  };
}

/** Part of the requests that meet each fate. */
const lossPart = 0.05;

/**
 * A way on which requests and answers get lost, and requests come late.
 *
 * @param inner A store that keeps outcomes.
 * @param random Decides.
 */
export function losingStore(inner: Store, random: Random): Store {
  const late = hops(random, 200);
  const underWay = new Set<Promise<unknown>>();
  const commit = async (calls: readonly CommitCall[]): Promise<readonly CallResult[]> => {
    const fate = Math.floor(random.float() / lossPart);
    if (fate === 0) throw new StoreBusyError("busy, says the test");
    if (fate === 1) throw new OutcomeUnknownError("the request is lost, says the test");
    if (fate === 2) {
      const coming = late().then(() => inner.commit(calls)).catch(() => {}).finally(() =>
        underWay.delete(coming)
      );
      underWay.add(coming);
      throw new OutcomeUnknownError("the request is late, says the test");
    }
    const answer = await inner.commit(calls);
    if (fate === 3) throw new OutcomeUnknownError("the answer is lost, says the test");
    return answer;
  };
  return {
    limits: inner.limits,
    shards: inner.shards,
    commit,
    async read(requests) {
      if (random.float() < lossPart) throw new PawlError("STORE_UNREACHABLE", "away, says the test");
      return await inner.read(requests);
    },
    async close() {
      await Promise.all(underWay);
      await inner.close();
    },
  };
}
