/**
 * I11 over random lives: runs and callers that ask for locks, hold them, give up, die, lose replies and are cut short.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { memoryStore } from "../../adapters/memory/mod.ts";
import {
  type Engine,
  type Hold,
  machine,
  OutcomeUnknownError,
  type StepLock,
  type Store,
} from "../../mod.ts";
import { type Mortal, World } from "../engine/stores.ts";
import { LockLaws } from "./lock_laws.ts";

interface Job {
  readonly lock: StepLock;
  readonly ms: number;
  readonly fails: boolean;
}

const flow = machine<Job>("flow", { pauseRetry: "3s", keepFinished: "10s" })
  .step("a", ["b"], (run) => {
    if (run.data.fails && run.attempt === 1) throw new Error("an error of the step");
    return "b";
  }, { lock: (run) => run.data.lock, lag: "50ms", retry: { initial: "300ms" } })
  .callback("a", ["d"], () => "d")
  .step("b", ["c"], async (run) => {
    await pass(run.data.ms);
    return "c";
  }, { lock: (run) => run.data.lock, timeout: "5s" })
  .step("c", ["d"], (run) => {
    if (!run.data.fails) return "d";
    run.data = { ...run.data, fails: false };
    return run.pause("as planned");
  }, { lock: "one", lag: "20ms" })
  .build();

/** How steps let time go by; each life sets its own. */
let pass: (ms: number) => Promise<void> = () => Promise.resolve();

const keys = ["k0", "k1", "k2", "k3", "k4"];

const locks: readonly StepLock[] = [
  { name: "one" },
  { name: "two", timeout: "1s" },
  { name: ["one", "two"] },
  { name: "many", permits: 2 },
  { name: "many", permits: 3, weight: 2, timeout: "800ms", otherwise: "skip" },
  { name: "few", permits: 2 },
  { name: "few", permits: 2, weight: 2, timeout: "1s" },
  { name: "shared", mode: "read" },
  { name: "shared", mode: "write", timeout: 0, otherwise: "fail" },
  { name: "one", hold: "2s" },
  { name: ["many", "two"], namespace: "other" },
];

const kinds = [
  "trigger",
  "acquire",
  "release",
  "leave",
  "callback",
  "pause",
  "resume",
  "cancel",
  "force",
  "advance",
  "kill",
  "lose",
  "restart",
] as const;

/** What happens next; each kind looks at the fields it needs. */
interface Act {
  readonly kind: (typeof kinds)[number];
  readonly key: string;
  readonly lock: StepLock;
  readonly ms: number;
  readonly fails: boolean;
  /** Which of the holds or waits. */
  readonly index: number;
  /** Commits until it happens, and whether the commit at which it happens lands. */
  readonly after: number;
  readonly lands: boolean;
}

const acts = fc.array(
  fc.record<Act>({
    kind: fc.constantFrom(...kinds, "trigger", "trigger", "trigger", "acquire", "advance", "advance"),
    key: fc.constantFrom(...keys),
    lock: fc.constantFrom(...locks),
    ms: fc.nat(3_000),
    fails: fc.boolean(),
    index: fc.nat(5),
    after: fc.nat(6),
    lands: fc.boolean(),
  }),
  { minLength: 5, maxLength: 40 },
);

interface Plan {
  after: number;
  readonly lands: boolean;
  readonly act: () => void;
}

/** A store at whose commits engines die and replies are lost. */
function roughStore(store: Store, laws: () => LockLaws, plans: Plan[]): Store {
  return {
    limits: store.limits,
    shards: store.shards,
    watch: (onHint) => store.watch!(onHint),
    read: (requests) => store.read(requests),
    async commit(calls) {
      const plan = plans.find((each) => each.after-- === 0);
      if (!plan) return await laws().commit(calls);
      plans.splice(plans.indexOf(plan), 1);
      if (plan.lands) await laws().commit(calls);
      plan.act();
      throw new OutcomeUnknownError("the reply was lost");
    },
    close: () => store.close(),
  };
}

class Life {
  readonly plans: Plan[] = [];
  readonly world: World;
  readonly laws: LockLaws;
  readonly client: Engine;
  readonly workers: Mortal[];
  readonly #dead = new Set<number>();
  readonly #holds: Hold[] = [];
  readonly #waits: AbortController[] = [];
  #isOver = false;

  constructor(shards: number) {
    const inner = memoryStore({ shards, keepOutcomes: true });
    this.world = new World(roughStore(inner, () => this.laws, this.plans));
    this.laws = new LockLaws(inner, { "default/many": 3 });
    pass = (ms) => new Promise((resolve) => this.world.clock.after(ms, resolve));
    this.client = this.world.engine({ definitions: [flow] });
    this.workers = [this.#start(), this.#start()];
  }

  #start(): Mortal {
    const worker = this.world.mortal({ definitions: [flow], lease: { term: "2s" } });
    worker.engine.start().catch(() => {});
    return worker;
  }

