/**
 * One look at who owns what, who is alive, and what is due.
 *
 * @module
 */
import { readOwner, readPresence } from "../parts/ownership_rows.ts";
import { readStamp, splitKey, unescapeText } from "../store/key.ts";
import { keyspace } from "../store/keyspace.ts";
import type { Entry } from "../store/store.ts";
import type { EngineContext } from "./context.ts";
import { presenceShard } from "./presence.ts";
import type { Roster } from "./roster.ts";
import { sharesOf, type Unit } from "./shares.ts";

/** What a look found about one definition in one shard. */
export interface Sighting extends Unit {
  /** Its `owner` row, if it was ever owned. */
  readonly row: Entry | undefined;
  /** When its earliest work is due; absent: it has none. */
  readonly firstDue: number | undefined;
  /** `dead`: its owner has died; `held`: it has another living owner; `mine`: this engine owns it. */
  readonly state: "free" | "dead" | "held" | "mine";
}

/** What a look found. */
export interface Look {
  /** Every shard of the definitions that this engine carries. */
  readonly sightings: readonly Sighting[];
  /** The engine that should own each of them. */
  readonly shares: ReadonlyMap<Unit, string>;
  /** Presence rows of engines that are long dead. */
  readonly stale: readonly Entry[];
}

/** The name of what is owned as one. */
export function placeOf(definition: string, shard: number): string {
  return `${shard} ${definition}`;
}

/**
 * Looks, in one trip.
 *
 * @param context The engine.
 * @param roster Learns who is alive.
 * @param owns Whether this engine owns a place, given its `owner` row.
 * @returns What it found.
 */
export async function look(
  context: EngineContext,
  roster: Roster,
  owns: (place: string, row: Entry | undefined) => boolean,
): Promise<Look> {
  const { reader, definitions, store, limits, features: { relay } } = context;
  const names = [...definitions.keys()];
  // Together, so that no failure is left that nobody has heard.
  const [presences, ...found] = await Promise.all([
    reader.read(presenceShard, [{ ...keyspace.presence.range(), limit: limits.readPageMax }]),
    ...Array.from({ length: store.shards }, (_, shard) =>
      reader.read(shard, [
        { ...keyspace.owner.range(), limit: limits.readPageMax },
        ...names.map((name) => ({ ...keyspace.work.range(name), limit: 1 })),
        ...names.map((name) => ({ ...keyspace.todo.range(name), limit: 1 })),
        ...relay?.relayDueOps(context) ?? [],
      ])),
  ]);
  const signed = context.platform.gone && signedIn(context, presences![0]!);
  const stale = roster.look(presences![0]!, signed?.length ? await goneOf(context, signed) : undefined);
  const rows = found.map(([owners]) => new Map(owners!.map((entry) => [nameIn(entry), entry])));
  const sightings = found.flatMap(([, ...lists], shard) => {
    const relays = relay?.relayDues(context, lists.splice(2 * names.length));
    return names.map((definition, index): Sighting => {
      const row = rows[shard]!.get(definition);
      const [work, hook] = [lists[index]![0], lists[names.length + index]![0]];
      const firstDue = earliest(earliest(dueIn(work), dueIn(hook)), relays?.get(definition));
      const state = stateOf(context, roster, row, owns(placeOf(definition, shard), row));
      return { definition, shard, row, firstDue, state, owner: ownerOf(row, state) };
    });
  });
  const members = roster.members.filter(({ presence }) => !presence.ticks);
  const units = [...sightings, ...foreignUnits(context, roster, rows)];
  units.sort((a, b) => a.shard - b.shard || (a.definition < b.definition ? -1 : 1));
  return { sightings, shares: sharesOf(members, units), stale };
}

/** The other engines of whose processes the platform can tell. */
function signedIn({ engineId }: EngineContext, presences: readonly Entry[]): readonly string[] {
  return presences.filter((entry) => readPresence(entry).signs).map(nameIn).filter((each) =>
    each !== engineId
  );
}

async function goneOf(
  { platform, logger }: EngineContext,
  engineIds: readonly string[],
): Promise<ReadonlySet<string>> {
  try {
    return new Set(await platform.gone!(engineIds));
  } catch (error) {
    logger.log("warn", "Cannot see which engines are gone; their terms tell", { error: String(error) });
    return new Set();
  }
}

/** When the first of an index is due, runs or hooks. */
function dueIn(first: Entry | undefined): number | undefined {
  return first && readStamp(splitKey(first.key)[2]!);
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? a ?? b : Math.min(a, b);
}

/** What only others carry: their load by it is part of what is fair. */
function foreignUnits(
  context: EngineContext,
  roster: Roster,
  rows: readonly ReadonlyMap<string, Entry>[],
): readonly Unit[] {
  const carried = new Set(roster.members.flatMap(({ presence }) => presence.carries.map(([name]) => name)));
  const foreign = [...carried].filter((name) => !context.definitions.has(name));
  return foreign.flatMap((definition) =>
    rows.map((owners, shard) => {
      const row = owners.get(definition);
      return { definition, shard, owner: ownerOf(row, stateOf(context, roster, row, false)) };
    })
  );
}

function stateOf(
  context: EngineContext,
  roster: Roster,
  row: Entry | undefined,
  isMine: boolean,
): Sighting["state"] {
  if (isMine) return "mine";
  const { engineId, passed } = row ? readOwner(row) : noOwner;
  // What names this engine was passed to it, or is left from a write of its own that came to nothing.
  if (engineId === null || engineId === context.engineId) return "free";
  if (!roster.members.some((member) => member.engineId === engineId)) return "dead";
  return passed ? "free" : "held";
}

const noOwner = { engineId: null, passed: undefined };

/** What was passed to an engine counts as its own, so that it stays its share. */
function ownerOf(row: Entry | undefined, state: Sighting["state"]): string | undefined {
  return row && state !== "dead" ? readOwner(row).engineId ?? undefined : undefined;
}

function nameIn(entry: Entry): string {
  return unescapeText(splitKey(entry.key)[1]!);
}
