/**
 * Where histories are made: rounds of clients on one store, each with keys of its own.
 *
 * @module
 */
import { seededRandom } from "../../core/ports/random.ts";
import type { Store, Version } from "../../core/store/store.ts";
import { runClient } from "./client.ts";
import type { Field } from "./draw.ts";
import type { History } from "./history.ts";
import type { NearKind } from "./kinds.ts";
import { readRecord, recorder, type RecordLine } from "./recorder.ts";
import { farStore, hops } from "./ways.ts";

/** What happens in the middle of a round. */
export type Mishap = "a client is killed" | "the server is killed" | "requests get lost";

/** One round. */
export interface RoundPlan {
  /** Begins its keys; unique on the store. */
  readonly name: string;
  /** Decides what its clients ask for. */
  readonly seed: number;
  /** Answered operations per client. */
  readonly operations: number;
  /** Clients, per process where they have processes. */
  readonly clients: number;
  readonly mishap?: Mishap;
}

/** A store with its clients. */
export interface Scene {
  /** How often a server that hung had to be killed and started again. */
  readonly revivals: number;
  /** Lives through a round. */
  round(plan: RoundPlan): Promise<History>;
  close(): Promise<void>;
}

/** Changes a store, as one does who breaks a rule. */
export type Wrap = (store: Store, seed: number) => Store;

/** The keys of a round: few or fewer. */
export function fieldOf({ name, seed }: RoundPlan, shards: number): Field {
  return { name, shards: Math.min(shards, 1 + seed % 4), rows: 3 + seed % 4 };
}

/** Highest versions of a history, for the next one. */
export function floorOf(history: History, shards: number): Version[] {
  const floor = Array.from({ length: shards }, (_, shard) => history.floor?.[shard] ?? 0);
  for (const each of history.operations) {
    if (each.kind === "read" || typeof each.answer === "string") continue;
    const { calls, answer } = each;
    answer.forEach((result, index) => {
      if (result.outcome !== "done") return;
      const { shard } = calls[index]!;
      for (const told of result.results) if (told.ok) floor[shard] = Math.max(floor[shard]!, told.version);
    });
  }
  return floor;
}

/**
 * A scene within this process. All that happens is decided by the seeds, and moments are those of a counter.
 *
 * @param kind What store.
 * @param seed Decides what gets lost on the way.
 * @param wrap Breaks a rule.
 */
export function sceneHere(kind: NearKind, seed: number, wrap: Wrap = (store) => store): Scene {
  const open = kind.make(seededRandom(seed));
  const stores = [open(), open()].map((store, index) => wrap(store, seed + index));
  let floor: readonly Version[] = [];
  let moment = 0;
  return {
    revivals: 0,
    async round(plan) {
      const lines: RecordLine[] = [];
      // A line that is kept is a copy: what a store does to its arguments later is not in the record.
      const record = recorder(() => ++moment, (line) => void lines.push(structuredClone(line)));
      const field = fieldOf(plan, stores[0]!.shards);
      await Promise.all(Array.from({ length: plan.clients }, (_, index) => {
        const random = seededRandom(plan.seed * 8_191 + index);
        return runClient({
          name: `c${index}`,
          store: farStore(stores[index % stores.length]!, random),
          field,
          random,
          recorder: record,
          operations: plan.operations,
          outcomes: kind.outcomes,
          rest: hops(random, 6),
          backOff: hops(random, 40),
        });
      }));
      const history: History = { outcomes: kind.outcomes, floor, operations: readRecord(lines) };
      floor = floorOf(history, stores[0]!.shards);
      return history;
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}
