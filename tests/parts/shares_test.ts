import assert from "node:assert/strict";
import fc from "fast-check";
import { type Member, newestCarriers, sharesOf, type Unit } from "../../core/engine/shares.ts";

interface Code {
  readonly carries: readonly string[];
  readonly codeVersion?: number;
  readonly since?: number;
  readonly graph?: string;
}

function member(engineId: string, { carries, codeVersion = 0, since = 0, graph = "g" }: Code): Member {
  const presence = {
    expiresAt: 0,
    termMs: 1,
    since,
    codeVersion,
    carries: carries.map((name) => [name, graph]),
  };
  return { engineId, presence: presence as unknown as Member["presence"] };
}

function unitsOf(definitions: readonly string[], shards: number, owner?: string): Unit[] {
  return definitions.flatMap((definition) =>
    Array.from({ length: shards }, (_, shard) => ({ definition, shard, owner }))
  );
}

/** As it is after every unit has gone where it should. */
function after(units: readonly Unit[], shares: ReadonlyMap<Unit, string>): Unit[] {
  return units.map((unit) => ({ ...unit, owner: shares.get(unit) }));
}

function countBy(units: readonly Unit[], by: (unit: Unit) => string | undefined): Map<string, number> {
  const counts = new Map<string, number>();
  for (const unit of units) counts.set(String(by(unit)), (counts.get(String(by(unit))) ?? 0) + 1);
  return counts;
}

const names = ["a", "b", "c"];
const engines = ["e1", "e2", "e3", "e4", "e5"];

const anyFleet = fc.record({
  members: fc.uniqueArray(
    fc.record({
      id: fc.constantFrom(...engines),
      carries: fc.subarray(names),
      codeVersion: fc.nat(1),
      since: fc.nat(3),
      graph: fc.constantFrom("g", "h"),
    }),
    { selector: (each) => each.id, maxLength: 5 },
  ).map((list) => list.map(({ id, ...code }) => member(id, code))),
  units: fc.integer({ min: 1, max: 8 }).chain((shards) =>
    fc.tuple(
      ...unitsOf(names, shards).map((unit) =>
        fc.option(fc.constantFrom(...engines), { nil: undefined }).map((owner) => ({ ...unit, owner }))
      ),
    )
  ),
});

Deno.test("sharesOf() gives every unit that somebody carries to one of its newest carriers", () => {
  fc.assert(fc.property(anyFleet, ({ members, units }) => {
    const shares = sharesOf(members, units);
    for (const unit of units) {
      const carriers = newestCarriers(members, unit.definition);
      const share = shares.get(unit);
      if (carriers.size === 0) assert.equal(share, undefined);
      else assert.ok(carriers.has(share!));
    }
  }));
});

Deno.test("sharesOf() shares out each definition evenly over its newest carriers", () => {
  fc.assert(fc.property(anyFleet, ({ members, units }) => {
    const shared = after(units, sharesOf(members, units));
    for (const name of names) {
      const carriers = [...newestCarriers(members, name)];
      const counts = countBy(shared.filter((unit) => unit.definition === name), (unit) => unit.owner);
      const loads = carriers.map((id) => counts.get(id) ?? 0);
      assert.ok(carriers.length === 0 || Math.max(...loads) - Math.min(...loads) <= 1, `${loads}`);
    }
  }));
});

Deno.test("sharesOf() spreads definitions of one shard over the members", () => {
  const all = Array.from({ length: 8 }, (_, index) => `d${index}`);
  const members = engines.slice(0, 4).map((id) => member(id, { carries: all }));
  const units = unitsOf(all, 1, "e1");
  const shared = after(units, sharesOf(members, units));
  assert.deepEqual([...countBy(shared, (unit) => unit.owner).values()].sort(), [2, 2, 2, 2]);
});

Deno.test("sharesOf() moves nothing once everything is where it should be", () => {
  fc.assert(fc.property(anyFleet, ({ members, units }) => {
    const settled = after(units, sharesOf(members, units));
    assert.deepEqual(after(settled, sharesOf(members, settled)), settled);
  }));
});

Deno.test("sharesOf() says the same to every member, in whatever order they are read", () => {
  fc.assert(fc.property(anyFleet, ({ members, units }) => {
    const reversed = sharesOf([...members].reverse(), units);
    for (const [unit, engineId] of sharesOf(members, units)) assert.equal(reversed.get(unit), engineId);
  }));
});

Deno.test("sharesOf() moves only what a newcomer gets, and only what a leaver had", () => {
  const fleet = (count: number) => engines.slice(0, count).map((id) => member(id, { carries: ["a"] }));
  for (let count = 1; count < 5; count++) {
    const empty = unitsOf(["a"], 16);
    const before = after(empty, sharesOf(fleet(count), empty));
    const joined = after(before, sharesOf(fleet(count + 1), before));
    const moved = joined.filter((unit, index) => unit.owner !== before[index]!.owner);
    assert.ok(moved.every((unit) => unit.owner === engines[count]));
    assert.equal(moved.length, Math.floor(16 / (count + 1)));
    const orphaned = joined.map((unit) =>
      unit.owner === engines[count] ? { ...unit, owner: undefined } : unit
    );
    const left = after(orphaned, sharesOf(fleet(count), orphaned));
    const movedBack = left.filter((unit, index) => unit.owner !== joined[index]!.owner);
    assert.ok(movedBack.length <= Math.ceil(16 / (count + 1)) + count);
  }
});

Deno.test("newestCarriers() are those of the highest code version", () => {
  const members = [
    member("old", { carries: ["a", "b"], codeVersion: 6 }),
    member("new", { carries: ["a"], codeVersion: 7 }),
    member("new too", { carries: ["a"], codeVersion: 7 }),
  ];
  assert.deepEqual([...newestCarriers(members, "a")].sort(), ["new", "new too"]);
  assert.deepEqual([...newestCarriers(members, "b")], ["old"]);
  assert.deepEqual([...newestCarriers(members, "c")], []);
});

Deno.test("newestCarriers() of one version and two graphs are those of the graph that appeared last", () => {
  const old = { carries: ["a"], graph: "old" };
  const next = { carries: ["a"], graph: "new" };
  const members = [member("o1", { ...old, since: 1 }), member("n1", { ...next, since: 5 })];
  assert.deepEqual([...newestCarriers(members, "a")], ["n1"]);
  // An old process that is started again does not make its graph the newer one, while another old one lives.
  const restarted = [...members, member("o2", { ...old, since: 9 })];
  assert.deepEqual([...newestCarriers(restarted, "a")], ["n1"]);
});
