/**
 * All that may happen to locks, as functions of a {@linkcode LockView}. The queue is strict: nobody passes a request that
 * waits before it, so a writer behind readers, or a request for much behind those for little, is never starved. A release
 * hands over in the same batch, to the first that fit.
 *
 * @module
 */
import { fits, type LockHolder, type LockKind, type LockRecord } from "./lock_record.ts";
import type { LockWaiter, LockWant } from "./lock_rows.ts";
import type { LockGrant, LockView } from "./lock_view.ts";

/** What a request wants of one lock, and what it takes the lock for. */
export interface LockDemand extends LockWant {
  readonly kind: LockKind;
  /** Permits there are to be from now on. */
  readonly capacity: number;
}

/** A request for one lock, or for several at once. */
export interface LockRequest extends Omit<LockWaiter, "place" | "since" | "wants"> {
  readonly wants: readonly LockDemand[];
  /** Whether it may wait; else it is granted now or never. */
  readonly mayWait: boolean;
  /** It may be granted what its holder has already. */
  readonly reenter?: boolean;
}

/** Why a request is refused. */
export interface LockRefusal {
  readonly kind: "refused";
  readonly code: "ALREADY_HELD" | "DEADLOCK" | "INVALID_ARGUMENT";
  readonly why: string;
}

/** What became of a request. */
export type LockAnswer =
  | {
    readonly kind: "granted";
    readonly tokens: Readonly<Record<string, number>>;
    /** The request that it is held under, where its holder has entered again. */
    readonly request?: string;
  }
  | { readonly kind: "waiting" | "busy" }
  | LockRefusal;

/** What else is asked before a request is let wait. */
export interface LockCare {
  /** Whether a hold is over: its holder has not renewed it in time. */
  isOver(lock: LockRecord, holder: LockHolder): boolean;
  /** Why a request must not wait. */
  whyNotWait(view: LockView, request: LockRequest): LockRefusal | undefined;
}

/**
 * Asks for locks. The same request again has the same answer.
 *
 * @param view The locks; changed.
 * @param request What is asked for.
 * @param care What else to look at.
 * @returns The answer.
 */
export function requestLocks(view: LockView, request: LockRequest, care: LockCare): LockAnswer {
  const before = answered(view, request);
  if (before) return before;
  const wrong = refusal(view, request);
  if (wrong) return wrong;
  fitOut(view, request);
  dropOver(view, request, care);
  const again = reentered(view, request);
  if (again) return again;
  if (mayHave(view, request.wants, undefined)) {
    return { kind: "granted", tokens: grant(view, { ...request, since: view.now }) };
  }
  if (!request.mayWait) return { kind: "busy" };
  const why = care.whyNotWait(view, request);
  if (why) return why;
  const { kind: _, mayWait: __, reenter: ___, ...waiter } = { kind: undefined, ...request };
  view.enqueue({ ...waiter, wants: waiter.wants.map(plain), since: view.now });
  return { kind: "waiting" };
}

const plain = ({ name, weight }: LockWant): LockWant => ({ name, weight });

function answered(view: LockView, { wants, holder, request }: LockRequest): LockAnswer | undefined {
  const tokens = tokensOf(view, wants.map(({ name }) => name), request);
  if (tokens) return { kind: "granted", tokens };
  return view.ask(holder, request) && { kind: "waiting" };
}

/**
 * @param names The locks of a request.
 * @param request The request.
 * @returns Its tokens; `undefined`: it holds nothing.
 */
export function tokensOf(
  view: LockView,
  names: readonly string[],
  request: string,
): Readonly<Record<string, number>> | undefined {
  const tokens = names.flatMap((name) => {
    const found = view.lock(name)?.holders.find((each) => each.request === request);
    return found ? [[name, found.token] as const] : [];
  });
  return tokens.length > 0 ? Object.fromEntries(tokens) : undefined;
}

