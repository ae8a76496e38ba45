import assert from "node:assert/strict";
import fc from "fast-check";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { libsqlStore } from "../../adapters/libsql/mod.ts";
import { createEngine, type Engine, machine, type PawlError } from "../../mod.ts";
import { gate, testInMemory, testOnStores, World } from "./stores.ts";

interface V1 {
  name: string;
}
interface V2 {
  first: string;
  last: string;
}
interface V3 extends V2 {
  seen: number;
}

/** The three deployments of a machine, with what each step was given. */
function deployments(options: { readonly lag?: string } = {}) {
  const seen: unknown[] = [];
  const note = (data: unknown) => void seen.push(structuredClone(data));
  const step = { lag: options.lag ?? "1h", retry: { initial: "1m", factor: 1, jitter: false } } as const;
  const v1 = machine<V1>("people", { pauseRetry: false })
    .step("new", ["old"], (run) => (note(run.data), "old"), step)
    .step("old", ["gone"], (run) => (note(run.data), "gone"), step)
    .build();
  const toV2 = ({ name }: V1): V2 => ({ first: name.split(" ")[0]!, last: name.split(" ")[1]! });
  const v2 = machine<V2>("people", { pauseRetry: false, version: 2, migrate: (data) => toV2(data as V1) })
    .step("new", ["old"], (run) => (note(run.data), "old"), step)
    .step("old", ["gone"], (run) => (note(run.data), "gone"), step)
    .build();
  const v3 = machine<V3>("people", {
    pauseRetry: false,
    version: 3,
    migrate(data: V1 | V2, from): V3 {
      const named = from < 2 ? toV2(data as V1) : data as V2;
      return { ...named, seen: from };
    },
  })
    .step("new", ["old"], (run) => (note(run.data), "old"), step)
    .step("old", ["gone"], (run) => (note(run.data), "gone"), step)
    .build();
  return { v1, v2, v3, seen };
}

async function stopped(world: World, engine: Engine): Promise<void> {
  await world.during(engine.stop({ grace: 0 }), 5_000);
}

const ann: V1 = { name: "Ann Lee" };

testOnStores(
  "data is migrated when it is first looked at: views write nothing, a landing saves it",
  async (world) => {
    const { v1, v2, v3, seen } = deployments();
    const first = await world.started({ definitions: [v1] });
    const { runId } = await world.during(first.trigger(v1, "k", { data: ann }), 1_000);
    await stopped(world, first);

    const second = await world.started({ definitions: [v2] });
    const view = (await world.during(second.get(v2, "k"), 1_000))!;
    assert.deepEqual([view.data, view.version], [{ first: "Ann", last: "Lee" }, 1]);
    const list = await world.during(second.list({ include: ["data"] }), 1_000);
    assert.deepEqual(list.items[0]!.data, { first: "Ann", last: "Lee" });
    const paused = await world.during(second.pause(v2, "k"), 1_000);
    assert.deepEqual(paused.data, { first: "Ann", last: "Lee" });
    assert.equal((await world.during(second.history({ runId }), 1_000)).length, 2);
    const lines: string[] = [];
    for await (const line of second.admin.export()) lines.push(line);
    assert.match(lines.join(""), /"data":\{"name":"Ann Lee"\}/);
    await world.during(second.resume(v2, "k"), 1_000);
    await world.settle();
    assert.deepEqual(seen, [{ first: "Ann", last: "Lee" }]);
    await stopped(world, second);

    const third = await world.started({ definitions: [v3] });
    const at = await world.during(third.await(v3, "k", { status: "old" }), 1_000);
    assert.deepEqual(at.data, { first: "Ann", last: "Lee", seen: 2 });
    await world.advance(3_600_000);
    const done = await world.during(third.await(v3, "k"), 1_000);
    assert.deepEqual(done.data, { first: "Ann", last: "Lee", seen: 2 });
    assert.equal(done.runState, "completed");
    assert.equal((await world.during(third.admin.verify(), 1_000)).findings.length, 0);
  },
);

