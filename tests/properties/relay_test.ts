/**
 * I8 over random lives: whatever is killed, lost or refused, each transition of each run reaches the streamer at least
 * once, and none before the one before it; and a receiver of `engine.streams` is given each exactly as often as it asks.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { seededRandom } from "../../core/ports/random.ts";
import {
  type Engine,
  type EventStreamer,
  type HistoryRow,
  machine,
  type NewEvent,
  OutcomeUnknownError,
  type Random,
  type Store,
} from "../../mod.ts";
import { type Mortal, World } from "../engine/stores.ts";

interface Job {
  left: number;
}

const flow = machine<Job>("flow", { stream: true, pauseRetry: "1m" })
  .step("a", ["b", "c"], (run) => run.data.left === 3 ? "c" : "b")
  .step("b", ["b", "c"], (run) => {
    if (run.data.left === 2 && run.attempt === 1) throw new Error("an error of the step");
    return run.data.left-- > 0 ? run.repeat() : "c";
  }, { lag: "300ms", retry: { initial: "200ms" } })
  .step("c", ["d"], (run) => run.data.left === 1 ? run.pause("as planned") : "d", { lag: "100ms" })
  .build();

const keys = ["k0", "k1", "k2", "k3"];

const kinds = ["trigger", "pause", "resume", "cancel", "advance", "kill", "lose", "refuse", "bad"] as const;

/** What happens next; each kind looks at the fields it needs. */
interface Act {
  readonly kind: (typeof kinds)[number];
  readonly key: string;
  readonly left: number;
  readonly ms: number;
  /** Commits until it happens, and whether the commit at which it happens lands. */
  readonly after: number;
  readonly lands: boolean;
  /** How often the streamer refuses, and whether what it refuses was not taken. */
  readonly part: number;
  readonly tells: boolean;
  readonly isCured: boolean;
}

const acts = fc.array(
  fc.record<Act>({
    kind: fc.constantFrom(...kinds, "trigger", "trigger", "advance", "advance", "kill"),
    key: fc.constantFrom(...keys),
    left: fc.nat(3),
    ms: fc.nat(4_000),
    after: fc.nat(5),
    lands: fc.boolean(),
    part: fc.constantFrom(0, 0.3, 1),
    tells: fc.boolean(),
    isCured: fc.boolean(),
  }),
  { minLength: 3, maxLength: 30 },
);

/** A streamer that refuses by chance, sometimes after it has taken what it was sent. */
class Rough implements EventStreamer {
  readonly taken: NewEvent[] = [];
  part = 0;
  tells = true;
  bad: string | undefined;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  // deno-lint-ignore require-await
  async send(_topic: string, events: readonly NewEvent[]): Promise<void> {
    if (events.some((event) => event.headers!.key === this.bad)) throw new Error("a bad event");
    const refuses = this.#random.float() < this.part;
    if (!refuses || !this.tells) this.taken.push(...events);
    if (refuses) throw new Error("refused by chance");
  }

  receive(): Promise<never> {
    return Promise.reject(new Error("nobody receives here"));
  }
}

/** What is to happen at one of the next commits. */
interface Plan {
  after: number;
  readonly lands: boolean;
  readonly act: () => void;
}

/** A store at whose commits engines die and replies are lost. */
function roughStore(store: Store, plans: Plan[]): Store {
  return {
    limits: store.limits,
    shards: store.shards,
    watch: (onHint) => store.watch!(onHint),
    read: (requests) => store.read(requests),
    async commit(calls) {
      const plan = plans.find((each) => each.after-- === 0);
      if (!plan) return await store.commit(calls);
      plans.splice(plans.indexOf(plan), 1);
      if (plan.lands) await store.commit(calls);
      plan.act();
      throw new OutcomeUnknownError("the reply was lost");
    },
    close: () => store.close(),
  };
}

class Life {
  readonly plans: Plan[] = [];
  readonly world: World;
  readonly sink: Rough;
  readonly client: Engine;
  worker: Mortal;
  #isDead = false;

