/**
 * Which topic a change of a run belongs to, and how topics are named after definitions, as luno/workflow does:
 * `orders-paid`, `orders-run-state-change`, `orders-delete`.
 *
 * No two definitions or statuses share a topic. A `-` in a definition's name is written `%2D`, and `%` is written `%25`
 * everywhere; so the first `-` of a topic ends the definition. The statuses `delete` and `run-state-change` are written
 * with their first letter as `%64` and `%72`.
 *
 * @module
 */
import { bucketOf, type RunRecord, type RunState } from "./run_record.ts";

const deleteWord = "delete";
const runStateWord = "run-state-change";

/**
 * The topic of runs that enter a status and go on from there.
 *
 * @param definition A definition's name.
 * @param status One of its statuses. At a terminal one a run is complete, which is news for {@linkcode runStateTopic}.
 * @returns The topic.
 *
 * @example
 * ```ts
 * import { statusTopic } from "pawl";
 * console.assert(statusTopic("orders", "paid") === "orders-paid");
 * console.assert(statusTopic("web-orders", "paid") === "web%2Dorders-paid");
 * ```
 */
export function statusTopic(definition: string, status: string): string {
  const isReserved = status === deleteWord || status === runStateWord;
  const word = isReserved ? `%${status.charCodeAt(0).toString(16)}${status.slice(1)}` : escapePercent(status);
  return topicFront(definition) + word;
}

/**
 * The topic of runs that are paused, stalled, or have ended.
 *
 * @param definition A definition's name.
 * @returns The topic.
 */
export function runStateTopic(definition: string): string {
  return topicFront(definition) + runStateWord;
}

/**
 * The topic of runs whose data is to be deleted.
 *
 * @param definition A definition's name.
 * @returns The topic.
 */
export function deleteTopic(definition: string): string {
  return topicFront(definition) + deleteWord;
}

function topicFront(definition: string): string {
  return `${escapePercent(definition).replaceAll("-", "%2D")}-`;
}

function escapePercent(text: string): string {
  return text.replaceAll("%", "%25");
}

/**
 * @param topic Any topic.
 * @returns The definition whose runs it may tell of; `undefined`: of none.
 */
export function definitionOfTopic(topic: string): string | undefined {
  const end = topic.indexOf("-");
  return end < 1 ? undefined : topic.slice(0, end).replaceAll("%2D", "-").replaceAll("%25", "%");
}

const plainStates: ReadonlySet<RunState> = new Set<RunState>(["initiated", "running"]);

/**
 * The one topic that hears of a change: of what asks for deletion the delete topic, of what goes on its status's, of all
 * else the run state's. A change is news when a run begins, enters a status (again), or changes its coarse state; failed
 * attempts and other book-keeping are not.
 *
 * @param before The record before it; absent: the run begins.
 * @param after The record after it.
 * @returns The topic, or `undefined`: nobody hears of it.
 */
export function topicOfChange(before: RunRecord | undefined, after: RunRecord): string | undefined {
  const isNews = !before || before.visit !== after.visit || bucketOf(before.state) !== bucketOf(after.state);
  if (!isNews) return undefined;
  if (after.state === "deletion-requested") return deleteTopic(after.definition);
  return plainStates.has(after.state)
    ? statusTopic(after.definition, after.status)
    : runStateTopic(after.definition);
}
