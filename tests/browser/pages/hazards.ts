/**
 * What the page offers to tests of a store's hazards: one store, and what other pages do to its database.
 *
 * @module
 */
import { createEngine, type Engine, machine } from "../../../mod.ts";
import {
  type IndexedDbOptions,
  type IndexedDbStore,
  indexedDbStore,
  persist,
  type StoreHealth,
} from "../../../adapters/indexeddb/mod.ts";

let store: IndexedDbStore | undefined;
let commits = 0;
const heard: string[] = [];

/** Makes a store; nothing is opened yet. */
function makeStore(options: IndexedDbOptions): void {
  store = indexedDbStore(options);
  store.watch!((shard, committerId) => heard.push(`${shard} ${committerId}`));
}

/** What a call came to: nothing, or the code of its error. */
async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(() => "done", (error) => error.code ?? String(error));
}

const putRow = (key: string, value = `"v"`): Promise<string> =>
  codeOf(store!.commit([{
    shard: 0,
    committer: { id: `page ${crypto.randomUUID()}`, callId: String(commits++) },
    batches: [{ checks: [], puts: [{ key, value }], deletes: [] }],
  }]));

async function getRow(key: string): Promise<string | undefined> {
  return (await store!.read([{ shard: 0, ops: [{ get: key }] }]))[0]![0]![0]?.value;
}

let held: IDBDatabase | undefined;

/** Holds a connection that makes way for nobody. */
function hold(name: string, version?: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.onsuccess = () => {
      held = request.result;
      resolve();
    };
    request.onerror = () => reject(request.error);
  });
}

/** Asks for a database to be deleted, without waiting for it. */
function askToDelete(name: string): void {
  indexedDB.deleteDatabase(name);
}

function deleteStore(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}

/** The health of a store that a worker opens. */
function healthInWorker(name: string): Promise<StoreHealth> {
  return new Promise((resolve, reject) => {
    const worker = new Worker("suite.js", { type: "module" });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(name);
  });
}

if (typeof document === "undefined") {
  globalThis.onmessage = async ({ data }: MessageEvent<string>) => {
    makeStore({ name: data });
    await getRow("a");
    const health = store!.health();
    await store!.close();
    postMessage(health);
  };
}

let engine: Engine | undefined;
let going = Promise.withResolvers<void>();

/** Runs whose step waits until it is told to go. */
const waiters = machine<{ notes: string }>("waiters")
  .step("waiting", ["sent"], async (run) => {
    await going.promise;
    run.data.notes = "";
    return "sent";
  })
  .step("sent", ["filed"], () => "filed")
  .build();

async function startWaiters(options: IndexedDbOptions): Promise<void> {
  makeStore(options);
  engine = createEngine({ store: store!, definitions: [waiters], lease: { term: "1s" } });
  await engine.start();
}

/** Text that no browser presses together. */
function noise(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(Math.min(length, 65_536)));
  const text = Array.from(bytes, (byte) => String.fromCharCode(48 + byte % 64)).join("").replaceAll(
    "\\",
    "_",
  );
  return text.length < length ? text + noise(length - text.length) : text;
}

const triggerWaiter = (key: string, bytes: number): Promise<string> =>
  codeOf(engine!.trigger(waiters, key, { data: { notes: noise(bytes) } }));

/** The status and state of every waiter. */
async function waitersNow(): Promise<string[]> {
  const { items } = await engine!.list({ definition: "waiters", limit: 1_000 });
  return items.map(({ status, runState }) => `${status} ${runState}`);
}

function letGo(): void {
  going.resolve();
  going = Promise.withResolvers();
}

// To ask a page while it goes or comes back would be too much for a driver, so it says so itself.
globalThis.addEventListener("pageshow", ({ persisted }) => {
  const [visit] = performance.getEntriesByType("navigation") as { notRestoredReasons?: unknown }[];
  fetch(persisted ? "/back" : `/anew ${JSON.stringify(visit?.notRestoredReasons ?? null)}`);
});

/** What `suite.ts` adds to the page's suite. */
export const hazards = {
  makeStore,
  putRow,
  getRow: (key: string) => getRow(key),
  readCode: () => codeOf(getRow("a")),
  storeHealth: (): StoreHealth => store!.health(),
  closeStore: () => store!.close(),
  heard: () => heard,
  persist,
  estimate: () => navigator.storage.estimate(),
  hold,
  letHeldGo: () => held!.close(),
  askToDelete,
  deleteStore,
  healthInWorker,
  startWaiters,
  triggerWaiter,
  waitersNow,
  letGo,
  stopWaiters: () => engine!.stop(),
  verifyWaiters: () => engine!.admin.verify(),
};
