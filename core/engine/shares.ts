/**
 * Who should own what: a pure rule that every engine applies to what it reads, so that all come to the same answer
 * without talking to each other.
 *
 * @module
 */
import type { PresenceRow } from "../parts/ownership_rows.ts";

/** An engine that is alive. */
export interface Member {
  /** The engine. */
  readonly engineId: string;
  /** Its last sign of life. */
  readonly presence: PresenceRow;
}

/** What is owned as one: a definition in a shard. */
export interface Unit {
  /** The definition. */
  readonly definition: string;
  /** The shard. */
  readonly shard: number;
  /** Its living owner; absent: it has none. */
  readonly owner: string | undefined;
}

/**
 * The members that should work on a definition: those that carry the newest code of it. Of equal versions with
 * different graphs, the graph that appeared last counts as newer, as in a rolling deployment. Those that stand by should
 * only when all of these do.
 *
 * @param members Engines that are alive.
 * @param definition The definition's name.
 * @returns Their ids.
 */
export function newestCarriers(members: readonly Member[], definition: string): ReadonlySet<string> {
  const carriers = members.flatMap(({ engineId, presence }) => {
    const graph = presence.carries.find(([name]) => name === definition)?.[1];
    return graph === undefined ? [] : [{ engineId, graph, ...pick(presence) }];
  });
  const newest = Math.max(...carriers.map((each) => each.codeVersion));
  const current = carriers.filter((each) => each.codeVersion === newest);
  // The first engine that carried a graph tells when that graph appeared.
  const appeared = new Map<string, number>();
  for (const { graph, since } of current) appeared.set(graph, Math.min(since, appeared.get(graph) ?? since));
  const [latest] = [...appeared].sort(([a, at], [b, bt]) => bt - at || (a < b ? 1 : -1))[0] ?? [];
  const fit = current.filter((each) => each.graph === latest);
  const active = fit.filter((each) => !each.standby);
  return new Set((active.length > 0 ? active : fit).map((each) => each.engineId));
}

function pick({ codeVersion, since, standby }: PresenceRow) {
  return { codeVersion, since, standby };
}

/**
 * Shares out all units evenly: the shards of each definition over those that should work on it, then all units over all
 * members. Who owns something keeps it while that is fair, so little moves when an engine comes or goes.
 *
 * @param members Engines that are alive and own for long.
 * @param units Every definition of every shard.
 * @returns The member that should own each unit; a unit whose definition nobody carries is left out.
 */
export function sharesOf(members: readonly Member[], units: readonly Unit[]): ReadonlyMap<Unit, string> {
  const carriers = new Map<string, readonly string[]>();
  for (const { definition } of units) {
    if (!carriers.has(definition)) carriers.set(definition, [...newestCarriers(members, definition)].sort());
  }
  const served = units.filter(({ definition }) => carriers.get(definition)!.length > 0);
  const load = new Load();
  const shares = new Map<Unit, string>();
  const give = (unit: Unit, to: string) => {
    load.move(unit.definition, shares.get(unit), to);
    shares.set(unit, to);
  };
  for (const unit of served) {
    if (unit.owner && carriers.get(unit.definition)!.includes(unit.owner)) give(unit, unit.owner);
  }
  for (const unit of served) {
    if (!shares.has(unit)) give(unit, load.least(unit.definition, carriers.get(unit.definition)!));
  }
  // Each move makes the loads more even, so this comes to an end, and where nothing needs to move nothing does.
  for (let moved = true; moved;) {
    moved = false;
    for (const unit of served) {
      const { definition } = unit;
      const from = shares.get(unit)!;
      const to = carriers.get(definition)!.find((each) => load.isUneven(definition, from, each));
      if (to === undefined) continue;
      give(unit, to);
      moved = true;
    }
  }
  return shares;
}

/** How many units each member has: of a definition, and of all. */
class Load {
  readonly #counts = new Map<string, number>();

  move(definition: string, from: string | undefined, to: string): void {
    if (from !== undefined) this.#add(definition, from, -1);
    this.#add(definition, to, 1);
  }

  /** The carrier with the least of the definition, then the least of all, then the lowest id. */
  least(definition: string, carriers: readonly string[]): string {
    return carriers.reduce((best, each) => {
      const less = this.#of(each, definition) - this.#of(best, definition) || this.#of(each) - this.#of(best);
      return less < 0 ? each : best;
    });
  }

  /** Whether a unit of the definition would lie better with the other member. */
  isUneven(definition: string, from: string, to: string): boolean {
    const more = this.#of(from, definition) - this.#of(to, definition);
    return more >= 2 || (more === 1 && this.#of(from) - this.#of(to) >= 2);
  }

  #add(definition: string, engineId: string, count: number): void {
    this.#counts.set(`${engineId} ${definition}`, this.#of(engineId, definition) + count);
    this.#counts.set(engineId, this.#of(engineId) + count);
  }

  #of(engineId: string, definition?: string): number {
    return this.#counts.get(definition === undefined ? engineId : `${engineId} ${definition}`) ?? 0;
  }
}
