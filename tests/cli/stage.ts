/**
 * A libSQL file with an engine on it, which can be asked as a database and over HTTP, and a terminal that is none.
 *
 * @module
 */
import { libsqlStore } from "../../adapters/libsql/mod.ts";
import type { Terminal } from "../../cli/command.ts";
import { pawl } from "../../cli/pawl.ts";
import { createEngine, type Definition, type Engine, silentLogger } from "../../mod.ts";
import { httpApi } from "../../plugins/hono/mod.ts";
import { failing, order, poll, printing, tea } from "../plugins/hono/stage.ts";

/** What a test says of the world. */
export interface World {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly fetch?: Terminal["fetch"];
  /** What is piped in. */
  readonly input?: string;
  /** What somebody answers; absent: nobody is there. */
  readonly answer?: string | (() => Promise<string>);
  /** The width of the screen; absent: there is none. */
  readonly columns?: number;
  readonly signal?: AbortSignal;
}

/** What became of a command. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs a command in this process. */
export async function run(args: readonly string[], world: World = {}): Promise<Outcome> {
  let [out, error] = ["", ""];
  const { env = {}, answer, columns } = world;
  const terminal: Terminal = {
    out: (text) => void (out += text),
    error: (text) => void (error += text),
    isTerminal: columns !== undefined,
    isErrorTerminal: columns !== undefined,
    isInteractive: answer !== undefined,
    columns: columns ?? Infinity,
    signal: world.signal ?? new AbortController().signal,
    env: (name) => env[name],
    cwd: world.cwd ?? ".",
    async *input() {
      // In pieces, as pipes give it.
      for (const each of (world.input ?? "").match(/[\s\S]{1,7}/g) ?? []) yield each;
    },
    ask: (question) => {
      error += question;
      return typeof answer === "function" ? answer() : Promise.resolve(answer!);
    },
    ...(world.fetch && { fetch: world.fetch }),
    now: () => new Date(),
  };
  const code = await pawl(args, terminal);
  return { code, out, error };
}

/** Where commands are asked to look. */
export interface Stage extends AsyncDisposable {
  readonly engine: Engine;
  readonly folder: string;
  /** Runs a command on the database, by its file, with the code of its machines. */
  readonly onDatabase: Ask;
  /** Runs a command on the engine's API. */
  readonly onApi: Ask;
}

type Ask = (args: readonly string[], world?: World) => Promise<Outcome>;

/** Machines of other tests, one of each kind. */
export const machines: readonly Definition[] = [tea, order, poll, printing, failing];

/** The path of a module that exports them. */
export const code = new URL("definitions.ts", import.meta.url).pathname;

/**
 * @param works `false`: nothing goes on by itself.
 * @returns A new store with an engine at work on it.
 */
export async function stage(works = true): Promise<Stage> {
  const folder = await Deno.makeTempDir({ prefix: "pawl-cli-" });
  const store = libsqlStore({ url: `file:${folder}/x.db` });
  const engine = createEngine({
    store,
    definitions: machines,
    logger: silentLogger,
    poll: 20,
    work: works,
  });
  // The file is made by the first that asks.
  await engine.list();
  if (works) await engine.start();
  const api = httpApi(engine, {
    authorize: ({ request }) => request.headers.get("authorization") === "Bearer t",
  });
  const fetch: Terminal["fetch"] = (input, init) => api.fetch(new Request(input, init));
  return {
    engine,
    folder,
    onDatabase: (args, world) =>
      run([...args, "--db", "file:x.db", "--definitions", code], { cwd: folder, ...world }),
    onApi: (args, world) =>
      run(args, {
        cwd: folder,
        fetch,
        env: { PAWL_URL: "http://api", PAWL_TOKEN: "t", ...world?.env },
        ...world,
      }),
    async [Symbol.asyncDispose]() {
      await engine.stop({ grace: 0 });
      await store.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** The two ways to ask, for tests of what both can do. */
export const ways = ["onDatabase", "onApi"] as const;

/** One JSON document. */
// deno-lint-ignore no-explicit-any -- Tests say what is in it.
export function json({ out }: Outcome): any {
  return JSON.parse(out);
}

/** A document on each line. */
// deno-lint-ignore no-explicit-any -- Tests say what is in it.
export function jsonLines({ out }: Outcome): any[] {
  return out.trimEnd().split("\n").map((line) => JSON.parse(line));
}
