import { connectorsAt } from "./connector.ts";
import { ConnectorShard } from "./connector_shard.ts";
import { earliest } from "./earliest.ts";
import type { ShardOwnerOptions } from "./owner_options.ts";
import type { ShardOwner } from "./shard_owner.ts";

/** The shards of connectors that run where a shard of the store is owned. */
export class Connectors {
  readonly #shards: readonly ConnectorShard[];

  /**
   * @param owner Whose.
   * @param options The owner's.
   */
  constructor(owner: ShardOwner, options: ShardOwnerOptions) {
    const { definition, shard, context } = options;
    this.#shards = connectorsAt(definition, shard, context.store.shards).map(({ connector, index }) =>
      new ConnectorShard(owner, options, connector, index)
    );
  }

  /** Starts them all. */
  begin(): void {
    for (const shard of this.#shards) shard.begin();
  }

  /** Ends them all. */
  end(reason: unknown): void {
    for (const shard of this.#shards) shard.end(reason);
  }

  /** Events that were held back are looked at again. */
  wake(): void {
    for (const shard of this.#shards) shard.wake();
  }

  /** Whether any has events, or may be about to be given some. */
  get busy(): boolean {
    return this.#shards.some((shard) => shard.activity.msToRest > 0);
  }

  /** Resolves when one of them may have come to rest, or has been given an event. */
  async restOrChange(): Promise<void> {
    await this.#shards.find((shard) => shard.activity.msToRest > 0)?.activity.restOrChange();
  }

  /** When the first of them goes on, as far as they know. */
  get nextDue(): number | undefined {
    return earliest(...this.#shards.map((shard) => shard.nextDue));
  }
}
