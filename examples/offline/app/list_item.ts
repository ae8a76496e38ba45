/**
 * A run as a person sees it: what it is about, how far it is, and what can be done.
 *
 * @module
 */
import type { ListItem } from "pawl";
import { make } from "./dom.ts";
import type { Inspection } from "./inspection.ts";

/** A run, with its data. */
export type Run = ListItem & { readonly data: Inspection };

/** Which list shows a run. */
export function listOf({ runState, status }: Run): "attention" | "pending" | "done" {
  if (runState === "completed") return "done";
  const isOnItsWay = runState === "initiated" || runState === "running";
  return isOnItsWay && status !== "refused" ? "pending" : "attention";
}

/** What a person may do with a run. */
export type Act = "hurry" | "retry" | "resume" | "correct" | "discard";

const actTexts: Readonly<Record<Act, string>> = {
  hurry: "Try now",
  retry: "Try again",
  resume: "Try again",
  correct: "Correct",
  discard: "Discard",
};

/** Makes its entry; `look` tells it from how the run looked before. */
export function itemOf(run: Run, look: string, act: (act: Act) => void): HTMLElement {
  const { runId, key, data } = run;
  const list = listOf(run);
  const item = make(
    "li",
    { class: "item", "data-look": look, "data-key": key, "aria-labelledby": `title-${runId}` },
    make("h3", { id: `title-${runId}` }, data.asset),
    make("p", { class: "quiet" }, summaryOf(data)),
  );
  if (list === "pending") item.append(stagesOf(run));
  item.append(make("p", { class: list === "done" ? "quiet" : "state" }, stateOf(run)));
  const buttons = actsOf(run).map((each) => {
    const button = make("button", { type: "button", "aria-describedby": `title-${runId}` }, actTexts[each]);
    button.addEventListener("click", () => act(each));
    return button;
  });
  if (buttons.length > 0) item.append(make("div", { class: "actions" }, ...buttons));
  return item;
}

function actsOf(run: Run): readonly Act[] {
  if (listOf(run) === "pending") return run.lastError && navigator.onLine ? ["hurry"] : [];
  if (run.runState === "paused") return ["resume"];
  return listOf(run) === "attention" && run.runState === "running" ? ["retry", "correct", "discard"] : [];
}

const time = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

function summaryOf({ inspector, inspectedAt, results, photo }: Inspection): string {
  const defects = Object.values(results).filter((result) => result === "defect").length;
  const finding = defects === 0 ? "no defects" : defects === 1 ? "1 defect" : `${defects} defects`;
  const photos = photo === undefined ? [] : ["photo"];
  return [finding, ...photos, inspector, time.format(new Date(inspectedAt))].join(" · ");
}

const order = ["filled", "checked", "packed", "ready", "sent"];

/** How far it is; each stage is a committed step. */
function stagesOf({ status, data }: Run): HTMLElement {
  const stages = data.photo === undefined
    ? { ready: "Checked", sent: "On the server" }
    : { checked: "Checked", packed: "Photo packed", ready: "Photo uploaded", sent: "On the server" };
  const items = Object.entries(stages).map(([stage, text]) => {
    const isReached = order.indexOf(status) >= order.indexOf(stage);
    const unseen = make("span", { class: "unseen" }, isReached ? "done: " : "to do: ");
    return make("li", { class: isReached ? "reached" : "" }, unseen, text);
  });
  return make("ol", { class: "stages" }, ...items);
}

/** What a person should know of it, in a sentence. */
function stateOf(run: Run): string {
  const { runState, status, reason, lastError, attempt, data } = run;
  if (runState === "completed") return `Received ${time.format(new Date(data.receivedAt ?? run.updatedAt))}`;
  if (runState === "stalled") return "Made by a newer version of this app: reload the page.";
  if (status === "refused") return `${data.refusal}.`;
  if (listOf(run) === "attention") return reason ?? lastError?.message ?? runState;
  if (!navigator.onLine) return "Saved on this device. It is sent when you are online.";
  if (lastError) return `${lastError.message}. Attempt ${attempt} failed; it is tried again by itself.`;
  return status === "packed" ? "Sending the photo …" : status === "ready" ? "Sending …" : "Preparing …";
}
