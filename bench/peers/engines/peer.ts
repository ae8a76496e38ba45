/** What each engine is asked to do: the five jobs, in its own words. */

/** What every run carries: some 430 bytes. */
export interface Order {
  key: string;
  lines: { sku: string; quantity: number; cents: number }[];
  customer: string;
  address: string;
  notes: string;
  /** How many steps have counted. */
  done: number;
  /** When a timer is due, and what a callback has brought. */
  dueAt?: number;
  answer?: string;
}

/** An order under a key. */
export const order = (key: string): Order => ({
  key,
  lines: Array.from(
    { length: 4 },
    (_, index) => ({ sku: `sku-${1000 + index}`, quantity: index + 1, cents: 1_999 }),
  ),
  customer: "Ada Lovelace, 12 St James's Square",
  address: "London SW1Y 4JH, United Kingdom of Great Britain",
  notes: "Please leave the parcel with the neighbour at number 14 if nobody answers the door.",
  done: 0,
});

/** A step: all that it does is to count. */
export const step = (data: Order): Order => ({ ...data, done: data.done + 1 });

/** What the runs have come to, as the engine's store tells it; asked when the clock has stopped. */
export type Results = () => Promise<readonly Order[]>;

/** Timers that are set. */
export interface Armed {
  /** Resolves when all have fired and their runs are completed, with the times when their code ran. */
  fired(): Promise<{ at: readonly number[]; results: Results }>;
}

/** An engine at work on a store of its own. What resolves is durable, as far as the engine makes anything so. */
export interface Peer {
  /** Starts a run of three steps for each key, all at once, and resolves when all are completed. */
  chains(keys: readonly string[]): Promise<Results>;
  /** Starts a run of one step and resolves with what it has come to. */
  single(key: string): Promise<Order>;
  /** Starts runs that wait for one instant; resolves when all of them wait. */
  arm(keys: readonly string[], dueAt: number): Promise<Armed>;
  /** Takes in runs of one step while nobody works. */
  fill(keys: readonly string[]): Promise<void>;
  /** Begins to work, and resolves when all that was taken in is completed. */
  drain(): Promise<Results>;
  /** Starts runs that wait for an answer; resolves when all of them wait. Absent: the engine has no such thing. */
  wait?(keys: readonly string[]): Promise<void>;
  /** Answers them with their keys, all at once, and resolves when all are completed. */
  answer?(keys: readonly string[]): Promise<Results>;
  close(): Promise<void>;
}

/** Where an engine is to work. */
export interface Place {
  /** A folder of its own, empty. */
  readonly folder: string;
  /** The address of its server, with a database of its own. */
  readonly server: string;
  /** Which form of the engine. */
  readonly variant: string;
  /** Whether its work begins with {@linkcode Peer.drain}. */
  readonly idle: boolean;
}

/** What the file of an engine exports. */
export interface PeerModule {
  open(place: Place): Promise<Peer>;
}

/** Counts down to a promise. */
export class Countdown {
  readonly #at: number[] = [];
  #left = 0;
  #resolve: (() => void) | undefined;

  /** Resolves with the times of so many calls of {@linkcode hit}. */
  async of(count: number): Promise<readonly number[]> {
    this.#left = count;
    this.#at.length = 0;
    if (count > 0) await new Promise<void>((resolve) => this.#resolve = resolve);
    return this.#at;
  }

  hit(): void {
    this.#at.push(Date.now());
    if (--this.#left === 0) this.#resolve?.();
  }
}

/** Asks again, a moment later, until it is so. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
