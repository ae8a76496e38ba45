/**
 * A process of the test of locks: it writes down when it is under the lock, until it is killed.
 *
 *     deno run -A tests/processes/lock_process.ts worker|caller FILE LEDGER
 *
 * @module
 */
import { fileStore } from "../file_store.ts";
import { createEngine, machine, silentLogger } from "../../mod.ts";

const [role, file, ledger] = Deno.args as [string, string, string];

function write(line: string): void {
  Deno.writeTextFileSync(ledger, `${line}\n`, { append: true });
}

const work = machine("work")
  .step("new", ["done"], async (run) => {
    const who = `${run.key} ${run.lock!.token}`;
    write(`enter ${who} ${Deno.pid}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
    write(`leave ${who} ${Deno.pid}`);
    return "done";
  }, { lock: "m" })
  .build();

const engine = createEngine({
  store: fileStore({ url: `file:${file}` }),
  definitions: [work],
  lease: { term: "1s" },
  poll: "50ms",
  logger: silentLogger,
});
if (role === "worker") await engine.start();
else {
  const { token } = await engine.mutex("m").acquire({ hold: "1500ms" });
  write(`enter caller ${token} ${Deno.pid}`);
}
await new Promise(() => setInterval(() => {}, 1_000));
