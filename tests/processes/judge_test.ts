import assert from "node:assert/strict";
import type { HistoryRow } from "pawl";
import { judge } from "./judge.ts";
import { type Scene, sound } from "./judge_scene.ts";
import type { Draft, Line } from "./ledger.ts";

const without = (scene: Scene, isIt: (line: Line) => boolean) => {
  scene.lines = scene.lines.filter((line) => !isIt(line));
};
const change = (scene: Scene, isIt: (line: Line) => boolean, more: object) => {
  scene.lines = scene.lines.map((line) => isIt(line) ? { ...line, ...more } as Line : line);
};
/** A line more, somewhere: before the first one that is meant, or before all come to rest. */
const add = (
  scene: Scene,
  by: string,
  line: Draft,
  at = scene.lines.at(-1)!.at - 1,
  before = isEvent("rest"),
) => {
  const more = { ...line, by, n: 0, at } as Line;
  scene.lines.splice(scene.lines.findIndex(before), 0, more);
};
/** The same lines again, by somebody else, last of all. */
const repeat = (scene: Scene, lines: readonly Line[], by: (line: Line) => string) => {
  const { at } = scene.lines.at(-1)!;
  scene.lines.splice(-1, 0, ...lines.map((line) => ({ ...line, by: by(line), at })));
};
const indexOf = (scene: Scene, runId: string) => scene.runs.findIndex(({ view }) => view.runId === runId);
const changeView = (scene: Scene, runId: string, more: object) => {
  const { view, rows } = scene.runs[indexOf(scene, runId)]!;
  scene.runs[indexOf(scene, runId)] = { view: { ...view, ...more }, rows };
};
const changeData = (scene: Scene, runId: string, more: object) =>
  changeView(scene, runId, { data: { ...scene.runs[indexOf(scene, runId)]!.view.data, ...more } });
const changeRow = (scene: Scene, runId: string, version: number, more: object) => {
  const { view, rows } = scene.runs[indexOf(scene, runId)]!;
  const changed = rows.map((row) => row.version === version ? { ...row, ...more } as HistoryRow : row);
  scene.runs[indexOf(scene, runId)] = { view, rows: changed };
};
const isEvent = (name: string) => (line: Line) => line.what === "event" && line.name === name;
const isTold = (id: string) => (line: Line) => line.what === "told" && line.id === id;
const isAsked = (verb: string, token: string) => (line: Line) =>
  line.what === "asked" && line.verb === verb && line.token === token;
const isEffect = (stepId: string) => (line: Line) => line.what === "effect" && line.stepId === stepId;
const isBegan = (stepId: string) => (line: Line) => line.what === "began" && line.stepId === stepId;
const isHook = (runId: string, name: string) => (line: Line) =>
  line.what === "hook" && line.runId === runId && line.name === name;
const isGot = (via: string, runId: string, version: number) => (line: Line) =>
  line.what === "got" && line.via === via && line.runId === runId && line.version === version;
const isHandled = (eventId: string) => (line: Line) => line.what === "handled" && line.eventId === eventId;
/** The answer to the first question of a token. */
const answer = (scene: Scene, verb: string, token: string) => {
  const asked = scene.lines.find(isAsked(verb, token));
  return isTold(asked?.what === "asked" ? asked.id : "");
};

/** A way to break a promise, and what the judge says of it. */
type Broken = Readonly<Record<string, readonly [spoil: (scene: Scene) => unknown, said: RegExp]>>;

const runsAndQuestions: Broken = {
  "an acknowledged run that is not there": [
    (scene) => scene.runs.splice(0, 1),
    /^1: trigger c1: run r1 .* is not there/,
  ],
  "a run that nobody asked for": [
    (scene) => without(scene, isAsked("trigger", "c5")),
    /^2: run r2: nobody asked for its token c5/,
  ],
  "two runs for one question": [
    (scene) => changeData(scene, "r2", { token: "c1" }),
    /^1: trigger c1: made runs r1,r2/,
  ],
  "a run in spite of a refusal": [
    (scene) => change(scene, isTold("c5"), { what: "refused", code: "STORE_BUSY" }),
    /^1: trigger c5: refused with STORE_BUSY, but run r2 is there/,
  ],
  "a run that is stuck": [
    (scene) => {
      changeView(scene, "r1", { runState: "running" });
      changeRow(scene, "r1", 5, { runState: "running" });
    },
    /^1: run r1: it is running at "arrived" for ever/,
  ],
  "a run that ended elsewhere than its machine leads": [
    (scene) => changeRow(scene, "r1", 5, { runState: "failed" }),
    /^1: run r1: "parcel" ended failed at "arrived", want completed/,
  ],
  "a cancel that nobody asked for": [
    (scene) => without(scene, (line) => line.what === "asked" && line.verb === "cancel"),
    /^1: run r2: nobody cancelled it/,
  ],
  "an acknowledged pause that was overwritten": [
    (scene) => change(scene, isTold("c2"), { version: 4 }),
    /^5: pause c2: version 4 of run r1 is a move/,
  ],
  "an await that was told a lie": [
    (scene) => change(scene, isTold("c4"), { state: "cancelled" }),
    /^5: await c4: run r1 ended cancelled, and is completed/,
  ],
  "an await that was told of a deletion that never was": [
    (scene) => change(scene, isTold("c4"), { state: "deleted" }),
    /^5: await c4: run r1 ended deleted, and is completed/,
  ],
  "two unfinished runs of one key": [
    (scene) => changeRow(scene, "r2", 1, { position: 13 }),
    /^6: key parcel k: runs r1 and r2 were both unfinished/,
  ],
};

