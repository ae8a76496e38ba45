import assert from "node:assert/strict";
import { machine } from "../../mod.ts";
import {
  simulate,
  type SimulatedHost,
  type SimulateOptions,
  SimulationError,
  type SimulationScenario,
} from "../../core/testing/mod.ts";

/** A bank that charges as often as it is asked, under whatever name. */
function shop(idOf: (stepId: string) => string): SimulationScenario & { readonly charged: string[] } {
  const charged: string[] = [];
  const orders = machine<{ cents: number }>("orders")
    .step("placed", ["paid"], (run) => {
      charged.push(idOf(run.stepId));
      return "paid";
    }, { retry: { initial: 20, max: 100 } })
    .build();
  return {
    charged,
    definitions: [orders],
    asks: [({ engine, pick }) => engine.trigger(orders, pick(["o1", "o2"]), { data: { cents: 500 } })],
    mustEnd: true,
  };
}

async function failureOf(
  scenario: () => SimulationScenario,
  options: SimulateOptions = { seeds: 50 },
): Promise<SimulationError> {
  try {
    await simulate(scenario, options);
  } catch (error) {
    assert.ok(error instanceof SimulationError, String(error));
    return error;
  }
  assert.fail("the simulator saw nothing");
}

Deno.test("simulate() lives through seeds, and tells what it has done to them", async () => {
  const heard: number[] = [];
  const report = await simulate(() => shop((id) => id), {
    seeds: 20,
    from: 5,
    onSeed: (seed) => heard.push(seed),
  });
  assert.deepEqual([report.seeds, heard.length, heard[0]], [20, 20, 5]);
  assert.ok(report.faults["crash"]! > 0 && report.checks["I6"]! > 0 && report.events > 1_000);
  assert.match(report.coverage, /^trigger +\d/m);
});

Deno.test("simulate() shows that code which keeps no id runs twice, by a life without needless events", async () => {
  const error = await failureOf(() => {
    const scenario = shop((id) => id);
    return {
      ...scenario,
      check() {
        const twice = scenario.charged.find((id, index) => scenario.charged.indexOf(id) < index);
        if (twice) throw new Error(`charged twice for ${twice}`);
      },
    };
  });
  assert.deepEqual([error.code, error.invariant], ["SIMULATION_FAILED", "check"]);
  assert.match(error.message, /charged twice for/);
  assert.match(error.plan, /^asks: \d+$/m);
  assert.ok(error.trace.length < 40, error.trace.join("\n"));
});

Deno.test("simulate() shows a run that cannot end, and where it stands", async () => {
  const error = await failureOf(() => {
    const stuck = machine("stuck").step("a", ["b"], () => "b").callback("b", ["c"], () => "c").build();
    return { definitions: [stuck], asks: [({ engine }) => engine.trigger(stuck, "k")], mustEnd: true };
  });
  assert.equal(error.invariant, "I9");
  assert.match(error.message, /is running at b/);
});

Deno.test("simulate() lets runs wait for the outside world, and `care` answers for it", async () => {
  const flow = machine("flow").step("a", ["b"], () => "b").callback("b", ["c"], () => "c").build();
  const scenario: SimulationScenario = {
    definitions: [flow],
    asks: [({ engine }) => engine.trigger(flow, "k")],
  };
  await simulate(() => scenario, { seeds: 10 });
  const care: SimulationScenario["care"] = async ({ engine }) => {
    const { items } = await engine.list({ definition: "flow", status: "b" });
    for (const { key, runId } of items) await engine.callback(flow, key, "b", undefined, { runId });
  };
  await simulate(() => ({ ...scenario, care, mustEnd: true }), { seeds: 10 });
});

Deno.test("simulate() repeats a life: the same seed fails by the same events", async () => {
  const scenario = (): SimulationScenario => {
    const flow = machine("flow").step("a", ["b"], () => "b").build();
    return {
      definitions: [flow],
      asks: [({ engine }) => engine.trigger(flow, "k")],
      check() {
        throw new Error("nothing is good enough");
      },
    };
  };
  const [first, second] = [await failureOf(scenario), await failureOf(scenario)];
  assert.deepEqual([first.seed, first.trace], [second.seed, second.trace]);
});

