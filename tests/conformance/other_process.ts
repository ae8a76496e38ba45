/**
 * A process of its own that works on a store until it is killed: it triggers runs, works them off, and says how many it
 * has seen to their ends.
 *
 * @module
 */
import { createEngine, machine, silentLogger } from "../../mod.ts";
import { type FileLibrary, fileStore } from "../file_store.ts";

/** What both processes carry. */
export const chain = machine<{ n: number }>("chain")
  .step("a", ["b"], (run) => ((run.data.n += 1), "b"))
  .step("b", ["c"], (run) => ((run.data.n += 1), "c"))
  .build();

if (import.meta.main) {
  const [url, name, library] = Deno.args as [string, string, FileLibrary];
  const store = fileStore({ url }, library);
  const engine = createEngine({ store, definitions: [chain], logger: silentLogger, lease: { term: "1s" } });
  await engine.start();
  for (let n = 0;; n++) {
    await engine.trigger(chain, `${name} ${n}`, { data: { n: 0 } });
    await engine.await(chain, `${name} ${n}`, { timeout: "30s" });
    // The parent reads it; nothing else comes from this process.
    await Deno.stdout.write(new TextEncoder().encode(`${n}\n`));
  }
}

/** Starts one, runs `body` once it has worked for a while, and kills it. */
export async function besideAnother(
  url: string,
  body: (more: () => Promise<void>) => Promise<void>,
  library: FileLibrary = "libsql",
): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--frozen", new URL(import.meta.url).pathname, url, "other", library],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const more = async () => {
    const { done } = await reader.read();
    if (!done) return;
    const { stderr } = await child.output().catch(() => ({ stderr: undefined }));
    throw new Error(`the other process ended: ${stderr && new TextDecoder().decode(stderr)}`);
  };
  try {
    await more();
    await body(more);
  } finally {
    child.kill("SIGKILL");
    await reader.cancel();
    await child.stderr.cancel();
    await child.status;
  }
}
