import assert from "node:assert/strict";
import type { HistoryRow } from "pawl";
import { judge, type StoredRun } from "./judge.ts";
import type { Line } from "./ledger.ts";

/** Something to spoil: a ledger and a store that agree. */
interface Scene {
  lines: Line[];
  runs: StoredRun[];
}

/** Two runs of one key, one after the other: the first is paused, resumed and ends well, the second is cancelled. */
function sound(): Scene {
  const lines: Line[] = [];
  const add = (by: string, line: object) => lines.push({ ...line, by, at: lines.length } as Line);
  const asks = (id: string, verb: string, answer: object, more: object = {}) => {
    add("c", { what: "asked", id, verb, definition: "parcel", key: "k", ...more });
    add("c", { what: "told", id, ...answer });
  };
  const runs = (by: string, stepId: string, status: string, attempt = 1) => {
    add(by, { what: "began", stepId, attempt });
    add(by, { what: "effect", stepId, key: "k", status, attempt });
  };
  asks("c1", "trigger", { runId: "r1", created: true }, { token: "c1" });
  asks("c2", "pause", { runId: "r1", version: 2 }, { runId: "r1" });
  asks("c3", "resume", { runId: "r1", version: 3 }, { runId: "r1" });
  runs("w1", "r1:1", "sent");
  runs("w1", "r1:2", "moving");
  asks("c4", "await", { runId: "r1", state: "completed" }, { runId: "r1" });
  asks("c5", "trigger", { runId: "r2", created: true }, { token: "c5" });
  runs("w2", "r2:1", "sent");
  asks("c6", "cancel", { runId: "r2", version: 3 }, { runId: "r2" });
  const now = lines.length;
  const first = storedRun("r1", "c1", 10, now, [
    { kind: "trigger", by: "client", to: "sent", runState: "initiated" },
    { kind: "pause", by: "operator", runState: "paused" },
    { kind: "resume", by: "operator", runState: "running" },
    { kind: "move", by: "step", from: "sent", to: "moving", runState: "running" },
    { kind: "move", by: "step", from: "moving", to: "arrived", runState: "completed" },
  ]);
  const second = storedRun("r2", "c5", 20, now, [
    { kind: "trigger", by: "client", to: "sent", runState: "initiated" },
    { kind: "move", by: "step", from: "sent", to: "moving", runState: "running" },
    { kind: "cancel", by: "operator", runState: "cancelled" },
  ]);
  return { lines, runs: [first, second] };
}

type Told = Pick<HistoryRow, "kind" | "by" | "runState"> & Partial<HistoryRow>;

function storedRun(runId: string, token: string, from: number, at: number, told: readonly Told[]): StoredRun {
  const rows = told.map((row, index): HistoryRow => ({
    attempt: 0,
    at: new Date(at),
    version: index + 1,
    position: from + index,
    ...row,
  }));
  const moves = rows.filter((row) => row.kind === "move");
  const view = {
    runId,
    key: "k",
    definition: "parcel",
    status: moves.at(-1)!.to!,
    runState: rows.at(-1)!.runState,
    data: { token, wish: "good" as const, landed: moves.map((_, index) => `${runId}:${index + 1}`) },
    version: rows.length,
    attempt: 0,
    createdAt: new Date(0),
    updatedAt: new Date(at),
  };
  return { view, rows };
}

const withoutLine = (scene: Scene, isIt: (line: Line) => boolean) => {
  scene.lines = scene.lines.filter((line) => !isIt(line));
};
const changeLine = (scene: Scene, isIt: (line: Line) => boolean, change: object) => {
  scene.lines = scene.lines.map((line) => isIt(line) ? { ...line, ...change } as Line : line);
};
const changeView = (scene: Scene, index: number, change: object) => {
  const { view, rows } = scene.runs[index]!;
  scene.runs[index] = { view: { ...view, ...change }, rows };
};
const changeRow = (scene: Scene, index: number, version: number, change: object) => {
  const { view, rows } = scene.runs[index]!;
  scene.runs[index] = {
    view,
    rows: rows.map((row) => row.version === version ? { ...row, ...change } : row),
  };
};
const isTold = (id: string) => (line: Line) => line.what === "told" && line.id === id;

