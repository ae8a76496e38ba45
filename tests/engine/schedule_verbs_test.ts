import assert from "node:assert/strict";
import { type Engine, every, machine, type Overlap, type PawlError, recurrence } from "../../mod.ts";
import { auditSchedule } from "./schedule_audit.ts";
import { patient, testInMemory, testOnStores, type World } from "./stores.ts";

interface Report {
  text: string;
}

const seen: string[] = [];
const reports = machine<Report>("reports")
  .step("write", ["sent"], (run) => {
    seen.push(run.data.text);
    return "sent";
  })
  .build();

const daily = every("1d");
const basic = {
  id: "s",
  recurrence: daily,
  target: reports,
  key: "report {scheduledFor}",
  data: { text: "one" },
} as const;

const refusal = (code: string, text: RegExp) => (error: unknown) =>
  (error as PawlError).code === code && text.test((error as PawlError).message);

testOnStores("create is idempotent, and refuses another schedule of the same id", async (world) => {
  const engine = world.engine({ definitions: [reports] });
  assert.equal((await engine.schedules.create(basic)).created, true);
  assert.equal((await engine.schedules.create(basic)).created, false);
  await engine.schedules.update("s", { recurrence: every("2d"), note: "less often" });
  assert.equal((await engine.schedules.create(basic)).created, false);
  assert.equal((await engine.schedules.create({ ...basic, recurrence: every("2d") })).created, false);
  await assert.rejects(
    engine.schedules.create({ ...basic, recurrence: every("3d"), data: { text: "two" }, jitter: "1m" }),
    refusal("SCHEDULE_EXISTS", /differs in recurrence, jitter, data;|differs in data, recurrence, jitter/),
  );
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => engine.schedules.create({ ...basic, id: "many" })),
  );
  assert.equal(answers.filter(({ created }) => created).length, 1);
});

testInMemory("create refuses at the door what could never work", async (world) => {
  const { schedules } = world.engine({ definitions: [reports], filters: { all: () => true } });
  const refused = (changes: object, code: string, text: RegExp) =>
    assert.rejects(schedules.create({ ...basic, ...changes } as typeof basic), refusal(code, text));
  await refused({ overlap: "allowAll", key: "same" }, "INVALID_ARGUMENT", /wants \{scheduledFor\}/);
  await refused({ overlap: "never" }, "INVALID_ARGUMENT", /want one of skip, bufferOne/);
  await refused({ catchUp: "9s" }, "INVALID_ARGUMENT", /10 s or more/);
  await refused({ limit: 0 }, "INVALID_ARGUMENT", /limit is 0/);
  await refused({ filter: "some" }, "UNKNOWN_FILTER", /createEngine\(\{ filters \}\)/);
  await refused({ from: new Date(2), until: new Date(1) }, "INVALID_ARGUMENT", /from is after until/);
  await refused({ until: new Date(NaN) }, "INVALID_ARGUMENT", /until is Invalid Date/);
  await refused({ until: new Date(world.clock.now()) }, "INVALID_ARGUMENT", /no occurrence to come/);
  await refused({ recurrence: { next: () => 1 } }, "INVALID_ARGUMENT", /its recurrence is none/);
  await refused({ startAt: "sent" }, "UNKNOWN_STATUS", /it can start at "write"/);
  await refused({ data: { text: 1n } }, "NOT_JSON", /data\.text/);
  await refused({ id: "" }, "INVALID_ARGUMENT", /schedule id/);
  await refused({ every: "1d" }, "INVALID_ARGUMENT", /option "every"/);
  const foreign = { ...daily, stored: { type: "moon", spec: 1 } };
  await refused({ recurrence: foreign }, "UNKNOWN_RECURRENCE", /"moon"/);
  await refused(
    { target: machine("other").step("a", ["b"], () => "b").build() },
    "UNKNOWN_DEFINITION",
    /other/,
  );
  assert.deepEqual((await schedules.list()).items, []);
  assert.equal(await schedules.get("s"), undefined);
  for (const verb of ["describe", "outcomes", "pause", "unpause", "delete", "trigger"] as const) {
    await assert.rejects(() => schedules[verb]("s"), refusal("SCHEDULE_NOT_FOUND", /"s"/));
  }
});

