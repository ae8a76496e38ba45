/**
 * One process of the fleet: an engine on the shared store, which works until it is told to stop, or dies.
 *
 * It takes a {@linkcode WorkerOptions} as JSON, prints a line when it has started, and stops in order on SIGTERM or
 * SIGINT. It also ends when its standard input does, so that it does not outlive whoever started it.
 *
 * @module
 */
import process from "node:process";
import { createEngine, type Engine } from "pawl";
import { consoleLogger } from "../../core/ports/logger.ts";
import { libsqlStore } from "pawl/adapters/libsql";
import { Ledger } from "./ledger.ts";
import { type FleetMachine, type FollowUp, machinesOf, type Trail } from "./machines.ts";

/** What a worker is told. */
export interface WorkerOptions {
  readonly name: string;
  readonly url: string;
  readonly shards: number;
  readonly ledger: string;
  readonly termMs: number;
  readonly pollMs: number;
}

async function main(options: WorkerOptions): Promise<void> {
  const { name, url, shards, termMs, pollMs } = options;
  const ledger = new Ledger(options.ledger, name);
  const machines = machinesOf(ledger, followUpOf(ledger, name, (each) => client(each)));
  const store = libsqlStore({ url, shards });
  const engine = createEngine({
    store,
    definitions: machines,
    lease: { term: termMs },
    poll: pollMs,
    logger: consoleLogger("warn"),
  });
  const client = (definition: string) => ({
    engine,
    definition: machines.find((each) => each.name === definition)!,
  });
  const stop = async () => {
    await engine.stop({ grace: "2s" });
    await store.close();
    ledger.write({ what: "event", name: "left", to: name });
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, () => void stop());
  void endsWithStandardInput();
  await startSurely(engine);
  ledger.write({ what: "event", name: "started", to: name, engineId: engine.admin.engineId });
  process.stdout.write(`${name} started\n`);
}

/** A server may just be away. */
async function startSurely(engine: Engine): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await engine.start();
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Starts a run from within a step: its `stepId` makes it safe to ask again when the step runs again. */
function followUpOf(
  ledger: Ledger,
  name: string,
  client: (definition: string) => { readonly engine: Engine; readonly definition: FleetMachine },
): FollowUp {
  let asks = 0;
  return async (to, run) => {
    const { engine, definition } = client(to);
    const id = `${name}.${++asks}`;
    const key = `for ${run.runId}`;
    const token = run.stepId;
    ledger.write({ what: "asked", id, verb: "trigger", definition: to, key, token });
    try {
      const data: Trail = { token, wish: "good", landed: [] };
      const answer = await engine.trigger(definition, key, { data, idempotencyKey: token });
      ledger.write({ what: "told", id, runId: answer.runId, created: answer.created });
    } catch (error) {
      ledger.write({ what: "refused", id, code: String((error as { code?: unknown }).code ?? error) });
      throw error;
    }
  };
}

async function endsWithStandardInput(): Promise<void> {
  for await (const _ of Deno.stdin.readable);
  process.exit(1);
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]!) as WorkerOptions);
