/**
 * Something to spoil: a small ledger and a store that agree, with a run for each promise of the judge.
 *
 * @module
 */
import type { HistoryRow } from "pawl";
import type { StoredRun } from "./judge_case.ts";
import type { Draft, Line } from "./ledger.ts";
import type { Torn } from "./ledger_reader.ts";
import { trailOf } from "./trail.ts";

/** A case, to be changed. */
export interface Scene {
  lines: Line[];
  torn: Torn[];
  runs: StoredRun[];
  scan: { secrets: Map<string, string>; runIds: Map<string, string> };
}

/** What a row of history tells. */
type Told = Pick<HistoryRow, "kind" | "by" | "runState"> & Partial<HistoryRow>;

/** Writes a scene down as it happens. */
class Scribe {
  readonly scene: Scene = {
    lines: [],
    torn: [],
    runs: [],
    scan: { secrets: new Map(), runIds: new Map() },
  };
  readonly #written = new Map<string, number>();
  #asked = 0;
  #position = 0;
  now = 100_000;

  add(by: string, line: Draft): void {
    const n = (this.#written.get(by) ?? 0) + 1;
    this.#written.set(by, n);
    this.scene.lines.push({ ...line, by, n, at: ++this.now } as Line);
  }

  /** A question and its answer. */
  ask(verb: string, about: object, answer: object): string {
    const id = `c${++this.#asked}`;
    this.add("c", { what: "asked", id, verb, definition: "parcel", key: "k", ...about } as Draft);
    this.add("c", { what: "told", id, ...answer });
    return id;
  }

  /** User code begins and has its effect. */
  code(by: string, stepId: string, status: string, more: object = {}): void {
    const lane = /:callback:/.test(stepId) ? "callback" : stepId.split(":").length > 2 ? "timer" : "step";
    this.add(by, { what: "began", lane, stepId, attempt: 1 });
    this.add(by, { what: "effect", lane, stepId, key: "k", status, attempt: 1, ...more });
  }

  hook(
    by: string,
    runId: string,
    definition: string,
    version: number,
    kind: string,
    name: string,
    state: string,
  ) {
    for (const phase of ["began", "ended"] as const) {
      const about = { definition, runId, version, kind, name, state, landed: [`${runId}:1`] };
      this.add(by, { what: "hook", phase, ...about });
    }
  }

  got(runId: string, version: number, topic: string, state: string): void {
    this.add("r1", { what: "got", via: "receiver", topic, runId, version, state });
    this.add("w1", { what: "got", via: "relay", topic, runId, version, state });
  }

  /** Files a run as the store has it in the end. */
  store(
    runId: string,
    definition: string,
    token: string,
    told: readonly Told[],
    { key = "k", ...data }: {
      readonly key?: string;
      readonly landed?: string[];
      readonly fired?: string[];
      readonly called?: string[];
    } = {},
  ): void {
    const rows = told.map((row, index): HistoryRow => ({
      attempt: 0,
      at: new Date(1_000_000),
      version: index + 1,
      position: this.#position += 10,
      ...row,
    }));
    const end = rows.at(-1)!;
    const steps = rows.filter((row) => row.kind === "move" && row.by === "step");
    const isDeleted = end.runState === "deleted";
    const view = {
      ...{ runId, definition, key, attempt: 0, version: rows.length, runState: end.runState },
      status: rows.findLast((row) => row.to !== undefined)!.to!,
      data: {
        ...trailOf(token, "good"),
        landed: steps.map((_, index) => `${runId}:${index + 1}`),
        ...data,
        ...(isDeleted && { secret: "" }),
      },
      createdAt: new Date(0),
      updatedAt: end.at,
    };
    this.scene.runs.push({ view, rows });
    this.scene.scan.runIds.set(runId, `run|${runId}`);
    if (!isDeleted) this.scene.scan.secrets.set(token, `run|${runId}`);
  }
}

const trigger = (to: string): Told => ({ kind: "trigger", by: "client", to, runState: "initiated" });
const move = (from: string, to: string, runState: HistoryRow["runState"] = "running"): Told => ({
  kind: "move",
  by: "step",
  from,
  to,
  runState,
});
const by = (
  who: "callback" | "timer",
  kind: "skip" | "rearm" | "move",
  more: Partial<HistoryRow> = {},
): Told => ({
  kind,
  by: who,
  from: "pending",
  runState: "running",
  ...more,
});

/** A scene in which every promise is kept. */
export function sound(): Scene {
  const scribe = new Scribe();
  parcels(scribe);
  order(scribe);
  bill(scribe);
  expired(scribe);
  intake(scribe);
  brief(scribe);
  scribe.add("a", { what: "event", name: "rest", to: "all" });
  return scribe.scene;
}

/** Two runs of one key, one after the other: the first is paused, resumed and ends well, the second is cancelled. */
function parcels(scribe: Scribe): void {
  const c1 = scribe.ask("trigger", { token: "c1" }, { runId: "r1", created: true });
  scribe.ask("pause", { runId: "r1" }, { runId: "r1", version: 2 });
  scribe.ask("resume", { runId: "r1" }, { runId: "r1", version: 3 });
  scribe.code("w1", "r1:1", "sent");
  scribe.code("w1", "r1:2", "moving");
  scribe.ask("await", { runId: "r1" }, { runId: "r1", state: "completed" });
  const c5 = scribe.ask("trigger", { token: "c5" }, { runId: "r2", created: true });
  scribe.code("w2", "r2:1", "sent");
  scribe.ask("cancel", { runId: "r2" }, { runId: "r2", version: 3 });
  scribe.store("r1", "parcel", c1, [
    trigger("sent"),
    { kind: "pause", by: "operator", runState: "paused" },
    { kind: "resume", by: "operator", runState: "running" },
    move("sent", "moving"),
    move("moving", "arrived", "completed"),
  ]);
  scribe.store("r2", "parcel", c5, [
    trigger("sent"),
    move("sent", "moving"),
    { kind: "cancel", by: "operator", runState: "cancelled" },
  ]);
}

/** It is paused and resumed, has hooks, is told to streams, and deleted in the end. */
function order(scribe: Scribe): void {
  const about = { definition: "order", runId: "o1" };
  const token = "c7";
  scribe.ask("trigger", { definition: "order", token }, { runId: "o1", created: true });
  scribe.got("o1", 1, "order-placed", "initiated at placed");
  scribe.ask("pause", about, { runId: "o1", version: 2 });
  scribe.hook("w1", "o1", "order", 2, "pause", "pager", "paused");
  scribe.ask("resume", about, { runId: "o1", version: 3 });
  scribe.hook("w1", "o1", "order", 3, "resume", "pager", "running");
  scribe.got("o1", 2, "order-run-state-change", "paused at placed");
  scribe.got("o1", 3, "order-placed", "running at placed");
  scribe.code("w1", "o1:1", "placed");
  scribe.got("o1", 4, "order-run-state-change", "completed at shipped");
  scribe.hook("w1", "o1", "order", 4, "complete", "receipt", "completed");
  scribe.hook("w1", "o1", "order", 4, "complete", "audit", "completed");
  scribe.ask("delete", about, { runId: "o1", version: 5 });
  scribe.got("o1", 5, "order-delete", "deletion-requested at shipped");
  scribe.got("o1", 6, "order-run-state-change", "deleted at shipped");
  scribe.hook("w1", "o1", "order", 6, "delete", "registry", "deleted");
  scribe.store("o1", "order", token, [
    trigger("placed"),
    { kind: "pause", by: "operator", runState: "paused" },
    { kind: "resume", by: "operator", runState: "running" },
    move("placed", "shipped", "completed"),
    { kind: "delete-request", by: "operator", runState: "deletion-requested" },
    { kind: "delete", by: "engine", runState: "deleted" },
  ]);
}

/** A bill that is paid in three instalments: by a callback, another one that is asked twice, and a connector. */
function bill(scribe: Scribe): void {
  const token = "c11";
  const about = { definition: "bill", runId: "b1" };
  scribe.ask("trigger", { definition: "bill", token }, { runId: "b1", created: true });
  scribe.code("w1", "b1:1", "sent");
  scribe.now += 300;
  scribe.code("w1", "b1:2:audit:0", "pending");
  for (const paid of ["p1", "p2"]) {
    scribe.code("c", `b1:2:callback:${paid}`, "pending", { token: paid });
    scribe.ask("callback", { ...about, token: paid }, { runId: "b1", applied: true });
  }
  scribe.ask("callback", { ...about, token: "p2" }, { runId: "b1", applied: true });
  scribe.ask("send", { ...about, token: "p3" }, {});
  scribe.code("w1", "b1:2:callback:p3", "pending", { token: "p3" });
  scribe.ask("callback", { ...about, token: "p3" }, { runId: "b1", applied: true });
  scribe.add("w1", { what: "handled", connector: "payments", eventId: "p3", key: "k" });
  scribe.ask("callback", { ...about, token: "p4" }, { runId: "b1", applied: false });
  scribe.code("w1", "b1:3", "paid");
  scribe.got("b1", 1, "bill-sent", "initiated at sent");
  scribe.got("b1", 2, "bill-pending", "running at pending");
  scribe.got("b1", 6, "bill-paid", "running at paid");
  scribe.got("b1", 7, "bill-run-state-change", "completed at booked");
  scribe.hook("w1", "b1", "bill", 7, "complete", "books", "completed");
  scribe.store("b1", "bill", token, [
    trigger("sent"),
    move("sent", "pending"),
    by("timer", "skip", { name: "audit" }),
    by("callback", "skip"),
    by("callback", "skip"),
    by("callback", "move", { to: "paid" }),
    move("paid", "booked", "completed"),
  ], { landed: ["b1:1", "b1:3"], fired: ["b1:2:audit:0"], called: ["p1", "p2", "p3"] });
}

/** A bill that nobody pays. */
function expired(scribe: Scribe): void {
  const token = "c17";
  scribe.ask("trigger", { definition: "bill", key: "k2", token }, { runId: "x1", created: true });
  const code = (stepId: string, status: string) => scribe.code("w1", stepId, status, { key: "k2" });
  code("x1:1", "sent");
  const fired = ["audit:0", "remind:0", "remind:1", "remind:2"].map((each) => `x1:2:${each}`);
  for (const timer of fired) {
    scribe.now += 600;
    code(timer, "pending");
  }
  scribe.got("x1", 1, "bill-sent", "initiated at sent");
  scribe.got("x1", 2, "bill-pending", "running at pending");
  scribe.got("x1", 6, "bill-run-state-change", "completed at expired");
  scribe.hook("w1", "x1", "bill", 6, "complete", "books", "completed");
  scribe.store("x1", "bill", token, [
    trigger("sent"),
    move("sent", "pending"),
    by("timer", "skip", { name: "audit" }),
    by("timer", "rearm", { name: "remind" }),
    by("timer", "rearm", { name: "remind" }),
    by("timer", "move", { name: "remind", to: "expired", runState: "completed" }),
  ], { key: "k2", landed: ["x1:1"], fired });
}

/** Two events of one key. */
function intake(scribe: Scribe): void {
  const tokens = ["e1", "e2"];
  for (const token of tokens) scribe.ask("send", { definition: "intake", token }, {});
  for (const [index, token] of tokens.entries()) {
    const [runId, key] = [`i${index + 1}`, `for ${token}`];
    scribe.ask("trigger", { definition: "intake", token, key }, { runId, created: true });
    scribe.add("w1", { what: "handled", connector: "inbox", eventId: token, key: "k" });
    scribe.code("w1", `${runId}:1`, "received", { key });
    scribe.store(runId, "intake", token, [trigger("received"), move("received", "stored", "completed")], {
      key,
    });
  }
}

/** A run that has ended and was removed. */
function brief(scribe: Scribe): void {
  scribe.ask("trigger", { definition: "brief", token: "g" }, { runId: "g1", created: true });
  scribe.code("w1", "g1:1", "new");
  scribe.hook("w1", "g1", "brief", 2, "complete", "farewell", "completed");
}
