/**
 * A process of the fleet that asks. Killed between a question and its answer, it leaves it to its successor to ask again.
 *
 * @module
 */
import { Clients, type Open } from "./clients.ts";
import { beMember, type MemberOptions } from "./member.ts";

/** What a client is told. */
export interface ClientOptions extends MemberOptions {
  readonly seed: number;
  /** Questions per second. */
  readonly load: number;
  /** What dead clients have asked. */
  readonly again: readonly Open[];
}

if (import.meta.main) {
  await beMember<ClientOptions>(({ options: { name, seed, load, again }, ledger, store }) => {
    const clients = new Clients(store, ledger, seed, name);
    return {
      engineId: clients.engine.admin.engineId,
      start() {
        clients.takeOver(again);
        void clients.run(load);
        return Promise.resolve();
      },
      // What waits for runs is left without an answer.
      async stop() {
        clients.end();
        await clients.settled();
      },
    };
  });
}
