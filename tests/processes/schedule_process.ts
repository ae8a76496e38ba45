/**
 * A process of the test of schedules: it works, writes down which run it begins for which occurrence, and kills itself where
 * it is told to.
 *
 *     deno run -A tests/processes/schedule_process.ts FILE LEDGER SKEW_MS [before|after claim|start|landing COUNT]
 *
 * @module
 */
import { fileStore } from "../file_store.ts";
import { type CommitCall, createEngine, machine, silentLogger, type Store, systemClock } from "../../mod.ts";

const [file, ledger, skew, when, what, count] = Deno.args as [
  string,
  string,
  string,
  string?,
  string?,
  string?,
];

/** What a call does for a schedule. */
function deedOf({ batches }: CommitCall): string | undefined {
  const puts = batches.flatMap((batch) => batch.puts);
  if (puts.some(({ key }) => key.startsWith("mark "))) return "start";
  const schedules = puts.filter(({ key }) => key.startsWith("sched "));
  if (schedules.some(({ value }) => JSON.parse(value).starting)) return "claim";
  return puts.some(({ key }) => key.startsWith("occ ")) ? "landing" : undefined;
}

/** A store whose process dies before or after the nth commit of a kind. */
function mortal(inner: Store): Store {
  let left = Number(count);
  const mayDie = (calls: readonly CommitCall[]) => calls.some((call) => deedOf(call) === what) && --left <= 0;
  const die = () => Deno.kill(Deno.pid, "SIGKILL");
  return {
    limits: inner.limits,
    shards: inner.shards,
    read: (requests) => inner.read(requests),
    async commit(calls) {
      const dies = mayDie(calls);
      if (dies && when === "before") die();
      const results = await inner.commit(calls);
      if (dies) die();
      return results;
    },
    close: () => inner.close(),
  };
}

const work = machine("work")
  .step("new", ["done"], (run) => {
    Deno.writeTextFileSync(ledger, `${run.key} ${run.runId} ${Deno.pid}\n`, { append: true });
    return "done";
  }, { lag: "20ms" })
  .build();

const clock = systemClock();
const store = fileStore({ url: `file:${file}`, shards: 4 });
const engine = createEngine({
  store: when === undefined ? store : mortal(store),
  definitions: [work],
  clock: { ...clock, now: () => clock.now() + Number(skew) },
  lease: { term: "1s" },
  poll: "50ms",
  logger: silentLogger,
});
await engine.start();
await new Promise(() => setInterval(() => {}, 1_000));