const histories: Broken = {
  "a gap in history": [
    (scene) => changeRow(scene, "r1", 4, { version: 5 }),
    /^3: run r1: change 4 has version 5/,
  ],
  "a transition that was committed twice": [
    (scene) => changeRow(scene, "r1", 5, { from: "sent" }),
    /^3: run r1: move leaves "sent", but the run was at "moving"/,
  ],
  "a change after the end": [
    (scene) => changeRow(scene, "r1", 4, { runState: "completed" }),
    /^3: run r1: move after it was completed/,
  ],
  "a change after the deletion": [
    (scene) => changeRow(scene, "o1", 5, { runState: "deleted" }),
    /^3: run o1: delete after it was deleted/,
  ],
  "work that is in the data twice": [
    (scene) => changeData(scene, "r1", { landed: ["r1:1", "r1:1", "r1:2"] }),
    /^3: run r1: its data holds the work of r1:1,r1:1,r1:2/,
  ],
  "two steps that land while the run is paused": [
    (scene) => [3, 4].forEach((version) => changeRow(scene, "r1", version, { runState: "paused" })),
    /^3: run r1: two steps landed while it was paused/,
  ],
  "a callback that is applied to a paused run": [
    (scene) => changeRow(scene, "b1", 3, { runState: "paused" }),
    /^3: run b1: a callback was applied while it was paused/,
  ],
};

const effects: Broken = {
  "a committed step without its effect": [
    (scene) => without(scene, isEffect("r1:2")),
    /^4: step r1:2: landed 1 times with 0 effects/,
  ],
  "a committed timer without its effect": [
    (scene) => without(scene, isEffect("x1:2:audit:0")),
    /^4: step x1:2:audit:0: landed 1 times with 0 effects/,
  ],
  "a committed callback without its effect": [
    (scene) => without(scene, isEffect("b1:2:callback:p1")),
    /^4: step b1 p1: landed 1 times with 0 effects/,
  ],
  "an effect of a visit that never was": [
    (scene) => change(scene, isEffect("r1:2"), { stepId: "r1:9" }),
    /^4: step r1:9: w1 ran it, but there is no such visit/,
  ],
  "an effect of no attempt": [
    (scene) => change(scene, isEffect("r1:2"), { by: "w2" }),
    /^4: step r1:2: w2 made an effect of no attempt/,
  ],
  "a step that ran at another status": [
    (scene) => change(scene, isEffect("r1:2"), { status: "sent" }),
    /^4: step r1:2: ran as "sent"/,
  ],
  "a step that is done again without a cause": [
    (scene) => {
      const again = scene.lines.filter((line) => "stepId" in line && line.stepId === "r1:1");
      repeat(scene, again, () => "w9");
    },
    /^4: step r1:1: w9 began it, which had had its effect/,
  ],
  "attempts that go on after the end": [
    (scene) => {
      const began = scene.lines.find(isBegan("r1:2"))!;
      scene.lines.unshift({ ...began, at: 2_000_000 }, { ...began, at: 3_000_000 });
    },
    /^4: step r1:2: w1 began again after the run had ended/,
  ],
  "a step that begins when all has come to rest": [
    (scene) => scene.lines.push(scene.lines.find(isBegan("r1:2"))!),
    /^14: step r1:2: w1 began it after all had come to rest/,
  ],
  "a hook that is told when all has come to rest": [
    (scene) => scene.lines.push(scene.lines.find(isHook("o1", "receipt"))!),
    /^14: hook receipt of run o1: it began after all had come to rest/,
  ],
};

