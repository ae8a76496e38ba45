import type { Definition } from "./behaviour.ts";
import type { EngineContext } from "./context.ts";
import { featureOf } from "./feature.ts";
import type { Relay, RelayOwner } from "./relay.ts";
import { keepLogShort } from "./sweep_log.ts";

/**
 * What the owner of a definition with a stream does beside its runs, for as long as it owns the shard: it keeps the log
 * short, and relays it if there is a streamer to relay to.
 *
 * @param context The engine.
 * @param owner Whose log.
 * @returns The relay, if there is one.
 */
export function tendLog(
  context: EngineContext,
  owner: RelayOwner & { readonly definition: Definition },
): Relay | undefined {
  if (!owner.definition.behaviour.stream) return undefined;
  const failed = (error: unknown) => {
    context.logger.log("error", "Nobody tends a log any more", {
      definition: owner.name,
      shard: owner.shard,
      error: String(error),
    });
  };
  keepLogShort(context, owner).catch(failed);
  if (!context.relay) return undefined;
  const { Relay } = featureOf(context.features, "relay", "relay a log");
  const relay = new Relay(context, context.relay, owner);
  relay.run().catch(failed);
  return relay;
}
