/**
 * Schedules under `kill -9`: processes that work on one file and die, one after another, and a ledger beside it that tells
 * which run was begun for which occurrence.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fileStore } from "../file_store.ts";
import {
  createEngine,
  type Engine,
  every,
  machine,
  type Overlap,
  silentLogger,
  type Store,
} from "../../mod.ts";
import { auditSchedule } from "../engine/schedule_audit.ts";
import { sleep } from "./trail.ts";

/** Where a process kills itself: before or after the nth commit of a kind; nowhere: it is killed from outside, or lives. */
export type Fate =
  | readonly [when: "before" | "after", what: "claim" | "start" | "landing", count: number]
  | undefined;

/** What is done. */
export interface SceneOptions {
  /** For how long the schedules have occurrences, once the first process works. */
  readonly ms: number;
  /** Processes at a time; when one dies, the next comes, with the next fate. */
  readonly workers: number;
  /** What becomes of them, one after another; those after the last live until the end. */
  readonly fates: readonly Fate[];
  /** Kills one of them so often meanwhile, in ms; absent: never. */
  readonly killEveryMs?: number;
  readonly random?: () => number;
  readonly say?: (line: string) => void;
}

/** What came of it. */
export interface SceneCounts {
  readonly occurrences: number;
  readonly started: number;
  readonly kills: number;
  /** Runs whose step began more than once: their process was killed under it. */
  readonly again: number;
}

/** Generous: the machine may be busy. */
const patienceMs = 90_000;

/** The runs of the processes, as this one names them. */
const work = machine("work").step("new", ["done"], () => "done").build();

const schedules: readonly (readonly [id: string, overlap: Overlap, everyMs: number])[] = [
  ["beside", "allowAll", 200],
  ["also-beside", "allowAll", 250],
  ["queued", "bufferAll", 400],
  ["also-queued", "bufferAll", 500],
  ["passing", "skip", 200],
  ["also-passing", "skip", 250],
  ["making-room", "terminateOther", 300],
];

/** Lives through it, and fails unless each occurrence has exactly one outcome, and at most one run. */
export async function liveThrough(options: SceneOptions): Promise<SceneCounts> {
  const folder = await Deno.makeTempDir({ prefix: "pawl-schedules-" });
  const store: Store = fileStore({ url: `file:${folder}/schedules.db`, shards: 4 });
  const engine = createEngine({
    store,
    definitions: [work],
    work: false,
    poll: "50ms",
    logger: silentLogger,
  });
  const crew = new Crew(folder, options);
  try {
    crew.start();
    await until(
      "somebody works",
      async () => (await engine.admin.engines()).length > 0,
    );
    const since = await create(engine, options.ms);
    await crew.killUntil(performance.now() + options.ms);
    await until("all occurrences are decided", () => areDecided(engine));
    await until("all runs have ended", () => areEnded(engine));
    crew.check();
    const counts = await audit(engine, since, crew);
    await until("all is well", async () => (await engine.admin.verify()).ok);
    return counts;
  } finally {
    await crew.end();
    await engine.stop({ grace: 0 });
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!await isSo()) {
    if (performance.now() > end) throw new Error(`it has not come to this: ${what}`);
    await sleep(50);
  }
}

async function create(engine: Engine, ms: number): Promise<ReadonlyMap<string, number>> {
  const since = new Map<string, number>();
  for (const [id, overlap, everyMs] of schedules) {
    const { schedule } = await engine.schedules.create({
      id,
      recurrence: every(everyMs),
      target: work,
      key: `${id} {scheduledFor}`,
      overlap,
      until: new Date(Date.now() + ms),
    });
    since.set(id, Number(schedule.createdAt));
  }
  return since;
}

async function areDecided(engine: Engine): Promise<boolean> {
  const all = await Promise.all(schedules.map(([id]) => engine.schedules.describe(id)));
  return all.every(({ next, waiting, running }) => !next && waiting.length === 0 && running.length === 0);
}

