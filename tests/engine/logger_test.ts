import assert from "node:assert/strict";
import { consoleLogger, type Logger, type LogLevel, machine, silentLogger } from "../../mod.ts";
import { gate, patient, testInMemory, testOnStores } from "./stores.ts";

interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function recordingLogger(): Logger & { readonly lines: readonly Line[] } {
  const lines: Line[] = [];
  return { lines, log: (level, message, fields = {}) => void lines.push({ level, message, fields }) };
}

const secret = "4111-1111";
const failingOf = (pauseAfterErrors: number) =>
  machine<{ card: string }>("flow", { pauseRetry: false }).step("a", ["b"], (run) => {
    throw Object.assign(new RangeError(`refused ${run.data.card}`), { code: "E_CARD" });
  }, { pauseAfterErrors, retry: { initial: "1s", jitter: false } }).build();

testOnStores("a failing step is told of at its first failure and when its run is paused", async (world) => {
  const logger = recordingLogger();
  const failing = failingOf(3);
  const engine = await world.started({ definitions: [failing], logger });
  const { runId } = await engine.trigger(failing, "ann@example.org", { data: { card: secret } });
  await world.advance(10_000);
  const about = { runId, definition: "flow", status: "a", error: "RangeError", code: "E_CARD" };
  assert.deepEqual(logger.lines, [
    { level: "warn", message: "A step failed; it is tried again", fields: { ...about, attempt: 1 } },
    { level: "info", message: "A step failed; it is tried again", fields: { ...about, attempt: 2 } },
    {
      level: "error",
      message: "A step failed too often; its run is paused",
      fields: { ...about, attempt: 3 },
    },
  ]);
  const text = JSON.stringify(logger.lines);
  assert(!text.includes(secret) && !text.includes("ann@"));
});

testInMemory("what a step answers is progress, and not logged; what ends or discards is", async (world) => {
  const logger = recordingLogger();
  const slow = gate();
  const answers = machine("flow", { pauseRetry: false })
    .step("moving", ["repeating"], () => "repeating")
    .step("repeating", ["skipping"], (run) => run.stepId.endsWith(":3") ? "skipping" : run.repeat())
    .step("skipping", ["z"], (run) => run.skip())
    .step("pausing", ["z"], (run) => run.pause(secret))
    .step("breaking", ["z"], (run) => run.fail(secret))
    .step("slow", ["z"], async () => {
      await slow.promise;
      return "z";
    })
    .build();
  const engine = await world.started({ definitions: [answers], logger });
  const startAts = ["moving", "pausing", "breaking", "slow"] as const;
  for (const startAt of startAts) await world.during(engine.trigger(answers, startAt, { startAt }));
  await world.settle();
  await world.during(engine.cancel(answers, "slow", { reason: secret }));
  slow.resolve();
  await world.settle();
  assert.equal((await engine.get(answers, "moving"))?.status, "skipping");
  assert.deepEqual(logger.lines.map(({ level, message, fields }) => [level, message, fields["status"]]), [
    ["info", "A step paused its run", "pausing"],
    ["warn", "A step ended its run as failed", "breaking"],
    ["info", "A result came after its run had moved on; it is discarded", "slow"],
  ]);
  assert(!JSON.stringify(logger.lines).includes(secret));
});

testInMemory("a take-over, and a step that may have killed its process, are warnings", async (world) => {
  const logger = recordingLogger();
  const hanging = machine("flow").step("a", ["b"], () => new Promise<"b">(() => {})).build();
  const first = world.mortal({ definitions: [hanging] });
  await world.during(first.engine.start());
  const { runId } = await world.during(first.engine.trigger(hanging, "k"));
  await world.settle();
  first.kill();
  const second = world.mortal({ definitions: [hanging], logger });
  await world.during(second.engine.start());
  await world.advance(30_000);
  assert.deepEqual(logger.lines, [
    {
      level: "warn",
      message: "Took over from an engine that gave no more signs of life",
      fields: { definition: "flow", shard: 0, epoch: 2 },
    },
    {
      level: "warn",
      message: "A step that may have taken its process down is started again",
      fields: { runId, definition: "flow", status: "a", attempt: 0, crashes: 1 },
    },
  ]);
  second.kill();
});

testInMemory("a step that takes its process down too often pauses its run with an error", async (world) => {
  const logger = recordingLogger();
  const killing = machine("flow").step("a", ["b"], () => new Promise<"b">(() => {})).build();
  const limits = { crashesMax: 1 };
  for (let n = 0; n < 2; n++) {
    const victim = world.mortal({ definitions: [killing], limits });
    await world.during(victim.engine.start());
    if (n === 0) await world.during(victim.engine.trigger(killing, "k"));
    await world.advance(30_000);
    victim.kill();
  }
  await world.started({ definitions: [killing], limits, logger });
  await world.advance(30_000);
  const paused = logger.lines.filter(({ level }) => level === "error");
  assert.deepEqual(paused.map(({ message, fields }) => [message, fields["status"]]), [
    ["A step took its process down too often; its run is paused", "a"],
  ]);
});

testInMemory("a run at a status that the code does not know is a warning", async (world) => {
  const before = machine("flow").step("gone", ["b"], () => "b", { lag: "1h" }).build();
  const old = await world.started({ ...patient, definitions: [before] });
  const { runId } = await world.during(old.trigger(before, "k"));
  await world.during(old.stop());
  const logger = recordingLogger();
  const after = machine("flow").step("b", ["c"], () => "c").build();
  await world.started({ ...patient, definitions: [after], logger });
  await world.advance(61 * 60_000);
  assert.deepEqual(logger.lines, [{
    level: "warn",
    message: "A run stands at a status that the code does not know; it is set aside",
    fields: { runId, definition: "flow", status: "gone", attempt: 0 },
  }]);
});

Deno.test("consoleLogger() writes JSON lines from its level on, by default from warnings", () => {
  const written: string[] = [];
  const levels = ["debug", "info", "warn", "error"] as const;
  const out = Reflect.get(globalThis, "console") as Record<LogLevel, (line: string) => void>;
  const real = levels.map((level) => out[level]);
  try {
    for (const level of levels) out[level] = (line) => void written.push(line);
    for (const level of levels) consoleLogger().log(level, "said", { runId: "r" });
    consoleLogger("info").log("info", "more");
    silentLogger.log("error", "nothing");
  } finally {
    for (const [at, level] of levels.entries()) out[level] = real[at]!;
  }
  assert.deepEqual(written.map((line) => JSON.parse(line)), [
    { level: "warn", message: "said", runId: "r" },
    { level: "error", message: "said", runId: "r" },
    { level: "info", message: "more" },
  ]);
});
