/**
 * Schedules under faults: what every policy must keep to, whatever happens to the engines, the clocks and the store.
 *
 * @module
 */
import type { SimulatedClient, SimulationScenario } from "../../core/testing/mod.ts";
import { type Engine, every, machine, type Overlap, type ScheduledOccurrence } from "../../mod.ts";
import { auditSchedule } from "../engine/schedule_audit.ts";

const overlaps: readonly Overlap[] = [
  "skip",
  "bufferOne",
  "bufferAll",
  "cancelOther",
  "terminateOther",
  "allowAll",
];

/** Those that live on; what is made under the last one comes and goes. */
const ids = ["s1", "s2", "s3"] as const;
const passing = "s4";

/** Quick ones, ones that fail now and then, and ones that wait for somebody; some are removed as soon as they have ended. */
function machines() {
  const quick = machine<number>("quick", { keepFinished: 1 })
    .step("a", ["b"], (run) => run.data % 7 === 6 ? run.fail("seven") : "b", {
      retry: { initial: 20, max: 100 },
    })
    .build();
  const slow = machine<number>("slow")
    .step("a", ["b"], () => "b", { lag: "300ms", retry: { initial: 20, max: 100 } })
    .step("b", ["c"], () => "c", { lag: "300ms", retry: { initial: 20, max: 100 } })
    .build();
  const door = machine<number>("door")
    .callback("open", ["closed"], () => "closed")
    .timeout("open", ["closed"], { after: "700ms" }, () => "closed")
    .build();
  return [quick, slow, door] as const;
}

type Machines = ReturnType<typeof machines>;

/** What the clocks of simulated hosts show at first, more or less. */
const worldBegin = 1_700_000_000_000;

const recurrenceOf = (ms: number) => every(ms, { phase: ms / 10 });

function create({ engine, random, pick }: SimulatedClient, all: Machines, id: string) {
  const overlap = pick(overlaps);
  const ownKeys = overlap === "allowAll" || random.float() < 0.5;
  return engine.schedules.create<number, string, string>({
    id,
    recurrence: recurrenceOf(pick([500, 1_000])),
    target: pick(all) as Machines[1],
    key: ownKeys ? `${id} {scheduledFor}` : pick(["k1", "k2"]),
    data: Math.floor(random.float() * 7),
    overlap,
    until: new Date(worldBegin + pick([4_000, 7_000])),
    ...(random.float() < 0.5 && { limit: pick([2, 5, 9]) }),
    jitter: pick([0, 0, 300]),
    pauseOnFailure: random.float() < 0.3,
    ...(random.float() < 0.2 && { filter: "odd" }),
  });
}

const odd = ({ scheduledFor }: ScheduledOccurrence) => Math.floor(Number(scheduledFor) / 100) % 2 === 1;

/** Everything that may be asked of a schedule. */
function verbsOf(all: Machines): SimulationScenario["asks"] {
  const id = ({ pick }: SimulatedClient) => pick([...ids, passing]);
  return [
    (client) => create(client, all, id(client)),
    (client) => create(client, all, id(client)),
    (client) => create(client, all, id(client)),
    ({ engine, pick }) => engine.trigger(pick(all) as Machines[1], pick(["k1", "k2"]), { data: 1 }),
    (client) => client.engine.schedules.trigger(id(client)),
    (client) => client.engine.schedules.pause(id(client), { note: "by a client" }),
    (client) => client.engine.schedules.unpause(id(client), { catchUp: client.pick([true, false]) }),
    (client) =>
      client.engine.schedules.update(id(client), { data: 3, overlap: client.pick(overlaps.slice(0, 5)) }),
    ({ engine }) => engine.schedules.delete(passing),
    async (client) => {
      const name = id(client);
      const { createdAt } = await client.engine.schedules.describe(name);
      const range = { from: new Date(Number(createdAt) - 2_000), until: createdAt };
      await client.engine.schedules.backfill(name, {
        ...range,
        overlap: client.pick(["bufferAll", "bufferOne"]),
      });
    },
  ];
}

/** A scenario of its own, so that no seed of the others is shuffled. */
export function scheduleScenario(): SimulationScenario {
  const all = machines();
  return {
    definitions: all,
    engineOptions: { filters: { odd } },
    asks: verbsOf(all),
    operators: ["pause", "resume", "cancel"],
    async care({ engine }) {
      for (const { id, enabled } of (await engine.schedules.list()).items) {
        if (!enabled) await engine.schedules.unpause(id).catch(() => {});
      }
      // Where clocks differ by much, timers of doors that wait for each other take longer than a life.
      const [, , door] = all;
      for (const { key, runId } of (await engine.list({ definition: "door", runState: "initiated" })).items) {
        await engine.callback(door, key, "open", undefined, { runId }).catch(() => {});
      }
    },
    async check(engine) {
      for (const id of ids) await audit(engine, id);
    },
  };
}

async function audit(engine: Engine, id: string): Promise<void> {
  const schedule = await engine.schedules.get(id);
  if (!schedule) return;
  const { everyMs } = schedule.recurrence.spec as { readonly everyMs: number };
  const since = Number(schedule.createdAt);
  await auditSchedule(engine, { id, recurrence: recurrenceOf(everyMs), since, areRemoved: true });
}
