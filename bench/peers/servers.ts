/**
 * Servers for one measurement or many: on ports and in folders of their own, and gone when they are closed.
 *
 * @module
 */
import { run } from "../../npm/command.ts";
import type { ServerKind } from "./subjects.ts";

/** A server that gives each measurement a store of its own. */
export interface Server {
  /** The address of a new and empty database. */
  database(): Promise<string>;
  close(): Promise<void>;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function answers(ask: () => Promise<unknown>): Promise<void> {
  for (const until = Date.now() + 20_000;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function end(process: Deno.ChildProcess, signal: Deno.Signal): Promise<void> {
  try {
    process.kill(signal);
  } catch {
    return; // It is gone already.
  }
  const timer = setTimeout(() => process.kill("SIGKILL"), 10_000);
  await process.status;
  clearTimeout(timer);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function postgresPrograms(): Promise<string> {
  const folders: string[] = [];
  if (await exists("/usr/lib/postgresql")) {
    for await (const { name } of Deno.readDir("/usr/lib/postgresql")) {
      folders.push(`/usr/lib/postgresql/${name}/bin`);
    }
  }
  folders.push("/usr/local/bin", "/usr/bin");
  for (const folder of folders) if (await exists(`${folder}/initdb`)) return folder;
  throw new Error("PostgreSQL is not there: apt-get install --no-install-recommends postgresql");
}

/** PostgreSQL refuses to run as root, so then it runs as the user that Debian's package has made. */
async function userOfPostgres(): Promise<{ uid?: number; gid?: number }> {
  if (Deno.uid() !== 0) return {};
  const [uid, gid] = [await run("id", ["-u", "postgres"]), await run("id", ["-g", "postgres"])].map(Number);
  return { uid: uid!, gid: gid! };
}

// Its durable defaults stay; what is set is memory, and that no checkpoint falls into a measurement by chance.
const postgresOptions = [
  "max_connections=200",
  "shared_buffers=512MB",
  "max_wal_size=4GB",
  "checkpoint_timeout=30min",
];

async function startPostgres(folder: string): Promise<Server> {
  const [programs, user, port] = [await postgresPrograms(), await userOfPostgres(), freePort()];
  const home = await Deno.makeTempDir({ dir: folder });
  if (user.uid !== undefined) {
    await Deno.chmod(folder, 0o755);
    await Deno.chown(home, user.uid, user.gid!);
  }
  const initdb = new Deno.Command(`${programs}/initdb`, {
    args: ["-D", `${home}/data`, "-U", "bench", "-A", "trust", "--encoding=UTF8", "--no-sync"],
    cwd: home,
    stdout: "null",
    ...user,
  });
  const { code } = await initdb.output();
  if (code !== 0) throw new Error(`initdb ended with code ${code}`);
  const args = ["-D", `${home}/data`, "-p", `${port}`, "-h", "127.0.0.1", "-k", home];
  const process = new Deno.Command(`${programs}/postgres`, {
    args: [...args, ...postgresOptions.flatMap((option) => ["-c", option])],
    cwd: home,
    stdout: "null",
    stderr: "null",
    ...user,
  }).spawn();
  const sql = (...statements: string[]) =>
    run(`${programs}/psql`, [
      ...["-q", "-h", "127.0.0.1", "-p", `${port}`, "-U", "bench", "-d", "postgres"],
      ...statements.flatMap((each) => ["-c", each]),
    ]);
  await answers(() => sql("select 1"));
  let databases = 0;
  return {
    async database() {
      const before = databases++;
      if (before > 0) await sql(`drop database if exists bench_${before} with (force)`, "checkpoint");
      await sql(`create database bench_${databases}`);
      return `postgresql://bench@127.0.0.1:${port}/bench_${databases}`;
    },
    // SIGINT: it ends its sessions, writes what it has to and goes.
    close: () => end(process, "SIGINT"),
  };
}

function redis(folder: string, appendfsync: string): Server {
  let process: Deno.ChildProcess | undefined;
  const close = async () => {
    if (process) await end(process, "SIGKILL");
    process = undefined;
  };
  return {
    async database() {
      await close();
      const [port, home] = [freePort(), await Deno.makeTempDir({ dir: folder })];
      const options = { bind: "127.0.0.1", port, dir: home, appendonly: "yes", appendfsync, save: "" };
      const args = Object.entries({ ...options, "maxmemory-policy": "noeviction" })
        .flatMap(([name, value]) => [`--${name}`, `${value}`]);
      process = new Deno.Command("redis-server", { args, stdout: "null", stderr: "null" }).spawn();
      await answers(() =>
        Deno.connect({ hostname: "127.0.0.1", port }).then((connection) => connection.close())
      );
      return `redis://127.0.0.1:${port}`;
    },
    close,
  };
}

/** Starts servers when they are first asked for, and ends them all. */
export class Servers {
  readonly #folder: string;
  readonly #started = new Map<ServerKind, Promise<Server>>();

  /** @param folder Where their folders go. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A new and empty database of a kind of server. */
  async database(kind: ServerKind): Promise<string> {
    let server = this.#started.get(kind);
    if (!server) {
      const [name, option] = kind.split("-");
      server = name === "redis" ? Promise.resolve(redis(this.#folder, option!)) : startPostgres(this.#folder);
      this.#started.set(kind, server);
    }
    return await (await server).database();
  }

  /** Ends one kind, so that it takes nothing from who is measured next. */
  async rest(kind: ServerKind): Promise<void> {
    if (kind !== "postgres") await (await this.#started.get(kind))?.close();
  }

  /** Ends what was started. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#started.values()].map(async (each) => (await each).close()));
    this.#started.clear();
  }
}
