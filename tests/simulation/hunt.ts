// deno-lint-ignore-file no-console -- read by mutants.ts.
import { runSeed } from "./scenario.ts";

/** Prints by which invariant and at which seed a broken rule was seen; nothing when it was not. */
for (let seed = 1; seed <= Number(Deno.args[0]); seed++) {
  try {
    await runSeed(seed);
  } catch (error) {
    const { invariant, message } = error as { invariant?: string; message: string };
    console.log(`seed ${seed}: ${invariant ?? "threw"} ${message.replace(/^[\w]+: /, "").slice(0, 90)}`);
    break;
  }
}
Deno.exit(0);