/** Each way to break a promise, and what the judge says of it. */
const broken: Readonly<Record<string, readonly [spoil: (scene: Scene) => void, said: RegExp]>> = {
  "an acknowledged run that is not there": [(scene) => scene.runs.splice(0, 1), /c1: run r1 .* is not there/],
  "a run that nobody asked for": [
    (scene) => withoutLine(scene, (line) => line.what === "asked" && line.id === "c5"),
    /r2: nobody asked for its token c5/,
  ],
  "two runs for one question": [
    (scene) => changeView(scene, 1, { data: { ...scene.runs[1]!.view.data, token: "c1" } }),
    /c1: made runs r1,r2/,
  ],
  "a run in spite of a refusal": [
    (scene) => changeLine(scene, isTold("c5"), { what: "refused", code: "STORE_BUSY" }),
    /c5: refused with STORE_BUSY, but run r2 is there/,
  ],
  "a run that is stuck": [
    (scene) => changeView(scene, 0, { runState: "running" }),
    /r1: it is running at "arrived" for ever/,
  ],
  "a run that ended elsewhere than its machine leads": [
    (scene) => changeView(scene, 0, { runState: "failed" }),
    /r1: "parcel" ended failed at "arrived", want completed/,
  ],
  "a cancel that nobody asked for": [
    (scene) => withoutLine(scene, (line) => line.what === "asked" && line.id === "c6"),
    /r2: nobody cancelled it/,
  ],
  "a gap in history": [(scene) => changeRow(scene, 0, 4, { version: 5 }), /r1: change 4 has version 5/],
  "a transition that was committed twice": [
    (scene) => changeRow(scene, 0, 5, { from: "sent" }),
    /r1: move leaves "sent", but the run was at "moving"/,
  ],
  "a change after the end": [
    (scene) => changeRow(scene, 0, 4, { runState: "completed" }),
    /r1: move after it was completed/,
  ],
  "work that is in the data twice": [
    (scene) =>
      changeView(scene, 0, { data: { ...scene.runs[0]!.view.data, landed: ["r1:1", "r1:1", "r1:2"] } }),
    /r1: its data holds the work of r1:1,r1:1,r1:2/,
  ],
  "two steps that land while the run is paused": [
    (scene) => [3, 4].forEach((version) => changeRow(scene, 0, version, { runState: "paused" })),
    /r1: two steps landed while it was paused/,
  ],
  "a committed step without its effect": [
    (scene) => withoutLine(scene, (line) => line.what === "effect" && line.stepId === "r1:2"),
    /r1:2: landed 1 times with 0 effects/,
  ],
  "an effect of a visit that never was": [
    (scene) =>
      changeLine(scene, (line) => line.what === "effect" && line.stepId === "r1:2", { stepId: "r1:9" }),
    /r1:9: w1 ran it, but there is no such visit/,
  ],
  "an effect of no attempt": [
    (scene) => changeLine(scene, (line) => line.what === "effect" && line.stepId === "r1:2", { by: "w2" }),
    /r1:2: w2 made an effect of no attempt/,
  ],
  "a step that ran at another status": [
    (scene) =>
      changeLine(scene, (line) => line.what === "effect" && line.stepId === "r1:2", { status: "sent" }),
    /r1:2: ran as "sent"/,
  ],
  "attempts that go on after the end": [
    (scene) => {
      const began = scene.lines.find((line) => line.what === "began" && line.stepId === "r1:2")!;
      scene.lines.push({ ...began, at: 1_000 }, { ...began, at: 2_000 });
    },
    /r1:2: w1 began again after the run had ended/,
  ],
  "an acknowledged pause that was overwritten": [
    (scene) => changeLine(scene, isTold("c2"), { version: 4 }),
    /pause c2: version 4 of run r1 is a move/,
  ],
  "an await that was told a lie": [
    (scene) => changeLine(scene, isTold("c4"), { state: "cancelled" }),
    /await c4: run r1 ended cancelled, and is completed/,
  ],
  "two unfinished runs of one key": [
    (scene) => changeRow(scene, 1, 1, { position: 13 }),
    /key parcel k: runs r1 and r2 were both unfinished/,
  ],
};

Deno.test("judge() finds nothing wrong with a ledger and a store that agree", () => {
  const { violations, counts } = judge(sound().lines, sound().runs);
  assert.deepEqual(violations, []);
  assert.equal(counts["steps landed"], 3);
  assert.equal(counts["effects done again"], 0);
});

Deno.test("judge() lets an effect be made again, and counts it", () => {
  const { lines, runs } = sound();
  const again = lines.filter((line) => "stepId" in line && line.stepId === "r1:1").map((line) => ({
    ...line,
    by: "w2",
  }));
  const { violations, counts } = judge([...lines, ...again], runs);
  assert.deepEqual(violations, []);
  assert.equal(counts["effects done again"], 1);
});

Deno.test("judge() takes a trigger without an answer for one that may have landed or not", () => {
  const { lines, runs } = sound();
  const unanswered = lines.filter((line) => !isTold("c5")(line));
  assert.deepEqual(judge(unanswered, runs).violations, []);
  const never = unanswered.filter((line) =>
    !("stepId" in line && line.stepId === "r2:1") && !isTold("c6")(line)
  );
  assert.deepEqual(judge(never, runs.slice(0, 1)).violations, []);
});

for (const [what, [spoil, said]] of Object.entries(broken)) {
  Deno.test(`judge() sees ${what}`, () => {
    const scene = sound();
    spoil(scene);
    const { violations } = judge(scene.lines, scene.runs);
    assert.ok(violations.some((each) => said.test(each)), violations.join("\n") || "it saw nothing");
  });
}