function refusal(view: LockView, request: LockRequest): LockRefusal | undefined {
  for (const { name, kind, weight, capacity } of request.wants) {
    const lock = view.lock(name);
    const what = `lock "${name}" of namespace "${view.namespace}"`;
    if (lock && lock.kind !== kind && lock.holders.length + lock.waiters > 0) {
      return invalid(`${what} is used as a ${lock.kind}, not as a ${kind}; use another name`);
    }
    if (weight > capacity) return invalid(`${what} has ${capacity} permits, and ${weight} are asked for`);
  }
  // What a run held at an earlier status is about to be released: its message is on the way.
  if (request.run !== undefined || request.reenter) return undefined;
  for (const { name } of request.wants) {
    const lock = view.lock(name);
    const own = lock?.holders.find((each) => each.holder === request.holder);
    if (own) return held(view, name, `"${request.holder}" holds it already, with token ${own.token}`);
  }
  return undefined;
}

function invalid(why: string): LockRefusal {
  return { kind: "refused", code: "INVALID_ARGUMENT", why };
}

function held(view: LockView, name: string, why: string): LockRefusal {
  return {
    kind: "refused",
    code: "ALREADY_HELD",
    why:
      `lock "${name}" of namespace "${view.namespace}": ${why}; release it first, or ask with reenter: true`,
  };
}

/** Locks that are new, or have another capacity from now on. */
function fitOut(view: LockView, { wants }: LockRequest): void {
  for (const { name, kind, capacity } of wants) {
    const lock = view.lock(name);
    if (!lock) view.set(view.create(name, kind, capacity));
    else if (lock.capacity !== capacity || lock.kind !== kind) {
      view.set({ ...lock, capacity, kind });
      handOver(view, [name]);
    }
  }
}

/** Whoever asks for a lock sees to it that a hold that is over ends, but for a run's: that one has to be told first. */
function dropOver(view: LockView, { wants }: LockRequest, care: LockCare): void {
  for (const { name } of wants) {
    const lock = view.lock(name)!;
    for (const holder of lock.holders) {
      if (holder.run === undefined && care.isOver(lock, holder)) giveUp(view, namesOf(name, holder), holder);
    }
  }
}

function namesOf(name: string, { names }: LockHolder): readonly string[] {
  return names ?? [name];
}

function reentered(view: LockView, { wants, holder, reenter }: LockRequest): LockAnswer | undefined {
  if (!reenter) return undefined;
  const names = wants.map(({ name }) => name);
  const own = view.lock(names[0]!)!.holders.find((each) => each.holder === holder);
  const tokens = own && tokensOf(view, names, own.request);
  if (!tokens || Object.keys(tokens).length < names.length) return undefined;
  changeHold(view, names, own.request, ({ entries = 1 }) => ({ entries: entries + 1 }));
  return { kind: "granted", tokens, request: own.request };
}

function changed(
  { holders }: LockRecord,
  token: number,
  change: (holder: LockHolder) => Partial<LockHolder>,
): readonly LockHolder[] {
  return holders.map((each) => each.token === token ? { ...each, ...change(each) } : each);
}

/** Whether all of it is free, and nobody but the given place waits before it. */
function mayHave(view: LockView, wants: readonly LockWant[], place: number | undefined): boolean {
  return wants.every(({ name, weight }) => {
    const lock = view.lock(name)!;
    const first = lock.waiters === 0 ? undefined : view.waiters(name)[0]?.place;
    return first === place && fits(lock, weight);
  });
}

function grant(view: LockView, waiter: Omit<LockWaiter, "place">): Readonly<Record<string, number>> {
  const { holder, request, wants, run, holdMs } = waiter;
  // By entries: a lock may be called `__proto__`.
  return Object.fromEntries(wants.map(({ name, weight }) => {
    const token = view.hold(name, {
      holder,
      request,
      weight,
      since: view.now,
      ...(run !== undefined && { run }),
      ...(holdMs !== undefined && { holdMs, until: view.now + holdMs }),
      ...(wants.length > 1 && { names: wants.map((each) => each.name) }),
    });
    return [name, token];
  }));
}

