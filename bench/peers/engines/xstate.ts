import { DatabaseSync } from "node:sqlite";
import { type AnyActorLogic, assign, createActor, fromPromise, setup, type Snapshot } from "xstate";
import { Countdown, type Order, order, type Peer, type Place, step } from "./peer.ts";

const ring = new Countdown();

const base = setup({
  types: {} as { context: Order; input: Order; events: { type: "answer"; answer: string } | { type: "go" } },
  actors: { count: fromPromise<Order, Order>(({ input }) => Promise.resolve(step(input))) },
  delays: { untilDue: ({ context }) => Math.max(0, context.dueAt! - Date.now()) },
});
/** A state whose step is an invoked promise. */
const stage = (target: string) => ({
  invoke: {
    src: "count" as const,
    input: ({ context }: { context: Order }) => context,
    onDone: {
      target,
      actions: assign(({ event }: { event: { output: Order } }) => event.output) as never,
    },
  },
});
const final = { type: "final" as const };

const chain = base.createMachine({
  context: ({ input }) => input,
  initial: "placed",
  states: { placed: stage("paid"), paid: stage("packed"), packed: stage("shipped"), shipped: final },
});
const one = base.createMachine({
  context: ({ input }) => input,
  initial: "placed",
  states: { placed: stage("paid"), paid: final },
});
const parked = base.createMachine({
  context: ({ input }) => input,
  initial: "parked",
  states: { parked: { on: { go: "placed" } }, placed: stage("paid"), paid: final },
});
const timer = base.createMachine({
  context: ({ input }) => input,
  initial: "asleep",
  states: { asleep: { after: { untilDue: { target: "awake", actions: () => ring.hit() } } }, awake: final },
});
const asked = base.createMachine({
  context: ({ input }) => input,
  initial: "asked",
  states: {
    asked: {
      on: { answer: { target: "answered", actions: assign({ answer: ({ event }) => event.answer }) } },
    },
    answered: final,
  },
});

/** XState: after each transition the snapshot is saved, in a transaction of its own, as its guide on persistence has it. */
export async function open({ folder }: Place): Promise<Peer> {
  const db = new DatabaseSync(`${folder}/xstate.db`);
  db.exec("pragma journal_mode = wal; pragma synchronous = full");
  db.exec(
    "create table snapshots (key text primary key, status text not null, body text not null) without rowid",
  );
  const put = db.prepare("insert or replace into snapshots values (?, ?, ?)");
  const get = db.prepare("select body from snapshots where key = ?");

  /** Runs an actor, saving as it goes, until it is done or stays where it is. */
  const play = (of: AnyActorLogic, key: string, options: object, first?: object) =>
    new Promise<void>((resolve, reject) => {
      const actor = createActor(of, options);
      const save = () =>
        put.run(key, actor.getSnapshot().status, JSON.stringify(actor.getPersistedSnapshot()));
      actor.subscribe({ next: save, error: reject, complete: resolve });
      actor.start();
      if (first) actor.send(first as never);
    });
  const start = (of: AnyActorLogic, data: Order) => play(of, data.key, { input: data });
  const restored = (key: string) =>
    JSON.parse((get.get(key) as { body: string }).body) as Snapshot<unknown> & { context: Order };
  const resultOf = (key: string) => restored(key).context;
  const results = (keys: readonly string[]) => () => Promise.resolve(keys.map(resultOf));
  /** Saves an actor that waits, and lets it go. */
  const park = (of: AnyActorLogic, data: Order) => {
    const actor = createActor(of, { input: data }).start();
    put.run(data.key, "active", JSON.stringify(actor.getPersistedSnapshot()));
    actor.stop();
  };
  const resume = (of: AnyActorLogic, key: string, event: object) =>
    play(of, key, { snapshot: restored(key) }, event);
  let filled: readonly string[] = [];

  return {
    async chains(keys) {
      await Promise.all(keys.map((key) => start(chain, order(key))));
      return results(keys);
    },
    async single(key) {
      await start(one, order(key));
      return resultOf(key);
    },
    async arm(keys, dueAt) {
      const hits = ring.of(keys.length);
      const ends = Promise.all(keys.map((key) => start(timer, { ...order(key), dueAt })));
      return { fired: async () => (await ends, { at: await hits, results: results(keys) }) };
    },
    async fill(keys) {
      for (const key of keys) park(parked, order(key));
      filled = keys;
    },
    async drain() {
      await Promise.all(filled.map((key) => resume(parked, key, { type: "go" })));
      return results(filled);
    },
    async wait(keys) {
      for (const key of keys) park(asked, order(key));
    },
    async answer(keys) {
      await Promise.all(keys.map((key) => resume(asked, key, { type: "answer", answer: key })));
      return results(keys);
    },
    async close() {
      db.close();
    },
  };
}