testOnStores("update changes what it is given, from now on", async (world) => {
  const engine = await world.started({ definitions: [reports] });
  await world.during(engine.schedules.create({ ...basic, recurrence: every("10s") }));
  await world.advance(15_000);
  seen.length = 0;
  const before = await world.during(engine.schedules.get("s"));
  const after = await world.during(
    engine.schedules.update("s", { recurrence: every("7s"), data: { text: "two" }, note: "changed" }),
  );
  assert.equal(Number(after.next), Number(before!.createdAt) + 21_000 - Number(before!.createdAt) % 7_000);
  assert.deepEqual([after.overlap, after.note, after.version], ["skip", "changed", before!.version + 1]);
  await world.advance(10_000);
  assert.deepEqual(seen, ["two"]);
  const described = await world.during(engine.schedules.describe("s"));
  assert.deepEqual(described.data, { text: "two" });
  await assert.rejects(
    world.during(engine.schedules.update("s", { data: { text: () => {} } })),
    refusal("NOT_JSON", /text/),
  );
  assert.deepEqual((await world.during(engine.admin.verify())).findings, []);
});

testOnStores("a paused schedule starts nothing, and catches up or not when it goes on", async (world) => {
  const since = world.clock.now();
  const engine = await world.started({ definitions: [reports] });
  const tens = every("10s");
  for (const id of ["s", "t"]) {
    await world.during(
      engine.schedules.create({ ...basic, id, recurrence: tens, key: `${id} {scheduledFor}` }),
    );
    await world.during(engine.schedules.pause(id, { note: "holiday" }));
  }
  await world.advance(35_000);
  const { enabled, note, counts } = await world.during(engine.schedules.describe("s"));
  assert.deepEqual([enabled, note, counts.started], [false, "holiday", 0]);
  await world.during(engine.schedules.unpause("s"));
  await world.during(engine.schedules.unpause("t", { catchUp: false }));
  await world.advance(8_000);
  const outcomes = async (id: string) =>
    (await world.during(engine.schedules.outcomes(id))).items.map(({ outcome, reason, several }) =>
      `${outcome} ${reason ?? ""}${several ? ` ${several.count}` : ""}`.trim()
    );
  assert.deepEqual(await outcomes("s"), ["started", "started", "started", "started"]);
  assert.deepEqual(await outcomes("t"), ["skipped it was paused 3", "started"]);
  for (const id of ["s", "t"]) {
    await world.during(auditSchedule(engine, { id, recurrence: tens, since }), 1_000);
  }
});

testOnStores("trigger starts an occurrence of its own at once, also while paused", async (world) => {
  const engine = await world.started({ definitions: [reports] });
  const now = world.clock.now();
  await world.during(engine.schedules.create({ ...basic, overlap: "allowAll", enabled: false, limit: 1 }));
  const first = await world.during(engine.schedules.trigger("s"));
  const second = await world.during(engine.schedules.trigger("s"));
  await world.advance(1_000);
  // The world begins at midnight, which names an occurrence of the recurrence.
  assert.deepEqual([first, second].map((each) => Number(each.scheduledFor) - now), [1, 2]);
  const { items } = await world.during(engine.schedules.outcomes("s"));
  assert.deepEqual(items.map(({ outcome, by }) => `${outcome} ${by}`), [
    "started trigger",
    "started trigger",
  ]);
  assert.equal((await world.during(engine.schedules.get("s")))!.startsLeft, 1);
});

