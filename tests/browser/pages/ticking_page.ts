/**
 * The page of `worker_test.ts`: what it calls lies on `globalThis.suite`.
 *
 * @module
 */
import { askToTick, tickMessage, type TickReply } from "../../../plugins/browser/mod.ts";
import { openVisits } from "./visits.ts";

const { engine, visits } = openVisits("page", new URLSearchParams(location.search).has("works"));

/** Registers the worker, and waits until it runs. */
async function register(): Promise<void> {
  await navigator.serviceWorker.register("ticking_worker.js");
  await navigator.serviceWorker.ready;
}

/** What a test may call. */
const suite = {
  register,
  start: () => engine.start(),
  trigger: (key: string) => engine.trigger(visits, key, { data: { seen: [] } }),
  get: async (key: string) => {
    const run = await engine.get(visits, key);
    return run && { status: run.status, seen: run.data.seen };
  },
  ask: async () => await askToTick(await navigator.serviceWorker.ready),
  /** Posts a message with a port, and gives the answer. */
  tick: async () => {
    const { active } = await navigator.serviceWorker.ready;
    const { port1, port2 } = new MessageChannel();
    const answer = new Promise<TickReply>((resolve) => port1.onmessage = ({ data }) => resolve(data));
    active!.postMessage(tickMessage(), [port2]);
    return await answer;
  },
};

/** The type of what a test may call. */
export type TickingSuite = typeof suite;

Object.assign(globalThis, { suite });
