/**
 * A database. An engine that owns nothing asks it: it has the code of no definition but of those it is given.
 *
 * @module
 */
import {
  createEngine,
  type Definition,
  type Engine,
  type ErrorCode,
  type Logger,
  PawlError,
  type Store,
} from "pawl";
import type { Terminal } from "../command.ts";
import { shown } from "../output/width.ts";
import { batchOn } from "./batch.ts";
import { type Code, loadCode } from "./code.ts";
import { viewOfDefinition } from "./definition_view.ts";
import { nameOnly } from "./name_only.ts";
import { openStore, withoutSecrets } from "./open_store.ts";
import { recurrencesThere } from "./recurrences.ts";
import { runOfId } from "./run_of_id.ts";
import type { Target } from "./target.ts";

/** Which database, and how. */
export interface DatabaseOptions {
  readonly url: string;
  readonly terminal: Terminal;
  /** The path of a module with definitions. */
  readonly definitions: string | undefined;
  readonly shards: number | undefined;
  /** Whether the file may be made. */
  readonly creates: boolean;
}

/**
 * Opens a database.
 *
 * @param options Which.
 * @returns The target.
 * @throws {PawlError} What the store says.
 */
export async function databaseTarget(options: DatabaseOptions): Promise<Target> {
  const { terminal: { signal, cwd }, definitions } = options;
  const code = definitions === undefined ? undefined : await loadCode(definitions, cwd);
  const store = await openStore(options);
  const engines = await enginesOn(store, code, loggerOn(options.terminal));
  const { engine } = engines;
  const one = (verb: string, definition: string) => engines.carried(verb, definition);
  const target: Target = {
    name: withoutSecrets(options.url),
    list: (query) => engine.list(query),
    async get({ definition, key, runId }) {
      return await engines.reading(definition).get({ name: definition } as Definition, key, which(runId));
    },
    find: (runId) => runOfId((query) => engine.list(query), runId),
    history: ({ runId }, query) => engine.history({ ...query, runId }),
    watch: ({ definition, key, runId }, { after }) =>
      engines.reading(definition).watch({ name: definition } as Definition, key, {
        runId,
        signal,
        ...(after !== undefined && { after }),
      }),
    await: async ({ definition, key, runId }, wait) =>
      await engines.reading(definition, wait.status).await({ name: definition } as Definition, key, {
        ...wait,
        ...which(runId),
        signal,
      }),
    trigger: async ({ definition, key }, given) =>
      await engine.trigger(one("trigger", definition), key, given as { data: unknown }),
    async callback({ definition, key, runId, status }, payload, given) {
      const code = one("call back", definition) as Definition<
        unknown,
        string,
        string,
        Record<string, unknown>
      >;
      return await engine.callback(code, key, status, payload, { ...given, ...which(runId), signal });
    },
    async operate(action, { definition, key, runId }, { reason }) {
      const [code, run] = [one(action, definition), which(runId)];
      const why = { ...run, ...(reason !== undefined && { reason }) };
      if (action === "pause") return await engine.pause(code, key, why);
      if (action === "resume") return await engine.resume(code, key, run);
      if (action === "cancel") return await engine.cancel(code, key, why);
      return await engine.deleteData(code, key, why);
    },
    async *batch(input) {
      if (!input.dryRun) one(input.action, input.filter.definition);
      yield* batchOn(target, input, signal);
    },
    definitions: () => Promise.resolve([...engine.definitions.values()].map(viewOfDefinition)),
    // deno-lint-ignore require-await -- What it throws is to reject.
    diagram: async (definition, drawn) => engine.diagram(one("draw", definition), drawn),
    schedules: async () => (await engines.scheduling()).schedules,
    locks: engine.locks,
    admin: engine.admin,
    export: (exported) => engine.admin.export({ ...exported, signal }),
    import: (text, imported) => engine.admin.import(text, { ...imported, signal }),
    close: () => engines.close(),
  };
  return target;
}

const which = (runId: string | undefined) => runId === undefined ? {} : { runId };

/** What an engine has to say goes where errors go: a run that a list leaves out, for instance. */
function loggerOn(terminal: Terminal): Logger {
  return {
    log(level, message, fields) {
      if (level !== "warn" && level !== "error") return;
      terminal.error(shown(`${level}: ${message}${fields ? ` ${JSON.stringify(fields)}` : ""}`) + "\n");
    },
  };
}

async function enginesOn(store: Store, code: Code | undefined, logger: Logger): Promise<Engines> {
  try {
    return new Engines(store, code, logger);
  } catch (error) {
    // Options that no engine takes.
    await store.close();
    throw error;
  }
}

/** Engines on one store, made when they are needed. None of them owns anything. */
class Engines {
  readonly engine: Engine;
  readonly #store: Store;
  readonly #logger: Logger;
  readonly #code: Code | undefined;
  readonly #made: Engine[] = [];

  constructor(store: Store, code: Code | undefined, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
    this.#code = code;
    this.engine = this.#make(code?.definitions ?? []);
  }

  #make(definitions: readonly Definition[], also: Parameters<typeof createEngine>[0] | object = {}): Engine {
    const options = { logger: this.#logger, ...this.#code?.engineOptions, ...also };
    const engine = createEngine({ ...options, store: this.#store, definitions, work: false });
    for (const each of this.#code?.integrations ?? []) engine.use(each);
    this.#made.push(engine);
    return engine;
  }

  /**
   * What changes a run must know what hears of the change, and what becomes due by it.
   *
   * @returns A definition that was given.
   * @throws {PawlError} `UNKNOWN_DEFINITION`.
   */
  carried(verb: string, definition: string): Definition {
    const found = this.engine.definitions.get(definition);
    if (found) return found;
    const known = [...this.engine.definitions.keys()].map((each) => `"${each}"`).join(", ");
    const what =
      `Cannot ${verb} a run of "${definition}" in a database without its code, as hooks, timers and streams ` +
      `of its machine would not hear of it: `;
    throw new PawlError(
      "UNKNOWN_DEFINITION" satisfies ErrorCode,
      what +
        (this.#code
          ? `--definitions exports ${known || "no definition"}`
          : "give the module that exports it with --definitions, or ask an engine with --url"),
    );
  }

  /** An engine that can look at runs of a definition, whether it was given or not. */
  reading(definition: string, status?: string): Engine {
    if (this.engine.definitions.has(definition)) return this.engine;
    return this.#make([nameOnly(definition, status)]);
  }

  /** An engine that can read what recurrences are stored. */
  async scheduling(): Promise<Engine> {
    const given = this.#code?.engineOptions.recurrences ?? [];
    const there = await recurrencesThere(given.map(({ type }) => type));
    return this.#make(this.#code?.definitions ?? [], { recurrences: [...given, ...there] });
  }

  async close(): Promise<void> {
    await Promise.all(this.#made.map((engine) => engine.stop()));
    await this.#store.close();
  }
}