Deno.test("simulate() gives code of a host its sleep, which never ends on a host that dies", async () => {
  const ends = new Map<string, number>();
  await simulate(() => ({
    definitions: (host) => [
      machine("slow").step("a", ["b"], async () => {
        await host.sleep(300);
        ends.set(host.name, (ends.get(host.name) ?? 0) + 1);
        return "b";
      }).build(),
    ],
    asks: [({ engine }) => engine.trigger(machine("slow").step("a", ["b"], () => "b").build(), "k")],
    mustEnd: true,
  }), { seeds: 10 });
  assert.ok(ends.size > 1);
});

/** Clients tell others of a status that a run was at, although the run goes on. */
function gossip(): SimulationScenario {
  const told: { runId: string; status: string }[] = [];
  const forks = (host: SimulatedHost) =>
    machine("forks")
      .step("begin", ["left", "right"], () => host.random.float() < 0.5 ? "left" : "right")
      .step("left", ["end"], () => host.sleep(30).then(() => "end" as const), { lag: 50 })
      .step("right", ["end"], () => host.sleep(30).then(() => "end" as const), { lag: 50 })
      .build();
  const known = machine("forks").step("begin", ["left", "right"], () => "left")
    .step("left", ["end"], () => "end").step("right", ["end"], () => "end").build();
  return {
    definitions: (host) => [forks(host)],
    asks: [async ({ engine, pick }) => {
      const key = pick(["k1", "k2", "k3"]);
      const { runId } = await engine.trigger(known, key);
      const status = pick(["left", "right"] as const);
      await engine.await(known, key, { runId, status });
      told.push({ runId, status });
    }],
    async check(engine) {
      for (const { runId, status } of told) {
        const rows = await engine.history({ runId });
        if (!rows.some(({ to }) => to === status)) throw new Error(`run ${runId} was never ${status}`);
      }
    },
  };
}

Deno.test("simulate() cuts the power of browsers, which takes progress that somebody was told of", async () => {
  await simulate(gossip, { seeds: 40 });
  const error = await failureOf(gossip, { seeds: 400, home: "browser" });
  assert.equal(error.invariant, "check");
  assert.match(error.message, /was never (left|right)/);
  assert.match(error.plan, /power cut at \d+/);
});

Deno.test("simulate() loses nothing that browsers were told is safe, and says what went wrong there", async () => {
  const { faults } = await simulate(() => shop((id) => id), { seeds: 50, home: "browser" });
  for (const name of ["aborted commit", "lost handle", "power cut"]) assert.ok(faults[name]! > 0, name);
});

Deno.test("simulate() refuses a home that it does not know", async () => {
  const home = "boat" as "browser";
  await assert.rejects(simulate(() => shop((id) => id), { home }), {
    code: "INVALID_ARGUMENT",
    message: /boat/,
  });
});

Deno.test("simulate() refuses a scenario in which nothing is ever triggered", async () => {
  const flow = machine("flow").step("a", ["b"], () => "b").build();
  await assert.rejects(simulate(() => ({ definitions: [flow], asks: [] }), { seeds: 2 }), {
    code: "INVALID_ARGUMENT",
    message: /nothing was ever triggered/,
  });
});

Deno.test("simulate() refuses seeds that are no whole numbers, and ends when its signal says so", async () => {
  for (const options of [{ seeds: 0 }, { seeds: 1.5 }, { from: -1 }]) {
    await assert.rejects(simulate(() => shop((id) => id), options), { code: "INVALID_ARGUMENT" });
  }
  const reason = new Error("enough");
  await assert.rejects(simulate(() => shop((id) => id), { signal: AbortSignal.abort(reason) }), reason);
});
