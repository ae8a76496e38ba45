/**
 * What the hot paths cost, in counts that no machine's load can move. Each figure is exact: who raises one has a reason to
 * write down here, and who lowers one has a better figure to keep.
 */
import assert from "node:assert/strict";
import { every, type Machine, machine } from "../../mod.ts";
import { type Cost, type MeteredWorld, testCost } from "./cost_meter.ts";

interface Count {
  n: number;
  text?: string;
}

const blind = machine<Count>("blind")
  .step("a", ["b"], () => "b")
  .step("b", ["c"], () => "c")
  .step("c", ["d"], () => "d")
  .build();
const counting = machine<Count>("counting")
  .step("a", ["b"], (run) => (run.data.n++, "b"))
  .step("b", ["c"], (run) => (run.data.n++, "c"))
  .step("c", ["d"], (run) => (run.data.n++, "d"))
  .build();
const looking = machine<Count>("looking")
  .step("a", ["b", "z"], (run) => run.data.n === 1 ? "b" : "z")
  .step("b", ["c", "z"], (run) => run.data.n === 1 ? "c" : "z")
  .step("c", ["d", "z"], (run) => run.data.n === 1 ? "d" : "z")
  .build();
const single = machine<Count>("single").step("a", ["b"], () => "b").build();
const waiting = machine<Count>("waiting")
  .callback("a", ["b"], () => "b")
  .timeout("a", ["late"], { after: "1h" }, () => "late")
  .build();
const asked = machine<Count>("asked").callback("a", ["b"], () => "b").build();
const told = machine<Count>("told")
  .callback("a", ["b"], (run, n: number) => (run.data.n = n, "b"))
  .build();
const definitions = [blind, counting, looking, single, waiting, asked, told];

/** What a warm run costs, from its trigger to its end. */
async function costOfRun(
  world: MeteredWorld,
  flow: Machine<Count>,
  texts: readonly [string, ...string[]] = [""],
) {
  const engine = await world.metered({ definitions });
  const run = (key: string, text: string) =>
    world.costOf(() => engine.trigger(flow, key, { data: { n: 1, text } }));
  await run("first", "");
  const costs: Cost[] = [];
  for (const [index, text] of texts.entries()) {
    costs.push(await run(`again ${index}`, text));
    assert.equal((await engine.get(flow, `again ${index}`))!.status, "d");
  }
  return costs as [Cost, ...Cost[]];
}

const without = ({ bytes: _, ...cost }: Cost) => cost;

testCost(
  "a 3-step run whose steps leave the data alone never parses, and stringifies no step",
  async (world) => {
    const [cost] = await costOfRun(world, blind);
    assert.deepEqual(without(cost), {
      // The trigger and each step: nothing else of that run is worth a sync.
      commits: 4,
      // The trigger: key, run, list, work, hist. A middle step: run, hist, as it is due at once, where it was. The last:
      // run, hist, its new place in the list, and its old ones in list and work.
      rows: 5 + 2 + 2 + 5,
      reads: 0,
      parses: 0,
      // All of the trigger: the data, the front of the record, the key's row.
      stringifies: 3,
      timers: 0,
      // One that forms the group of each commit.
      hops: 4,
    });
  },
);

testCost("steps that change the data cost a parse and a stringify each, and nothing else", async (world) => {
  const [cost] = await costOfRun(world, counting);
  const { rows, ...rest } = without(cost);
  assert.deepEqual([rest, rows], [
    { commits: 4, reads: 0, parses: 3, stringifies: 3 + 3, timers: 0, hops: 4 },
    14,
  ]);
});

testCost(
  "steps that only look at the data cost as much, as a change can only be told by the text",
  async (world) => {
    const [cost] = await costOfRun(world, looking);
    assert.deepEqual(without(cost), {
      commits: 4,
      rows: 14,
      reads: 0,
      parses: 3,
      stringifies: 3 + 3,
      timers: 0,
      hops: 4,
    });
  },
);

testCost("each commit of a run writes the data once, and under 512 bytes around it", async (world) => {
  const [small, large] = await costOfRun(world, counting, ["", "x".repeat(10_000)]);
  assert.equal(large!.bytes - small.bytes, 4 * 10_000);
  assert.ok(small.bytes < 4 * 512, `${small.bytes} bytes`);
});

testCost("admin.counts() tells the same of commits, rows and reads", async (world) => {
  const engine = await world.metered({ definitions });
  const before = engine.admin.counts();
  const cost = await world.costOf(() => engine.trigger(counting, "k", { data: { n: 1 } }));
  const after = engine.admin.counts();
  assert.deepEqual(
    [after.commits - before.commits, after.rows - before.rows, after.reads - before.reads],
    [cost.commits, cost.rows, cost.reads],
  );
  assert.deepEqual([after.batches - before.batches, after.steps - before.steps], [4, 3]);
});