const callbacksAndTimers: Broken = {
  "an acknowledged callback that was lost": [
    (scene) => changeData(scene, "b1", { called: ["p1", "p3", "p3"] }),
    /^7: callback p2: acknowledged, but run b1 has not taken it/,
  ],
  "a callback that was applied twice": [
    (scene) => changeData(scene, "b1", { called: ["p1", "p2", "p2"] }),
    /^7: callback p2: applied 2 times, to b1/,
  ],
  "a refused callback that was applied": [
    (scene) => changeData(scene, "b1", { called: ["p1", "p2", "p4"] }),
    /^7: callback p4: refused, but run b1 has taken it/,
  ],
  "a callback that nobody asked for": [
    (scene) => without(scene, isAsked("callback", "p1")),
    /^7: run b1: nobody asked for callback p1/,
  ],
  "a callback that is in the history and not in the data": [
    (scene) => changeData(scene, "b1", { called: ["p1", "p2"] }),
    /^7: run b1: its data holds 2 callbacks, its history 3/,
  ],
  "a timer that fired twice": [
    (scene) => changeData(scene, "b1", { fired: ["b1:2:audit:0", "b1:2:audit:0"] }),
    /^8: run b1: its data holds the firing of b1:2:audit:0,b1:2:audit:0; its history that of b1:2:audit:0/,
  ],
  "a timer that was lost": [
    (scene) => {
      changeRow(scene, "x1", 3, { name: "remind" });
      changeData(scene, "x1", { fired: [0, 1, 2, 3].map((round) => `x1:2:remind:${round}`) });
    },
    /^8: run x1: timer audit:0 never fired/,
  ],
  "a timer that fired early": [
    (scene) => change(scene, isBegan("b1:2:audit:0"), { at: scene.lines.find(isEffect("b1:1"))!.at + 199 }),
    /^8: timer b1:2:audit:0: it fired after 199 ms, want 200/,
  ],
  "a timer that fired early when it had been set again": [
    (scene) =>
      change(scene, isBegan("x1:2:remind:2"), { at: scene.lines.find(isEffect("x1:2:remind:1"))!.at + 399 }),
    /^8: timer x1:2:remind:2: it fired after 399 ms, want 400/,
  ],
  "a timer that nothing had set": [
    (scene) => without(scene, isEffect("b1:1")),
    /^8: timer b1:2:audit:0: it fired, but nothing had set it/,
  ],
};

const hooksAndDeletions: Broken = {
  "a hook that was never told": [
    (scene) => without(scene, isHook("o1", "audit")),
    /^9: hook audit \(complete\) of version 4 of run o1: it was never told/,
  ],
  "a hook that began and never ended": [
    (scene) =>
      without(scene, (line) => isHook("o1", "audit")(line) && line.what === "hook" && line.phase === "ended"),
    /^9: hook audit \(complete\) of version 4 of run o1: it was never told/,
  ],
  "a hook that was told of a change that never was": [
    (scene) => change(scene, isHook("o1", "audit"), { version: 3 }),
    /^9: hook audit \(complete\) of version 3 of run o1: w1 told it of a change that never was/,
  ],
  "a hook that was told of another state": [
    (scene) => change(scene, isHook("o1", "audit"), { state: "failed" }),
    /^9: hook audit .* it was told of failed, but the run was completed/,
  ],
  "a hook that was told again without a cause": [
    (scene) => {
      const told = scene.lines.filter(isHook("o1", "audit"));
      repeat(scene, told, () => "w2");
    },
    /^9: hook audit .* of run o1: w2 began it, which w1 had ended/,
  ],
  "a secret that was left behind": [
    (scene) => scene.scan.secrets.set("c7", "hist|o1|4"),
    /^10: run o1: its data was deleted, and its secret is in row hist\|o1\|4/,
  ],
  "a secret of a run that is gone": [
    (scene) => scene.scan.secrets.set("g", "chore|g1"),
    /^10: row chore\|g1 holds the secret of g, whose run is gone/,
  ],
  "data that was lost without a deletion": [
    (scene) => scene.scan.secrets.delete("c1"),
    /^10: run r1: its secret is gone, and nobody has deleted it/,
  ],
  "a deletion that was acknowledged and undone": [
    (scene) => {
      changeView(scene, "o1", { runState: "completed" });
      scene.scan.secrets.set("c7", "run|o1");
    },
    /^10: run o1: its deletion was acknowledged, and it is completed/,
  ],
  "a deletion that never comes to its end": [
    (scene) => changeView(scene, "o1", { runState: "deletion-requested" }),
    /^10: run o1: its data was never erased/,
  ],
  "a deletion that nobody asked for": [
    (scene) => without(scene, (line) => line.what === "asked" && line.verb === "delete"),
    /^10: run o1: nobody asked for its deletion/,
  ],
  "a run that was removed before anybody was told of its end": [
    (scene) => without(scene, isHook("g1", "farewell")),
    /^13: run g1: it was acknowledged, and is gone, and nobody was told of its end/,
  ],
  "a removed run that had done its work twice": [
    (scene) => change(scene, isHook("g1", "farewell"), { landed: ["g1:1", "g1:1"] }),
    /^13: run g1: it ended with the work of g1:1,g1:1/,
  ],
  "a removed run of which a row is left": [
    (scene) => scene.scan.runIds.set("g1", "work|brief|1|g1"),
    /^13: run g1: it is gone, but row work\|brief\|1\|g1 speaks of it/,
  ],
};

