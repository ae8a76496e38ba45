/**
 * A tab as an application would have it: an engine with the browser's platform on IndexedDB. What tests call lies on
 * `globalThis.suite`.
 *
 * @module
 */
import { createEngine, type Engine, type ListItem } from "../../../mod.ts";
import { indexedDbStore } from "../../../adapters/indexeddb/mod.ts";
import { browserPlatform } from "../../../plugins/browser/mod.ts";
import {
  disturb,
  type Disturbances,
  longestTimeout,
  openTransactions,
  setOnline,
  shiftClock,
} from "./disturbances.ts";
import { type Form, type FormOptions, forms } from "./form.ts";

/** How a tab is. */
export interface TabOptions extends FormOptions, Disturbances {
  readonly codeVersion?: number;
  /** Default `2s`. */
  readonly term?: string;
  /** Default `200ms`. */
  readonly poll?: string;
  /** Posts every attempt to the site before it has an answer. */
  readonly reports?: boolean;
}

/** What one run has come to. */
export interface Filed {
  readonly runId: string;
  readonly key: string;
  readonly runState: string;
  readonly status: string;
  readonly data: Form;
  /** From where to where, in order. */
  readonly moves: readonly string[];
  readonly kinds: readonly string[];
}

const lines: string[] = [];
const waits = new Map<string, Promise<string>>();
let engine: Engine;
let definition: ReturnType<typeof forms>;
let store: ReturnType<typeof indexedDbStore>;
let isHeld = false;
let probes = 0;
let label = "";

/** Starts the engine of this tab. */
async function start(name: string, options: TabOptions = {}): Promise<void> {
  label = name;
  disturb(options);
  store = indexedDbStore({ name: "forms" });
  const effect = (attempt: object) => post("effect", attempt);
  definition = forms(name, { ...options, ...(options.reports && { effect }) });
  engine = createEngine({
    store,
    definitions: [definition],
    platform: browserPlatform({ name: "forms" }),
    lease: { term: options.term ?? "2s" },
    poll: options.poll ?? "200ms",
    codeVersion: options.codeVersion ?? 0,
    logger: { log: (level, message) => void lines.push(`${level}: ${message}`) },
  });
  await engine.start();
}

/** Triggers forms; resolves when each is acknowledged. */
async function trigger(
  keys: readonly string[],
  options: {
    readonly startAt?: "filled" | "asked" | "resting" | "failing" | "sending";
    readonly restMs?: number;
  } = {},
): Promise<void> {
  const { startAt = "filled", ...rest } = options;
  await Promise.all(
    keys.map((key) => engine.trigger(definition, key, { startAt, data: { seen: [], ...rest } })),
  );
}

/** Waits until a run has ended. */
async function ended(key: string): Promise<string> {
  return (await engine.await(definition, key)).runState;
}

/** Begins to wait in the page, which {@linkcode waited} tells of: the wait outlives what the driver asks. */
function beginWait(key: string): void {
  waits.set(key, ended(key).catch((error) => `failed: ${error}`));
}

/** What a wait of this page has come to. */
function waited(key: string): Promise<string> {
  return waits.get(key)!;
}

/** Lets a form go through, and tells which tab did it. */
async function whoWorks(): Promise<string> {
  const key = `probe ${label} ${probes++} ${crypto.randomUUID()}`;
  await trigger([key]);
  const { data } = await engine.await(definition, key);
  return [...new Set(data.seen.map((each) => each.split(" in ")[1]))].join(" and ");
}

/** Every run but the probes, with what happened to it. */
async function runs(): Promise<readonly Filed[]> {
  const found: Filed[] = [];
  let cursor: string | undefined;
  do {
    const page = await engine.list({
      definition: "forms",
      include: ["data"],
      limit: 100,
      ...(cursor !== undefined && { cursor }),
    });
    found.push(...await Promise.all(page.items.filter(({ key }) => !key.startsWith("probe ")).map(filed)));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

async function filed({ key, runId, runState, status, data }: ListItem): Promise<Filed> {
  const rows = await engine.history({ runId });
  const moves = rows.filter(({ kind }) => kind === "move").map(({ from, to }) => `${from} > ${to}`);
  return { runId, key, runState, status, data: data as Form, moves, kinds: rows.map(({ kind }) => kind) };
}

/** How many runs have not ended. */
async function unfinished(): Promise<number> {
  const runState = ["initiated", "running", "paused", "stalled"] as const;
  const { items, cursor } = await engine.list({ definition: "forms", runState, limit: 1_000 });
  return items.length + (cursor === undefined ? 0 : 1);
}

/** Triggers forms for as long as the tab lives, and tells the site of each that was acknowledged. */
async function live(everyMs: number): Promise<void> {
  for (let count = 0;; count++) {
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    if (isHeld) continue;
    const key = `${label} ${count}`;
    try {
      const { runId } = await engine.trigger(definition, key, { data: { seen: [] } });
      await post("ack", { key, runId });
    } catch (error) {
      lines.push(`cannot trigger ${key}: ${error}`);
    }
  }
}

async function post(path: string, body: object): Promise<void> {
  const response = await fetch(`/${path}`, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`the site says ${response.status}`);
}

/** Keeps the page from doing anything else, as a long computation does. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

const suite = {
  start,
  trigger,
  ended,
  beginWait,
  waited,
  whoWorks,
  runs,
  unfinished,
  live: (everyMs: number) => void live(everyMs),
  hold: (isNow: boolean) => void (isHeld = isNow),
  block,
  shiftClock,
  setOnline,
  longestTimeout,
  openTransactions,
  callback: (key: string) => engine.callback(definition, key, "asked"),
  get: (key: string) => engine.get(definition, key),
  timers: async () => (await engine.timers({ definition: "forms" })).items.length,
  owners: async () => (await engine.admin.shards()).map(({ engineId, epoch }) => ({ engineId, epoch })),
  engineId: () => engine.admin.engineId,
  lines: () => lines,
  verify: async () => (await engine.admin.verify()).findings,
  stop: () => engine.stop(),
};

/** What a tab offers. */
export type TabSuite = typeof suite;

// The site hears whether it is shown again, or was loaded anew: what a driver asks a page that comes back may be lost.
addEventListener("pageshow", ({ persisted }) => void fetch(persisted ? "/back" : "/anew"));
Object.assign(globalThis, { suite });
