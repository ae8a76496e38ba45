/**
 * Triggers one run per order and waits until each has ended, or is set aside.
 *
 * @module
 */
import { type Engine, PawlError, type RunView } from "../../mod.ts";
import type { Order } from "./order.ts";
import type { OrderMachine } from "./order_machine.ts";
import type { BadLine, OrderLine } from "./read_orders.ts";

/** A run that waits for a human. */
export interface SetAside {
  readonly key: string;
  readonly status: string;
  readonly attempts: number;
  readonly error: string;
}

/** What became of the orders, so far. */
export interface Tally {
  /** Orders triggered by this process. */
  created: number;
  /** Orders that an earlier process had triggered. */
  found: number;
  /** Orders that have ended or are set aside. */
  settled: number;
  /** When the last order so far ended, by `performance.now()`. */
  lastEndAt: number | undefined;
  /** Orders by status and run state, as the table shows them. */
  readonly byState: Map<string, number>;
  readonly setAside: SetAside[];
  readonly bad: BadLine[];
}

/** Orders under way at once: enough to fill the engine's commit groups, few enough for a file of any size. */
const ordersInFlightMax = 256;

/** Refusals that are about the one order. Whatever else goes wrong ends the demo. */
const refusals: ReadonlySet<string> = new Set([
  "IDEMPOTENCY_MISMATCH",
  "INVALID_ARGUMENT",
  "NOT_JSON",
  "PAYLOAD_TOO_LARGE",
  "RUN_IN_PROGRESS",
]);

/** @returns A tally of nothing. */
export function emptyTally(): Tally {
  return {
    created: 0,
    found: 0,
    settled: 0,
    lastEndAt: undefined,
    byState: new Map(),
    setAside: [],
    bad: [],
  };
}

/**
 * Runs all orders.
 *
 * @param engine A started engine.
 * @param orders The machine.
 * @param lines Where the orders come from.
 * @param tally Kept up to date on the way.
 * @param signal Stops taking further orders.
 */
export async function runOrders(
  engine: Engine,
  orders: OrderMachine,
  lines: AsyncIterable<OrderLine>,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const worker = async () => {
    for await (const line of lines) {
      if (signal.aborted) return;
      if ("problem" in line) tally.bad.push(line);
      else await runOrder(engine, orders, line.line, line.order, tally);
    }
  };
  // All workers draw from the same lines.
  await Promise.all(Array.from({ length: ordersInFlightMax }, worker));
}

async function runOrder(
  engine: Engine,
  orders: OrderMachine,
  line: number,
  order: Order,
  tally: Tally,
): Promise<void> {
  const key = order.id;
  let runId: string;
  try {
    // The idempotency key makes this safe to repeat: the second time it finds the run of the first.
    const triggered = await engine.trigger(orders, key, { data: order, idempotencyKey: key });
    runId = triggered.runId;
    if (triggered.created) tally.created++;
    else tally.found++;
  } catch (error) {
    if (!(error instanceof PawlError && refusals.has(error.code))) throw error;
    tally.bad.push({ line, problem: error.message });
    return;
  }
  count(tally, await endOrPause(engine, orders, key, runId));
}

/** `engine.await` tells of the end without any polling. A pause is no end, so that is looked for now and then. */
async function endOrPause(
  engine: Engine,
  orders: OrderMachine,
  key: string,
  runId: string,
): Promise<RunView<Order>> {
  for (;;) {
    try {
      return await engine.await(orders, key, { runId, timeout: "100ms" });
    } catch (error) {
      if (!(error instanceof PawlError && error.code === "AWAIT_TIMEOUT")) throw error;
    }
    const run = await engine.get(orders, key, { runId });
    if (run?.runState === "paused" || run?.runState === "stalled") return run;
  }
}

function count(tally: Tally, run: RunView<Order>): void {
  const state = `${run.status} ${run.runState}`;
  tally.byState.set(state, (tally.byState.get(state) ?? 0) + 1);
  tally.settled++;
  if (run.runState === "paused" || run.runState === "stalled") {
    const error = run.lastError?.message ?? run.reason ?? "no reason was given";
    tally.setAside.push({ key: run.key, status: run.status, attempts: run.attempt, error });
  } else {
    tally.lastEndAt = performance.now();
  }
}
