import assert from "node:assert/strict";
import { machine } from "../../mod.ts";
import { simulate, SimulationError, type SimulationScenario } from "../../core/testing/mod.ts";

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
  seeds = 50,
): Promise<SimulationError> {
  try {
    await simulate(scenario, { seeds });
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
