/**
 * Locks under faults: runs and callers that ask for them, hold them, give up and die, on hosts that do not agree on the time.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { SimulatedClient, SimulationScenario } from "../../core/testing/mod.ts";
import { type Engine, type Lock, machine, type PawlError, type StepLock } from "../../mod.ts";

interface Job {
  readonly lock: StepLock;
  readonly ms: number;
  fails: number;
}

const stepLocks: readonly StepLock[] = [
  { name: "one" },
  { name: "one", timeout: "300ms" },
  { name: ["one", "two"] },
  { name: "two", timeout: 0, otherwise: "fail" },
  { name: "many", permits: 2 },
  { name: "many", permits: 2, weight: 2, timeout: "500ms" },
  { name: "shared", mode: "read" },
  { name: "shared", mode: "write" },
  { name: "one", namespace: "other", hold: "3s" },
];

const retry = { initial: 50, max: 400 } as const;

/** Steps under locks that their data names, one that fails at first, and ways out of them that no step decides. */
function machines(sleep: (ms: number) => Promise<void>) {
  const jobs = machine<Job>("jobs", { pauseRetry: "2s" })
    .step("a", ["b"], async (run) => {
      assert.ok(run.lock!.token > 0);
      await sleep(run.data.ms);
      return "b";
    }, { lock: (run) => run.data.lock, retry })
    .timeout("a", ["d"], { after: "6s" }, () => "d")
    .step("b", ["c"], (run) => {
      if (run.data.fails-- > 0) return run.repeat();
      return "c";
    }, { lock: (run) => run.data.lock, retry, lag: "50ms" })
    .step("c", ["d"], (run) => {
      if (run.attempt === 1) throw new Error("as planned");
      return "d";
    }, { lock: "two", retry })
    .build();
  const short = machine("short", { keepFinished: 1 })
    .step("a", ["b"], () => "b", { lock: "one", retry })
    .callback("a", ["b"], () => "b")
    .build();
  return [jobs, short] as const;
}

function lockOf({ engine, pick }: SimulatedClient): Lock {
  return pick([
    () => engine.mutex("one"),
    () => engine.mutex("two"),
    () => engine.locks.all(["one", "two"]),
    () => engine.semaphore("many", 2),
    () => engine.readWriteLock("shared").read,
    () => engine.readWriteLock("shared").write,
    () => engine.mutex("one", { namespace: "other" }),
  ])();
}

async function hold(client: SimulatedClient): Promise<void> {
  const { pick, sleep } = client;
  const holder = pick([undefined, "ann", "bob"]);
  const timeout = pick([undefined, 200, 2_000]);
  const options = { hold: pick([1_000, 2_000]), ...(holder && { holder }), ...(timeout && { timeout }) };
  const held = await lockOf(client).acquire(options);
  await sleep(pick([0, 100, 800]));
  await held.release();
}

/** A scenario of its own, so that no seed of the others is shuffled. */
export function lockScenario(): SimulationScenario {
  const all = machines(() => Promise.resolve());
  const [jobs, short] = all;
  const keys = ["k1", "k2", "k3", "k4"];
  const job = ({ engine, pick }: SimulatedClient) =>
    engine.trigger(jobs, pick(keys), {
      data: { lock: pick(stepLocks), ms: pick([0, 0, 200]), fails: pick([0, 1]) },
    });
  return {
    definitions: (host) => machines((ms) => host.sleep(ms)),
    mustEnd: true,
    asks: [
      job,
      job,
      job,
      hold,
      hold,
      ({ engine, pick }) => engine.trigger(short, pick(keys)),
      ({ engine, pick }) => engine.callback(short, pick(keys), "a"),
      async (client) => {
        const held = await lockOf(client).tryAcquire({ hold: 1_000 });
        await held?.release();
      },
      ({ engine, pick }) =>
        engine.locks.forceRelease(pick(["one", "two", "many"]), { force: pick([true, false]) }),
    ],
    operators: ["pause", "resume", "cancel"],
    async care({ engine }) {
      // What a caller holds who died ends by itself, if somebody looks.
      for (const name of ["one", "two", "many", "shared"]) await wanted(engine, name);
    },
    async check(engine) {
      for (const namespace of ["default", "other"]) {
        const { items } = await engine.locks.list({ namespace });
        const held = items.flatMap(({ holders }) => holders).filter(({ definition }) =>
          definition !== undefined
        );
        assert.deepEqual(held, []);
      }
    },
  };
}

async function wanted(engine: Engine, name: string): Promise<void> {
  const info = await engine.locks.inspect(name).catch((error: PawlError) => error);
  assert.ok(info instanceof Error || (info?.waiting ?? 0) >= 0);
}