testCost(
  "a hundred steps at once cost a commit and a turn of the event loop, not a hundred",
  async (world) => {
    const engine = await world.metered({ definitions });
    const wave = (name: string) => () =>
      Promise.all(
        Array.from({ length: 100 }, (_, index) => engine.trigger(counting, name + index, { data: { n: 1 } })),
      );
    await world.costOf(wave("first"));
    assert.deepEqual(without(await world.costOf(wave("again"))), {
      commits: 4,
      rows: 1_400,
      reads: 0,
      parses: 300,
      stringifies: 600,
      timers: 0,
      hops: 4,
    });
  },
);

testCost(
  "a callback costs one commit; two reads find its run, and its data is parsed if touched",
  async (world) => {
    const engine = await world.metered({ definitions });
    const costOf = async (flow: typeof asked | typeof told, key: string) => {
      await engine.trigger(flow, key, { data: { n: 1 } });
      await world.settle();
      return without(await world.costOf(() => engine.callback(flow, key, "a", 4)));
    };
    for (const key of ["first", "again"]) {
      assert.deepEqual(await costOf(asked, key), {
        commits: 1,
        // Run, hist, and its place in the list, old and new.
        rows: 4,
        // The latest run of the key; the run, for the code and for the change.
        reads: 2,
        // Those two, and the answer's copy for the code.
        parses: 2 + 1,
        // The answer, and the front of the record that was read.
        stringifies: 2,
        timers: 0,
        // One of each read and of the commit.
        hops: 3,
      });
      const { parses, stringifies, rows } = await costOf(told, key);
      assert.deepEqual([parses, stringifies, rows], [3 + 1, 2 + 1, 4]);
    }
    assert.equal((await engine.get(told, "again"))!.data.n, 4);
  },
);

testCost(
  "a run that waits costs nothing while it waits; its timer fires with one read and one commit",
  async (world) => {
    const engine = await world.metered({ definitions });
    const trigger = (key: string) => world.costOf(() => engine.trigger(waiting, key, { data: { n: 1 } }));
    const first = await trigger("first");
    // As a run with a step, and the list of its timers; one timer of the clock for all that is due later.
    assert.deepEqual([first.rows, first.stringifies, first.timers], [5, 3 + 1, 1]);
    assert.equal((await trigger("second")).timers, 0);
    assert.deepEqual(without(await world.costOf(() => world.advance(59 * 60_000))), {
      commits: 0,
      rows: 0,
      reads: 0,
      parses: 0,
      stringifies: 0,
      timers: 0,
      hops: 0,
    });
    // Both are read at once and written at once: they cost as many commits, reads and hops as one.
    assert.deepEqual(without(await world.costOf(() => world.advance(60_000))), {
      commits: 1,
      // Run, hist, its new place in the list, and its old ones in list and work.
      rows: 2 * 5,
      reads: 1,
      // The record.
      parses: 2,
      // The front of the record that was read.
      stringifies: 2,
      timers: 0,
      hops: 2,
    });
    assert.equal((await engine.get(waiting, "second"))!.status, "late");
  },
);

testCost(
  "an occurrence of a schedule costs five commits and five reads, however many came before",
  async (world) => {
    const engine = await world.metered({ definitions });
    await engine.schedules.create({
      id: "s",
      recurrence: every("1h"),
      target: single,
      key: "k",
      data: { n: 1 },
    });
    const occurrence = () => world.costOf(() => world.advance(3_600_000));
    const costs: Cost[] = [];
    for (let hour = 0; hour < 30; hour++) costs.push(await occurrence());
    const { bytes, ...cost } = costs[29]!;
    assert.deepEqual(cost, {
      // The claim; the run's trigger and the schedule's mark; its step, with what the claim came to; the run's end in the
      // schedule; the chore that told of it.
      commits: 5,
      // 1 + 6 + (3 and 2 gone, 2 of its chore, 3 and 1 gone of the schedule) + 1 + 2.
      rows: 1 + 6 + 11 + 1 + 2,
      // The schedule; its mark; the key's latest run; the chore; the schedule again.
      reads: 5,
      parses: 8,
      stringifies: 10,
      timers: 1,
      hops: 10,
    });
    // The record names the last ten results: it stops growing when it has them.
    assert.deepEqual(costs.slice(12).map((each) => each.bytes), Array(18).fill(bytes));
    assert.equal((await engine.schedules.describe("s")).counts.started, 30);
  },
);
