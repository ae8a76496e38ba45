import assert from "node:assert/strict";
import { createEngine, type Engine, type Logger, machine, type TickReport } from "../../mod.ts";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { type VirtualClock, virtualClock } from "../../core/testing/mod.ts";
import { askToTick, tickMessage, tickOn, type TickOnOptions } from "../../plugins/browser/mod.ts";

const idle: TickReport = { processed: 0, heldElsewhere: 0, running: 0 };

/** A service worker's `self`: it remembers what became of the work of each event. */
class Scope extends EventTarget {
  readonly ended: PromiseSettledResult<unknown>[] = [];
  waits = 0;

  fire(type: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const waitUntil = (work: Promise<unknown>) => {
      this.waits++;
      work.then(
        (value) => this.ended.push({ status: "fulfilled", value }),
        (reason) => this.ended.push({ status: "rejected", reason }),
      );
    };
    this.dispatchEvent(Object.assign(new Event(type), { waitUntil, ...fields }));
  }

  get statuses(): string[] {
    return this.ended.map(({ status }) => status);
  }
}

/** An engine whose ticks take a while, and end as the test says. */
function slowEngine(clock: VirtualClock, ...reports: readonly (Partial<TickReport> | Error)[]) {
  const budgets: number[] = [];
  let inFlight = 0;
  const tick: Engine["tick"] = async (options) => {
    assert.equal(++inFlight, 1, "one tick at a time");
    const result = reports[budgets.push(options?.budgetMs ?? NaN) - 1] ?? {};
    await new Promise<void>((resolve) => clock.after(100, resolve));
    inFlight--;
    if (result instanceof Error) throw result;
    return { ...idle, ...result };
  };
  return { tick, budgets };
}

function started(
  reports: readonly (Partial<TickReport> | Error)[] = [],
  options: TickOnOptions = {},
) {
  const clock = virtualClock();
  const scope = new Scope();
  const engine = slowEngine(clock, ...reports);
  const lines: { readonly level: string; readonly error: unknown }[] = [];
  const logger: Logger = { log: (level, _, fields) => void lines.push({ level, error: fields?.error }) };
  const end = tickOn(scope, engine, { clock, logger, ...options });
  return { clock, scope, engine, lines, end };
}

Deno.test("tickOn() ticks once for each kind of event that is meant", async () => {
  const events = [
    ["sync", { tag: "pawl" }],
    ["periodicsync", { tag: "pawl" }],
    ["message", { data: tickMessage(), ports: [] }],
    ["push", {}],
  ] as const;
  for (const [type, fields] of events) {
    const { clock, scope, engine } = started();
    scope.fire(type, fields);
    await clock.advance("1m");
    assert.deepEqual([engine.budgets, scope.statuses], [[20_000], ["fulfilled"]], type);
  }
});

Deno.test("tickOn() leaves alone what is not meant, and everything once it is ended", async () => {
  const { clock, scope, engine, end } = started();
  scope.fire("sync", { tag: "mine" });
  scope.fire("periodicsync", { tag: "mine" });
  scope.fire("message", { data: "hello" });
  scope.fire("message", { data: null });
  scope.fire("message", { data: tickMessage("mine") });
  end();
  scope.fire("push");
  scope.fire("sync", { tag: "pawl" });
  await clock.advance("1m");
  assert.deepEqual([engine.budgets, scope.waits], [[], 0]);
});

Deno.test("tickOn() takes a tag and a budget", async () => {
  const { clock, scope, engine } = started([], { tag: "mine", budgetMs: 3_000 });
  scope.fire("sync", { tag: "mine" });
  scope.fire("sync", { tag: "pawl" });
  await clock.advance("1m");
  assert.deepEqual([engine.budgets, scope.waits], [[3_000], 1]);
});

