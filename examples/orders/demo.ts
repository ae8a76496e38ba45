/**
 * Durable orders: `deno task demo [orders.ndjson] [--db file] [--fresh]`.
 *
 * Runs every order of a file through a state machine, on a database that is one file. Kill it half-way with `kill -9`
 * and start it again: it goes on where it was, and no order is charged, packed or shipped twice.
 *
 * Where to read on: `order_machine.ts` is the workflow, `run_orders.ts` uses the engine, `ledger.ts` is the outside
 * world, `read_orders.ts` guards the door.
 *
 * @module
 */
import { libsqlStore } from "../../adapters/libsql/mod.ts";
import { createEngine, PawlError } from "../../mod.ts";
import { Ledger } from "./ledger.ts";
import { type DemoOptions, fileUrl, help, readOptions, UsageError } from "./options.ts";
import { orderMachine } from "./order_machine.ts";
import { showProgress } from "./progress.ts";
import { linesOf, readOrders } from "./read_orders.ts";
import { report } from "./report.ts";
import { emptyTally, runOrders, type Tally } from "./run_orders.ts";

/** The exit code of a program that Ctrl-C has ended. */
const interruptedCode = 130;

async function demo(options: DemoOptions): Promise<number> {
  const file = openOrders(options.orders);
  if (options.fresh) removeEarlier(options);
  const ledger = openLedger(options);
  const tally = emptyTally();
  const progress = showProgress(() => progressOf(tally, ledger));
  const orders = orderMachine(ledger);
  const store = libsqlStore({ url: fileUrl(options.db) });
  const engine = createEngine({
    store,
    definitions: [orders],
    // After a kill, the next process waits no longer than this before it takes over.
    lease: { term: "2s" },
    logger: progress.logger,
  });
  const interrupt = listenForInterrupt();
  try {
    const beganAt = performance.now();
    await engine.start();
    const lines = readOrders(linesOf(file.readable));
    const running = runOrders(engine, orders, lines, tally, interrupt.signal);
    await Promise.race([running, interrupt.came]);
    if (interrupt.signal.aborted) {
      // Steps that run may land; the waits for all other orders end with an error, as they should.
      await engine.stop();
      await running.catch(() => {});
    }
    progress.end();
    const { effects, twice } = ledger.count();
    print(report(tally, {
      steps: ledger.added,
      absorbed: ledger.absorbed,
      stepSeconds: secondsBetween(ledger.beganAt ?? beganAt, tally.lastEndAt),
      seconds: secondsBetween(beganAt),
      effects,
      twice,
      ledger: options.ledger,
    }));
    print(farewell(options, tally, interrupt.signal.aborted));
    return interrupt.signal.aborted ? interruptedCode : twice > 0 ? 1 : 0;
  } finally {
    interrupt.release();
    progress.end();
    await engine.stop();
    await store.close();
    ledger.close();
  }
}

function secondsBetween(from: number, to = performance.now()): number {
  return (to - from) / 1_000;
}

function progressOf(tally: Tally, ledger: Ledger): string {
  const known = tally.created + tally.found;
  return known === 0 ? "starting" : `${tally.settled} of ${known} orders settled, ${ledger.added} steps`;
}

function farewell(options: DemoOptions, tally: Tally, isInterrupted: boolean): string {
  if (isInterrupted) {
    return `\nInterrupted. Run the same command again and the orders go on where they are.\n`;
  }
  const again = tally.setAside.length > 0
    ? "; orders set aside are tried again by themselves after an hour"
    : "";
  return `\nRun it again on ${options.db} and nothing is done twice${again}. --fresh starts over.\n`;
}

function openOrders(path: string): Deno.FsFile {
  try {
    if (Deno.statSync(path).isFile) return Deno.openSync(path);
  } catch (error) {
    throw new UsageError(
      error instanceof Deno.errors.NotFound
        ? `There is no file ${path}; give the path of a file of orders, or none for the 200 that come with the demo`
        : `Cannot read ${path}: ${(error as Error).message}`,
    );
  }
  throw new UsageError(`${path} is no file; give the path of a file with one order as JSON per line`);
}

function openLedger(options: DemoOptions): Ledger {
  try {
    return new Ledger(options.ledger, options.stepMs);
  } catch (error) {
    throw new UsageError(
      error instanceof Deno.errors.NotFound
        ? `Cannot create ${options.db}: its folder does not exist; make it, or choose another --db`
        : (error as Error).message,
    );
  }
}

function removeEarlier({ db, ledger }: DemoOptions): void {
  for (const path of [db, `${db}-wal`, `${db}-shm`, ledger]) {
    try {
      Deno.removeSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Listens for Ctrl-C and a polite kill, once: the second one ends the process at once. */
function listenForInterrupt() {
  // Windows knows no SIGTERM.
  const names: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const controller = new AbortController();
  const { promise: came, resolve } = Promise.withResolvers<void>();
  const release = () => names.forEach((name) => Deno.removeSignalListener(name, listener));
  const listener = () => {
    release();
    controller.abort();
    resolve();
  };
  names.forEach((name) => Deno.addSignalListener(name, listener));
  return { signal: controller.signal, came, release };
}

function print(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
}

async function main(): Promise<number> {
  try {
    const options = readOptions(Deno.args, Deno.env.get);
    if (options) return await demo(options);
    print(help);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof PawlError)) throw error;
    Deno.stderr.writeSync(new TextEncoder().encode(`${error.message}\n`));
    return 1;
  }
}

if (import.meta.main) Deno.exitCode = await main();
