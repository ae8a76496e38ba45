/**
 * A power cut: every host dies at one moment, and commits that nobody outside was to rely on may be gone.
 *
 * @module
 */
import type { CommitCall } from "../../store/store.ts";
import { Dice } from "./dice.ts";
import { Host } from "./host.ts";
import type { Cast, Stage } from "./life.ts";

/** Longest wait for a moment at which something can be lost, in virtual ms. */
const waitMsMax = 1_500;

/** Now, or at the next moment at which something can be lost, the power is cut, and comes back. */
export function cutPower(stage: Stage, cast: Cast, seed: number): void {
  const { world, shadow } = stage;
  const dice = new Dice(seed);
  const until = dice.chance(0.8) ? world.time + waitMsMax : 0;
  const look = () => {
    if (shadow.chronicle.unsafe > 0 || world.time > until) cutNow(stage, cast, dice);
    else world.schedule(dice.between(0, 8), look);
  };
  look();
}

/** What was acknowledged is still there. */
function cutNow(stage: Stage, cast: Cast, dice: Dice): void {
  const { world, fleet, disk, shadow, laws, asks } = stage;
  if (!world.fault("power cut", 1)) return;
  const { chronicle } = shadow;
  const lost = chronicle.takeBack(dice);
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