const streamsAndConnectors: Broken = {
  "a transition that a receiver never heard of": [
    (scene) => without(scene, isGot("receiver", "o1", 3)),
    /^11: receiver: never got version 3 of run o1, running at placed/,
  ],
  "a transition that was never relayed": [
    (scene) => without(scene, isGot("relay", "b1", 6)),
    /^11: relay: never got version 6 of run b1, running at paid/,
  ],
  "news of what never was": [
    (scene) => change(scene, isGot("receiver", "o1", 3), { version: 7 }),
    /^11: receiver: got version 7 of run o1 as running at placed on "order-placed", which nobody/,
  ],
  "news on the wrong topic": [
    (scene) => change(scene, isGot("receiver", "o1", 3), { topic: "order-paid" }),
    /^11: receiver: got version 3 of run o1 as running at placed on "order-paid", want running at placed on "order-placed"/,
  ],
  "transitions that are relayed out of order": [
    (scene) => swap(scene, isGot("relay", "o1", 2), isGot("relay", "o1", 3)),
    /^11: relay: got version 2 of run o1 after version 3/,
  ],
  "transitions that come out of order to receivers of one name": [
    (scene) => {
      swap(scene, isGot("receiver", "o1", 1), isGot("receiver", "o1", 3));
      change(scene, isGot("receiver", "o1", 1), { by: "r2" });
    },
    /^11: receiver: got version 1 of run o1 after version 3/,
  ],
  "a receiver that is given again what it had": [
    (scene) => scene.lines.splice(-1, 0, scene.lines.find(isGot("receiver", "o1", 3))!),
    /^11: receiver: r1 got version 3 of run o1 after version 3/,
  ],
  "an acknowledged event that was never handled": [
    (scene) => without(scene, isHandled("e2")),
    /^12: event inbox e2: it was acknowledged, and nobody handled it/,
  ],
  "an event that was handled and never sent": [
    (scene) => without(scene, isAsked("send", "e2")),
    /^12: event inbox e2: w1 handled it, but nobody had sent it/,
  ],
  "events of a key that are handled out of order": [
    (scene) => swap(scene, isHandled("e1"), isHandled("e2")),
    /^12: event inbox e2: it was handled before inbox e1/,
  ],
};

const ledgers: Broken = {
  "a ledger that lacks a line": [
    (scene) => scene.lines.splice(scene.lines.findIndex(isEffect("r1:1")), 1),
    /^0: line 3 of w1 stands where its line 2 should be/,
  ],
  "a line that is torn in the midst of a life": [
    (scene) => scene.torn.push({ text: '{"by":"w1","n":3,"at":', after: 9 }),
    /^0: line 3 of w1 is torn, but not at the end of a killed writer's life/,
  ],
  "a line that is torn by nobody who was killed": [
    (scene) => scene.torn.push({ text: '{"by"', after: 9 }),
    /^0: 1 torn lines without a name, but only 0 writers were killed/,
  ],
};

/** Two lines change their places. */
function swap(scene: Scene, one: (line: Line) => boolean, other: (line: Line) => boolean): void {
  const [a, b] = [scene.lines.findIndex(one), scene.lines.findIndex(other)];
  [scene.lines[a], scene.lines[b]] = [scene.lines[b]!, scene.lines[a]!];
}

const textsOf = (scene: Scene) =>
  judge(scene).violations.map(({ promise, problem }) => `${promise}: ${problem}`);

/** What is changed by hand has numbers that are wrong; that is another matter. */
const otherThanNumbers = (texts: readonly string[]) => texts.filter((text) => !/^0: line/.test(text));

const all = {
  ...runsAndQuestions,
  ...histories,
  ...effects,
  ...callbacksAndTimers,
  ...hooksAndDeletions,
  ...streamsAndConnectors,
  ...ledgers,
};
for (const [what, [spoil, said]] of Object.entries(all)) {
  Deno.test(`judge() sees ${what}`, () => {
    const scene = sound();
    spoil(scene);
    const texts = textsOf(scene);
    assert.ok(texts.some((each) => said.test(each)), texts.join("\n") || "it saw nothing");
  });
}

