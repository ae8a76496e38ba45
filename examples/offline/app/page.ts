/**
 * The page: an engine, a form that triggers runs, and lists of them.
 *
 * @module
 */
import { askToTick, tickMessage } from "pawl/plugins/browser";
import { make } from "./dom.ts";
import { openApp } from "./engine.ts";
import { startForm } from "./form.ts";
import { startLists } from "./lists.ts";
import { showNetwork, showPlace, showStore, warn } from "./surroundings.ts";

const app = openApp();
showNetwork();
showStore(app.store);
void showPlace(app.store);

/** Absent: no service worker in this browser, or window; the app then needs the network to open, and is the same else. */
const worker = navigator.serviceWorker?.register("service_worker.js").then(
  () => navigator.serviceWorker.ready,
  () => undefined,
);

const form = startForm(app, async () => {
  const registration = await worker;
  if (registration) await askToTick(registration);
});
startLists(app, form.correct);

// A page that is left may have something to do: the worker does it, if the browser lets it live for long enough.
addEventListener("pagehide", () => navigator.serviceWorker?.controller?.postMessage(tickMessage()));

/** How long to wait before a store that did not open is tried again. */
const startAgainMs = 5_000;

async function start(): Promise<void> {
  try {
    await app.engine.start();
    warn("start");
  } catch (error) {
    const { message } = error as Error;
    warn("start", make("p", {}, "Nothing is sent at the moment; it is tried again."), make("p", {}, message));
    setTimeout(start, startAgainMs);
  }
}
void start();
