/**
 * Stores on an IndexedDB in memory, which keeps to the standard's order of events, and what others do to their databases.
 *
 * @module
 */
import "fake-indexeddb/auto";
import { type IndexedDbOptions, type IndexedDbStore, indexedDbStore } from "pawl/adapters/indexeddb";
import type { CommitCall } from "../../mod.ts";
import { letGo } from "../let_go.ts";

/** Deno keeps `localStorage`, and with it what stores of earlier runs were, from run to run. */
const life = crypto.randomUUID();

let names = 0;
let calls = 0;

/** A name that no store has had. */
export function newName(): string {
  return `${life} ${names++}`;
}

/** A store under a new name. */
export function open(options: IndexedDbOptions = {}): { store: IndexedDbStore; name: string } {
  const name = newName();
  return { store: indexedDbStore({ name, ...options }), name };
}

/** Registers a test that opens stores. */
export function testTabs(name: string, body: () => Promise<void>): void {
  Deno.test(name, () => body().finally(letGo));
}

/** A call of a committer of its own, so that none follows another. */
export function put(key: string, value = `"v"`): CommitCall {
  return {
    shard: 0,
    committer: { id: `c${calls++}`, callId: "1" },
    batches: [{ checks: [], puts: [{ key, value }], deletes: [] }],
  };
}

export async function valueOf(store: IndexedDbStore, key: string): Promise<string | undefined> {
  return (await store.read([{ shard: 0, ops: [{ get: key }] }]))[0]![0]![0]?.value;
}

/** A connection of somebody else. */
export function rawOpen(name: string, version?: number): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** What somebody else does to the rows. */
export async function change(name: string, work: (rows: IDBObjectStore) => void): Promise<void> {
  const raw = await rawOpen(name);
  await new Promise<void>((resolve) => {
    const tx = raw.transaction("rows", "readwrite");
    work(tx.objectStore("rows"));
    tx.oncomplete = () => resolve();
  });
  raw.close();
}

export function deleted(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}

/** Resolves when something holds; what it hangs on comes by itself. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
