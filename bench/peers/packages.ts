/**
 * What every engine is measured with: one release of Node, the pinned packages, and Pawl as its users get it.
 *
 * @module
 */
import { build, digestOf } from "../../npm/build.ts";
import { npm, run } from "../../npm/command.ts";
import { nodeBinary, nodeVersions } from "../../npm/tools.ts";

const engines = new URL("engines/", import.meta.url);

/** The newest release of Node that the package is tested on. */
export const nodeVersion = nodeVersions.at(-1)!;

/** Installs what `package-lock.json` says, and in it Pawl's tarball as the sources are now. */
async function installed(): Promise<void> {
  const lock = new URL("package-lock.json", engines).pathname;
  const [stamp, wanted] = [new URL("node_modules/installed.txt", engines), await digestOf(lock)];
  if (await Deno.readTextFile(stamp).catch(() => "") !== wanted) {
    await npm(["install", "--no-save", "--ignore-scripts"], engines);
    await Deno.writeTextFile(stamp, wanted);
  }
  const pawl = new URL("node_modules/pawl/", engines);
  await Deno.remove(pawl, { recursive: true }).catch(() => {});
  await Deno.mkdir(pawl);
  await run("tar", ["-xzf", await build(), "-C", pawl.pathname, "--strip-components=1"]);
}

/** Runs a program of `engines/` under Node; what it prints last is its answer. */
export type Node = (program: string, task: unknown, signal: AbortSignal) => Promise<unknown>;

/** Makes everything ready. */
export async function prepare(): Promise<Node> {
  const [node] = await Promise.all([nodeBinary(nodeVersion), installed()]);
  return async (program, task, signal) => {
    signal.throwIfAborted();
    const { code, stdout, stderr } = await new Deno.Command(node, {
      args: ["--disable-warning=ExperimentalWarning", program, JSON.stringify(task)],
      cwd: engines,
      env: { NODE_ENV: "production" },
      signal,
    }).output();
    const [said, complained] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
    if (code === 0) return JSON.parse(said!.split("\n").at(-1)!);
    if (signal.aborted) throw signal.reason;
    const reason = complained!.split("\n").find((line) => /^\w*Error\b/.test(line));
    throw new Error((reason ?? complained!).replaceAll(/(file:\/\/)?(?<![\w.])\/\S*\//g, "").slice(0, 300));
  };
}