  constructor(shards: number, seed: number) {
    this.world = new World(roughStore(memoryStore({ shards, keepOutcomes: true }), this.plans));
    this.sink = new Rough(seededRandom(seed));
    this.client = this.world.engine({ definitions: [flow] });
    this.worker = this.#start();
  }

  #start(): Mortal {
    const streams = { streamer: this.sink, batch: 5, retry: { initial: 100, max: "2s" } };
    this.#isDead = false;
    const worker = this.world.mortal({ definitions: [flow], streams, lease: { term: "2s" } });
    worker.engine.start().catch(() => {});
    return worker;
  }

  #kill(): void {
    this.worker.kill();
    this.#isDead = true;
  }

  async act(act: Act): Promise<void> {
    const { world, sink, plans, client } = this;
    const tried = (verb: Promise<unknown>) => world.during(verb.catch(() => {}), 120_000);
    if (act.kind === "trigger") await tried(client.trigger(flow, act.key, { data: { left: act.left } }));
    else if (act.kind === "pause") await tried(client.pause(flow, act.key));
    else if (act.kind === "resume") await tried(client.resume(flow, act.key));
    else if (act.kind === "cancel") await tried(client.cancel(flow, act.key));
    else if (act.kind === "advance") await world.advance(act.ms);
    else if (act.kind === "kill") plans.push({ ...act, act: () => this.#kill() });
    else if (act.kind === "lose") plans.push({ ...act, act: () => {} });
    else if (act.kind === "refuse") Object.assign(sink, { part: act.part, tells: act.tells });
    else sink.bad = act.isCured ? undefined : act.key;
    if (this.#isDead) this.worker = this.#start();
  }

  /** Everything is well again, for long enough. */
  async calm(): Promise<void> {
    this.plans.length = 0;
    Object.assign(this.sink, { part: 0, bad: undefined });
    if (this.#isDead) this.worker = this.#start();
    await this.world.advance(180_000);
  }

  async end(): Promise<void> {
    await this.world.during(this.worker.engine.stop({ grace: 0 }), 5_000);
    await this.world.end();
    await this.world.store.close();
  }
}

const news: readonly string[] = ["trigger", "move", "repeat", "pause", "resume", "cancel", "fail"];

/** Versions of a run that are to be told of, in order: history knows. */
function versionsToTell(rows: readonly HistoryRow[]): number[] {
  return rows.filter(({ kind }) => news.includes(kind)).map(({ version }) => version);
}

Deno.test("every transition of every run is relayed at least once and in order, whatever is killed, lost or refused", async () => {
  const property = fc.asyncProperty(
    acts,
    fc.constantFrom(1, 4),
    fc.integer(),
    async (script, shards, seed) => {
      const life = new Life(shards, seed);
      try {
        for (const act of script) await life.act(act);
        await life.calm();
        const told = new Map<string, number[]>();
        for (const { key: runId, headers } of life.sink.taken) {
          told.set(runId, [...told.get(runId) ?? [], Number(headers!.recordVersion)]);
        }
        const { items } = await life.client.list({ limit: 1_000 });
        for (const { runId } of items) {
          const wanted = versionsToTell(await life.client.history({ runId }));
          const seen = told.get(runId) ?? [];
          assert.deepEqual([...new Set(seen)], wanted, `run ${runId} was told as ${seen}`);
          for (const [index, version] of seen.entries()) {
            const before = wanted[wanted.indexOf(version) - 1];
            assert.ok(
              before === undefined || seen.slice(0, index).includes(before),
              `${version} before ${before}`,
            );
          }
        }
        assert.equal(told.size, items.length);
        const relays = await life.client.admin.relays();
        assert.deepEqual(relays.flatMap(({ held }) => held), []);
        assert.ok(relays.every(({ lagMs }) => lagMs === 0));
        assert.deepEqual((await life.client.admin.verify()).findings, []);
      } finally {
        await life.end();
      }
    },
  );
  await fc.assert(property, { numRuns: Number(Deno.env.get("RELAY_RUNS") ?? 80) });
});
