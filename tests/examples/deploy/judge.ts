/**
 * What was promised, against what is in the database and what the shop has seen.
 *
 * @module
 */
import { createEngine, type HistoryRow, type ListItem, silentLogger, type Store } from "pawl";
import { type Fate, orders, type Told } from "./customers.ts";
import type { Deed } from "./shop.ts";

/** What an order's moves are, by its end. */
const paths: Readonly<Record<Fate, string>> = {
  told: "placed>charged>shipped>told",
  declined: "placed>declined",
  refunded: "placed>charged>late>refunded",
};

/** What the shop does for an order, each under one id. */
const works: Readonly<Record<Fate, readonly Deed["what"][]>> = {
  told: ["charges", "mails"],
  declined: ["charges"],
  refunded: ["charges", "refunds"],
};

/**
 * Judges, once all is quiet.
 *
 * @param store The database, without any isolate in between.
 * @param told What customers were told.
 * @param deeds What the shop has seen.
 * @returns Each promise that was broken.
 */
export async function judge(
  store: Store,
  told: readonly Told[],
  deeds: readonly Deed[],
): Promise<readonly string[]> {
  const engine = createEngine({ store, definitions: [orders], work: false, logger: silentLogger });
  const broken: string[] = [];
  const runs = new Map<string, ListItem>();
  for (let cursor: string | undefined;;) {
    const page = await engine.list({
      definition: "orders",
      limit: 100,
      include: ["data"],
      ...(cursor && { cursor }),
    });
    for (const run of page.items) {
      if (runs.has(run.key)) broken.push(`${run.key} has two runs`);
      runs.set(run.key, run);
    }
    if (!(cursor = page.cursor)) break;
  }
  for (const about of told) {
    const run = runs.get(about.key);
    if (run) broken.push(...judgeRun(about, run, await engine.history({ runId: run.runId }), deeds));
    else if (about.runId !== undefined) broken.push(`${about.key} was acknowledged and is lost`);
  }
  for (const { key, id } of deeds) {
    if (!id.startsWith(`${runs.get(key)?.runId}:`)) {
      broken.push(`${id} was done for ${key}, which has no such run`);
    }
  }
  const { findings } = await engine.admin.verify();
  broken.push(...findings.map((each) => JSON.stringify(each)));
  await engine.stop();
  return broken;
}

function judgeRun(
  about: Told,
  run: ListItem,
  history: readonly HistoryRow[],
  deeds: readonly Deed[],
): readonly string[] {
  const { key, fate, runId, tracking, end } = about;
  const broken: string[] = [];
  const want = (is: boolean, message: string) => is || broken.push(`${key}: ${message}`);
  want(runId === undefined || runId === run.runId, `told run ${runId}, it is ${run.runId}`);
  const isRight = run.runState === "completed" && run.status === fate;
  want(isRight, `it is ${run.runState} at ${run.status}, want ${fate}`);
  want(end === undefined || end === run.status, `its end was told to be ${end}`);
  const kept = (run.data as { tracking?: string }).tracking;
  want(tracking === undefined || tracking === kept, `"${tracking}" was acknowledged, it has "${kept}"`);
  const moves = history.filter(({ kind }) => kind === "move");
  const path = ["placed", ...moves.map(({ to }) => to)].join(">");
  want(path === paths[fate], `it went ${path}`);
  const versions = new Set(history.filter(({ kind }) => kind !== "late").map(({ version }) => version));
  want(versions.size >= moves.length + 1, `its versions are ${[...versions]}`);
  for (const what of ["charges", "mails", "refunds"] as const) {
    const ids = new Set(deeds.filter((deed) => deed.what === what && deed.key === key).map(({ id }) => id));
    const wished = works[fate].includes(what) ? 1 : 0;
    want(ids.size === wished, `${what} under ${ids.size} ids, want ${wished}: ${[...ids]}`);
  }
  return broken;
}
