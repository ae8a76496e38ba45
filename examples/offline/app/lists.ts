/**
 * The lists: every inspection that this device knows, as its run stands.
 *
 * @module
 */
import type { ListItem, RunState } from "pawl";
import { button, find, make, say } from "./dom.ts";
import type { App } from "./engine.ts";
import type { Inspection } from "./inspection.ts";

/** A run, with its data. */
type Run = ListItem & { readonly data: Inspection };

/** Which list shows which runs. A cancelled one is in none. */
const listOf: Readonly<Partial<Record<RunState, "attention" | "pending" | "done">>> = {
  initiated: "pending",
  running: "pending",
  paused: "attention",
  stalled: "attention",
  failed: "attention",
  completed: "done",
};

/** Other tabs and the worker tell of their commits; this is for a message that was missed. */
const lookMs = 5_000;
const shownMax = 100;

/** Starts them; `edit` fills the form with an inspection that is to be corrected. */
export function startLists(app: App, edit: (inspection: Inspection) => void): void {
  const shown = new Map<string, Run>();
  let isLooking = false;
  let isStale = false;
  const show = async () => {
    isStale = true;
    if (isLooking) return;
    isLooking = true;
    while (isStale) {
      isStale = false;
      // A store that does not answer is told of by its health.
      await look().catch(() => {});
    }
    isLooking = false;
  };

  async function look(): Promise<void> {
    const { items } = await app.engine.list({
      definition: app.inspections.name,
      runState: Object.keys(listOf) as RunState[],
      include: ["data"],
      limit: shownMax,
    });
    const runs = items.filter((item): item is Run => item.data !== undefined);
    for (const name of ["attention", "pending", "done"]) {
      showList(name, runs.filter((run) => listOf[run.runState] === name));
    }
    find("attention").hidden = runs.every((run) => listOf[run.runState] !== "attention");
    for (const run of runs) {
      const before = shown.get(run.runId);
      if (before && before.runState !== run.runState) tell(run);
      shown.set(run.runId, run);
    }
  }

  function showList(name: string, runs: readonly Run[]): void {
    const section = find(name);
    section.querySelector(".count")!.textContent = runs.length === 0 ? "" : String(runs.length);
    section.querySelector<HTMLElement>(".empty")?.toggleAttribute("hidden", runs.length > 0);
    const list = section.querySelector("ul")!;
    const known = new Map([...list.children].map((child) => [(child as HTMLElement).dataset.look, child]));
    const items = runs.map((run) => {
      const look = `${run.runId} ${run.version} ${navigator.onLine}`;
      return known.get(look) ?? itemOf(run, look);
    });
    // What has not changed stays the same element, so that nobody loses the focus.
    const isSame = items.length === list.children.length &&
      items.every((item, n) => item === list.children[n]);
    if (!isSame) list.replaceChildren(...items);
  }

  function itemOf(run: Run, look: string): HTMLElement {
    const titleId = `title-${run.runId}`;
    const item = make(
      "li",
      { class: "item", "data-look": look, "data-key": run.key, "aria-labelledby": titleId },
      make("h3", { id: titleId }, run.data.asset),
      make("p", { class: "quiet" }, summaryOf(run.data)),
      stagesOf(run),
      make("p", { class: "state" }, stateOf(run)),
    );
    const actions = actionsOf(run);
    if (actions.length > 0) item.append(make("div", { class: "actions" }, ...actions));
    return item;
  }

  function actionsOf(run: Run): HTMLElement[] {
    const labelled = (text: string, act: () => Promise<unknown>) =>
      button(text, () => act().catch((error) => say(error.message)).finally(show), {
        "aria-label": `${text}: ${run.data.asset}`,
      });
    const id = { runId: run.runId };
    if (listOf[run.runState] === "attention") {
      return [
        labelled("Try again", () => app.engine.resume(app.inspections, run.key, id)),
        labelled("Edit", async () => {
          await app.engine.cancel(app.inspections, run.key, { ...id, reason: "to be corrected" });
          edit(run.data);
        }),
        labelled("Discard", async () => {
          if (!confirm(`Discard the inspection of ${run.data.asset}? It is not on the server.`)) return;
          await app.engine.cancel(app.inspections, run.key, { ...id, reason: "discarded" });
        }),
      ];
    }
    if (listOf[run.runState] !== "pending" || !run.lastError) return [];
    return [
      // A run that is resumed does not wait for its next attempt.
      labelled("Try now", async () => {
        await app.engine.pause(app.inspections, run.key, id);
        await app.engine.resume(app.inspections, run.key, id);
      }),
    ];
  }

  app.store.watch?.(show);
  for (const type of ["online", "offline", "pageshow", "focus"]) addEventListener(type, show);
  setInterval(show, lookMs);
  void show();
}

function tell({ data, runState, reason }: Run): void {
  if (runState === "completed") say(`The inspection of ${data.asset} is on the server.`);
  if (listOf[runState] === "attention") {
    say(`The inspection of ${data.asset} needs you: ${reason ?? runState}`);
  }
}

const time = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

function summaryOf({ inspector, inspectedAt, results, photo }: Inspection): string {
  const defects = Object.values(results).filter((result) => result === "defect").length;
  const finding = defects === 0 ? "no defects" : defects === 1 ? "1 defect" : `${defects} defects`;
  const photos = photo === undefined ? [] : ["photo"];
  return [finding, ...photos, inspector, time.format(new Date(inspectedAt))].join(" · ");
}

/** How far it is; each stage is a committed step. */
function stagesOf({ status, data }: Run): HTMLElement {
  const stages = data.photo === undefined
    ? { ready: "Checked", sent: "On the server" }
    : { checked: "Checked", packed: "Photo packed", ready: "Photo uploaded", sent: "On the server" };
  const order = ["filled", "checked", "packed", "ready", "sent"];
  const items = Object.entries(stages).map(([stage, text]) => {
    const isDone = order.indexOf(status) >= order.indexOf(stage);
    const unseen = make("span", { class: "unseen" }, isDone ? "done: " : "to do: ");
    return make("li", { class: isDone ? "reached" : "" }, unseen, text);
  });
  return make("ol", { class: "stages" }, ...items);
}

/** What a person should know of it, in a sentence. */
function stateOf(run: Run): string {
  const { runState, status, reason, lastError, attempt, data } = run;
  if (runState === "completed") return `Received ${time.format(new Date(data.receivedAt ?? run.updatedAt))}`;
  if (runState === "stalled") return "Made by a newer version of this app: reload the page";
  if (listOf[runState] === "attention") return reason ?? "It has failed";
  if (!navigator.onLine) return "Saved on this device. It is sent when you are online.";
  if (lastError) return `${lastError.message}. Attempt ${attempt} failed; it is tried again by itself.`;
  return status === "packed" ? "Sending the photo" : status === "ready" ? "Sending" : "Preparing";
}