testInMemory("a trigger by hand lets nothing else start that came up while paused", async (world) => {
  const door = machine("door").callback("open", ["shut"], () => "shut").build();
  const engine = await world.started({ definitions: [door] });
  const key = "{scheduledFor}";
  await world.during(engine.schedules.create({ id: "s", recurrence: every("10s"), target: door, key }));
  await world.during(engine.schedules.pause("s"));
  await world.advance(15_000);
  for (let count = 0; count < 2; count++) {
    await world.during(engine.schedules.trigger("s"));
    await world.advance(1_000);
  }
  const { items } = await world.during(engine.schedules.outcomes("s"));
  assert.deepEqual(items.map(({ outcome, by }) => `${outcome} ${by}`), [
    "started trigger",
    "skipped trigger",
  ]);
});

testOnStores("backfill starts what was never started in a range, one after another", async (world) => {
  const day = 86_400_000;
  const engine = await world.started({ definitions: [reports], ...patient });
  const now = world.clock.now();
  await world.during(engine.schedules.create(basic));
  await world.advance(2 * day + 1_000);
  const range = { from: new Date(now - 5 * day), until: new Date(now + 2 * day) };
  await world.during(engine.schedules.backfill("s", range));
  await world.advance(5_000);
  const { items } = await world.during(engine.schedules.outcomes("s"));
  assert.deepEqual(
    items.map(({ scheduledFor, by, outcome }) => `${(Number(scheduledFor) - now) / day} ${outcome} by ${by}`),
    [
      ...[-5, -4, -3, -2, -1, 0].map((each) => `${each} started by backfill`),
      "1 started by slot",
      "2 started by slot",
    ],
  );
  await world.during(engine.schedules.backfill("s", range));
  await world.advance(5_000);
  const described = await world.during(engine.schedules.describe("s"));
  assert.deepEqual([described.counts.started, described.backfills], [8, []]);
  await assert.rejects(
    world.during(engine.schedules.backfill("s", { from: range.from, until: new Date(now + 9 * day) })),
    refusal("INVALID_ARGUMENT", /of the past/),
  );
  assert.deepEqual((await world.during(engine.admin.verify())).findings, []);
});

testInMemory("a backfill of thousands goes on in pieces, and can be watched", async (world) => {
  const engine = await world.started({ definitions: [reports], limits: { outcomesKeptMax: 10_000 } });
  await engine.schedules.create({ ...basic, overlap: "allowAll" });
  const day = 86_400_000;
  const until = new Date(world.clock.now() - 1);
  await engine.schedules.backfill("s", { from: new Date(world.clock.now() - 700 * day), until });
  await world.advance(10);
  const end = await engine.schedules.describe("s");
  assert.deepEqual([end.counts.started, end.backfills.length], [700, 0]);
});

testOnStores("a deleted schedule starts nothing more, and its id is free", async (world) => {
  const engine = await world.started({ definitions: [reports], ...patient });
  const tens = every("10s");
  await world.during(engine.schedules.create({ ...basic, recurrence: tens }));
  await world.advance(15_000);
  await world.during(engine.schedules.delete("s"));
  await world.advance(60_000);
  assert.equal(await world.during(engine.schedules.get("s")), undefined);
  assert.equal((await world.during(engine.list())).items.length, 1);
  assert.equal(
    (await world.during(engine.schedules.create({ ...basic, recurrence: every("20s") }))).created,
    true,
  );
  await world.advance(20_000);
  assert.equal((await world.during(engine.list())).items.length, 2);
  await world.during(engine.schedules.delete("s"));
  await world.advance(86_400_000);
  assert.deepEqual((await world.during(engine.admin.verify())).findings, []);
  assert.deepEqual(await world.during(scheduleRows(world)), []);
});

/** What is left of schedules in a store. */
async function scheduleRows({ store }: World) {
  const keys: string[] = [];
  for (let shard = 0; shard < store.shards; shard++) {
    const [answer] = await store.read([{ shard, ops: [{ start: "", end: "\x7f", limit: 1_000 }] }]);
    keys.push(...(answer as readonly (readonly { readonly key: string }[])[])[0]!.map(({ key }) => key));
  }
  return keys.filter((each) => /^(sched|tick|occ|mark) /.test(each));
}