testOnStores(
  "a run whose data is newer than the code is stalled, kept, and goes on with newer code",
  async (world) => {
    const { v1, v2, v3, seen } = deployments();
    const newer = await world.started({ definitions: [v3] });
    const { runId } = await world.during(
      newer.trigger(v3, "k", { data: { first: "Ann", last: "Lee", seen: 0 } }),
      1_000,
    );
    await stopped(world, newer);

    const older = await world.started({ definitions: [v2] });
    await world.advance(3_600_000);
    const stalled = (await world.during(older.get(v2, "k"), 1_000))!;
    assert.equal(stalled.runState, "stalled");
    assert.match(stalled.reason!, /its data is of version 3, the deployed code knows 2/);
    assert.deepEqual(stalled.data as unknown, { first: "Ann", last: "Lee", seen: 0 });
    assert.deepEqual(seen, []);
    await stopped(world, older);

    const oldest = await world.started({ definitions: [v1] });
    await world.advance(3_600_000);
    assert.equal((await world.during(oldest.get(v1, "k"), 1_000))!.runState, "stalled");
    await world.during(oldest.trigger(v1, "other", { data: ann }), 1_000);
    await stopped(world, oldest);

    const again = await world.started({ definitions: [v3] });
    await world.advance(7_200_000);
    const done = await world.during(again.await(v3, "k"), 1_000);
    assert.deepEqual([done.runState, done.data], ["completed", { first: "Ann", last: "Lee", seen: 0 }]);
    const kinds = (await world.during(again.history({ runId }), 1_000)).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["trigger", "stall", "resume", "move", "move"]);
    const other = await world.during(again.await(v3, "other"), 1_000);
    assert.deepEqual(other.data, { first: "Ann", last: "Lee", seen: 1 });
  },
);

testInMemory("data that no step looks at keeps its version, and is migrated from it later", async (world) => {
  const { v1, v3 } = deployments();
  const blind = machine<V2>("people", { version: 2, migrate: () => assert.fail("not looked at") })
    .step("new", ["old"], () => "old")
    .step("old", ["gone"], () => "gone", { lag: "10h" })
    .build();
  const first = await world.started({ definitions: [v1] });
  await world.during(first.trigger(v1, "k", { data: ann }));
  await stopped(world, first);
  const second = await world.started({ definitions: [blind] });
  await world.advance(3_600_000);
  await stopped(world, second);
  const third = await world.started({ definitions: [v3] });
  const run = (await world.during(third.get(v3, "k")))!;
  assert.deepEqual([run.status, run.data], ["old", { first: "Ann", last: "Lee", seen: 1 }]);
});

testInMemory(
  "a migrate() that throws or waits is a failed attempt, and an error of views, until it is mended",
  async (world) => {
    const { v1 } = deployments();
    const first = await world.started({ definitions: [v1] });
    const { runId } = await world.during(first.trigger(v1, "k", { data: ann }));
    await stopped(world, first);
    let migrate: (data: unknown) => unknown = () => {
      throw new Error("no last name");
    };
    const v2 = machine<V2>("people", {
      pauseRetry: false,
      version: 2,
      migrate: (data) => migrate(data) as V2,
    })
      .step("new", ["old"], (run) => (run.data.last += "!", "old"), {
        pauseAfterErrors: 2,
        retry: { initial: "1m" },
      })
      .build();
    const engine = await world.started({ definitions: [v2] });
    await world.advance(3_600_000);
    const failed = (error: PawlError) => {
      assert.equal(error.code, "MIGRATION_FAILED");
      assert.match(
        error.message,
        new RegExp(`data of run ${runId} of "people" from version 1 to 2: no last name`),
      );
      return true;
    };
    await assert.rejects(world.during(engine.get(v2, "k")), failed);
    await world.advance(60_000);
    const { items } = await world.during(engine.list({ include: ["data"] }));
    const [item] = items;
    assert.deepEqual([item!.runState, item!.attempt, item!.data], ["paused", 2, undefined]);
    assert.equal(item!.lastError!.code, "MIGRATION_FAILED");
    assert.equal(item!.dataError!.code, "MIGRATION_FAILED");
    const resumed = await world.during(engine.resume(v2, "k"));
    assert.deepEqual(resumed.data, ann);
    await world.settle();
    migrate = () => Promise.resolve({});
    await assert.rejects(world.during(engine.get(v2, "k")), {
      code: "MIGRATION_FAILED",
      message: /gave a promise/,
    });
    migrate = () => ({ first: "Ann", last: "Lee" });
    await world.advance(120_000);
    const run = await world.during(engine.await(v2, "k"));
    assert.deepEqual([run.runState, run.data], ["completed", { first: "Ann", last: "Lee!" }]);
  },
);

