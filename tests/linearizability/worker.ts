/**
 * One process of clients. It takes {@linkcode WorkerOptions} as JSON, then orders as lines on its standard input, and
 * answers each with a line. It ends when its standard input does, so that it does not outlive whoever started it.
 *
 * @module
 */
import { seededRandom } from "../../core/ports/random.ts";
import type { Store } from "../../core/store/store.ts";
import { runClient } from "./client.ts";
import type { Field } from "./draw.ts";
import { type FarKindName, kinds } from "./kinds.ts";
import { plants, wrapWith } from "./planted.ts";
import { type Recorder, recorder } from "./recorder.ts";

/** What a worker is told when it is started. */
export interface WorkerOptions {
  readonly kind: FarKindName;
  /** Its ways to the store: clients of one process do not all share a connection. */
  readonly urls: readonly string[];
  /** Which rule its stores break, if any. */
  readonly plant?: string;
}

/** Tells the time: the answer is the worker's clock. */
export interface TimeOrder {
  readonly order: "time";
}

/** Lives through a round. It says `halfway` in between, if asked to. */
export interface RoundOrder {
  readonly order: "round";
  /** Clients: one name and seed each. */
  readonly clients: readonly { readonly name: string; readonly seed: number }[];
  readonly field: Field;
  readonly operations: number;
  /** Where its record goes. */
  readonly path: string;
  /** Says so when it has begun this many operations, and does not rest from then on. */
  readonly halfwayAt: number | null;
}

/** What a worker says. */
export type WorkerLine = { readonly time: number } | "halfway" | "done" | { readonly failed: string };

/** A server may hang, each attempt for ten seconds, until it is restarted. */
const openAttemptsMax = 20;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const say = (line: WorkerLine) =>
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(line) + "\n"));

async function round(order: RoundOrder, stores: readonly Store[], outcomes: boolean): Promise<void> {
  using file = Deno.openSync(order.path, { create: true, append: true });
  const record = recorder(() => performance.now(), (line) => {
    const bytes = new TextEncoder().encode(JSON.stringify(line) + "\n");
    if (file.writeSync(bytes) !== bytes.length) throw new Error("A line was not written whole");
  });
  let begun = 0;
  const counting: Recorder = {
    ...record,
    begin(asked) {
      record.begin(asked);
      if (++begun === order.halfwayAt) say("halfway");
    },
  };
  await Promise.all(order.clients.map(({ name, seed }, index) => {
    const random = seededRandom(seed);
    return runClient({
      name,
      store: stores[index % stores.length]!,
      field: order.field,
      random,
      recorder: counting,
      operations: order.operations,
      outcomes,
      // A file is used within one turn of the event loop, and who never rests lets nobody else at it; but who is to
      // be killed should be at work.
      rest: () =>
        begun < (order.halfwayAt ?? Infinity) && random.float() < 0.4
          ? pause(random.float() * 4)
          : Promise.resolve(),
      backOff: () => pause(1 + random.float() * 10),
    });
  }));
}

async function main({ kind, urls, plant }: WorkerOptions): Promise<void> {
  const { open, outcomes } = kinds[kind];
  const wrap = plant === undefined ? undefined : wrapWith(plants[plant]!);
  const stores = urls.map((url, index) => wrap ? wrap(open(url), index + 1) : open(url));
  for (const store of stores) await openSurely(store);
  for await (const line of linesOf(Deno.stdin.readable)) {
    const order = JSON.parse(line) as TimeOrder | RoundOrder;
    if (order.order === "time") {
      say({ time: performance.now() });
      continue;
    }
    try {
      await round(order, stores, outcomes);
      say("done");
    } catch (error) {
      say({ failed: String((error as Error).stack ?? error) });
    }
  }
  // Whatever of a round that has failed is still under way ends here.
  Deno.exit(0);
}

/** A store that cannot be opened says that its address may be wrong, so clients begin with one that is open. */
async function openSurely(store: Store): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return void await store.read([{ shard: 0, ops: [{ get: "opened" }] }]);
    } catch (error) {
      if (attempt === openAttemptsMax) throw error;
      await pause(100);
    }
  }
}

/** The lines of a stream of bytes. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough<string>(new TextDecoderStream() as never)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]!) as WorkerOptions);
