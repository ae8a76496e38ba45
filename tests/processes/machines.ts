/**
 * The machines of the fleet: between them they have all that a machine can have. All processes of the fleet have the same.
 *
 * @module
 */
import {
  type HookHandler,
  type HookKind,
  type HookOptions,
  type Machine,
  machine,
  type StepRun,
  type StreamEvent,
} from "pawl";
import type { Asking } from "./asking.ts";
import type { Ledger } from "./ledger.ts";
import { type Payment, scrub, type Traced, traced, type Trail, trailOf, type Wish } from "./trail.ts";

/** A machine of the fleet. */
export type FleetMachine = Machine<Trail, string, string, Readonly<Record<string, Payment>>>;

/** Where a run ends by its own. */
export type End = readonly [status: string, state: string];

const always = (status: string): Readonly<Record<Wish, End>> => ({
  good: [status, "completed"],
  bad: [status, "completed"],
});

const ends: Readonly<Record<string, Readonly<Record<Wish, End>>>> = {
  order: { good: ["shipped", "completed"], bad: ["placed", "failed"] },
  parcel: { good: ["arrived", "completed"], bad: ["lost", "completed"] },
  round: always("over"),
  mail: always("sent"),
  patient: always("done"),
  intake: always("stored"),
  brief: always("over"),
};

/** Instalments that a bill waits for. */
const instalments = 3;

/** Where a run of a machine ends by its own, by what it was told. */
export function endOf(definition: string, { wish, called }: Pick<Trail, "wish" | "called">): End {
  if (definition !== "bill") return ends[definition]![wish];
  return called.length >= instalments ? ["booked", "completed"] : ["expired", "completed"];
}

/** The timers of a bill that waits, in milliseconds. The last of the reminders ends the wait. */
export const timers = { audit: { after: 200 }, remind: { after: 600, rearm: 400, rounds: 3 } } as const;

/** The timers of a bill that nobody has paid, by what their `stepId` ends in; and where it waits for them. */
export const timersOfExpired = ["audit:0", "remind:0", "remind:1", "remind:2"] as const;

/** The hooks of each machine. */
export const hooksOf: Readonly<Record<string, readonly (readonly [kind: HookKind, name: string])[]>> = {
  order: [
    ["complete", "receipt"],
    ["complete", "audit"],
    ["fail", "complaint"],
    ["cancel", "refund"],
    ["pause", "pager"],
    ["resume", "pager"],
    ["delete", "registry"],
  ],
  bill: [["complete", "books"], ["pause", "clerk"], ["resume", "clerk"]],
  brief: [["complete", "farewell"], ["cancel", "farewell"]],
};

/** The machines whose transitions are told to streams, with their statuses. */
export const streamed: Readonly<Record<string, readonly string[]>> = {
  order: ["placed", "paid", "packed", "labelled"],
  bill: ["sent", "pending", "paid"],
};

/** The machine whose runs are removed when they have ended, and after how long. */
export const removed = { name: "brief", afterMs: 500 } as const;

/** Where the connectors get their events from, by machine. */
export const topics = { bill: "payments", intake: "inbox" } as const;

/** Failed attempts come back soon, and a paused run goes on by itself: nothing that is well takes long. */
const options = { pauseRetry: "1s", steps: { retry: { initial: 50, max: 400 } }, scrub } as const;

/** What user code needs beside its run. */
export interface Outside {
  /** Where it leaves its traces. */
  readonly ledger: Ledger;
  /** How it asks the engine for something. */
  readonly asking: Asking;
  /** Triggers a run of another machine, as steps of real programs do. */
  followUp(definition: string, run: StepRun<Trail>): Promise<void>;
}

/** What the machines are made of. */
interface Shop extends Outside, Traced {}

/**
 * @param outside What user code needs beside its run.
 * @returns The machines.
 */
export function machinesOf(outside: Outside): FleetMachine[] {
  const shop: Shop = { ...outside, ...traced(outside.ledger) };
  const made = [order, parcel, round, mail, patient, bill, intake, brief].map((make) => make(shop));
  return made as unknown as FleetMachine[];
}

const order = (shop: Shop) => {
  const { step, followUp } = shop;
  const built = machine<Trail>("order", { ...options, stream: true })
    .step("placed", ["paid"], step([0, 0, 0.05], (run) => run.data.wish === "bad" ? run.fail("bad") : "paid"))
    .step("paid", ["packed"], step([50, 300, 0.2], () => "packed"))
    .step("packed", ["labelled"], step([0, 20, 0.1], () => "labelled"), { concurrency: 4 })
    .step(
      "labelled",
      ["shipped"],
      step([5, 50, 0], async (run) => {
        await followUp("mail", run);
        return run.to("shipped");
      }),
    );
  return withHooks(built, "order", shop).build();
};

const parcel = ({ step }: Shop) =>
  machine<Trail>("parcel", options)
    .step("sent", ["moving"], step([0, 5, 0], () => "moving"))
    .step(
      "moving",
      ["arrived", "lost"],
      step([10, 100, 0.1], (run) => run.data.wish === "bad" ? "lost" : "arrived"),
      { lag: 300, timeout: "5s" },
    )
    .build();