Deno.test("tickOn() gives events that come during a tick one more, with what is left of their budget", async () => {
  const { clock, scope, engine } = started([{ processed: 1 }, { processed: 2 }]);
  scope.fire("push");
  await clock.advance(40);
  scope.fire("push");
  await clock.advance(20);
  scope.fire("push");
  assert.equal(scope.statuses.length, 0);
  await clock.advance("1m");
  assert.deepEqual(engine.budgets, [20_000, 19_960]);
  const processed = scope.ended.map((each) =>
    each.status === "fulfilled" && (each.value as { report: TickReport }).report.processed
  );
  assert.deepEqual(processed, [1, 2, 2]);
});

Deno.test("tickOn() answers the port of a message with the report, or with what failed", async () => {
  const { clock, scope } = started([{ processed: 3 }, new Error("no disk")]);
  const answers: unknown[] = [];
  const port = { postMessage: (answer: unknown) => void answers.push(answer) };
  scope.fire("message", { data: tickMessage(), ports: [port] });
  await clock.advance("1m");
  scope.fire("message", { data: tickMessage(), ports: [port] });
  await clock.advance("1m");
  assert.deepEqual(answers, [{ report: { ...idle, processed: 3 } }, { error: "no disk" }]);
});

Deno.test("tickOn() bears a port that takes no answer, and listeners that throw", async () => {
  const throws = () => {
    throw new Error("mine");
  };
  const { clock, scope, lines } = started([{}, new Error("no disk")], { onReport: throws, onError: throws });
  scope.fire("message", { data: tickMessage(), ports: [{ postMessage: throws }] });
  await clock.advance("1m");
  scope.fire("push");
  await clock.advance("1m");
  assert.deepEqual(scope.statuses, ["fulfilled", "fulfilled"]);
  assert.deepEqual(lines.map(({ error }) => error), ["mine", "no disk", "mine"]);
});

Deno.test("tickOn() reports a tick that failed, rejects nothing but a sync, and ticks on", async () => {
  const failed: unknown[] = [];
  const reported: number[] = [];
  const problem = new Error("no disk");
  const { clock, scope, lines } = started([problem, problem, { processed: 5 }], {
    onError: (error) => void failed.push(error),
    onReport: ({ processed }) => void reported.push(processed),
  });
  for (const [type, fields] of [["push", {}], ["sync", { tag: "pawl" }], ["push", {}]] as const) {
    scope.fire(type, fields);
    await clock.advance("1m");
  }
  assert.deepEqual(scope.statuses, ["fulfilled", "rejected", "fulfilled"]);
  assert.deepEqual([failed, reported], [[problem, problem], [5]]);
  assert.deepEqual(lines.map(({ level }) => level), ["error", "error"]);
});

Deno.test("tickOn() has a sync repeated that leaves something to do soon, and only that", async () => {
  const cases = [
    [{}, "fulfilled"],
    [{ running: 1 }, "rejected"],
    [{ nextDueAt: new Date("2026-01-01T00:10:00Z") }, "rejected"],
    [{ nextDueAt: new Date("2026-02-10T00:00:00Z") }, "fulfilled"],
  ] as const;
  for (const [report, status] of cases) {
    const { clock, scope } = started([report]);
    scope.fire("sync", { tag: "pawl" });
    await clock.advance("1m");
    assert.deepEqual(scope.statuses, [status], JSON.stringify(report));
  }
});

Deno.test("tickOn() looks again at what a page holds, less and less often, until it is free", async () => {
  const held = { heldElsewhere: 1 };
  const { clock, scope, engine } = started([held, held, held, { processed: 4 }]);
  scope.fire("sync", { tag: "pawl" });
  await clock.advance("1m");
  assert.deepEqual(engine.budgets, [20_000, 19_400, 18_300, 16_200]);
  assert.deepEqual(scope.statuses, ["fulfilled"]);
});

Deno.test("tickOn() waits within its budget for what is due in a moment, and not beyond", async () => {
  const [soon, late] = [new Date("2026-01-01T00:00:05Z"), new Date("2026-01-01T00:00:21Z")];
  const { clock, scope, engine } = started([{ nextDueAt: soon, processed: 1 }, { nextDueAt: late }]);
  scope.fire("push");
  await clock.advance("1h");
  assert.deepEqual(engine.budgets, [20_000, 15_000]);
});

