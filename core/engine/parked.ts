/**
 * Hooks that were parked after too many failures: seen and retried by operators.
 *
 * @module
 */
import { ConflictError, PawlError } from "../errors.ts";
import {
  type Chore,
  choreKey,
  choreTable,
  type ErrorKind,
  type HookKind,
  runIdOfChore,
} from "../parts/chore.ts";
import type { RunError } from "../parts/run_record.ts";
import { BatchBuilder } from "../store/batch.ts";
import { keyAfter, splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import { checkName } from "./check_input.ts";
import { readChore } from "./chores.ts";
import { type EngineContext, shardOfRun } from "./context.ts";
import type { Ownership } from "./ownership.ts";

/** Which parked hooks. */
export interface ParkedQuery {
  /** Only those of this definition. */
  readonly definition?: string;
  /** Hooks at most; default 100. */
  readonly limit?: number;
  /** From the page before. */
  readonly cursor?: string;
}

/** A hook that has failed too often for one change of one run. */
export interface ParkedHook {
  /** For {@linkcode Admin.retry}. */
  readonly id: string;
  /** The run. */
  readonly runId: string;
  /** Its key. */
  readonly key: string;
  /** Its definition. */
  readonly definition: string;
  /** What it was to hear of; `lock`: it was to give back a lock, by an engine without that feature. */
  readonly kind: HookKind | ErrorKind | "lock";
  /** Which of the hooks of that kind. */
  readonly hook: string;
  /** Failed attempts. */
  readonly attempts: number;
  /** What the last one failed with. */
  readonly lastError?: RunError;
}

/** One page of parked hooks. */
export interface ParkedPage {
  /** Shard by shard, by definition, by run. */
  readonly items: readonly ParkedHook[];
  /** Where the next page begins; absent: there is none. */
  readonly cursor?: string;
}

const limitDefault = 100;

/**
 * @returns Parked hooks, shard by shard.
 * @throws {PawlError} `INVALID_ARGUMENT`.
 */
export async function parkedHooks(context: EngineContext, query: ParkedQuery = {}): Promise<ParkedPage> {
  const { limits, store, reader } = context;
  const { definition, limit = Math.min(limitDefault, limits.pageMax) } = query;
  if (definition !== undefined) checkName(definition, "definition", limits.nameLengthMax);
  if (!Number.isInteger(limit) || limit < 1 || limit > limits.pageMax) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot list parked hooks: got limit ${limit}, want 1 to ${limits.pageMax}`,
    );
  }
  const range = definition === undefined ? keyspace.parked.range() : keyspace.parked.range(definition);
  let { shard, start } = readCursor(query.cursor, store.shards, range.start);
  const items: ParkedHook[] = [];
  for (; shard < store.shards; shard++, start = range.start) {
    const left = limit - items.length;
    if (left === 0) return { items, cursor: `${shard} ${start}` };
    const [page] = await reader.read(shard, [{ start, end: range.end, limit: left }]);
    const found = await Promise.all(page!.map((entry) => readChore(context, shard, choreIdOf(entry))));
    items.push(...found.flatMap((held) => held ? [viewOfChore(held.chore)] : []));
    if (page!.length === left) return { items, cursor: `${shard} ${keyAfter(page!.at(-1)!.key)}` };
  }
  return { items };
}

const choreIdOf = ({ key }: Entry) => unescapeText(splitKey(key).at(-1)!);

function readCursor(
  cursor: string | undefined,
  shards: number,
  first: string,
): { shard: number; start: string } {
  if (cursor === undefined) return { shard: 0, start: first };
  const [, shard, start] = /^(\d+) ([\x20-\x7e]+)$/.exec(cursor) ?? [];
  if (shard !== undefined && Number(shard) < shards && start! >= first) {
    return { shard: Number(shard), start: start! };
  }
  throw new PawlError(
    "INVALID_ARGUMENT",
    "Cannot list parked hooks: the cursor is not one that parked() gave",
  );
}

function viewOfChore({ id, kind, hook, attempt, lastError, run }: Chore): ParkedHook {
  return {
    id,
    runId: run.id,
    key: run.key,
    definition: run.definition,
    kind,
    hook,
    attempts: attempt,
    ...(lastError && { lastError }),
  };
}

/**
 * Makes a parked hook due now, with a fresh count of attempts.
 *
 * @param ownership What this engine owns: it hears of its own bell at once, not at its next poll.
 * @param id The hook's, from {@linkcode parkedHooks}.
 * @throws {PawlError} `HOOK_NOT_FOUND` when it has succeeded meanwhile, or was never there; `CONFLICT`.
 */
export async function retryHook(context: EngineContext, ownership: Ownership, id: string): Promise<void> {
  if (typeof id !== "string" || !/^[0-9a-f]{30}-\d+-\d+$/.test(id)) {
    throw new PawlError(
      "INVALID_ARGUMENT",
      `Cannot retry hook: got ${JSON.stringify(id)}, want an id that admin.parked() gave`,
    );
  }
  const shard = shardOfRun(context, runIdOfChore(id));
  for (let rebase = 0; rebase <= context.limits.rebasesMax; rebase++) {
    const held = await readChore(context, shard, id);
    if (!held) {
      throw new PawlError("HOOK_NOT_FOUND", `Cannot retry hook ${id}: it has succeeded, or was never there`);
    }
    const { chore, version } = held;
    // One that waits for its next attempt is tried by itself.
    if (chore.due !== undefined) return;
    const batch = new BatchBuilder().check(choreKey(id), version);
    choreTable.write(batch, chore, { ...chore, attempt: 0, due: context.clock.now() });
    batch.put(keyspace.bell.key(chore.run.definition), "1");
    const result = await context.committer.commit(shard, batch);
    if (!result.ok) continue;
    ownership.ownerOf(chore.run.definition, shard)?.heard(result.version);
    return;
  }
  throw new ConflictError(
    `Cannot retry hook ${id}: other writers were first ${context.limits.rebasesMax} times`,
  );
}