const round = ({ step }: Shop) =>
  machine<Trail>("round", options)
    .step(
      "turning",
      ["waiting"],
      step([0, 30, 0.1], (run) => {
        const turns = run.data.landed.length;
        if (turns === 1 && run.data.wish === "bad") return run.pause(`to think of ${run.data.secret}`);
        return turns < 4 ? run.repeat() : "waiting";
      }),
    )
    // Left where it is at first; a client or the next pause and its end take it up again.
    .step("waiting", ["over"], step([0, 10, 0], (run) => isSecondTime(run) ? "over" : run.skip()))
    .build();

/** The step of this visit has landed before, by a `skip`. */
const isSecondTime = (run: StepRun<Trail>) => run.data.landed.includes(run.stepId);

const mail = ({ step }: Shop) =>
  machine<Trail>("mail", options).step("due", ["sent"], step([0, 30, 0.1], () => "sent")).build();

const patient = ({ step }: Shop) =>
  machine<Trail>("patient", options)
    .step("waiting", ["waited"], step([400, 400, 0], () => "waited"))
    .step("waited", ["done"], step([0, 0, 0], () => "done"))
    .build();

/** Waits for instalments, which come by callbacks of clients and by a connector, and reminds until it gives up. */
const bill = (shop: Shop) => {
  const { step, timer, callback } = shop;
  const { audit, remind } = timers;
  const isLast = ({ data }: StepRun<Trail>) =>
    data.fired.filter((each) => each.includes(":remind:")).length === remind.rounds - 1;
  const built = machine<Trail>("bill", { ...options, stream: true })
    .step("sent", ["pending"], step([0, 10, 0.1], () => "pending"))
    .callback(
      "pending",
      ["paid"],
      callback([0, 10, 0.05], (run) => run.data.called.length + 1 < instalments ? run.skip() : "paid"),
    )
    .timeout("pending", [], audit, timer([0, 10, 0], (run) => run.skip()), { name: "audit" })
    .timeout(
      "pending",
      ["expired"],
      { after: remind.after },
      timer([0, 10, 0.1], (run) => isLast(run) ? "expired" : { rearm: remind.rearm }),
      { name: "remind" },
    )
    .step("paid", ["booked"], step([0, 20, 0.1], () => "booked"))
    .connector(
      "payments",
      { stream: topics.bill },
      (api, event) =>
        handling(shop, topics.bill, event, async () => {
          const { token, runId } = event.data as Payment & { readonly runId: string };
          const question = { verb: "callback", definition: "bill", key: event.key, runId, token } as const;
          await shop.asking.ask({ ...question, isRepeatable: true }, async () => {
            const wish = { runId, idempotencyKey: event.id };
            const answer = await api.callback(event.key, "pending", { token }, wish);
            return { runId: answer.runId, applied: answer.applied };
          });
        }),
      { shards: 2, retry: { initial: 50, max: 400 } },
    );
  return withHooks(built, "bill", shop).build();
};

/** Its runs are made by its connector only. */
const intake = (shop: Shop) =>
  machine<Trail>("intake", options)
    .step("received", ["stored"], shop.step([0, 20, 0.1], () => "stored"))
    .connector(
      "inbox",
      { stream: topics.intake },
      (api, event) =>
        handling(shop, topics.intake, event, async () => {
          const key = `for ${event.id}`;
          const question = { verb: "trigger", definition: "intake", key, token: event.id } as const;
          await shop.asking.ask({ ...question, isRepeatable: true, wish: "good" }, async () => {
            const data = trailOf(event.id, "good");
            return await api.trigger(key, { data, idempotencyKey: event.id });
          });
        }),
      { shards: 3, retry: { initial: 50, max: 400 } },
    )
    .build();

/** Its runs are removed soon after their end. */
const brief = (shop: Shop) => {
  const built = machine<Trail>(removed.name, { ...options, keepFinished: removed.afterMs })
    .step("new", ["over"], shop.step([0, 30, 0.1], () => "over"));
  return withHooks(built, removed.name, shop).build();
};

/** A handler of a connector: fails now and then, also when all is done. */
async function handling(
  { ledger }: Shop,
  connector: string,
  event: StreamEvent,
  work: () => Promise<void>,
): Promise<void> {
  if (Math.random() < 0.05) throw new Error("The handler of a connector fails before its work");
  await work();
  if (Math.random() < 0.05) throw new Error("The handler of a connector fails after its work");
  ledger.write({ what: "handled", connector, eventId: event.id, key: event.key });
}

type Hookable<Built> = {
  readonly [kind in HookKind as `on${Capitalize<kind>}`]: (
    handler: HookHandler<Trail>,
    options?: HookOptions,
  ) => Built;
};

/** Half of them are parked after few failures, and wait for an operator; but for a run that is removed with its parked ones. */
function withHooks<Built extends Hookable<Built>>(built: Built, definition: string, { hook }: Shop): Built {
  hooksOf[definition]!.forEach(([kind, name], index) => {
    const on = `on${kind[0]!.toUpperCase()}${kind.slice(1)}` as keyof Hookable<Built>;
    const parkAfterErrors = index % 2 === 0 && definition !== removed.name ? 3 : 0;
    built = built[on](hook(definition, kind, name), { name, parkAfterErrors });
  });
  return built;
}