/** Grants what can be granted, in order, and in the other locks of those who were granted. */
function handOver(view: LockView, names: readonly string[]): void {
  const left = new Set(names);
  for (const name of left) {
    left.delete(name);
    const [first] = view.waiters(name);
    if (!first) continue;
    const isLate = first.deadline !== undefined && first.deadline < view.now;
    if (!isLate && !mayHave(view, first.wants, first.place)) continue;
    const { holder, request, run, wants } = first;
    view.dequeue({ holder, request, place: first.place, names: wants.map((each) => each.name) });
    if (!isLate) {
      const tokens = grant(view, first);
      view.grants.push({ holder, request, tokens, ...(run !== undefined && { run }) });
    }
    // A set goes over what is added to it while it is gone over.
    for (const each of wants) left.add(each.name);
  }
}

/** What a request had. */
export type GivenUp = "released" | "withdrawn" | "left" | "none";

/**
 * Ends a request, whether it holds or waits, and hands over.
 *
 * @param view The locks; changed.
 * @param names Those of the request.
 * @param who Whose request.
 * @param entries Whether only the last entry is left, where it has entered more than once.
 * @returns What it had.
 */
export function giveUp(
  view: LockView,
  names: readonly string[],
  who: { readonly holder: string; readonly request: string },
  entries = false,
): GivenUp {
  let had: GivenUp = "none";
  for (const name of names) {
    const lock = view.lock(name);
    const holder = lock?.holders.find((each) => each.request === who.request);
    if (!lock || !holder) continue;
    const { entries: entered = 1 } = holder;
    if (entries && entered > 1) {
      had = "left";
      view.set({ ...lock, holders: changed(lock, holder.token, () => ({ entries: entered - 1 })) });
    } else {
      had = "released";
      view.set({ ...lock, holders: lock.holders.filter((each) => each !== holder) });
    }
  }
  const ask = had === "none" ? view.ask(who.holder, who.request) : undefined;
  if (ask) view.dequeue(ask);
  const freed = ask?.names ?? names;
  if (had === "released" || ask) handOver(view, freed.filter((name) => view.lock(name)));
  return ask ? "withdrawn" : had;
}

/**
 * Ends the holds of a token, whatever its holder does.
 *
 * @param view The locks; changed.
 * @param name A lock.
 * @param token Its token.
 * @param until Only if this is still when it ends; absent: in any case.
 * @returns Who held it; `undefined`: nobody does under that token.
 */
export function takeAway(
  view: LockView,
  name: string,
  token: number,
  until?: number,
): LockHolder | undefined {
  const found = view.lock(name)?.holders.find((each) => each.token === token);
  if (!found || (until !== undefined && found.until !== until)) return undefined;
  giveUp(view, namesOf(name, found), found);
  return found;
}

/**
 * Changes what is known of a hold.
 *
 * @param view The locks; changed.
 * @param names Those of the request.
 * @param request The request.
 * @param change What changes.
 * @returns Whether it is held still.
 */
export function changeHold(
  view: LockView,
  names: readonly string[],
  request: string,
  change: (holder: LockHolder) => Partial<LockHolder>,
): boolean {
  let isHeld = names.length > 0;
  for (const name of names) {
    const lock = view.lock(name);
    const found = lock?.holders.find((each) => each.request === request);
    if (lock && found) view.set({ ...lock, holders: changed(lock, found.token, change) });
    else isHeld = false;
  }
  return isHeld;
}

/** Grants to runs that are not known to have heard of them. */
export function untold(view: LockView, names: readonly string[]): readonly LockGrant[] {
  const grants = new Map<string, LockGrant>();
  for (const name of names) {
    for (const { holder, request, run, told, names: all = [name] } of view.lock(name)?.holders ?? []) {
      if (run === undefined || told || grants.has(request)) continue;
      grants.set(request, { holder, request, run, tokens: tokensOf(view, all, request)! });
    }
  }
  return [...grants.values()];
}
