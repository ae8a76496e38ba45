/**
 * What the compiler must allow and must refuse, checked by `deno check`: a line under `@ts-expect-error` that compiles
 * is an error itself. Nothing here runs.
 */
import {
  createEngine,
  type DataOf,
  type HeldLockView,
  machine,
  type StandardSchema,
  type StartStatusOf,
  type StatusOf,
  type StepRun,
  type StreamEvent,
} from "../../mod.ts";
import * as v from "valibot";
import { z } from "zod";
import { createClient } from "@libsql/client";
import { memoryStore } from "../../adapters/memory/mod.ts";

interface Order {
  cents: number;
  receipt?: string;
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(_: T) => {};

const orders = machine<Order>("orders")
  .step("placed", ["paid", "declined"], (run) => {
    run.data.receipt = `receipt ${run.stepId}`;
    return run.data.cents > 100 ? "declined" : "paid";
  })
  .step("paid", ["shipped"], async () => await Promise.resolve("shipped" as const))
  .build();

// Statuses are inferred.
isTrue<Equal<StatusOf<typeof orders>, "placed" | "paid" | "declined" | "shipped">>(true);
isTrue<Equal<StartStatusOf<typeof orders>, "placed" | "paid">>(true);
isTrue<Equal<DataOf<typeof orders>, Order>>(true);

// A handler answers with one of its statuses or with a control.
machine<Order>("m").step("a", ["b", "c"], () => Math.random() < 0.5 ? "b" : "c").build();
machine<Order>("m").step("a", ["b"], (run) => run.skip());
machine<Order>("m").step("a", ["b"], (run) => run.data.cents > 1 ? "b" : run.pause("too small"));
machine<Order>("m").step("a", ["b"], (run) => run.data.cents > 1 ? run.repeat() : run.cancel("x"));
machine<Order>("m").step("a", ["b"], async (run) => (await Promise.resolve(), run.fail("x")));
machine<Order>("m").step("a", ["b"], (run) => run.to("b"));
// @ts-expect-error "c" is no edge
machine<Order>("m").step("a", ["b"], () => "c");
// @ts-expect-error "a" is no edge to itself unless it is listed
machine<Order>("m").step("a", ["b"], () => "a");
// @ts-expect-error one branch answers with no edge
machine<Order>("m").step("a", ["b"], (run) => run.data.cents > 1 ? "b" : "c");
// @ts-expect-error an async handler answers with no edge
machine<Order>("m").step("a", ["b"], async () => await Promise.resolve("c" as const));
// @ts-expect-error any text is too wide
machine<Order>("m").step("a", ["b"], (run) => run.key);
// @ts-expect-error nothing is no answer
machine<Order>("m").step("a", ["b"], () => {});
// @ts-expect-error undefined is no answer
machine<Order>("m").step("a", ["b"], (run) => run.data.cents > 1 ? "b" : undefined);
// @ts-expect-error a control cannot be made by hand
machine<Order>("m").step("a", ["b"], () => ({}));
// @ts-expect-error the method itself is no control
machine<Order>("m").step("a", ["b"], (run) => run.skip);
// @ts-expect-error run.to() takes only edges
machine<Order>("m").step("a", ["b"], (run) => run.to("c"));
// @ts-expect-error a step leads somewhere
machine<Order>("m").step("a", [], (run) => run.skip());
// @ts-expect-error a pause has a reason
machine<Order>("m").step("a", ["b"], (run) => run.pause());

// A status has one step.
// @ts-expect-error "a" has a step already
machine<Order>("m").step("a", ["b"], () => "b").step("a", ["c"], () => "c");
machine<Order>("m").step("a", ["b"], () => "b").step("b", ["a"], () => "a").build();

// Data is typed.
// @ts-expect-error no such field
machine<Order>("m").step("a", ["b"], (run) => run.data.dollars ? "b" : "b");
// @ts-expect-error of another type
machine<Order>("m").step("a", ["b"], (run) => ((run.data.cents = "5"), "b"));
// @ts-expect-error the run's own fields cannot be set
machine<Order>("m").step("a", ["b"], (run) => ((run.key = "5"), "b"));

// Options are typed.
machine<Order>("m").step("a", ["b"], () => "b", {
  concurrency: 8,
  lag: "5s",
  retry: { initial: 100, jitter: false },
});
machine<Order>("m", { steps: { rateLimit: { limit: 10, per: "1s" }, pauseAfterErrors: 3 } })
  .step("a", ["b"], () => "b", { rateLimit: false, pauseAfterErrors: 0 });
// @ts-expect-error no such option
machine<Order>("m").step("a", ["b"], () => "b", { parallel: 8 });
// @ts-expect-error a rate has a span
machine<Order>("m").step("a", ["b"], () => "b", { rateLimit: { limit: 10 } });
// @ts-expect-error a typo
machine<Order>("m", { steps: { pauseAfterError: 3 } });
// @ts-expect-error a typo in what is nested
createEngine({ store: memoryStore(), definitions: [], steps: { retry: { intial: 3 } } });

// Data has the type that its schema gives.
const zodOrder = z.object({ cents: z.number(), note: z.string().default("none") });
const byZod = machine("m", { schema: zodOrder }).step("a", ["b"], (run) => {
  isTrue<Equal<typeof run.data, { cents: number; note: string }>>(true);
  return "b";
}).build();
isTrue<Equal<DataOf<typeof byZod>, { cents: number; note: string }>>(true);
isTrue<Equal<StatusOf<typeof byZod>, "a" | "b">>(true);
const byValibot = machine("m", {
  schema: v.object({ cents: v.number(), note: v.optional(v.string(), "none") }),
})
  .step("a", ["b"], () => "b").build();
isTrue<Equal<DataOf<typeof byValibot>, { cents: number; note: string }>>(true);
declare const byHand: StandardSchema<unknown, Order>;
const hand = machine("m", { schema: byHand }).step("a", ["b"], () => "b").build();
isTrue<Equal<DataOf<typeof hand>, Order>>(true);
machine<Order>("m", { schema: byHand });
machine<{ cents: number; note: string }>("m", { schema: zodOrder });
// @ts-expect-error a schema of other data
machine<Order>("m", { schema: v.object({ dollars: v.number() }) });
// @ts-expect-error no schema
machine("m", { schema: { parse: () => 5 } });

// A migration gives the data of today; what it takes may be annotated with the type of old.
machine<Order>("m", { version: 2, migrate: (old: { dollars: number }) => ({ cents: old.dollars * 100 }) });
machine<Order>("m", { version: 2, migrate: (_, from) => ({ cents: from }) });
machine("m", { version: 2, schema: byHand, migrate: (old: { dollars: number }) => ({ cents: old.dollars }) });
// @ts-expect-error of another type
machine<Order>("m", { version: 2, migrate: () => ({ dollars: 5 }) });
// @ts-expect-error of another type than its schema's
machine("m", { version: 2, schema: byHand, migrate: () => ({ dollars: 5 }) });
const migrated = machine("m", { version: 2, migrate: (): Order => ({ cents: 5 }) }).step(
  "a",
  ["b"],
  () => "b",
).build();
isTrue<Equal<DataOf<typeof migrated>, Order>>(true);
const plainOptions = machine("m", { pauseRetry: false }).step("a", ["b"], () => "b").build();
isTrue<Equal<DataOf<typeof plainOptions>, undefined>>(true);

// Handlers declared apart keep their literal types with run.to().
function ship(run: StepRun<Order, "shipped" | "lost">) {
  return run.data.cents > 0 ? run.to("shipped") : run.to("lost");
}
const apart = machine<Order>("m").step("paid", ["shipped", "lost"], ship).build();
isTrue<Equal<StatusOf<typeof apart>, "paid" | "shipped" | "lost">>(true);
// @ts-expect-error a handler for more statuses than the step lists
machine<Order>("m").step("paid", ["shipped"], ship);
const narrow = (run: StepRun<Order, "shipped">) => run.to("shipped");
isTrue<Equal<ReturnType<typeof narrow>, "shipped">>(true);

const engine = createEngine({ store: memoryStore(), definitions: [orders] });
const data: Order = { cents: 5 };

/** Never called: only its types count. */
export async function verbs(): Promise<void> {
  // Data is required where the definition's data may not be undefined, and optional where it may.
  await engine.trigger(orders, "k", { data });
  // @ts-expect-error data is missing
  await engine.trigger(orders, "k");
  // @ts-expect-error data is missing
  await engine.trigger(orders, "k", {});
  // @ts-expect-error data is missing
  await engine.trigger(orders, "k", { startAt: "paid" });
  // @ts-expect-error of another type
  await engine.trigger(orders, "k", { data: { cents: "5" } });
  // @ts-expect-error no such field
  await engine.trigger(orders, "k", { data: { cents: 5, dollars: 1 } });
  const bare = machine("bare").step("a", ["b"], () => "b").build();
  await engine.trigger(bare, "k");
  await engine.trigger(bare, "k", { idempotencyKey: "x" });
  const maybe = machine<Order | undefined>("maybe").step("a", ["b"], () => "b").build();
  await engine.trigger(maybe, "k");
  await engine.trigger(maybe, "k", { data });

  await engine.trigger(orders, "k", { data, traceOrigin: "shop" });
  // @ts-expect-error of another type
  await engine.trigger(orders, "k", { data, traceOrigin: 5 });
  await engine.trigger(byZod, "k", { data: { cents: 5, note: "x" } });
  // @ts-expect-error the type of its schema
  await engine.trigger(byZod, "k", { data: { cents: "5", note: "x" } });
  // @ts-expect-error data is missing
  await engine.trigger(byValibot, "k");

  // A trigger is prepared with what it would be called with.
  const prepared = await engine.prepareTrigger(orders, "k", { data, startAt: "paid" });
  await createClient({ url: ":memory:" }).batch([...prepared.statements, "select 1"], "write");
  await engine.prepareTrigger(bare, "k");
  // @ts-expect-error data is missing
  await engine.prepareTrigger(orders, "k");
  // @ts-expect-error "shipped" is terminal
  await engine.prepareTrigger(orders, "k", { data, startAt: "shipped" });

  // A run starts where there is a step.
  await engine.trigger(orders, "k", { data, startAt: "paid" });
  // @ts-expect-error "shipped" is terminal
  await engine.trigger(orders, "k", { data, startAt: "shipped" });
  // @ts-expect-error no such status
  await engine.trigger(orders, "k", { data, startAt: "lost" });

  // Any status can be awaited, and no other text; views carry the data's type.
  const run = await engine.await(orders, "k", { status: "shipped", timeout: "5s" });
  isTrue<Equal<typeof run.data, Order>>(true);
  // @ts-expect-error no such status
  await engine.await(orders, "k", { status: "lost" });
  const seen = await engine.get(orders, "k");
  isTrue<Equal<typeof seen, typeof run | undefined>>(true);

  await engine.pause(orders, "k", { reason: "x", runId: run.runId });
  await engine.cancel(orders, "k");
  // @ts-expect-error a definition, not its name
  await engine.cancel("orders", "k");
  // @ts-expect-error no such run state
  await engine.list({ runState: "done" });
  await engine.list({ runState: ["running", "paused"], order: "oldest", include: ["data"] });
  // @ts-expect-error a builder is no definition
  createEngine({ store: memoryStore(), definitions: [machine("m").step("a", ["b"], () => "b")] });
}

// A connector's handler has the verbs of its machine, typed by what came before it.
const received = machine<Order>("m")
  .step("a", ["b"], () => "b")
  .callback("b", ["c"], (_run, parcel: { id: string }) => parcel.id === "" ? "c" : "c")
  .connector("topic", { stream: "psp" }, async (api, event) => {
    isTrue<Equal<typeof event, StreamEvent>>(true);
    await api.trigger(event.key, { data: { cents: 5 }, startAt: "a", idempotencyKey: event.id });
    await api.callback(event.key, "b", { id: "5" }, { idempotencyKey: event.id });
    const run = await api.await(event.key, { status: "c" });
    isTrue<Equal<typeof run.data, Order>>(true);
    // @ts-expect-error data is needed
    await api.trigger(event.key);
    // @ts-expect-error of another type
    await api.trigger(event.key, { data: { dollars: 5 } });
    // @ts-expect-error nothing starts at an end
    await api.trigger(event.key, { data: { cents: 5 }, startAt: "c" });
    // @ts-expect-error the status takes no callback
    await api.callback(event.key, "a", { id: "5" });
    // @ts-expect-error a payload of another type
    await api.callback(event.key, "b", { id: 5 });
    // @ts-expect-error no such status
    await api.await(event.key, { status: "d" });
    await api.engine.trigger(orders, event.key, { data: { cents: 5 } });
  }, { shards: 4, lag: "5s", retry: { max: "1m" }, parkAfterErrors: 3, parkTo: { stream: "aside" } })
  .build();
isTrue<Equal<StatusOf<typeof received>, "a" | "b" | "c">>(true);
declare const parcels: AsyncIterable<{ event: { id: string; weight: number }; ack(): void }>;
machine("m").step("a", ["b"], () => "b")
  .connector("own", parcels, (_api, event) => isTrue<Equal<typeof event.weight, number>>(true))
  .connector("opened", ({ name, shard, signal }) => {
    isTrue<Equal<[typeof name, typeof shard, typeof signal], [string, number, AbortSignal]>>(true);
    return Promise.resolve(parcels);
  }, (api, event) => api.trigger(event.id));
declare const nameless: AsyncIterable<{ event: { key: string }; ack(): void }>;
// @ts-expect-error an event has an id
machine("m").step("a", ["b"], () => "b").connector("c", nameless, () => {});
// @ts-expect-error a connector has no concurrency: it has shards
machine("m").step("a", ["b"], () => "b").connector("c", parcels, () => {}, { concurrency: 3 });

// A step's lock knows the data, and its run the lock.
machine<Order>("m").step("a", ["b"], (run) => {
  isTrue<Equal<typeof run.lock, HeldLockView | undefined>>(true);
  return "b";
}, { lock: (run) => ({ name: `order of ${run.data.cents.toFixed()}`, timeout: "5s", otherwise: "fail" }) });
machine<Order>("m").step("a", ["b"], () => "b", { lock: { name: ["x", "y"], permits: 3 } });
machine<Order>("m", { steps: { lock: (run) => run.key } }).step("a", ["b"], () => "b", { lock: "x" });
// @ts-expect-error data of another type
machine<Order>("m").step("a", ["b"], () => "b", { lock: (run) => run.data.dollars });
// @ts-expect-error no such way out
machine<Order>("m").step("a", ["b"], () => "b", { lock: { name: "x", otherwise: "wait" } });
// @ts-expect-error a timeout has no lock
machine<Order>("m").timeout("a", ["b"], { after: "5s" }, () => "b", { lock: "x" });
