/**
 * All that helps to find out how a promise was broken: the run's record and history, what the ledger says of it, who owns
 * its shard, and what was done to whom around that time.
 *
 * @module
 */
import type { Store } from "pawl";
import { keyspace } from "../../core/store/keyspace.ts";
import type { Clients } from "./clients.ts";
import type { Violation } from "./judge_case.ts";
import type { Event, Line } from "./ledger.ts";

/** Violations that are told with evidence; the others are told without. */
const toldInFull = 12;
const linesMax = 80;
/** How long before and after what is known of a run harm is of interest. */
const aroundMs = 3_000;

/** What evidence is taken from. */
export interface Sources {
  readonly store: Store;
  readonly clients: Clients;
  readonly lines: readonly Line[];
}

/**
 * @param violations Broken promises.
 * @returns Each as text.
 */
export async function explain(violations: readonly Violation[], sources: Sources): Promise<string[]> {
  const owners = violations.length === 0 ? [] : await ownersOf(sources);
  return await Promise.all(violations.map(async (violation, index) => {
    const said = `promise ${violation.promise}: ${violation.problem}`;
    if (index >= toldInFull) return said;
    const { runId } = violation;
    const evidence = runId === undefined ? ["owners:", ...owners] : await evidenceOf(runId, owners, sources);
    return [said, ...evidence.map((line) => `  ${line}`)].join("\n");
  }));
}

async function evidenceOf(runId: string, owners: readonly string[], sources: Sources): Promise<string[]> {
  const { store, clients, lines } = sources;
  const shard = parseInt(runId.slice(-4), 16) % store.shards;
  const [found] = await store.read([{ shard, ops: [{ get: keyspace.run.key(runId) }] }]);
  const [record] = found![0]!;
  const rows = await clients.engine.history({ runId });
  const own = linesOf(runId, lines);
  const [first, last] = [own[0]?.at ?? 0, own.at(-1)?.at ?? 0];
  const involved = new Set(own.map(({ by }) => by));
  const harm = lines.filter((line): line is Event => {
    const isAround = line.at > first - aroundMs && line.at < last + aroundMs;
    return isAround && line.what === "event" && (line.name !== "log" || involved.has(line.to));
  }).filter((line, index, all) => {
    const before = all[index - 1];
    return line.name !== "log" || before?.to !== line.to || before.about !== line.about;
  });
  return [
    `record in shard ${shard}, version ${record?.version}: ${record?.value ?? "none"}`,
    `history of ${rows.length} rows:`,
    ...rows.slice(-linesMax).map((row) => `  ${row.at.toISOString()} ${JSON.stringify(row)}`),
    `ledger, ${own.length} lines:`,
    ...own.slice(-linesMax).map((line) => `  ${toldOf(line)}`),
    "what was done around that time:",
    ...harm.slice(-linesMax).map((line) => `  ${toldOf(line)}`),
    `owners of shard ${shard} now:`,
    ...owners.filter((line) => line.startsWith(`shard ${shard} `)).map((line) => `  ${line}`),
  ];
}

function toldOf({ at, by, n, ...line }: Line): string {
  return `${new Date(at).toISOString()} ${by}#${n} ${JSON.stringify(line)}`;
}

/** The lines that are about a run: by its id, by that of a question about it, or by the token that made it. */
function linesOf(runId: string, lines: readonly Line[]): Line[] {
  const asked = new Set<string>();
  for (const line of lines) {
    const isAbout = (line.what === "told" || line.what === "asked") && line.runId === runId;
    if (isAbout) asked.add(line.id);
  }
  const tokens = new Set<string>();
  for (const line of lines) {
    const names = line.what === "asked" && asked.has(line.id) && line.token !== undefined;
    if (names) tokens.add(line.token!);
  }
  for (const line of lines) {
    if (line.what === "asked" && line.token !== undefined && tokens.has(line.token)) asked.add(line.id);
  }
  return lines.filter((line) => {
    if ("stepId" in line) return line.stepId.startsWith(runId);
    if (line.what === "handled") return tokens.has(line.eventId);
    if ("id" in line) return asked.has(line.id);
    return line.what !== "event" && line.runId === runId;
  });
}

/** Who owns what, by the names that the ledger has for engines. */
async function ownersOf({ clients, lines }: Sources): Promise<string[]> {
  const names = new Map<string, string>();
  for (const line of lines) {
    if (line.what === "event" && line.engineId !== undefined) names.set(line.engineId, line.to);
  }
  const { admin } = clients.engine;
  const [shards, engines] = await Promise.all([admin.shards(), admin.engines()]);
  const nameOf = (engineId: string) => `${names.get(engineId)} (${engineId})`;
  return [
    ...shards.map(({ shard, definition, engineId, epoch, since }) => {
      const owner = engineId === undefined ? "nobody" : nameOf(engineId);
      return `shard ${shard} of ${definition}: ${owner}, epoch ${epoch}, since ${since.toISOString()}`;
    }),
    ...engines.map((each) => `${nameOf(each.engineId)} is alive until ${each.expiresAt.toISOString()}`),
  ];
}