testInMemory(
  "a failed attempt saves nothing of a migration, and the next one migrates anew",
  async (world) => {
    const { v1 } = deployments();
    const first = await world.started({ definitions: [v1] });
    await world.during(first.trigger(v1, "k", { data: ann }));
    await stopped(world, first);
    let [migrations, tries] = [0, 0];
    const v2 = machine("people", {
      version: 2,
      migrate: (_: unknown, from): V2 => ({ first: "x", last: `${from}${++migrations}` }),
    })
      .step("new", ["old"], (run) => {
        if (run.data.last && ++tries < 3) throw new Error("no");
        return "old";
      }, { retry: { initial: 1 } })
      .build();
    const engine = await world.started({ definitions: [v2] });
    await world.advance(3_601_000);
    const run = await world.during(engine.await(v2, "k"));
    assert.deepEqual([tries, run.data], [3, { first: "x", last: "13" }]);
  },
);

testInMemory(
  "a migration is checked by the schema when it is saved, and sealed by the codec",
  async (world) => {
    const { v1 } = deployments();
    const codec = {
      encode: (text: string) => Promise.resolve(`sealed ${text}`),
      decode: (text: string) => Promise.resolve(text.slice(7)),
    };
    const first = await world.started({ definitions: [v1], codec });
    await world.during(first.trigger(v1, "k", { data: ann }));
    await stopped(world, first);
    const schema = {
      "~standard": {
        version: 1 as const,
        vendor: "x",
        validate: (value: unknown) =>
          (value as V2).last === "Lee" ? { value: value as V2 } : { issues: [{ message: "no last name" }] },
      },
    };
    let last = "?";
    const v2 = machine("people", { schema, version: 2, migrate: () => ({ first: "Ann", last }) })
      .step("new", ["old"], (run) => run.data.first ? "old" : "old", { retry: { initial: "1m" } })
      .build();
    const engine = await world.started({ definitions: [v2], codec });
    await world.advance(3_600_000);
    assert.equal((await world.during(engine.get(v2, "k")))!.lastError!.code, "INVALID_DATA");
    last = "Lee";
    await world.advance(60_000);
    const run = await world.during(engine.await(v2, "k"));
    assert.deepEqual(run.data, { first: "Ann", last: "Lee" });
  },
);

testInMemory(
  "of two engines with one graph, the one whose data version appeared last does the work",
  async (world) => {
    const { v2, v3, seen } = deployments({ lag: "0s" });
    await world.started({ definitions: [v2] });
    await world.advance(1_000);
    await world.started({ definitions: [v3] });
    await world.advance(30_000);
    const client = world.engine({ definitions: [v3], work: false });
    for (let index = 0; index < 5; index++) {
      await world.during(
        client.trigger(v3, `k${index}`, { data: { first: "A", last: "B", seen: 9 } }),
        1_000,
      );
    }
    await world.advance(5_000);
    assert.equal(seen.length, 10);
    const { items } = await world.during(client.list({ runState: "stalled" }), 1_000);
    assert.deepEqual(items, []);
  },
);

testInMemory("a run that was stalled while its step ran elsewhere loses nothing", async (world) => {
  const held = gate();
  const make = (version: number) =>
    machine<{ n: number }>("flow", { version })
      .step("a", ["b"], async (run) => {
        run.data.n++;
        if (version === 1) await held.promise;
        return "b";
      })
      .step("b", ["c"], (run) => (run.data.n++, "c"))
      .build();
  const old = world.mortal({ definitions: [make(1)] });
  await world.during(old.engine.start());
  await world.during(old.engine.trigger(make(1), "k", { data: { n: 0 } }));
  await world.settle();
  old.freeze();
  const engine = await world.started({ definitions: [make(2)] });
  await world.advance(60_000);
  const run = await world.during(engine.await(make(2), "k"));
  old.wake();
  held.resolve();
  await world.settle();
  await world.during(old.engine.stop({ grace: 0 }), 60_000);
  assert.deepEqual([run.data, (await world.during(engine.get(make(2), "k")))!.data], [{ n: 2 }, { n: 2 }]);
});

