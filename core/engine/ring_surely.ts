import { sleep } from "../ports/clock.ts";
import { BatchBuilder } from "../store/batch.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Check } from "../store/store.ts";
import type { EngineContext } from "./context.ts";

/** Whose fence it is: the owner of a definition in a shard. */
export interface Fenced {
  readonly name: string;
  readonly shard: number;
  readonly guard: Check;
  readonly over: boolean;
  readonly ended: AbortSignal;
}

/**
 * Rings the owner's own bell until that has surely landed. A guarded write whose outcome stayed unknown has landed by
 * then or never will, as the store takes the calls of one fence in turn: only now can its fate be read.
 *
 * @param context The engine.
 * @param owner Whose fence; when its ownership ends, so does this: the next owner reads everything anyway.
 */
export async function ringSurely(context: EngineContext, owner: Fenced): Promise<void> {
  for (let attempt = 1; !owner.over; attempt++) {
    try {
      const batch = new BatchBuilder().put(keyspace.bell.key(owner.name), "1");
      await context.committer.commit(owner.shard, batch, owner.guard);
      return;
    } catch {
      await sleep(context.clock, Math.min(5_000, 50 * 2 ** Math.min(attempt, 7)), owner.ended).catch(
        () => {},
      );
    }
  }
}
