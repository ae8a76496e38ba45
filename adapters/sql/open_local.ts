/**
 * What all stores in local files have in common, whatever SQLite they go through: options, defaults, limits.
 *
 * @module
 */
import { systemClock } from "../../core/ports/clock.ts";
import { systemRandom } from "../../core/ports/random.ts";
import type { Store, StoreLimits } from "../../core/store/store.ts";
import type { Durability } from "./connection.ts";
import type { Driver } from "./driver.ts";
import { refused } from "./file_url.ts";
import { LocalStore } from "./local.ts";
import { shardsMax } from "./schema.ts";

/** What a local store may be told. */
export interface LocalChoices {
  readonly shards?: number;
  readonly limits?: Partial<StoreLimits>;
  readonly sqlIndexes?: boolean;
  readonly durability?: Durability;
  readonly busyTimeoutMs?: number;
}

const localLimits: StoreLimits = {
  keyBytesMax: 8_192,
  valueBytesMax: 16 * 1024 * 1024,
  // What one commit may hold the event loop for: a second or so.
  writesPerCommitMax: 50_000,
  bytesPerCommitMax: 128 * 1024 * 1024,
  opsPerReadMax: 10_000,
  entriesPerRangeMax: 10_000,
};

const defaultBusyTimeoutMs = 25;

/**
 * Makes a local store.
 *
 * @param place Its path, and the URL or path that its user wrote, for messages.
 * @param choices What the user chose.
 * @param loadDriver Finds the library, when the store is first used.
 * @returns The store; nothing is opened yet.
 * @throws {PawlError} `INVALID_ARGUMENT` for an option it cannot use.
 */
export function openLocal(
  place: { readonly url: string; readonly path: string },
  choices: LocalChoices,
  loadDriver: () => Driver | Promise<Driver>,
): Store {
  const { durability = "full", busyTimeoutMs = defaultBusyTimeoutMs } = choices;
  if (durability !== "full" && durability !== "normal") {
    throw refused(`durability "${durability}"`, '"full" or "normal"');
  }
  if (!Number.isInteger(busyTimeoutMs) || busyTimeoutMs < 0 || busyTimeoutMs > 60_000) {
    throw refused(`busyTimeoutMs ${busyTimeoutMs}`, "0 to 60000");
  }
  return new LocalStore({
    ...place,
    durability,
    busyTimeoutMs,
    shards: shardsOf(choices) ?? 1,
    limits: { ...localLimits, ...choices.limits },
    newId: systemRandom().hex(24),
    clock: systemClock(),
    loadDriver,
    ...sqlIndexesOf(choices),
  });
}

/** The shard count that was chosen, if it is one. */
export function shardsOf({ shards }: Pick<LocalChoices, "shards">): number | undefined {
  if (shards !== undefined && (!Number.isInteger(shards) || shards < 1 || shards > shardsMax)) {
    throw refused(`shards ${shards}`, `1 to ${shardsMax}`);
  }
  return shards;
}

/** Whether the table of `sqlIndexes` was asked for, or asked away. */
export function sqlIndexesOf({ sqlIndexes }: Pick<LocalChoices, "sqlIndexes">): {
  readonly sqlIndexes?: boolean;
} {
  if (sqlIndexes === undefined) return {};
  if (typeof sqlIndexes !== "boolean") throw refused(`sqlIndexes ${sqlIndexes}`, "true or false");
  return { sqlIndexes };
}
