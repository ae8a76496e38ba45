/**
 * What every process of the fleet is: it opens the shared store, works until it is told to stop, or dies.
 *
 * It takes {@linkcode MemberOptions} as JSON, prints a line when it has started, and stops in order on SIGTERM or SIGINT. It
 * also ends when its standard input does, so that it does not outlive whoever started it.
 *
 * @module
 */
import process from "node:process";
import type { Store } from "pawl";
import { fileStore } from "../file_store.ts";
import { Ledger } from "./ledger.ts";
import { sleep } from "./trail.ts";

/** What a process is told. */
export interface MemberOptions {
  readonly name: string;
  readonly url: string;
  readonly shards: number;
  readonly ledger: string;
  readonly termMs: number;
  readonly pollMs: number;
}

/** What a process does. */
export interface Job {
  /** Begins; tried again, as a server may just be away. */
  start(): Promise<void>;
  /** Ends in order. */
  stop(): Promise<void>;
  /** The id of its engine. */
  readonly engineId: string;
}

/** What a process has. */
export interface Tools<Options extends MemberOptions> {
  readonly options: Options;
  readonly ledger: Ledger;
  readonly store: Store;
}

/**
 * Is a process of the fleet.
 *
 * @param make What it does.
 */
export async function beMember<Options extends MemberOptions>(
  make: (tools: Tools<Options>) => Job,
): Promise<void> {
  const options = JSON.parse(Deno.args[0]!) as Options;
  const { name, url, shards } = options;
  const ledger = new Ledger(options.ledger, name);
  const store = fileStore({ url, shards });
  const job = make({ options, ledger, store });
  const stop = async () => {
    await job.stop();
    await store.close();
    ledger.write({ what: "event", name: "left", to: name });
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, () => void stop());
  void endsWithStandardInput();
  await surely(() => job.start());
  ledger.write({ what: "event", name: "started", to: name, engineId: job.engineId });
  process.stdout.write(`${name} started\n`);
}

async function surely(start: () => Promise<void>): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(100);
    }
  }
}

async function endsWithStandardInput(): Promise<void> {
  for await (const _ of Deno.stdin.readable);
  process.exit(1);
}
