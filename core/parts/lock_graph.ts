/**
 * Who waits for whom. A cycle can only close when a request begins to wait, so that is when it is looked for: the newest
 * request is refused.
 *
 * @module
 */
import type { LockRefusal, LockRequest } from "./lock_ops.ts";
import type { LockAsk } from "./lock_rows.ts";
import type { LockView } from "./lock_view.ts";

/** Holders looked at for one request, requests of each, and waiters of each lock: what is further away is not seen. */
const holdersMax = 256;
const asksMax = 16;
const aheadMax = 256;

/** One on the way from the request back to its holder. */
interface Link {
  readonly holder: string;
  /** The lock that it keeps from the one before. */
  readonly name: string;
  readonly from: Link | undefined;
}

/**
 * @param view The locks.
 * @param request What is about to wait.
 * @returns The refusal that names the cycle; `undefined`: there is none.
 */
export function findCycle(view: LockView, request: LockRequest): LockRefusal | undefined {
  // A run asks before its handler starts, and holds nothing then; nor does a holder of this one request. Nobody waits for them.
  if (request.run !== undefined || request.holder === request.request) return undefined;
  const seen = new Set<string>();
  let links = blockers(view, request.wants.map(({ name }) => name), undefined, undefined);
  while (links.length > 0) {
    const next: Link[] = [];
    for (const link of links) {
      if (link.holder === request.holder) return refused(view, request.holder, link);
      if (seen.has(link.holder) || seen.size >= holdersMax) continue;
      seen.add(link.holder);
      for (const ask of view.asksOf(link.holder, asksMax)) next.push(...blockers(view, ask.names, ask, link));
    }
    links = next;
  }
  return undefined;
}

/** Who keeps locks from a request: their holders, and who waits before it. */
function blockers(
  view: LockView,
  names: readonly string[],
  ask: LockAsk | undefined,
  from: Link | undefined,
): Link[] {
  return names.flatMap((name) => {
    const lock = view.lock(name);
    if (!lock) return [];
    const links: Link[] = lock.holders.map(({ holder }) => ({ holder, name, from }));
    for (const { holder, place } of view.waiters(name, aheadMax)) {
      if (ask === undefined || place < ask.place) links.push({ holder, name, from });
    }
    return links;
  });
}

function refused(view: LockView, holder: string, last: Link): LockRefusal {
  const path: string[] = [];
  for (let link: Link | undefined = last; link; link = link.from) {
    path.unshift(`"${link.name}", kept by "${link.holder}"`);
  }
  return {
    kind: "refused",
    code: "DEADLOCK",
    why: `in namespace "${view.namespace}", "${holder}" would wait for ${path.join(", who waits for ")}`,
  };
}
