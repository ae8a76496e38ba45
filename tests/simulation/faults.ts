import type { World } from "./world.ts";

/** How often each fault of the store strikes, drawn per seed. */
export interface StoreFaults {
  readonly busy: number;
  readonly failed: number;
  readonly tooLarge: number;
  readonly lostReply: number;
  readonly lateRequest: number;
  readonly repeatedRequest: number;
  readonly lostHint: number;
  /** Longest trip to the store, in ms. */
  readonly tripMsMax: number;
}

/** What a seed decides about the store and the engines before life begins. */
export interface Terrain {
  readonly shards: number;
  readonly faults: StoreFaults;
  /** A store that takes few rows at once; `undefined`: one that takes all. */
  readonly writesPerCommitMax: number | undefined;
  /** Tries of a settlement; few: the engines must also live with outcomes that stay unknown. */
  readonly settlesMax: number;
}

/** Rates of a seed: most worlds have few faults of each kind, some have many of one. */
function drawStoreFaults(world: World): StoreFaults {
  const storm = world.chance(0.15) ? 3 : 1;
  const rate = (most: number) => world.chance(0.5) ? 0 : world.random.float() * most * storm;
  return {
    busy: rate(0.1),
    failed: rate(0.05),
    tooLarge: rate(0.02),
    lostReply: rate(0.15),
    lateRequest: rate(0.1),
    repeatedRequest: rate(0.1),
    lostHint: world.chance(0.5) ? 1 : world.random.float(),
    tripMsMax: world.pick([1, 5, 40]),
  };
}

export function drawTerrain(world: World): Terrain {
  return {
    shards: world.pick([1, 1, 2]),
    faults: drawStoreFaults(world),
    writesPerCommitMax: world.chance(0.2) ? 12 : undefined,
    settlesMax: world.chance(0.3) ? world.pick([1, 3]) : 100,
  };
}
