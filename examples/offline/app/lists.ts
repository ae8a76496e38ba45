/**
 * The lists: every inspection that this device knows, as its run stands.
 *
 * @module
 */
import type { RunState } from "pawl";
import { find, say } from "./dom.ts";
import type { App } from "./engine.ts";
import type { Refused } from "./form.ts";
import { type Act, itemOf, listOf, type Run } from "./list_item.ts";

/** Every run but those that are on the server, or were discarded. */
const openStates: readonly RunState[] = ["initiated", "running", "paused", "stalled", "failed"];
const listNames = ["attention", "pending", "done"] as const;

/** Other tabs and the worker tell of their commits; this is for a message that was missed. */
const lookMs = 5_000;

/** All that is open is shown, and the latest of what is done. */
const openMax = 500;
const doneMax = 20;

/** Starts them; `correct` opens a refused run in the form. */
export function startLists(app: App, correct: (run: Refused) => void): void {
  const known = new Map<string, string>();
  let isLooking = false;
  let isStale = false;

  async function show(): Promise<void> {
    isStale = true;
    if (isLooking) return;
    isLooking = true;
    while (isStale) {
      isStale = false;
      // A store that does not answer is told of by its health.
      await look().catch(() => {});
    }
    isLooking = false;
  }

  async function runsAt(runState: readonly RunState[], limit: number): Promise<readonly Run[]> {
    const definition = app.inspections.name;
    const { items } = await app.engine.list({ definition, runState, limit, include: ["data"] });
    return items.filter((item): item is Run => item.data !== undefined);
  }

  async function look(): Promise<void> {
    const found = await Promise.all([runsAt(openStates, openMax), runsAt(["completed"], doneMax)]);
    const runs = found.flat();
    for (const name of listNames) showList(name, runs.filter((run) => listOf(run) === name), act);
    for (const run of runs) {
      const before = known.get(run.runId);
      if (before !== undefined && before !== listOf(run)) tell(run);
      known.set(run.runId, listOf(run));
    }
  }

  async function act(act: Act, { key, runId, data }: Run): Promise<void> {
    const { engine, inspections } = app;
    if (act === "correct") return correct({ key, runId, data });
    try {
      if (act === "retry") await engine.callback(inspections, key, "refused", {}, { runId });
      // A run that is resumed does not wait for its next attempt.
      if (act === "hurry") await engine.pause(inspections, key, { runId });
      if (act === "hurry" || act === "resume") await engine.resume(inspections, key, { runId });
      if (
        act === "discard" && confirm(`Discard the inspection of ${data.asset}? The server does not have it.`)
      ) {
        await engine.cancel(inspections, key, { runId, reason: "discarded" });
      }
    } catch (error) {
      say((error as Error).message);
    }
    await show();
  }

  app.store.watch?.(show);
  for (const type of ["online", "offline", "pageshow", "focus"]) addEventListener(type, show);
  setInterval(show, lookMs);
  void show();
}

function showList(name: string, runs: readonly Run[], act: (act: Act, run: Run) => void): void {
  const section = find(name);
  const link = document.querySelector<HTMLElement>(`nav a[href="#${name}"]`)!;
  for (const place of [section, link]) {
    const count = name === "done" && runs.length === doneMax ? `latest ${doneMax}` : runs.length || "";
    place.querySelector(".count")!.textContent = String(count);
    if (name === "attention") place.hidden = runs.length === 0;
  }
  section.querySelector(".empty")?.toggleAttribute("hidden", runs.length > 0);
  const list = section.querySelector("ul")!;
  const before = new Map([...list.children].map((item) => [(item as HTMLElement).dataset.look, item]));
  const items = runs.map((run) => {
    const look = `${run.runId} ${run.version} ${run.attempt} ${navigator.onLine}`;
    return before.get(look) ?? itemOf(run, look, (each) => act(each, run));
  });
  // What has not changed stays the same element, so that nobody loses the focus.
  const isSame = items.length === before.size && items.every((item, n) => item === list.children[n]);
  if (!isSame) list.replaceChildren(...items);
}

function tell(run: Run): void {
  const what = `The inspection of ${run.data.asset}`;
  if (listOf(run) === "done") say(`${what} is on the server.`);
  if (listOf(run) === "attention") {
    say(`${what} needs you: ${run.data.refusal ?? run.reason ?? run.runState}`);
  }
}