Deno.test("tickOn() does not spin over what is due and does not start", async () => {
  const { clock, scope, engine } = started(Array(500).fill({ nextDueAt: new Date("2026-01-01") }));
  scope.fire("push");
  await clock.advance("1h");
  assert.deepEqual([scope.statuses, engine.budgets.length], [["fulfilled"], 7]);
});

Deno.test("tickOn() gives up within its budget what a page goes on to hold", async () => {
  const { clock, scope, engine } = started(Array(50).fill({ heldElsewhere: 1, processed: 1 }));
  const reports: TickReport[] = [];
  const port = { postMessage: (answer: { report: TickReport }) => void reports.push(answer.report) };
  scope.fire("message", { data: tickMessage(), ports: [port] });
  await clock.advance(20_100);
  assert.equal(engine.budgets.at(-1), 0, "the last look is at the end");
  assert.deepEqual(reports, [{ ...idle, heldElsewhere: 1, processed: engine.budgets.length }]);
  await clock.advance("1h");
  assert.ok(engine.budgets.length < 10, `${engine.budgets.length} ticks`);
});

Deno.test("tickOn() has a real engine finish its run", async () => {
  const form = machine("form").step("filled", ["checked"], () => "checked")
    .step("checked", ["sent"], () => "sent").build();
  const store = memoryStore();
  const engine = createEngine({ store, definitions: [form] });
  await engine.trigger(form, "one");
  const scope = new Scope();
  tickOn(scope, engine);
  const reply = await new Promise((resolve) =>
    scope.fire("message", { data: tickMessage(), ports: [{ postMessage: resolve }] })
  );
  assert.deepEqual(reply, { report: { ...idle, processed: 2 } });
  assert.equal((await engine.get(form, "one"))?.status, "sent");
  await engine.stop();
  await store.close();
});

/** A registration that writes down what it is asked for. */
function registration(has: { readonly sync?: Promise<void>; readonly periodic?: Promise<void> }) {
  const asked: unknown[] = [];
  const note = (answer: Promise<void>) => (...args: readonly unknown[]) => {
    asked.push(args);
    return answer;
  };
  return {
    asked,
    active: { postMessage: (message: unknown) => void asked.push(message) },
    ...(has.sync && { sync: { register: note(has.sync) } }),
    ...(has.periodic && { periodicSync: { register: note(has.periodic) } }),
  };
}

Deno.test("askToTick() registers a sync where there is one, and then posts nothing", async () => {
  const full = registration({ sync: Promise.resolve(), periodic: Promise.resolve() });
  assert.deepEqual(await askToTick(full, { tag: "mine", periodicMs: 3_600_000 }), {
    sync: true,
    periodicSync: true,
    message: false,
  });
  assert.deepEqual(full.asked, [["mine"], ["mine", { minInterval: 3_600_000 }]]);
});

Deno.test("askToTick() asks for no periodic sync unless it is told to", async () => {
  const full = registration({ sync: Promise.resolve(), periodic: Promise.resolve() });
  assert.deepEqual(await askToTick(full), { sync: true, periodicSync: false, message: false });
});

Deno.test("askToTick() posts a message where a sync is missing, refused, or throws", async () => {
  const missing = registration({});
  const refusal = Promise.reject(new DOMException("no", "NotAllowedError"));
  const refused = registration({ sync: refusal, periodic: refusal });
  const broken = {
    ...registration({}),
    sync: {
      register: () => {
        throw new Error("no");
      },
    },
  };
  for (const each of [missing, refused, broken]) {
    const answer = await askToTick(each, { periodicMs: 1 });
    assert.deepEqual(answer, { sync: false, periodicSync: false, message: true });
    assert.deepEqual(each.asked.at(-1), tickMessage());
  }
});

Deno.test("askToTick() says so where there is no worker yet", async () => {
  const answer = await askToTick({ active: null });
  assert.deepEqual(answer, { sync: false, periodicSync: false, message: false });
});
