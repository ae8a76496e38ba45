import assert from "node:assert/strict";
import { type Engine, type HistoryRow, machine, type WatchOptions } from "../../mod.ts";
import { testInMemory, testOnStores } from "./stores.ts";

const flow = machine<{ n: number }>("flow")
  .step("a", ["b"], () => "b", { lag: "1s" })
  .step("b", ["b", "c"], (run) => run.data.n-- > 0 ? run.repeat() : "c")
  .build();

/** What a watch has given so far, without waiting for more. */
class Seen {
  readonly rows: HistoryRow[] = [];
  isOver = false;
  error: unknown;

  constructor(engine: Engine, options: WatchOptions = {}) {
    this.#take(engine.watch(flow, "k", options));
  }

  get kinds(): string {
    return this.rows.map(({ kind, to }) => `${kind}${to === undefined ? "" : ` ${to}`}`).join(", ");
  }

  async #take(rows: AsyncIterable<HistoryRow>): Promise<void> {
    try {
      for await (const row of rows) this.rows.push(row);
      this.isOver = true;
    } catch (error) {
      this.error = error;
    }
  }
}

testOnStores(
  "watch() gives the history so far, then each row as it comes, and ends with the run",
  async (world) => {
    const engine = await world.started({ definitions: [flow] });
    const { runId } = await engine.trigger(flow, "k", { data: { n: 0 } });
    const seen = new Seen(engine);
    await world.advance(0);
    assert.equal(seen.kinds, "trigger a");
    await engine.pause(flow, "k", { reason: "wait" });
    await world.advance(0);
    assert.deepEqual([seen.kinds, seen.isOver], ["trigger a, pause", false]);
    await engine.resume(flow, "k");
    await world.advance(2_000);
    assert.deepEqual([seen.error, seen.isOver], [undefined, true]);
    assert.deepEqual(seen.rows, await engine.history({ runId }));
    assert.equal(seen.rows.at(-1)!.to, "c");
  },
);

testOnStores("watch() sees what another engine does, and begins after a position", async (world) => {
  const worker = await world.started({ definitions: [flow] });
  const watcher = world.engine({ definitions: [flow], work: false });
  const { runId } = await worker.trigger(flow, "k", { data: { n: 3 } });
  const [first] = await worker.history({ runId });
  const seen = new Seen(watcher, { after: first!.position });
  await world.advance(0);
  assert.equal(seen.kinds, "");
  await world.advance(3_000);
  assert.equal(seen.kinds, "move b, repeat b, repeat b, repeat b, move c");
  assert.ok(seen.isOver);
  const again = new Seen(watcher, { runId });
  await world.advance(0);
  assert.deepEqual(
    again.rows,
    await worker.history({ runId }),
    "of a run that has ended: all of it, and the end",
  );
  assert.ok(again.isOver);
});

testInMemory("watch() gives every row once, however many there are and however they come", async (world) => {
  const engine = await world.started({ definitions: [flow], limits: { pageMax: 7 } });
  const { runId } = await engine.trigger(flow, "k", { data: { n: 40 } });
  const [early, late] = [
    new Seen(engine),
    await (async () => {
      await world.advance(1_000);
      return new Seen(engine, { runId });
    })(),
  ];
  await world.advance(1_000);
  for (const seen of [early, late]) {
    assert.equal(seen.rows.length, 43);
    assert.equal(new Set(seen.rows.map(({ position }) => position)).size, 43);
    assert.ok(seen.isOver);
  }
});

testInMemory("watch() is bound to its run: another one of the key is no news of it", async (world) => {
  const engine = await world.started({ definitions: [flow] });
  const { runId } = await engine.trigger(flow, "k", { data: { n: 0 } });
  const seen = new Seen(engine);
  await world.advance(5_000);
  const next = await engine.trigger(flow, "k", { data: { n: 0 } });
  await world.advance(5_000);
  assert.equal(seen.kinds, "trigger a, move b, move c");
  const [one, two] = [new Seen(engine, { runId }), new Seen(engine)];
  await world.advance(0);
  assert.deepEqual(one.rows, await engine.history({ runId }));
  assert.deepEqual(two.rows, await engine.history({ runId: next.runId }));
});

testInMemory("watch() throws when there is no such run, and when the engine stops", async (world) => {
  const engine = await world.started({ definitions: [flow] });
  const none = new Seen(engine);
  await world.advance(0);
  assert.match(String(none.error), /Cannot watch run: "flow" has no run for key "k"/);
  await engine.trigger(flow, "k", { data: { n: 0 } });
  const waiting = new Seen(engine);
  await world.advance(0);
  await world.during(engine.stop());
  assert.equal((waiting.error as { code: string }).code, "ENGINE_STOPPED");
});

testInMemory("watch() throws the reason of its signal, and leaves nothing behind", async (world) => {
  const engine = world.engine({ definitions: [flow] });
  await engine.trigger(flow, "k", { data: { n: 0 } });
  const abort = new AbortController();
  const seen = new Seen(engine, { signal: abort.signal });
  await world.advance(0);
  assert.equal(world.clock.timers, 1, "the poll of an engine that was not started");
  abort.abort("enough");
  await world.advance(5_000);
  assert.deepEqual([seen.error, seen.kinds, world.clock.timers], ["enough", "trigger a", 0]);
  const early = new Seen(engine, { signal: AbortSignal.abort("before") });
  await world.advance(0);
  assert.deepEqual([early.error, early.rows], ["before", []]);
  const rows = engine.watch(flow, "k")[Symbol.asyncIterator]();
  await world.during(rows.next());
  await rows.return!();
  await world.advance(5_000);
  assert.equal(world.clock.timers, 0, "also when it is left in the middle");
});

testInMemory("watch() throws when its run is removed meanwhile", async (world) => {
  const kept = machine<{ n: number }>("flow", { keepFinished: "1h" })
    .step("a", ["c"], () => "c", { lag: "1s" })
    .build();
  const engine = await world.started({ definitions: [kept] });
  const { runId } = await engine.trigger(kept, "k", { data: { n: 0 } });
  await world.advance(2 * 3_600_000);
  assert.equal(await engine.get(kept, "k"), undefined);
  const gone = new Seen(engine, { runId });
  await world.advance(0);
  assert.equal((gone.error as { code: string }).code, "RUN_NOT_FOUND");
});