Deno.test("judge() finds nothing wrong with a ledger and a store that agree", () => {
  assert.deepEqual(textsOf(sound()), []);
  const { counts } = judge(sound());
  assert.equal(counts["steps landed"], 9);
  assert.equal(counts["effects of steps done again or dropped"], 1); // The removed run's step has no run any more.
  assert.equal(counts["callbacks applied"], 3);
  assert.equal(counts["hooks done again"], 0);
});

Deno.test("judge() lets an effect be made again when its process was frozen, and counts it", () => {
  const scene = sound();
  const again = scene.lines.filter((line) => "stepId" in line && line.stepId === "r1:1");
  add(scene, "a", { what: "event", name: "freeze", to: "w1" });
  repeat(scene, again, () => "w9");
  assert.deepEqual(otherThanNumbers(textsOf(scene)), []);
  assert.equal(judge(scene).counts["effects of steps done again or dropped"], 2);
});

Deno.test("judge() takes a trigger without an answer for one that may have landed or not", () => {
  const scene = sound();
  without(scene, isTold("c5"));
  assert.deepEqual(otherThanNumbers(textsOf(scene)), []);
  without(scene, (line) => "stepId" in line && line.stepId === "r2:1");
  without(scene, isTold("c6"));
  scene.runs.splice(indexOf(scene, "r2"), 1);
  scene.scan.secrets.delete("c5");
  assert.deepEqual(otherThanNumbers(textsOf(scene)), []);
});

Deno.test("judge() takes a callback without an answer for one that may have been applied or not", () => {
  const scene = sound();
  without(scene, answer(scene, "callback", "p1"));
  assert.deepEqual(otherThanNumbers(textsOf(scene)), []);
  const other = sound();
  without(other, answer(other, "callback", "p4"));
  assert.deepEqual(otherThanNumbers(textsOf(other)), []);
});

const causes = {
  "was killed": ["kill", 0],
  "had just been thawed": ["thaw", -2_900],
  "had been told to leave long ago": ["leave", -50_000],
  "had lost its shard, as it says later": ["log", 2_900],
} as const;
for (const [what, [name, ms]] of Object.entries(causes)) {
  Deno.test(`judge() lets a hook be told again when its process ${what}`, () => {
    const scene = sound();
    const told = scene.lines.filter(isHook("o1", "audit"));
    const { at } = told.at(-1)!;
    const again = scene.lines.at(-1)!.at;
    add(scene, "a", { what: "event", name, to: "w1" }, ms > 0 ? again + ms : at + ms);
    repeat(scene, told, () => "w9");
    assert.deepEqual(otherThanNumbers(textsOf(scene)), []);
    assert.equal(judge(scene).counts["hooks done again"], 1);
  });
}

const noCauses = {
  "was killed only later": ["kill", 10],
  "had been thawed long ago": ["thaw", -3_200],
  "lost its shard long after": ["log", 3_200],
} as const;
for (const [what, [name, ms]] of Object.entries(noCauses)) {
  Deno.test(`judge() sees a hook that is told again although its process ${what}`, () => {
    const scene = sound();
    const told = scene.lines.filter(isHook("o1", "audit"));
    const from = ms > 0 ? scene.lines.at(-1)!.at : told[0]!.at;
    add(scene, "a", { what: "event", name, to: "w1" }, from + ms);
    repeat(scene, told, () => "w9");
    assert.match(
      otherThanNumbers(textsOf(scene)).join(),
      /^9: hook audit .* w9 began it, which w1 had ended/,
    );
  });
}

Deno.test("judge() lets what was not acked, or not noted, come again from where it was", () => {
  const scene = sound();
  const again = scene.lines.filter((line) => line.what === "got" && line.runId === "o1" && line.version > 1);
  repeat(scene, again, ({ by }) => by === "r1" ? "r9" : "w9");
  assert.deepEqual(otherThanNumbers(textsOf(scene)), []);
});

Deno.test("judge() lets the last line of a killed writer be torn", () => {
  const scene = sound();
  const last = scene.lines.findLast(({ by }) => by === "w2")!.n;
  add(scene, "z", { what: "event", name: "kill", to: "w2" });
  scene.torn.push({ text: `{"by":"w2","n":${last + 1},"at":5,"wh`, after: 9 });
  assert.deepEqual(textsOf(scene).filter((text) => /torn/.test(text)), []);
});
