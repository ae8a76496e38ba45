/**
 * A power cut: every host dies at one moment, and commits that nobody outside was to rely on may be gone.
 *
 * @module
 */
import type { CommitCall } from "../../store/store.ts";
import { Dice } from "./dice.ts";
import { Host } from "./host.ts";
import type { Cast, Stage } from "./life.ts";

/** The power is cut, and comes back: what was acknowledged is still there. */
export function cutPower(stage: Stage, cast: Cast, seed: number): void {
  const { world, fleet, disk, shadow, laws, asks } = stage;
  if (!world.fault("power cut", 1)) return;
  const { chronicle } = shadow;
  const lost = chronicle.takeBack(new Dice(seed));
  world.log(`the power is cut, and ${lost.length} commits are gone`);
  fleet.die();
  lost.forEach((calls) => {
    world.count("lost commit");
    world.coverage.hit("power cut", calls);
  });
  disk.cut(chronicle.commits);
  const { hooks } = laws;
  shadow.clear();
  laws.forget();
  chronicle.recall();
  laws.hooks.inherit(hooks);
  asks.checkKept();
  laws.streams.checkKept();
  cast.checkKept?.();
  passOver(stage, lost);
}

/** Who opens a store after that passes over the versions that the lost commits may have been told. */
function passOver({ world, disk, shadow }: Stage, lost: readonly (readonly CommitCall[])[]): void {
  const host = new Host(world, "disk");
  const { store, era } = disk;
  const calls = Array.from({ length: store.shards }, (_, shard): CommitCall => {
    const there = lost.flat().filter((call) => call.shard === shard);
    const versions = there.reduce((sum, { batches }) => sum + batches.length + 1, 0);
    const nothing = { checks: [], puts: [], deletes: [] };
    const committer = { id: `disk${era}`, callId: "1" };
    return { shard, committer, batches: Array.from({ length: versions + 1 }, () => nothing) };
  });
  store.commit(calls).then((results) => shadow.applied(host, calls, results));
}
