/**
 * Every prefix of the stored format, with the shape of its tuple. A prefix is for ever: a retired one stays listed.
 *
 * Where each row lives: rows of a run are in the shard of its definition and key; `presence` and `roster` are in shard 0;
 * `sched`, `tick` and `occ` rows are in the shard of their schedule's id, `mark` rows where the runs of a schedule start;
 * `owner`, `bell` and `relay` are one per definition in every shard; `event` and `cursor` are in the shard of their topic;
 * `lock`, `wait`, `ask`, `places` and `lockdue` are in the shard of their namespace.
 *
 * @module
 */
import { encodeUnder, type KeyPart, rangeOf, separator, splitKey, unescapeText } from "./key.ts";

/** How to write one family of keys. */
export interface Space<Parts extends readonly KeyPart[]> {
  /** Its prefix. */
  readonly name: string;
  /** Names of its parts, in order. */
  readonly parts: readonly string[];
  /** The last part is the version of the batch that wrote it. */
  readonly stamped: boolean;
  /** A full key. */
  key(...parts: Parts): string;
  /** The front of a key: what a stamped put is given. */
  front(...parts: readonly KeyPart[]): string;
  /** All keys under these first parts. */
  range(...parts: readonly KeyPart[]): { readonly start: string; readonly end: string };
}

// Bundles that import no engine carry no keys.
/* @__NO_SIDE_EFFECTS__ */
function space<Parts extends readonly KeyPart[]>(
  name: string,
  parts: readonly string[],
  stamped = false,
): Space<Parts> {
  return {
    name,
    parts,
    stamped,
    key: (...values) => encodeUnder(name, values),
    front: (...values) => encodeUnder(name, values) + separator,
    range: (...values) => rangeOf(name, ...values),
  };
}

/** The prefixes in use. */
export const keyspace = {
  /** The run record: all that is true of a run now. */
  run: space<[runId: string]>("run", ["runId"]),
  /** The latest run of a key; its compare-and-set is what makes a key's unfinished run unique. */
  key: space<[definition: string, key: string]>("key", ["definition", "key"]),
  /** The due index: one row per run that has something to do, at its earliest due time. */
  work: space<[definition: string, due: number, runId: string]>("work", ["definition", "due", "runId"]),
  /** The list index: one row per run, by coarse state, in order of creation. */
  list: space<[definition: string, bucket: string, runId: string]>("list", ["definition", "bucket", "runId"]),
  /** What happened to a run, in order. An imported run's rows end in 1, 2, 3, ... in place of versions. */
  history: space<[runId: string]>("hist", ["runId", "version"], true),
  /** Answers kept for idempotency keys. */
  idempotency: space<[definition: string, key: string, verb: string, idempotencyKey: string]>(
    "idem",
    ["definition", "key", "verb", "idempotencyKey"],
  ),
  /** What is to be done because a run has changed, outside the run's own lane: its hooks. */
  chore: space<[runId: string, choreId: string]>("chore", ["runId", "choreId"]),
  /** When each chore is to be done. */
  todo: space<[definition: string, due: number, choreId: string]>("todo", ["definition", "due", "choreId"]),
  /** Chores that have failed too often, and wait for somebody. */
  parked: space<[definition: string, choreId: string]>("parked", ["definition", "choreId"]),
  /** A schedule: all that is true of it now. */
  schedule: space<[scheduleId: string]>("sched", ["scheduleId"]),
  /** When each schedule has something to do. */
  tick: space<[definition: string, due: number, scheduleId: string]>("tick", [
    "definition",
    "due",
    "scheduleId",
  ]),
  /** What became of an occurrence (`at`), or of several that were passed over together (`gap`). */
  occurrence: space<[scheduleId: string, at: number, form: "at" | "gap"]>("occ", [
    "scheduleId",
    "at",
    "form",
  ]),
  /** The last start of a schedule that was decided in this shard, where its runs are: no earlier one can land any more. */
  mark: space<[scheduleId: string]>("mark", ["scheduleId"]),
  /** Who owns a definition in this shard; its version is the fencing token. */
  owner: space<[definition: string]>("owner", ["definition"]),
  /** Rung by guests: something changed that the owner does not know. */
  bell: space<[definition: string]>("bell", ["definition"]),
  /** Rung when an engine comes or goes, or passes a shard on: the others look who owns what. */
  roster: space<[]>("roster", []),
  /** An engine's sign of life. */
  presence: space<[engineId: string]>("presence", ["engineId"]),
  /** What was sent to a topic of a user's own. */
  event: space<[topic: string]>("event", ["topic", "version"], true),
  /** How far a receiver has come in a topic: a place in every shard that the topic has rows in. */
  cursor: space<[topic: string, name: string]>("cursor", ["topic", "name"]),
  /** Transitions of the runs of a definition with a stream, in the shard of each run. */
  log: space<[definition: string]>("log", ["definition", "version"], true),
  /** How far the relay has sent this shard's log of a definition. */
  relay: space<[definition: string]>("relay", ["definition"]),
  /** A run whose events the relay holds back, as the first of them cannot be sent. */
  held: space<[definition: string, runId: string]>("held", ["definition", "runId"]),
  /** A lock: who holds it, and its last token. Locks of a namespace are in the shard of its hash. */
  lock: space<[namespace: string, name: string]>("lock", ["namespace", "name"]),
  /** Who waits for a lock, in the order of their requests. */
  wait: space<[namespace: string, name: string, place: number]>("wait", ["namespace", "name", "place"]),
  /** A request that waits: for which locks, and at which place. */
  ask: space<[namespace: string, holder: string, request: string]>("ask", ["namespace", "holder", "request"]),
  /** The last place given to a request that waits for locks of a namespace. */
  places: space<[namespace: string]>("places", ["namespace"]),
  /** Locks that somebody should look at: a hold may be over, or a grant unheard. */
  lockDue: space<[due: number, namespace: string, name: string]>("lockdue", ["due", "namespace", "name"]),
  /** A committer's last call, where replies can be lost. */
  outcome: space<[committerId: string]>("outcome", ["committerId"]),
} as const;

/** All registered prefixes. */
export const allSpaces: readonly Space<never>[] = /* @__PURE__ */ Object.values(keyspace);

/**
 * Reads a key back into its parts, as text.
 *
 * @param key An encoded key.
 * @returns Its space and parts; `undefined` when no registered space has that prefix and number of parts.
 */
export function describeKey(
  key: string,
): { readonly space: Space<never>; readonly parts: Readonly<Record<string, string>> } | undefined {
  const [name, ...values] = splitKey(key);
  const found = allSpaces.find((candidate) => candidate.name === name);
  if (!found || found.parts.length !== values.length) return undefined;
  const parts = Object.fromEntries(found.parts.map((part, index) => [part, unescapeText(values[index]!)]));
  return { space: found, parts };
}
