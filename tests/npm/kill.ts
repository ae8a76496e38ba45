/**
 * `kill -9` of a process that uses the installed package, again and again, and a judge at the end.
 *
 * @module
 */
import { run } from "../../npm/command.ts";
import type { Consumer } from "../../npm/consumer.ts";

const killsWanted = 8;

/** A worker that gets nowhere for so long hangs. */
const hungMs = 120_000;

/**
 * Lets workers live until they have begun some steps, and the last one until it has done all that was left.
 *
 * @param consumer With the programs written.
 * @param runtime What runs them.
 * @param file Of the store.
 * @returns What the judge said.
 */
export async function killAndResume(consumer: Consumer, runtime: string, file: string): Promise<string> {
  for (let kills = 0; kills < killsWanted; kills++) {
    const steps = await stepsBegun(file) + 1 + Math.floor(12 * Math.random());
    const worker = live(consumer, runtime, file);
    const begun = performance.now();
    while (await stepsBegun(file) < steps) {
      if (performance.now() - begun > hungMs) throw new Error(`The worker did not get to step ${steps}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    worker.process.kill("SIGKILL");
    const { signal, stderr } = await worker.ended;
    if (signal !== "SIGKILL") throw new Error(`The worker failed: ${new TextDecoder().decode(stderr)}`);
  }
  const last = live(consumer, runtime, file);
  const alarm = setTimeout(() => last.process.kill("SIGKILL"), hungMs);
  const { success, stderr } = await last.ended;
  clearTimeout(alarm);
  if (!success) throw new Error(`The last worker failed: ${new TextDecoder().decode(stderr)}`);
  const judged = await run(runtime, [`${consumer.folder}/kill_judge.mjs`, file], { cwd: consumer.folder });
  return `${killsWanted} times kill -9, ${judged.trim()}`;
}

function live({ folder }: Consumer, runtime: string, file: string) {
  const process = new Deno.Command(runtime, {
    args: [`${folder}/kill_worker.mjs`, file],
    cwd: folder,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  return { process, ended: process.output() };
}

async function stepsBegun(file: string): Promise<number> {
  const ledger = await Deno.readTextFile(`${file}.ledger`).catch(() => "");
  return ledger.split("\n").length - 1;
}
