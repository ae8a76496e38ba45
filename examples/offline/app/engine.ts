/**
 * The engine, as the page and the service worker open it: on one store, with one machine.
 *
 * @module
 */
import type { Engine } from "pawl";
import { type IndexedDbStore, indexedDbStore } from "pawl/adapters/indexeddb";
import { callbacks, createEngine, deletion, hooks, lists } from "pawl/kernel";
import { browserPlatform } from "pawl/plugins/browser";
import { inspectionMachine, type Inspections } from "./inspection.ts";
import { sendInspection, uploadPhoto } from "./office.ts";
import { dropPhoto, packPhoto } from "./photos.ts";

/** What a page or worker works with. */
export interface App {
  readonly store: IndexedDbStore;
  readonly engine: Engine;
  readonly inspections: Inspections;
}

/** When this script was built, in seconds; the build writes it in front. Of two tabs the newer code does the work. */
export const { builtAt = 0 } = globalThis as { readonly builtAt?: number };

/** Opens it; nothing happens before the engine is started or ticked. */
export function openApp(): App {
  const name = "inspections";
  const store = indexedDbStore({ name });
  const inspections = inspectionMachine({ packPhoto, uploadPhoto, sendInspection, dropPhoto });
  const engine = createEngine({
    store,
    definitions: [inspections],
    platform: browserPlatform({ name }),
    codeVersion: builtAt,
    // What this app uses of an engine: `createEngine` of "pawl" has everything, and is half as large again.
    features: [callbacks, deletion, hooks, lists],
  });
  return { store, engine, inspections };
}
