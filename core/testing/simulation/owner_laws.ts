import { readOwner } from "../../parts/ownership_rows.ts";
import type { RunRecord } from "../../parts/run_record.ts";
import { keyspace } from "../../store/keyspace.ts";
import type { Put } from "../../store/store.ts";
import type { Host } from "./host.ts";
import type { ToldEvent } from "./laws.ts";
import type { Shadow } from "./shadow.ts";
import type { World } from "./world.ts";

/** I10: ownership, and who writes under it. */
export class OwnerLaws {
  readonly #world: World;
  readonly #shadow: Shadow;

  constructor(world: World, shadow: Shadow) {
    this.#world = world;
    this.#shadow = shadow;
  }

  /** Ownership changes hands one epoch at a time: nobody takes over from an owner that he has not seen. */
  handedOver(host: Host, shard: number, put: Put): void {
    const row = this.#shadow.rows[shard]!.get(put.key);
    const before = row && readOwner({ key: put.key, ...row });
    const after = readOwner({ key: put.key, value: put.value, version: 0 });
    this.#world.log(
      `${host.name} writes ${put.key} in shard ${shard}: ${after.engineId} epoch ${after.epoch}`,
    );
    const isFromOther = before?.engineId && before.engineId !== host.engineId && !before.passed;
    if (isFromOther && after.engineId === host.engineId) this.#world.count("lease expiry");
    const wanted = (before?.epoch ?? 0) + (after.engineId === null ? 0 : 1);
    this.#world.expect(
      after.epoch === wanted,
      "I10",
      () => `${host.name} makes epoch ${after.epoch} of "${put.key}", want ${wanted}`,
    );
    this.#world.expect(
      after.engineId === host.engineId || before?.engineId === host.engineId,
      "I10",
      () => `${host.name} gives away "${put.key}", which is ${before?.engineId}'s`,
    );
  }

  /** Only who owns the shard at this moment writes for steps and for the engine. */
  wrote(host: Host, shard: number, run: RunRecord, event: ToldEvent): void {
    if (event.by !== "step" && event.by !== "timer" && event.by !== "engine") return;
    // Whoever passes a lock on tells the next, and whoever takes it away its holder.
    if (event.kind === "lock-acquired" || event.kind === "lock-lost") return;
    const row = this.#shadow.rows[shard]!.get(keyspace.owner.key(run.definition));
    const owner = row && readOwner({ key: "owner", ...row }).engineId;
    this.#world.expect(
      owner === host.engineId,
      "I10",
      () => `${host.name} writes ${event.kind} of run ${run.id}, but ${owner} owns it`,
    );
  }
}