async function areEnded(engine: Engine): Promise<boolean> {
  const { items } = await engine.list({ definition: "work", runState: "running", limit: 1 });
  const { items: begun } = await engine.list({ definition: "work", runState: "initiated", limit: 1 });
  return items.length + begun.length === 0;
}

async function audit(engine: Engine, since: ReadonlyMap<string, number>, crew: Crew): Promise<SceneCounts> {
  const lines = crew.lines();
  const runs = new Map<string, string[]>();
  for (const [id, at, runId] of lines) {
    runs.set(`${id} ${at}`, [...runs.get(`${id} ${at}`) ?? [], runId!]);
  }
  for (const [occurrence, ids] of runs) {
    assert.equal(new Set(ids).size, 1, `${occurrence} was begun by runs ${ids}`);
  }
  let [occurrences, started] = [0, 0];
  for (const [id, overlap, everyMs] of schedules) {
    const mine = lines.filter(([name]) => name === id);
    const began = new Map(mine.map(([, at, runId]) => [Date.parse(at!), new Set([runId!])]));
    await auditSchedule(engine, { id, recurrence: every(everyMs), since: since.get(id)!, began });
    const { counts } = await engine.schedules.describe(id);
    const { started: runsOf, skipped, missed, failed } = counts;
    // What is terminated need not have begun.
    if (overlap !== "terminateOther") assert.equal(began.size, runsOf, `${id} has runs that never began`);
    const passes = overlap === "skip" ? skipped : 0;
    assert.equal(
      missed + failed + skipped - passes,
      overlap === "terminateOther" ? skipped : 0,
      `${id} lost some`,
    );
    occurrences += runsOf + skipped;
    started += runsOf;
  }
  const again = [...runs.values()].filter((ids) => ids.length > 1).length;
  return { occurrences, started, kills: crew.kills, again };
}

/** Processes that come and go. */
class Crew {
  kills = 0;
  readonly #folder: string;
  readonly #options: SceneOptions;
  readonly #alive = new Set<Deno.ChildProcess>();
  #fate = 0;
  #isOver = false;
  #unplanned: string | undefined;

  constructor(folder: string, options: SceneOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** What the ledger tells: schedule, time, run. A process that dies in the middle of a line leaves half of one. */
  lines(): string[][] {
    try {
      return Deno.readTextFileSync(`${this.#folder}/ledger`).split("\n").map((line) => line.split(" "))
        .filter(({ length }) => length === 4);
    } catch {
      return [];
    }
  }

  start(): void {
    for (let index = 0; index < this.#options.workers; index++) this.#begin();
  }

  #begin(): void {
    const fate = this.#options.fates[this.#fate++];
    const script = new URL("schedule_process.ts", import.meta.url).pathname;
    // Their clocks differ, as those of machines do.
    const skewMs = [0, 300, -200][this.#fate % 3]!;
    const given = [`${this.#folder}/schedules.db`, `${this.#folder}/ledger`, String(skewMs)];
    const args = ["run", "-A", "--frozen", script, ...given, ...(fate ?? []).map(String)];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "inherit" }).spawn();
    this.#alive.add(child);
    child.status.then(({ signal, code }) => {
      this.#alive.delete(child);
      if (this.#isOver) return;
      if (signal !== "SIGKILL") this.#unplanned = `a process has ended with ${signal ?? code}`;
      this.kills++;
      this.#options.say?.(`killed ${fate?.join(" ") ?? "from outside"}`);
      this.#begin();
    });
  }

  /** Kills them at random for a while. */
  async killUntil(end: number): Promise<void> {
    const { killEveryMs, random = Math.random } = this.#options;
    while (killEveryMs !== undefined && performance.now() < end) {
      await sleep(killEveryMs * 2 * random());
      const all = [...this.#alive];
      all[Math.floor(random() * all.length)]?.kill("SIGKILL");
    }
    await sleep(Math.max(0, end - performance.now()));
  }

  check(): void {
    assert.equal(this.#unplanned, undefined);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#alive].map((child) => {
      child.kill("SIGKILL");
      return child.status;
    }));
  }
}
