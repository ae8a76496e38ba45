/**
 * `kill -9` of a process that uses the installed package, again and again, and a judge at the end.
 *
 * @module
 */
import { run } from "../../npm/command.ts";
import type { Consumer } from "../../npm/consumer.ts";

const killsWanted = 8;
const livesMax = 60;

/**
 * Lets workers live for moments, until one has done all that was left.
 *
 * @param consumer With the programs written.
 * @param runtime What runs them.
 * @param file Of the store.
 * @returns What the judge said.
 */
export async function killAndResume(consumer: Consumer, runtime: string, file: string): Promise<string> {
  let kills = 0;
  for (let life = 0;; life++) {
    if (life === livesMax) throw new Error(`Not done after ${livesMax} lives of the worker`);
    const worker = new Deno.Command(runtime, {
      args: [`${consumer.folder}/kill_worker.mjs`, file],
      cwd: consumer.folder,
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const ended = worker.output();
    // Long enough to get somewhere, on a slow machine as well, and never as long as all the work takes at first.
    const ms = kills < killsWanted ? 150 + 100 * Math.random() * (1 + life) : 120_000;
    const alarm = setTimeout(() => worker.kill("SIGKILL"), ms);
    const { success, signal, stderr } = await ended;
    clearTimeout(alarm);
    if (success) break;
    if (signal !== "SIGKILL") throw new Error(`The worker failed: ${new TextDecoder().decode(stderr)}`);
    kills++;
  }
  const judged = await run(runtime, [`${consumer.folder}/kill_judge.mjs`, file], { cwd: consumer.folder });
  return `${kills} times kill -9, ${judged.trim()}`;
}
