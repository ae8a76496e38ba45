import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { type CommitCall, type Engine, machine, type Store } from "../../mod.ts";
import { sleep } from "../../core/ports/clock.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import { World } from "./stores.ts";

const definitions = ["m0", "m1", "m2", "m3"].map((name) => machine(name).step("a", ["b"], () => "b").build());

const slowMs = 1_500;

/** An engine takes what another has left, from a store that is in trouble just then. */
class Scene {
  readonly world: World;
  readonly taken = new Map<string, number>();
  heir!: Engine;
  /** What the other had. */
  left: readonly string[] = [];
  /** Fails when it is taken, once. */
  fails: string | undefined;
  /** The answer to its being taken comes late. */
  slow: string | undefined;

  constructor() {
    const inner = memoryStore();
    this.world = new World({
      limits: inner.limits,
      shards: inner.shards,
      read: (requests) => inner.read(requests),
      commit: (calls) => this.#commit(inner, calls),
      close: () => inner.close(),
    });
  }

  async #commit(inner: Store, calls: readonly CommitCall[]) {
    const taken = this.left.filter((name) => this.#takes(calls, name));
    if (this.fails !== undefined && taken.includes(this.fails)) {
      // In a group all fail, and are tried one by one.
      if (taken.length === 1) this.fails = undefined;
      throw new Error("the disk coughs");
    }
    for (const name of taken) this.taken.set(name, (this.taken.get(name) ?? 0) + 1);
    const results = await inner.commit(calls);
    if (this.slow !== undefined && taken.includes(this.slow)) await sleep(this.world.clock, slowMs);
    return results;
  }

  #takes(calls: readonly CommitCall[], name: string): boolean {
    const by = this.heir.admin.engineId;
    return calls.some(({ batches }) =>
      batches.some(({ puts }) =>
        puts.some(({ key, value }) => key === keyspace.owner.key(name) && JSON.parse(value).engineId === by)
      )
    );
  }

  /** Two engines share four definitions; then one of them stops. */
  async begin(): Promise<void> {
    const other = await this.world.started({ definitions });
    this.heir = await this.world.started({ definitions });
    await this.world.advance(5_000);
    const shards = await this.world.during(other.admin.shards());
    const left = shards.filter(({ engineId }) => engineId === other.admin.engineId);
    this.left = left.map(({ definition }) => definition);
    assert.equal(this.left.length, 2);
    await this.world.during(other.stop());
  }

  async end(): Promise<void> {
    await this.world.advance(30_000);
    const shards = await this.world.during(this.heir.admin.shards());
    assert.ok(shards.every(({ engineId }) => engineId === this.heir.admin.engineId));
    assert.deepEqual(this.left.map((name) => this.taken.get(name)), [1, 1]);
    await this.world.end();
  }
}

Deno.test("a claim that fails does not let another one be made twice (simulator seed 8945)", async () => {
  const scene = new Scene();
  await scene.begin();
  [scene.fails, scene.slow] = scene.left;
  await scene.end();
});

Deno.test("a tick during a look takes nothing that the look is about to take", async () => {
  const scene = new Scene();
  await scene.begin();
  [scene.slow] = scene.left;
  await scene.world.advance(slowMs);
  const ticked = scene.heir.tick({ budgetMs: 1_000 });
  await scene.world.during(ticked, 3 * slowMs);
  await scene.end();
});
