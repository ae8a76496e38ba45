import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { Dispatcher, type RunSource } from "../../core/engine/dispatcher.ts";
import { defaultLimits } from "../../core/limits.ts";
import { hooks } from "../../core/engine/features.ts";
import { contextOf } from "../../core/engine/options.ts";
import { ShardOwner } from "../../core/engine/shard_owner.ts";
import { Suspects } from "../../core/engine/suspects.ts";
import { writeOwner } from "../../core/parts/ownership_rows.ts";
import { BatchBuilder } from "../../core/store/batch.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import { server } from "../../core/ports/platform.ts";
import { virtualClock } from "../../core/testing/virtual_clock.ts";
import { createEngine, machine, silentLogger } from "../../mod.ts";

/** Prepares and starts nothing by itself. */
class HandDispatcher extends Dispatcher {
  readonly tasks: { readonly source: RunSource; readonly id: string }[] = [];
  override ready(source: RunSource, id: string): void {
    this.tasks.push({ source, id });
  }
}

/** The owner of a shard with one run, and what its user code has done. */
async function scene() {
  const done: string[] = [];
  const job = machine("job")
    .step("new", ["over"], () => {
      done.push("step");
      return "over";
    })
    .onComplete(() => void done.push("hook"))
    .build();
  const clock = virtualClock();
  const options = { store: memoryStore(), definitions: [job], clock, logger: silentLogger, work: false };
  const engine = createEngine(options);
  await engine.trigger(job, "k");
  const context = { ...contextOf(options, [hooks]), engine };
  const batch = new BatchBuilder();
  writeOwner(batch, "job", undefined, context.engineId, clock.now());
  const taken = await context.committer.commit(0, batch);
  assert.ok(taken.ok);
  const guard = { key: keyspace.owner.key("job"), version: taken.version };
  const dispatcher = new HandDispatcher({ ...defaultLimits, runsInFlightMax: 10 }, {
    clock,
    platform: server,
  });
  const suspects = new Suspects(context.limits);
  const definition = context.definitions.get("job")!;
  const owner = new ShardOwner({
    context,
    definition,
    shard: 0,
    guard,
    dispatcher,
    suspects,
    ownerOf: () => undefined,
    onLost() {},
  });
  await owner.begin();
  /** What is due next, prepared and about to start. */
  const next = async () => {
    await clock.settle();
    const task = dispatcher.tasks.shift();
    assert.ok(task, "nothing is due");
    assert.ok(await task.source.prepare(task.id), "it may not start");
    return () => task.source.run(task.id);
  };
  const end = async () => {
    owner.end(new Error("the test is over"));
    await engine.stop();
  };
  return { done, clock, owner, dispatcher, next, end };
}

for (const [what, before] of [["a step", []], ["a hook", ["step"]]] as const) {
  Deno.test(`ShardOwner.drain() lets ${what} that is about to start begin no more`, async () => {
    const { done, owner, next, end } = await scene();
    for (const _ of before) await (await next())();
    const start = await next();
    const drained = owner.drain(1_000);
    // At rest already, and not yet told so: the owner is not over.
    assert.equal(owner.over, false);
    await start();
    assert.equal(await drained, true);
    assert.deepEqual(done, before);
    await end();
  });

  Deno.test(`ShardOwner.drain() lets ${what} that was about to start begin no more when it has ended`, async () => {
    const { done, owner, next, end } = await scene();
    for (const _ of before) await (await next())();
    const start = await next();
    assert.equal(await owner.drain(1_000), true);
    await start();
    assert.deepEqual(done, before);
    await end();
  });

  Deno.test(`ShardOwner.drain() that comes to nothing lets ${what} begin after all that it had held back`, async () => {
    const { done, clock, owner, next, end } = await scene();
    for (const _ of before) await (await next())();
    const start = await next();
    owner.attempts.begin(); // Something that takes too long.
    const drained = owner.drain(1_000);
    await start();
    assert.deepEqual(done, before);
    await clock.advance(1_000);
    assert.equal(await drained, false);
    await (await next())();
    assert.deepEqual(done, [...before, what.slice(2)]);
    owner.attempts.end();
    await end();
  });
}
