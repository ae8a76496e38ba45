/**
 * Programs of the tests, bundled for Node and started there.
 *
 * @module
 */
import * as esbuild from "esbuild";

const root = new URL("../../../", import.meta.url);
const manifest = JSON.parse(await Deno.readTextFile(new URL("deno.json", root))) as {
  readonly imports: Readonly<Record<string, string>>;
};

/**
 * @param name A file beside this one.
 * @returns The program as one file for Node.
 */
export async function buildForNode(name: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "pawl-node-" });
  const outfile = `${folder}/${name.replace(/\.ts$/, ".mjs")}`;
  await esbuild.build({
    entryPoints: [new URL(name, import.meta.url).pathname],
    plugins: [{
      name: "pawl",
      setup: (build) =>
        build.onResolve({ filter: /^pawl(\/|$)/ }, ({ path }) => ({
          path: new URL(manifest.imports[path]!, root).pathname,
        })),
    }],
    absWorkingDir: root.pathname,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    outfile,
    logLevel: "silent",
  });
  return outfile;
}

/**
 * @param file A program that prints where it listens.
 * @returns Where that is, and its end.
 */
export async function startNode(
  file: string,
): Promise<{ readonly origin: string; stop(): Promise<void> }> {
  const child = new Deno.Command("node", { args: [file], stdout: "piped", stderr: "inherit" }).spawn();
  let text = "";
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let port: string | undefined;
  while (port === undefined) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`Node ended before it listened: ${text}`);
    text += decoder.decode(value, { stream: true });
    port = /listening (\d+)/.exec(text)?.[1];
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
      await Deno.remove(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    },
  };
}
