import type { Limits } from "../../limits.ts";
import type { Dice } from "./dice.ts";

/** How often each fault strikes, from 0 to 1, by what it is called in reports. */
export interface FaultRates {
  /** A commit finds the store busy: surely not applied. */
  readonly "busy": number;
  /** A commit fails: surely not applied. */
  readonly "failed commit": number;
  /** A commit is too large for the store: surely not applied. */
  readonly "too large": number;
  /** The browser aborts a commit at one of its requests: none of it is applied. */
  readonly "aborted commit": number;
  /** The browser closes the database under a page, or under all: what is under way fails, done or not. */
  readonly "lost handle": number;
  /** A commit is applied, and its answer lost. */
  readonly "lost reply": number;
  /** A commit counts as lost, and is applied later. */
  readonly "late request": number;
  /** A commit arrives twice. */
  readonly "repeated request": number;
  /** A commit takes very long, either way. */
  readonly "slow commit": number;
  /** The host dies as its commit is on its way, before or after it is applied. */
  readonly "crash at commit": number;
  /** The host stands still as its commit is answered. */
  readonly "freeze at commit": number;
  /** A read finds the store busy. */
  readonly "busy read": number;
  /** A read takes very long, and its answer is as old. */
  readonly "slow read": number;
  /** A read never comes back, until the store gives it up. */
  readonly "stuck read": number;
  /** Nobody tells of a commit. */
  readonly "lost hint": number;
  /** A host's clock is far from that of others. */
  readonly "clock skew": number;
  /** User code throws before it has done anything. */
  readonly "code throws": number;
  /** User code throws after it has done its work. */
  readonly "code throws late": number;
  /** User code takes very long. */
  readonly "slow code": number;
  /** User code never ends; only where an attempt has a timeout. */
  readonly "hanging code": number;
  /** User code leaves more data than a run may carry. */
  readonly "oversized data": number;
  /** A send to a streamer fails: nothing is sent. */
  readonly "failed send": number;
  /** A send fails when a front of its events is sent. */
  readonly "partial send": number;
  /** All is sent, and the answer lost. */
  readonly "lost send reply": number;
  /** A send counts as lost, and all of it arrives later. */
  readonly "late send": number;
  /** A send is never answered; only where the sender has a timeout. */
  readonly "hanging send": number;
  /** An event that the streamer refuses for as long as there are faults, while others pass. */
  readonly "poison event": number;
  /** A receiver is not opened, or ends with an error. */
  readonly "failed delivery": number;
  /** Events are delivered once more that the same receiver was given and has not acked. */
  readonly "repeated delivery": number;
  /** An event is delivered late. */
  readonly "slow delivery": number;
  /** An ack fails, done or not. */
  readonly "failed ack": number;
  /** A codec throws. */
  readonly "codec throws": number;
}

/** The name of a fault that has a rate. */
export type FaultName = keyof FaultRates;

/** The highest rate of each fault of the store, hosts and user code in a usual world. */
const most = {
  "busy": 0.1,
  "failed commit": 0.05,
  "too large": 0.02,
  "lost reply": 0.15,
  "late request": 0.1,
  "repeated request": 0.1,
  "slow commit": 0.03,
  "crash at commit": 0.01,
  "freeze at commit": 0.01,
  "busy read": 0.03,
  "slow read": 0.03,
  "stuck read": 0.01,
  "lost hint": 1,
  "clock skew": 0.5,
  "code throws": 0.1,
  "code throws late": 0.1,
  "slow code": 0.1,
  "hanging code": 0.05,
  "oversized data": 0.05,
} as const;

/** The same for streamers and codecs. Their rates are drawn by dice of their own, so that they change no other life. */
const mostOfStreams = {
  "failed send": 0.2,
  "partial send": 0.2,
  "lost send reply": 0.2,
  "late send": 0.15,
  "hanging send": 0.05,
  "poison event": 0.15,
  "failed delivery": 0.05,
  "repeated delivery": 0.1,
  "slow delivery": 0.1,
  "failed ack": 0.15,
  "codec throws": 0.1,
} as const;

/** Those that only a browser has. */
const mostOfBrowsers = { "aborted commit": 0.06, "lost handle": 0.01 } as const;

/** Those that it has not: nothing is between a page and its database that sends again, or late. */
const neverInBrowsers = { "late request": 0, "repeated request": 0, "lost reply": 0 } as const;

const noBrowser = { "aborted commit": 0, "lost handle": 0 } as const;

/** Faults of which one is enough to wreck a host: no storms of them. */
const rare: ReadonlySet<string> = new Set(["crash at commit", "freeze at commit", "stuck read", "lost hint"]);

/** What a seed decides about the store and the engines before life begins. */
export interface Terrain {
  readonly shards: number;
  readonly rates: FaultRates;
  /** Longest trip to the store, in ms. */
  readonly tripMsMax: number;
  /** A store that takes few rows at once; absent: one that takes all. */
  readonly writesPerCommitMax?: number;
  /** Limits of all engines. */
  readonly limits: Partial<Limits>;
}

/** Rates of a seed: most worlds have few faults of each kind, some have many of one. */
function drawRates(dice: Dice, tops: Partial<FaultRates>): Partial<FaultRates> {
  const storm = dice.chance(0.15) ? 3 : 1;
  const rates = Object.entries(tops).map(([name, top]) => {
    if (name === "lost hint") return [name, dice.chance(0.5) ? 1 : dice.between(0, 1)];
    const times = rare.has(name) ? 1 : storm;
    return [name, dice.chance(0.5) ? 0 : Math.min(0.9, dice.between(0, top) * times)];
  });
  return Object.fromEntries(rates);
}

/** Limits so small that a small world meets them. */
function drawLimits(dice: Dice): Partial<Limits> {
  const tiny = dice.chance(0.3);
  return {
    crashesMax: 1_000,
    rebasesMax: 12,
    settlesMax: dice.chance(0.3) ? dice.pick([1, 3]) : 100,
    busyMsMax: 2_000,
    duePageMax: dice.pick([2, 8, 1_024]),
    dueInMemoryMax: dice.pick([3, 16_384]),
    ...(tiny && {
      runsInFlightMax: dice.pick([2, 3, 8]),
      groupBatchesMax: dice.pick([1, 3]),
      suspectsInFlightMax: dice.pick([1, 2]),
      heldRunsMax: dice.pick([1, 2]),
      scanMax: dice.pick([1, 4]),
      pageMax: dice.pick([1, 3]),
      messageLengthMax: 40,
    }),
  };
}

/**
 * Draws what the world is like.
 *
 * @param dice Decide about the store, hosts and user code.
 * @param streamDice Decide about streamers and codecs.
 */
export function drawTerrain(dice: Dice, streamDice: Dice): Terrain {
  return {
    shards: dice.pick([1, 1, 2]),
    rates: { ...noBrowser, ...drawRates(dice, most), ...drawRates(streamDice, mostOfStreams) } as FaultRates,
    tripMsMax: dice.pick([1, 5, 40]),
    ...(dice.chance(0.2) && { writesPerCommitMax: 16 }),
    limits: drawLimits(dice),
  };
}

/** The same world on a browser's database. */
export function browserTerrain(terrain: Terrain, dice: Dice): Terrain {
  const rates = { ...terrain.rates, ...neverInBrowsers, ...drawRates(dice, mostOfBrowsers) };
  return { ...terrain, shards: dice.pick([1, 1, 1, 2]), rates };
}
