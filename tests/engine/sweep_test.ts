import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import { machine } from "../../mod.ts";
import { patient, type StoreKind, testOnStores, type World } from "./stores.ts";

const flow = machine("flow").step("a", ["b"], () => "b").build();

const keeping: readonly StoreKind[] = [{
  name: "memory that keeps outcomes",
  open() {
    const store = memoryStore({ keepOutcomes: true, shards: 2 });
    return Promise.resolve({ store, close: () => store.close() });
  },
}];

async function committers(world: World): Promise<readonly string[]> {
  const range = { ...keyspace.outcome.range(), limit: 100 };
  const found = await world.store.read([0, 1].map((shard) => ({ shard, ops: [range] })));
  return found.flatMap(([rows]) => rows!.map((row) => row.key.split(" ")[1]!.split(".")[0]!));
}

testOnStores(
  "outcome rows of committers that are long gone are swept, those of others are kept",
  async (world) => {
    const gone = world.engine({ definitions: [flow] });
    for (const key of ["k", "l", "m", "n"]) await gone.trigger(flow, key);
    await gone.stop();
    const client = world.engine({ definitions: [flow] });
    for (const key of ["o", "p", "q", "r"]) await client.trigger(flow, key);
    const before = new Set(await committers(world));
    assert.equal(before.size, 2);
    await world.advance(23 * 3_600_000);
    const early = await world.started({ definitions: [flow], ...patient });
    await early.stop();
    assert.ok((await committers(world)).length >= 4);
    const kept = new Set(await committers(world));
    assert.ok([...before].every((id) => kept.has(id)));
    // Kept alive by a call; nothing else has been heard of the other for more than a day.
    for (const key of ["s", "t", "u", "v"]) await client.trigger(flow, key);
    await world.advance(2 * 3_600_000);
    const late = await world.started({ definitions: [flow], ...patient });
    const left = await committers(world);
    assert.ok([...before].filter((id) => left.includes(id)).length === 1, `${left}`);
    // One whose row was swept begins a new chain.
    await world.advance(50 * 3_600_000);
    await late.stop();
    await world.started({ definitions: [flow], ...patient });
    const swept = new Set(await committers(world));
    assert.ok(![...before].some((id) => swept.has(id)));
    await client.trigger(flow, "w");
    assert.equal((await client.list({ definition: "flow", limit: 50 })).items.length, 13);
  },
  keeping,
);
