/**
 * A process of the fleet that receives what machines tell of their runs. What it is given stands in the ledger before it
 * is acked; it acks now and then, as acks cover all that came before.
 *
 * @module
 */
import {
  createEngine,
  deleteTopic,
  type Delivery,
  type EventStreamer,
  runStateTopic,
  statusTopic,
} from "pawl";
import type { Ledger } from "./ledger.ts";
import { streamed } from "./machines.ts";
import { beMember, type MemberOptions } from "./member.ts";

const topics = Object.entries(streamed).flatMap(([definition, statuses]) => [
  ...statuses.map((status) => statusTopic(definition, status)),
  runStateTopic(definition),
  deleteTopic(definition),
]);

/** Its cursors' name: the same for all who come after it. */
const cursor = "receiver";
const ackEvery = 0.2;

async function take(ledger: Ledger, { event, ack }: Delivery): Promise<void> {
  const { topic, key: runId, type, headers = {} } = event;
  const state = `${headers.runState} at ${type}`;
  ledger.write({
    what: "got",
    via: "receiver",
    topic,
    runId,
    version: Number(headers.recordVersion),
    state,
  });
  // What could not be acked is given to the next receiver.
  if (Math.random() < ackEvery) await ack().catch(() => {});
}

/** Begins to receive, once for each topic. */
async function receive(
  streams: EventStreamer,
  topic: string,
  ledger: Ledger,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const deliveries = await streams.receive(topic, cursor, { signal });
  return async () => {
    for await (const delivery of deliveries) await take(ledger, delivery);
  };
}

if (import.meta.main) {
  await beMember<MemberOptions>(({ options: { pollMs }, ledger, store }) => {
    const engine = createEngine({ store, definitions: [], work: false, poll: pollMs });
    const end = new AbortController();
    const open = new Map<string, Promise<void>>();
    return {
      engineId: engine.admin.engineId,
      async start() {
        for (const topic of topics) {
          if (open.has(topic)) continue;
          const drain = await receive(engine.streams, topic, ledger, end.signal);
          open.set(topic, drain());
        }
      },
      async stop() {
        end.abort();
        await Promise.all(open.values());
        await engine.stop();
      },
    };
  });
}
