/**
 * The first machine: `deno run -A examples/getting_started/main.ts [file.db]`. Run it twice on one file: the second time
 * the run is there already.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It prints what happens.
import { createEngine, machine } from "pawl";
import { libsqlStore } from "pawl/adapters/libsql";

/** What a run carries: any JSON. */
interface SignUp {
  email: string;
  welcomed?: boolean;
}

// Statuses, and what leads from one to the next. A status that a step does not list is a compile error.
const signUps = machine<SignUp>("sign-ups")
  .step("requested", ["checked", "refused"], (run) => run.data.email.includes("@") ? "checked" : "refused")
  .step("checked", ["welcomed"], (run) => {
    console.log(`Welcome, ${run.data.email}!`);
    run.data.welcomed = true; // Saved together with the move to "welcomed".
    return "welcomed";
  })
  .build();

const store = libsqlStore({ url: Deno.args[0] === undefined ? ":memory:" : `file:${Deno.args[0]}` });
const engine = createEngine({ store, definitions: [signUps] });
await engine.start();

const input = { data: { email: "ann@example.com" }, idempotencyKey: "ann signs up" };
const { runId, created } = await engine.trigger(signUps, "ann", input);
console.log(created ? "A new run" : "The run of an earlier time");
const run = await engine.await(signUps, "ann");
console.log(`It is ${run.runState} at "${run.status}", with ${JSON.stringify(run.data)}`);
for (const row of await engine.history({ runId })) console.log(`  ${row.kind} to "${row.to}"`);

await engine.stop();
await store.close();
