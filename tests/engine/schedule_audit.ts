/**
 * What must hold of a schedule whatever has happened: each occurrence has exactly one outcome, or is yet to get it.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Engine, OccurrenceView, Recurrence, ScheduleView } from "../../mod.ts";

/** What an audit goes by. */
export interface Audited {
  readonly id: string;
  readonly recurrence: Recurrence;
  /** When it was created. */
  readonly since: number;
  /** Runs are removed some time after their end, so not all of them are there. */
  readonly areRemoved?: boolean;
  /** How often the code of each occurrence's runs ran, by time; absent: nobody counted. */
  readonly began?: ReadonlyMap<number, ReadonlySet<string>>;
}

/** Fails unless every occurrence up to the next one has exactly one answer (I12). */
export async function auditSchedule(engine: Engine, audited: Audited): Promise<void> {
  const { id, recurrence, since, areRemoved = false, began } = audited;
  const described = await engine.schedules.describe(id);
  const outcomes = await allOutcomes(engine, id);
  const waiting = new Map(described.waiting.map((each) => [Number(each.scheduledFor), each.by]));
  const single = new Map(
    outcomes.filter((each) => !each.several).map((each) => [Number(each.scheduledFor), each]),
  );
  const gaps = outcomes.filter((each) => each.several);
  const end = endOf(described, outcomes);
  for (let at = recurrence.next(since); at !== undefined && at < end; at = recurrence.next(at)) {
    const answers = [
      ...single.has(at) ? [single.get(at)!.outcome] : [],
      ...waiting.get(at) === "slot" ? ["waiting"] : [],
      ...gaps.filter((gap) => Number(gap.scheduledFor) <= at! && at! <= Number(gap.several!.until)).map(() =>
        "gap"
      ),
    ];
    assert.equal(answers.length, 1, `${new Date(at).toISOString()} has answers [${answers}]`);
  }
  const runs = new Map<number, string[]>();
  for (const { runId, origin } of await allRuns(engine)) {
    if (origin?.schedule !== id) continue;
    const at = Number(origin.scheduledFor);
    runs.set(at, [...runs.get(at) ?? [], runId]);
  }
  for (const [at, ids] of runs) {
    assert.equal(ids.length, 1, `${new Date(at).toISOString()} has runs ${ids}`);
    const outcome = single.get(at);
    if (outcome) assert.deepEqual([outcome.outcome, outcome.runId], ["started", ids[0]]);
    else assert.ok(waiting.has(at), `run of ${new Date(at).toISOString()} has no outcome`);
  }
  for (const [at, { outcome, runId }] of single) {
    if (outcome !== "started") assert.equal(runs.get(at), undefined, `${at} was ${outcome}, and has a run`);
    else if (!areRemoved) assert.deepEqual(runs.get(at), [runId]);
  }
  for (const [at, ids] of began ?? []) {
    assert.equal(ids.size, 1, `${new Date(at).toISOString()} began ${ids.size} runs`);
  }
  const count = (kind: string) => outcomes.filter((each) => each.outcome === kind).length;
  assert.equal(described.counts.started, count("started"));
}

/** Before which time each occurrence must have an answer: of one that has come to its end, up to that. */
function endOf({ next, until, startsLeft }: ScheduleView, outcomes: readonly OccurrenceView[]): number {
  if (next) return Number(next);
  const last = outcomes.filter(({ by }) => by === "slot").map(({ scheduledFor }) => Number(scheduledFor));
  return startsLeft === 0 || !until ? Math.max(0, ...last) : Number(until) + 1;
}

function allOutcomes(engine: Engine, id: string) {
  return pages((cursor) => engine.schedules.outcomes(id, { limit: 1_000, ...cursor }));
}

function allRuns(engine: Engine) {
  return pages((cursor) => engine.list({ limit: 1_000, ...cursor }));
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly cursor?: string;
}

async function pages<Item>(
  read: (from: { readonly cursor?: string }) => Promise<Page<Item>>,
): Promise<Item[]> {
  const items: Item[] = [];
  let page = await read({});
  for (items.push(...page.items); page.cursor !== undefined; items.push(...page.items)) {
    page = await read({ cursor: page.cursor });
  }
  return items;
}