Deno.test("a run keeps its data version and its origin through export and import", async () => {
  const { v2, v3 } = deployments();
  const from = memoryStore();
  const source = createEngine({ store: from, definitions: [v2] });
  await source.trigger(v2, "k", { data: { first: "Ann", last: "Lee" }, traceOrigin: 'the "shop"\nline 2' });
  const folder = await Deno.makeTempDir({ prefix: "pawl-" });
  const to = libsqlStore({ url: `file:${folder}/test.db` });
  const target = createEngine({ store: to, definitions: [v3] });
  await target.admin.import(source.admin.export());
  const run = (await target.get(v3, "k"))!;
  assert.deepEqual(run.data, { first: "Ann", last: "Lee", seen: 2 });
  assert.equal(run.traceOrigin, 'the "shop"\nline 2');
  const lines: string[] = [];
  for await (const line of source.admin.export()) lines.push(line);
  for (
    const [good, bad] of [['"dataVersion":2', '"dataVersion":0'], ['"dataVersion":2', '"dataVersion":"2"'], [
      '"traceOrigin":"',
      '"traceOrigin":1,"x":"',
    ]] as const
  ) {
    const report = await createEngine({ store: memoryStore(), definitions: [] }).admin.import(
      lines.map((line) => line.replace(good, bad)),
    );
    assert.equal(report.refused, 1, bad);
  }
  await Promise.all([source.stop(), target.stop()]);
  await to.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("machine() refuses a version or a migrate() that cannot be meant", () => {
  for (const version of [0, -1, 1.5, NaN, "2"] as number[]) {
    assert.throws(() => machine("m", { version }), {
      code: "INVALID_ARGUMENT",
      message: /version of machine "m": got/,
    });
  }
  assert.throws(() => machine("m", { migrate: () => undefined }), { message: /no data is older/ });
  assert.throws(() => machine("m", { version: 2, migrate: 5 as never }), {
    message: /migrate of machine "m": got number/,
  });
});

Deno.test("whatever deployments follow each other, data is only ever migrated forward, and never lost", async () => {
  const plan = fc.array(fc.record({ version: fc.integer({ min: 1, max: 4 }), looks: fc.boolean() }), {
    minLength: 1,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(plan, async (deployed) => {
      const world = new World(memoryStore());
      let known = 1;
      let expected: number[] = [];
      const make = ({ version, looks }: { version: number; looks: boolean }) =>
        machine<number[]>("flow", {
          pauseRetry: false,
          version,
          ...version > 1 && {
            migrate(data: unknown, from: number) {
              assert.ok(from < version);
              return [...data as number[], from * 10 + version];
            },
          },
        }).step("a", ["end"], (run) => {
          if (looks) assert.ok(run.data);
          return run.repeat();
        }, { lag: "1h" }).build();
      const start = make({ version: 1, looks: false });
      const first = await world.started({ definitions: [start] });
      await world.during(first.trigger(start, "k", { data: [] }));
      await stopped(world, first);
      for (const each of deployed) {
        const flow = make(each);
        const engine = await world.started({ definitions: [flow], poll: "1h" });
        await world.advance(3_600_000);
        const run = (await world.during(engine.get(flow, "k")))!;
        const isOld = each.version > known;
        assert.equal(run.runState === "stalled", each.version < known);
        if (isOld && each.looks) expected = [...expected, known * 10 + each.version];
        assert.deepEqual(
          run.data,
          isOld && !each.looks ? [...expected, known * 10 + each.version] : expected,
        );
        if (isOld && each.looks) known = each.version;
        await stopped(world, engine);
      }
      await world.end();
    }),
    { numRuns: 25 },
  );
});