  #kill(index: number): void {
    this.workers[index]!.kill();
    this.#dead.add(index);
  }

  #revive(): void {
    for (const index of this.#dead) this.workers[index] = this.#start();
    this.#dead.clear();
  }

  async act(act: Act): Promise<void> {
    const { world, plans, client } = this;
    const tried = (verb: Promise<unknown>) => world.during(verb.catch(() => {}), 120_000);
    const { name, namespace } = act.lock;
    const place = namespace === undefined ? {} : { namespace };
    const one = typeof name === "string" ? name : name[0]!;
    switch (act.kind) {
      case "trigger":
        return void await tried(client.trigger(flow, act.key, { data: { ...act, ms: act.ms % 1_500 } }));
      case "acquire":
        return this.#acquire(act);
      case "release":
        return void await tried(this.#holds.splice(act.index, 1)[0]?.release() ?? Promise.resolve());
      case "leave":
        return this.#waits[act.index]?.abort();
      case "callback":
        return void await tried(client.callback(flow, act.key, "a"));
      case "pause":
        return void await tried(client.pause(flow, act.key));
      case "resume":
        return void await tried(client.resume(flow, act.key));
      case "cancel":
        return void await tried(client.cancel(flow, act.key));
      case "force":
        return void await tried(client.locks.forceRelease(one, { ...place, force: act.fails }));
      case "advance":
        return await world.advance(act.ms);
      case "kill":
        return void plans.push({ ...act, act: () => this.#kill(act.index % 2) });
      case "lose":
        return void plans.push({ ...act, act: () => {} });
      case "restart":
        return this.#revive();
    }
  }

  #acquire({ lock, ms, index }: Act): void {
    const { name, namespace, permits, weight, mode } = lock;
    const place = namespace === undefined ? {} : { namespace };
    const { client } = this;
    const wanted = typeof name !== "string"
      ? client.locks.all(name, place)
      : permits !== undefined
      ? client.semaphore(name, permits, { ...place, ...(weight !== undefined && { weight }) })
      : mode
      ? client.readWriteLock(name, place)[mode]
      : client.mutex(name, place);
    const leave = new AbortController();
    this.#waits.push(leave);
    const holder = `client ${index % 3}`;
    const options = {
      hold: "2s",
      signal: leave.signal,
      ...(index < 3 && { holder }),
      ...(ms < 500 && { timeout: ms }),
    };
    wanted.acquire(options as Parameters<typeof wanted.acquire>[0]).then((hold) => {
      if (this.#isOver) hold.release().catch(() => {});
      else this.#holds.push(hold);
    }, () => {});
  }

  /** Everything is well again, for long enough. */
  async calm(): Promise<void> {
    this.plans.length = 0;
    this.#revive();
    this.#isOver = true;
    for (const leave of this.#waits) leave.abort();
    for (const hold of this.#holds) hold.release().catch(() => {});
    await this.world.advance(120_000);
  }

  async end(): Promise<void> {
    await Promise.all(this.workers.map(({ engine }) => this.world.during(engine.stop({ grace: 0 }), 20_000)));
    await this.world.end();
    await this.world.store.close();
  }
}

const seen = { grants: 0, handovers: 0 };

Deno.test("locks are never given twice, out of turn or to nobody, whoever asks, dies, loses replies or gives up", async () => {
  const property = fc.asyncProperty(acts, fc.constantFrom(1, 4), async (script, shards) => {
    const life = new Life(shards);
    try {
      for (const act of script) {
        await life.act(act);
        if (life.laws.broken) throw life.laws.broken;
      }
      await life.calm();
      if (life.laws.broken) throw life.laws.broken;
      const { items } = await life.client.list({ limit: 1_000 });
      for (const { runId, runState } of items) {
        const last = (await life.client.history({ runId })).findLast(({ kind }) => kind !== "lock-released");
        const isSkipped = runState === "running" && last!.kind === "lock-timeout";
        assert.ok(
          isSkipped || ["completed", "failed", "cancelled"].includes(runState),
          `${runId}: ${runState}`,
        );
      }
      await life.laws.assertQuiet();
      assert.deepEqual((await life.client.admin.verify()).findings, []);
      seen.grants += life.laws.grants;
      seen.handovers += life.laws.handovers;
    } finally {
      await life.end();
    }
  });
  const endOnFailure = Deno.env.has("LOCK_RUNS");
  const numRuns = Number(Deno.env.get("LOCK_RUNS") ?? 60);
  await fc.assert(property, {
    numRuns,
    endOnFailure,
    ...(Deno.env.get("LOCK_SEED") && { seed: Number(Deno.env.get("LOCK_SEED")) }),
  });
  assert.ok(
    seen.handovers > numRuns / 4 && seen.grants > 3 * numRuns,
    `${seen.handovers} of ${seen.grants} waited`,
  );
});
