import type { Check } from "../store/store.ts";
import type { Definition } from "./behaviour.ts";
import type { EngineContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { ShardOwner } from "./shard_owner.ts";
import type { Suspects } from "./suspects.ts";

/** What makes an owner. */
export interface ShardOwnerOptions {
  readonly context: EngineContext;
  readonly definition: Definition;
  readonly shard: number;
  /** The owner row and its version: the fence of every commit. */
  readonly guard: Check;
  /** What else the engine owns. */
  readonly ownerOf: (definition: string, shard: number) => ShardOwner | undefined;
  readonly dispatcher: Dispatcher;
  /** Shared by all owners of the engine. */
  readonly suspects: Suspects;
  /** When the shard was taken from an owner that had died; absent: it was free. */
  readonly takenOverAt?: number;
  /** Told once, when another engine has taken over. */
  readonly onLost: (owner: ShardOwner) => void;
}
