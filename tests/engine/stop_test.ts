import assert from "node:assert/strict";
import { sleep } from "../../core/ports/clock.ts";
import { machine } from "../../mod.ts";
import { testInMemory } from "./stores.ts";

for (
  const [what, frozenMs] of [["a lease is renewed", 0], ["a lease is renewed late", 4_000]] as const
) {
  testInMemory(`stop() starts nothing more, also when ${what} while it waits`, async (world) => {
    let begun = 0;
    let landed = 0;
    const job = machine("job")
      .step("new", ["over"], async () => {
        begun++;
        await sleep(world.clock, 6_000);
        landed++;
        return "over";
      }, { concurrency: 1 })
      .build();
    const first = world.mortal({ definitions: [job], lease: { term: "3s" } });
    await world.during(first.engine.start());
    for (let index = 0; index < 3; index++) await world.during(first.engine.trigger(job, `k${index}`));
    await world.settle();
    assert.equal(begun, 1);

    const stopped = first.engine.stop({ grace: "10s" });
    if (frozenMs > 0) {
      first.freeze();
      await world.advance(frozenMs);
      first.wake();
    }
    await world.during(stopped, 15_000);
    assert.deepEqual([begun, landed], [1, 1]);

    // What it has left goes on at once elsewhere.
    const second = await world.started({ definitions: [job] });
    await world.advance(20_000);
    const { items } = await second.list({ runState: "completed" });
    assert.equal(items.length, 3);
    assert.equal(begun, 3);
  });
}
