/**
 * Promise 11: whoever receives hears of each transition at least once, in the order of its run, and of nothing else; and
 * promise 12, the same for events on their way to connectors.
 *
 * @module
 */
import { deleteTopic, type HistoryRow, runStateTopic, statusTopic } from "pawl";
import type { Report, Talk } from "./judge_case.ts";
import type { Life, Lives } from "./judge_lives.ts";
import type { Asked, Got, Line } from "./ledger.ts";
import { streamed, topics } from "./machines.ts";

const goesOn: ReadonlySet<string> = new Set(["initiated", "running"]);
const coarse = (state: string) => goesOn.has(state) ? "going on" : state;

/** Where each change of a run is told, and what of it; `undefined`: nowhere. */
function newsOf({ view, changes }: Life): readonly ({ topic: string; state: string } | undefined)[] {
  let status = "";
  return changes.map((row, index) => {
    const before: HistoryRow | undefined = changes[index - 1];
    if (row.kind === "trigger" || row.kind === "move") status = row.to!;
    const isVisit = row.kind === "trigger" || row.kind === "move" || row.kind === "repeat";
    if (!isVisit && before && coarse(before.runState) === coarse(row.runState)) return undefined;
    const { definition } = view;
    const topic = row.runState === "deletion-requested"
      ? deleteTopic(definition)
      : goesOn.has(row.runState)
      ? statusTopic(definition, status)
      : runStateTopic(definition);
    return { topic, state: `${row.runState} at ${status}` };
  });
}

/** Promise 11. */
export function checkStreams(lines: readonly Line[], lives: Lives, report: Report): void {
  const news = new Map<string, ReturnType<typeof newsOf>>();
  for (const life of lives.values()) {
    if (streamed[life.view.definition]) news.set(life.view.runId, newsOf(life));
  }
  const got = lines.filter((line) => line.what === "got");
  for (const line of got) {
    const { runId, version, topic, state, via } = line;
    const wanted = news.get(runId)?.[version - 1];
    if (wanted?.topic === topic && wanted.state === state) continue;
    const what = `version ${version} of run ${runId}`;
    const wish = wanted ? `want ${wanted.state} on "${wanted.topic}"` : "which nobody is to hear of";
    report(11, `${via}: got ${what} as ${state} on "${topic}", ${wish}`, runId);
  }
  for (const via of ["receiver", "relay"] as const) {
    const own = got.filter((line) => line.via === via);
    const seen = new Set(own.map(({ runId, version }) => `${runId} ${version}`));
    for (const [runId, changes] of news) {
      changes.forEach((change, index) => {
        if (!change || seen.has(`${runId} ${index + 1}`)) return;
        report(11, `${via}: never got version ${index + 1} of run ${runId}, ${change.state}`, runId);
      });
    }
    checkOrder(via, own, report);
  }
}

/**
 * A receiver has a topic in order for itself, and what it is given again are repeats. The relay sends all topics in one
 * order, and whoever takes it over begins at or before what was sent last.
 */
function checkOrder(via: Got["via"], lines: readonly Got[], report: Report): void {
  const firsts = new Set<string>();
  const reached = new Map<string, number>();
  const own = new Map<string, number>();
  for (const { runId, version, topic, by } of lines) {
    const place = via === "relay" ? runId : `${runId} ${topic}`;
    const isFirst = !firsts.has(`${place} ${version}`);
    firsts.add(`${place} ${version}`);
    const last = reached.get(place) ?? 0;
    if (isFirst && version < last) {
      report(11, `${via}: got version ${version} of run ${runId} after version ${last}`, runId);
    }
    reached.set(place, Math.max(last, version));
    if (via === "relay") continue;
    const before = own.get(`${by} ${place}`) ?? 0;
    if (version <= before) {
      report(11, `${via}: ${by} got version ${version} of run ${runId} after version ${before}`, runId);
    }
    own.set(`${by} ${place}`, version);
  }
}

/** An event on its way to a connector: where in the ledger it was asked, told and handled first. */
interface Sent {
  readonly key: string;
  asked: number;
  told: number;
  handled: number;
}

/** Promise 12. */
export function checkConnectors(talk: Talk, lines: readonly Line[], report: Report): void {
  const sent = new Map<string, Sent>();
  const nameOf = ({ definition, token }: Asked) => `${topics[definition as keyof typeof topics]} ${token}`;
  const events = new Map(
    talk.asked.filter(({ verb }) => verb === "send").map((each) => [each.id, nameOf(each)]),
  );
  lines.forEach((line, index) => {
    if (line.what === "asked" && line.verb === "send" && !sent.has(nameOf(line))) {
      const { key, definition } = line;
      const never = { told: Infinity, handled: Infinity };
      sent.set(nameOf(line), { key: `${definition} ${key}`, asked: index, ...never });
    }
    const event = line.what === "told" ? sent.get(events.get(line.id) ?? "") : undefined;
    if (event) event.told = Math.min(event.told, index);
    if (line.what !== "handled") return;
    const name = `${line.connector} ${line.eventId}`;
    const done = sent.get(name);
    if (done) done.handled = Math.min(done.handled, index);
    else report(12, `event ${name}: ${line.by} handled it, but nobody had sent it`);
  });
  for (const [name, { told, handled }] of sent) {
    if (told < Infinity && handled === Infinity) {
      report(12, `event ${name}: it was acknowledged, and nobody handled it`);
    }
  }
  checkKeyOrder(sent, report);
}

/** What was sent when another event of its key had been acknowledged is handled after that one. */
function checkKeyOrder(sent: ReadonlyMap<string, Sent>, report: Report): void {
  const byKey = Map.groupBy(sent.entries(), ([, { key }]) => key);
  for (const events of byKey.values()) {
    const byTold = [...events].filter(([, { told }]) => told < Infinity)
      .sort(([, a], [, b]) => a.told - b.told);
    let from = 0;
    let latest: readonly [string, Sent] | undefined;
    for (const [name, { asked, handled }] of [...events].sort(([, a], [, b]) => a.asked - b.asked)) {
      for (; from < byTold.length && byTold[from]![1].told < asked; from++) {
        if (!latest || byTold[from]![1].handled > latest[1].handled) latest = byTold[from];
      }
      if (latest && handled < latest[1].handled) {
        report(12, `event ${name}: it was handled before ${latest[0]}, which had been sent before`);
      }
    }
  }
}
