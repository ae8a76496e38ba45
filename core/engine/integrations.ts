import { PawlError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { RunPolicy } from "../parts/run_policy.ts";
import type { Chore, ErrorKind } from "../parts/chore.ts";
import type { Definition, Hook } from "./behaviour.ts";
import type { EngineContext } from "./context.ts";
import { activityFailure, workflowFailure } from "./failures.ts";
import {
  infoOf,
  type Integration,
  type IntegrationContext,
  type IntegrationInUse,
  type IntegrationParts,
} from "./integration.ts";
import { notAllowed, type PolicyOverride, readOverride } from "./policy_override.ts";
import type { Work } from "./work.ts";

/** Longest that a check of readiness may take. */
const readyMsMax = 5_000;

/** An integration in use, with its life. */
interface Used {
  readonly parts: IntegrationParts;
  readonly inUse: IntegrationInUse;
  readonly names: ReadonlySet<string>;
  /** Ends what its `init` has begun; absent: it is not initialised. */
  life: AbortController | undefined;
}

/** The integrations of one engine: opened before it works, closed when it has ended. */
export class Integrations {
  readonly #context: EngineContext;
  readonly #used: Used[] = [];
  readonly #ending = new AbortController();
  #opening: Promise<void> | undefined;

  /** @param context The engine. */
  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** Those in use, in the order in which they were given. */
  get all(): readonly IntegrationInUse[] {
    return this.#used.map(({ inUse }) => inUse);
  }

  /**
   * Takes an integration with all it brings, or nothing of it.
   *
   * @param work How the engine works, which has not begun.
   * @param given What {@linkcode integration} made.
   * @returns It, as this engine has it.
   * @throws {PawlError} `INVALID_ARGUMENT` or `UNSUPPORTED`; the engine carries nothing of it.
   */
  use(work: Work, given: Integration): IntegrationInUse {
    const { parts, name } = Object(given) as Integration;
    if (!parts?.options) {
      throw new PawlError(
        "INVALID_ARGUMENT",
        "Cannot use integration: it is none; make one with integration()",
      );
    }
    work.requireNew(`use integration "${name}"`);
    if (this.#used.some(({ inUse }) => inUse.name === name)) {
      throw new PawlError(
        "INVALID_ARGUMENT",
        `Cannot use integration "${name}": the engine has one of that name; give each instance its own`,
      );
    }
    const errorHooks = this.#errorHooks(parts);
    const brought = given.definitions.map((each) => errorHooks ? { ...each, errorHooks } : each);
    const definitions = this.#context.carried.add(brought, `use integration "${name}"`);
    const inUse = { ...infoOf(parts, definitions), isReady: () => this.#isReady(used) };
    const names = new Set(definitions.map((each) => each.name));
    const used: Used = { parts, inUse, names, life: undefined };
    this.#used.push(used);
    work.carry(definitions);
    return inUse;
  }

  /**
   * What a caller asks for the steps of a run.
   *
   * @returns What is kept with the run.
   * @throws {PawlError} `POLICY_NOT_ALLOWED`, or what is wrong with it.
   */
  policiesOf(definition: Definition, given: PolicyOverride): readonly RunPolicy[] | undefined {
    const allowed = this.#used.find(({ names }) => names.has(definition.name))?.parts.allowed ?? [];
    if (allowed.length === 0) throw notAllowed(definition.name, undefined, allowed);
    return readOverride(definition, allowed, given);
  }

  /**
   * Initialises all that are not, one after the other.
   *
   * @throws {PawlError} `INTEGRATION_FAILED` with what `init` threw as its cause; what was initialised is closed again.
   */
  open(): Promise<void> {
    if (this.#used.length === 0) return Promise.resolve();
    return this.#opening ??= this.#open().catch(async (error) => {
      await this.undo();
      this.#opening = undefined;
      throw error;
    });
  }

  /** Closes what is open, as the engine has not come to work after all; it may be opened again. */
  async undo(): Promise<void> {
    await this.#closeAll();
    this.#opening = undefined;
  }

  /** The engine stops: nothing more is opened. */
  end(): void {
    this.#ending.abort(new PawlError("ENGINE_STOPPED", "The engine was stopped"));
  }

  /**
   * Closes all that are open, the last first, each for so long as it may take.
   *
   * @returns What went wrong, once all have had their turn.
   */
  async close(): Promise<PawlError | undefined> {
    this.end();
    await this.#opening?.catch(() => {});
    const failed = await this.#closeAll();
    if (failed.length === 0) return undefined;
    const names = failed.map(({ name }) => `"${name}"`).join(", ");
    const [first] = failed;
    const cause = failed.length === 1 ? first!.error : new AggregateError(failed.map(({ error }) => error));
    return new PawlError(
      "INTEGRATION_FAILED",
      `The engine is stopped, but close of integration ${names} failed: ${wordsOf(first!.error)}`,
      { cause },
    );
  }

  async #open(): Promise<void> {
    for (const used of this.#used) {
      this.#ending.signal.throwIfAborted();
      try {
        await this.#init(used);
      } catch (cause) {
        if (this.#ending.signal.aborted) throw this.#ending.signal.reason;
        const { name } = used.inUse;
        throw new PawlError(
          "INTEGRATION_FAILED",
          `Cannot start: init of integration "${name}" failed: ${wordsOf(cause)}; nothing was started`,
          { cause },
        );
      }
    }
  }

  async #init(used: Used): Promise<void> {
    const { options, initMs } = used.parts;
    const life = new AbortController();
    let isLate = false;
    const opened = call(() => options.init?.(this.#told(used, life.signal)));
    const closeLate = () =>
      isLate ? this.#close(used).catch((error) => this.#closeFailed(used, error)) : undefined;
    opened.then(closeLate, () => {});
    const bounds = { clock: this.#context.clock, ms: initMs, what: "init", until: this.#ending.signal };
    try {
      await within(bounds, opened);
    } catch (error) {
      isLate = true;
      life.abort(error);
      throw error;
    }
    used.life = life;
  }

  async #closeAll(): Promise<{ readonly name: string; readonly error: unknown }[]> {
    const failed = [];
    for (const used of this.#used.toReversed()) {
      const { life, inUse: { name } } = used;
      if (!life) continue;
      used.life = undefined;
      life.abort(new PawlError("ENGINE_STOPPED", `Integration "${name}" is closed`));
      try {
        await this.#close(used);
      } catch (error) {
        this.#closeFailed(used, error);
        failed.push({ name, error });
      }
    }
    return failed;
  }

  async #close(used: Used): Promise<void> {
    const { options, closeMs } = used.parts;
    const end = new AbortController();
    const closed = call(() => options.close?.(this.#told(used, end.signal)));
    try {
      await within({ clock: this.#context.clock, ms: closeMs, what: "close" }, closed);
    } catch (error) {
      end.abort(error);
      throw error;
    }
  }

  #closeFailed({ inUse: { name } }: Used, error: unknown): void {
    this.#log("error", "close of an integration failed", name, error);
  }

  async #isReady(used: Used): Promise<boolean> {
    const { life, parts: { options }, inUse: { name } } = used;
    if (!life) return false;
    if (!options.isReady) return true;
    const end = new AbortController();
    const asked = call(() => options.isReady!(this.#told(used, end.signal)));
    try {
      const isReady = await within({ clock: this.#context.clock, ms: readyMsMax, what: "isReady" }, asked);
      return isReady === true && used.life === life;
    } catch (error) {
      end.abort(error);
      this.#log("warn", "isReady of an integration failed", name, error);
      return false;
    }
  }

  #errorHooks(parts: IntegrationParts): ((kind: ErrorKind) => readonly Hook[]) | undefined {
    const { options, policy } = parts;
    const { name } = options;
    if (!options.onActivityError && !options.onWorkflowError) return undefined;
    const bound = Math.max(1, Math.floor(this.#context.limits.runsInFlightMax / 2));
    const common = { name, policy: { ...policy, concurrency: Math.min(policy.concurrency || bound, bound) } };
    const told = (signal: AbortSignal) => this.#tell(options, signal);
    const rules = (definition: string) => this.#context.definitions.get(definition)!.behaviour;
    const onAttempt: Hook = {
      ...common,
      run: (view, signal, chore) =>
        options.onActivityError!(activityFailure(rules(view.definition), chore as Chore, view), told(signal)),
    };
    const onRun: Hook = {
      ...common,
      run: (view, signal, chore) =>
        options.onWorkflowError!(workflowFailure(rules(view.definition), chore as Chore, view), told(signal)),
    };
    const attempts = options.onActivityError ? [onAttempt] : [];
    const runs = options.onWorkflowError ? [onRun] : [];
    return (kind) => kind === "step-error" ? attempts : runs;
  }

  #told({ parts: { options } }: Used, signal: AbortSignal): IntegrationContext<object> {
    return this.#tell(options, signal);
  }

  #tell({ name, config }: IntegrationParts["options"], signal: AbortSignal): IntegrationContext<object> {
    return { name, config: config!, engine: this.#context.engine, signal };
  }

  #log(level: "warn" | "error", message: string, integration: string, error: unknown): void {
    // What an error says may quote the settings, secrets with them.
    const { name, code } = Object(error) as { name?: unknown; code?: unknown };
    this.#context.logger.log(level, message, { integration, error: String(name ?? "Error"), code });
  }
}

/** Runs user code that may throw at once. */
async function call(code: () => unknown): Promise<unknown> {
  return await code();
}

/** For how long something may take. */
interface Bounds {
  readonly clock: Clock;
  readonly ms: number;
  readonly what: string;
  /** Ends it before. */
  readonly until?: AbortSignal;
}

/** What comes later than it may is an error; what made it is told by its own signal. */
function within(bounds: Bounds, result: Promise<unknown>): Promise<unknown> {
  const { clock, ms, what, until } = bounds;
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => {
      until?.removeEventListener("abort", onEnd);
      reject(new PawlError("INTEGRATION_FAILED", `${what} took longer than ${ms} ms`));
    });
    const over = () => {
      cancel();
      until?.removeEventListener("abort", onEnd);
    };
    const onEnd = () => {
      over();
      reject(until!.reason);
    };
    until?.addEventListener("abort", onEnd);
    result.then(resolve, reject).finally(over);
  });
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : "a value that is no Error";
}
