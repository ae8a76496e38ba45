/**
 * What is around the app, as a person should know it: the network, the store, and how safe it is there.
 *
 * @module
 */
import { type IndexedDbStore, persist, type StoreHealth } from "pawl/adapters/indexeddb";
import { find, make } from "./dom.ts";

/** Shows whether there is a network, for as long as the page is open. */
export function showNetwork(): void {
  const show = () => {
    const pill = find("network");
    pill.textContent = navigator.onLine ? "Online" : "Offline";
    pill.dataset.tone = navigator.onLine ? "good" : "quiet";
  };
  addEventListener("online", show);
  addEventListener("offline", show);
  show();
}

/** What a person is told of a store that is not well; nothing of one that is. */
const troubles: Readonly<Partial<Record<StoreHealth["state"], string>>> = {
  blocked: "Another tab of this app holds the storage. Close the other tabs, or reload them.",
  full: "The device has no room left for this site. What is saved here stays; free some space to save more.",
  lost: "The browser has deleted what was kept on this device. Inspections that the server does not list " +
    "must be made again.",
  failing: "The browser cannot write to its storage at the moment.",
};

/** Warns of a store that is not well. */
export function showStore(store: IndexedDbStore): void {
  const show = ({ state, problem }: StoreHealth) => {
    const text = troubles[state];
    const details = problem === undefined ? [] : [make("p", { class: "quiet" }, problem)];
    warn("store", ...(text === undefined ? [] : [make("p", {}, text), ...details]));
  };
  store.onHealth(show);
  show(store.health());
}

/** Shows how safe it is here what is saved. */
export async function showPlace(store: IndexedDbStore): Promise<void> {
  const isPersisted = await navigator.storage?.persisted?.();
  const show = ({ medium }: StoreHealth) => find("place").textContent = placeText(medium, isPersisted);
  store.onHealth(show);
  show(store.health());
}

/** Asks the browser to keep what is here, once there is something to keep; it may ask the user. */
export async function askToStay(store: IndexedDbStore): Promise<void> {
  const { isPersisted } = await persist();
  find("place").textContent = placeText(store.health().medium, isPersisted);
}

function placeText(medium: StoreHealth["medium"], isPersisted = false): string {
  if (medium === "session") return "This is a private window: what is not sent when it is closed is lost.";
  if (isPersisted) return "Saved inspections stay on this device until they are sent.";
  return "Saved inspections are kept by this browser until they are sent. It may clear them when the device " +
    "runs out of space, and a private window forgets them when it is closed.";
}

/** Shows a warning on top of the page, in place of the one of the same name; without a text, it removes that. */
export function warn(name: string, ...text: readonly Node[]): void {
  document.getElementById(`warning-${name}`)?.remove();
  if (text.length === 0) return;
  find("warnings").append(make("div", { id: `warning-${name}`, class: "warning", role: "alert" }, ...text));
}