testOnStores("list gives schedules in pages, of one target or all", async (world) => {
  const other = machine<Report>("other").step("a", ["b"], () => "b").build();
  const engine: Engine = world.engine({ definitions: [reports, other] });
  for (let index = 0; index < 7; index++) {
    const target = index % 2 ? other : reports;
    await engine.schedules.create({ ...basic, id: `s${index}`, target: target as typeof reports });
  }
  const ids: string[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await engine.schedules.list({ limit: 3, ...(cursor && { cursor }) });
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.cursor;
    if (!cursor) break;
  }
  assert.deepEqual(ids.sort(), [0, 1, 2, 3, 4, 5, 6].map((each) => `s${each}`));
  const { items } = await engine.schedules.list({ definition: "other" });
  assert.deepEqual(items.map(({ id }) => id).sort(), ["s1", "s3", "s5"]);
});

testInMemory("only so many outcomes are kept, the oldest go first", async (world) => {
  const engine = await world.started({ definitions: [reports], limits: { outcomesKeptMax: 20 } });
  await engine.schedules.create({ ...basic, recurrence: every("1s") });
  await world.advance(300_500);
  const { items } = await engine.schedules.outcomes("s", { limit: 500 });
  assert.ok(items.length >= 20 && items.length <= 71, String(items.length));
  assert.equal(Number(items.at(-1)!.scheduledFor), world.clock.now() - 500);
  assert.equal((await engine.schedules.get("s"))!.counts.started, 300);
});

testInMemory("a rule that pins its own start is the same when a program starts again", async (world) => {
  const pinning = {
    type: "pinning",
    parse: (spec: unknown) => every("1d", { phase: Number(spec) }),
  };
  let starts = 0;
  const rule = () => recurrence(pinning, starts++, "each day from now on");
  const engine = world.engine({ definitions: [reports], recurrences: [pinning] });
  const first = await engine.schedules.create({ ...basic, recurrence: rule() });
  const again = await engine.schedules.create({ ...basic, recurrence: rule() });
  assert.deepEqual([again.created, again.schedule.recurrence], [false, first.schedule.recurrence]);
  const { next } = await engine.schedules.update("s", { recurrence: rule(), note: "the same" });
  assert.deepEqual(next, first.schedule.next);
  await assert.rejects(engine.schedules.create(basic), refusal("SCHEDULE_EXISTS", /differs in recurrence;/));
});

testInMemory(
  "a backfill knows what was started, whichever was before it (simulator seed 3404)",
  async (world) => {
    const door = machine("door").callback("open", ["shut"], () => "shut").build();
    const engine = await world.started({ definitions: [door], ...patient });
    const [now, day] = [world.clock.now(), 86_400_000];
    const backfill = async (from: number, until: number, overlap: Overlap) => {
      const range = { from: new Date(now + from * day), until: new Date(now + until * day) };
      await engine.schedules.backfill("s", { ...range, overlap });
    };
    await engine.schedules.create({ id: "s", recurrence: daily, target: door, key: "d" });
    await backfill(-6, -5, "bufferAll");
    await world.advance(1_000);
    await engine.callback(door, "d", "open");
    await world.advance(1_000);
    // All of both is passed over in one go, as a run is in the way and another occurrence waits.
    await Promise.all([backfill(-4, -2, "bufferOne"), backfill(-6, -2, "bufferOne")]);
    await world.advance(120_000);
    const { items } = await engine.schedules.outcomes("s");
    const outcomes = items.map(({ scheduledFor, outcome }) =>
      `${(Number(scheduledFor) - now) / day} ${outcome}`
    );
    assert.deepEqual(outcomes, ["-6 started", "-5 started", "-3 skipped", "-2 skipped"]);
  },
);
