import { readHeld, readRelay } from "../parts/relay_rows.ts";
import { readLog } from "../parts/run_log.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry, ReadOp } from "../store/store.ts";
import type { EngineContext } from "./context.ts";

/** Definitions whose logs this engine relays. */
function relayed({ relay, definitions }: EngineContext): readonly string[] {
  return relay
    ? [...definitions.values()].filter((each) => each.behaviour.stream).map(({ name }) => name)
    : [];
}

/** What to read of a shard to know whether a relay has something to do there: for engines that only tick. */
export function relayDueOps(context: EngineContext): readonly ReadOp[] {
  const limit = Math.min(context.limits.heldRunsMax, context.limits.readPageMax);
  return relayed(context).flatMap((name): ReadOp[] => [
    { get: keyspace.relay.key(name) },
    { ...keyspace.log.range(name), limit: 1, reverse: true },
    { ...keyspace.held.range(name), limit },
  ]);
}

/**
 * @param context The engine.
 * @param lists What {@linkcode relayDueOps} found.
 * @returns By definition, since or from when its relay has something to do there.
 */
export function relayDues(
  context: EngineContext,
  lists: readonly (readonly Entry[])[],
): ReadonlyMap<string, number> {
  const dues = new Map<string, number>();
  for (const [index, name] of relayed(context).entries()) {
    const [[relay], [last], held] = lists.slice(index * 3, index * 3 + 3) as [Entry[], Entry[], Entry[]];
    const isBehind = last && last.version > (relay ? orZero(() => readRelay(relay).version) : 0);
    const due = Math.min(
      isBehind ? orZero(() => readLog(last).at) : Infinity,
      ...held.map((entry) => orZero(() => readHeld(entry).due)),
    );
    if (due < Infinity) dues.set(name, due);
  }
  return dues;
}

/** What is damaged is looked at by whoever relays. */
function orZero(read: () => number): number {
  try {
    return read();
  } catch {
    return 0;
  }
}
