/**
 * The verbs of runs, with the types of their definitions.
 *
 * @module
 */
import {
  type AwaitOptions,
  type CallbackOptions,
  type CallbackResult,
  type Definition,
  type Duration,
  durationMs,
  type HistoryQuery,
  type HistoryRow,
  type ListPage,
  type ListQuery,
  type OperateOptions,
  PawlError,
  type RunOptions,
  type RunView,
  type TimerPage,
  type TimerQuery,
  type Triggered,
  type TriggerOptions,
} from "pawl";
import type { BatchLine, BatchProblem } from "../contract.ts";
import { type Connection, queryText, type RequestOptions, segment } from "./connection.ts";
import { HttpFailedError, isPassing } from "./errors.ts";
import { pause as wait, Pauses } from "./pause.ts";
import { pageOf, revive, rowShape, runShape } from "./revive.ts";
import { readLines } from "./lines.ts";
import { type ClientWatchOptions, watch } from "./streams.ts";

/** Which runs a batch is about. */
export type BatchFilter =
  & Pick<ListQuery, "status" | "runState" | "key" | "keyPrefix" | "createdAfter" | "createdBefore">
  & { readonly definition: Definition | string };

/** What is to be done to each of many runs. */
export interface BatchInput {
  /** The verb. */
  readonly action: "pause" | "resume" | "cancel" | "delete";
  /** Which runs. */
  readonly filter: BatchFilter;
  /** Why. */
  readonly reason?: string;
  /** Only count what matches. */
  readonly dryRun?: boolean;
  /** Runs at most. */
  readonly limit?: number;
}

/** The verbs of runs: those of the engine, with the same types; each takes `signal`. */
export interface RunClient {
  /** As `engine.trigger`. */
  trigger<Data, Status extends string, Start extends string>(
    definition: Definition<Data, Status, Start>,
    key: string,
    ...options: undefined extends Data
      ? [options?: TriggerOptions<NoInfer<Data>, NoInfer<Start>> & RequestOptions]
      : [options: TriggerOptions<NoInfer<Data>, NoInfer<Start>> & RequestOptions]
  ): Promise<Triggered>;
  /** As `engine.await`: one long poll after another, until it is met or its time is over. */
  await<Data, Status extends string, Start extends string>(
    definition: Definition<Data, Status, Start>,
    key: string,
    options?: AwaitOptions<NoInfer<Status>>,
  ): Promise<RunView<Data>>;
  /** As `engine.get`. */
  get<Data, Status extends string, Start extends string>(
    definition: Definition<Data, Status, Start>,
    key: string,
    options?: RunOptions & RequestOptions,
  ): Promise<RunView<Data> | undefined>;
  /** As `engine.list`. */
  list(query?: ListQuery, options?: RequestOptions): Promise<ListPage>;
  /** As `engine.timers`. */
  timers(query?: TimerQuery, options?: RequestOptions): Promise<TimerPage>;
  /** As `engine.history`, by the run's definition and key. */
  history(
    definition: Definition,
    key: string,
    options?: Partial<HistoryQuery> & RequestOptions,
  ): Promise<readonly HistoryRow[]>;
  /** As `engine.watch`; a connection that breaks is opened again, and nothing is missed or comes twice. */
  watch(definition: Definition, key: string, options?: ClientWatchOptions): AsyncIterable<HistoryRow>;
  /** As `engine.callback`. */
  callback<
    Data,
    Status extends string,
    Start extends string,
    Payloads,
    const At extends keyof Payloads & string,
  >(
    definition: Definition<Data, Status, Start, Payloads>,
    key: string,
    status: At,
    ...payload: undefined extends Payloads[At] ? [payload?: Payloads[At], options?: CallbackOptions]
      : [payload: Payloads[At], options?: CallbackOptions]
  ): Promise<CallbackResult>;
  /** As `engine.pause`. */
  pause(definition: Definition, key: string, options?: OperateOptions & RequestOptions): Promise<RunView>;
  /** As `engine.resume`. */
  resume(definition: Definition, key: string, options?: RunOptions & RequestOptions): Promise<RunView>;
  /** As `engine.cancel`. */
  cancel(definition: Definition, key: string, options?: OperateOptions & RequestOptions): Promise<RunView>;
  /** As `engine.deleteData`. */
  deleteData(
    definition: Definition,
    key: string,
    options?: OperateOptions & RequestOptions,
  ): Promise<RunView>;
  /** Does something to all runs that match; leaving the loop, or the signal, ends it after the runs under way. */
  batch(input: BatchInput, options?: RequestOptions): AsyncIterable<BatchLine>;
}

const paramOf = ({ name }: Definition, key: string) => ({ definition: segment(name), key: segment(key) });

/** The options of a request apart from what it says. */
function parted<Options extends RequestOptions>(
  { signal, ...rest }: Options,
): [Omit<Options, "signal">, RequestOptions] {
  return [rest, signal ? { signal } : {}];
}

/**
 * @param connection Where the API is.
 * @returns The verbs.
 */
export function runClient(connection: Connection): RunClient {
  return { ...readers(connection), ...writers(connection) } as RunClient;
}

function readers(connection: Connection): Partial<RunClient> {
  return {
    await: <Data>(definition: Definition<Data>, key: string, options: AwaitOptions<string> = {}) =>
      awaitRun<Data>(connection, definition, key, options),
    get: <Data>(definition: Definition<Data>, key: string, options: RunOptions & RequestOptions = {}) =>
      getRun<Data>(connection, definition, key, options),
    list: (query = {}, options) =>
      connection.ask(
        (routes, sending) => routes.runs.$get({ query: queryText(query) }, sending),
        pageOf(runShape),
        options,
      ),
    timers: (query = {}, options) =>
      connection.ask(
        (routes, sending) => routes.timers.$get({ query: queryText(query) }, sending),
        pageOf({ at: true }),
        options,
      ),
    async history(definition, key, options = {}) {
      const [query, request] = parted(options);
      const input = { param: paramOf(definition, key), query: queryText(query) };
      const { items } = await connection.ask<{ readonly items: readonly HistoryRow[] }>(
        (routes, sending) => routes.runs[":definition"][":key"].history.$get(input, sending),
        pageOf(rowShape),
        request,
      );
      return items;
    },
    watch: (definition, key, options) => watch(connection, definition.name, key, options),
  };
}

function writers(connection: Connection): Partial<RunClient> {
  type Operated = "pause" | "resume" | "cancel";
  const operate =
    (verb: Operated) =>
    async (definition: Definition, key: string, options: OperateOptions & RequestOptions = {}) => {
      const [json, request] = parted(options);
      const input = { param: paramOf(definition, key), json };
      return await connection.ask<RunView>(
        (routes, sending) => routes.runs[":definition"][":key"][verb].$post(input, sending),
        runShape,
        request,
      );
    };
  return {
    async trigger(
      definition: Definition,
      key: string,
      options: TriggerOptions<unknown, string> & RequestOptions = {},
    ) {
      const [json, request] = parted(options);
      const input = { param: paramOf(definition, key), json };
      return await connection.ask<Triggered>(
        (routes, sending) => routes.runs[":definition"][":key"].$post(input, sending),
        {},
        request,
      );
    },
    async callback(
      definition: Definition,
      key: string,
      status: string,
      payload?: unknown,
      options: CallbackOptions = {},
    ) {
      const [rest, request] = parted(options);
      const param = { ...paramOf(definition, key), status: segment(status) };
      return await connection.ask<CallbackResult>(
        (routes, sending) =>
          routes.runs[":definition"][":key"].callback[":status"].$post(
            { param, json: { ...rest, payload } },
            sending,
          ),
        {},
        request,
      );
    },
    pause: operate("pause"),
    resume: operate("resume"),
    cancel: operate("cancel"),
    async deleteData(definition, key, options = {}) {
      const [query, request] = parted(options);
      const input = { param: paramOf(definition, key), query: queryText(query) };
      return await connection.ask<RunView>(
        (routes, sending) => routes.runs[":definition"][":key"].$delete(input, sending),
        runShape,
        request,
      );
    },
    batch: (input, options) => batch(connection, input, options),
  };
}

async function getRun<Data>(
  connection: Connection,
  definition: Definition<Data>,
  key: string,
  options: RunOptions & RequestOptions,
): Promise<RunView<Data> | undefined> {
  const [query, request] = parted(options);
  const input = { param: paramOf(definition, key), query: queryText(query) };
  try {
    return await connection.ask<RunView<Data>>(
      (routes, sending) => routes.runs[":definition"][":key"].$get(input, sending),
      runShape,
      request,
    );
  } catch (error) {
    if (error instanceof PawlError && error.code === "RUN_NOT_FOUND") return undefined;
    throw error;
  }
}

async function awaitRun<Data>(
  connection: Connection,
  definition: Definition<Data>,
  key: string,
  { timeout, signal, status, runId }: AwaitOptions<string>,
): Promise<RunView<Data>> {
  const deadline = timeout === undefined ? Infinity : performance.now() + durationMs(timeout, "timeout");
  const pauses = new Pauses(connection.options.retryMs, signal);
  const request = signal ? { signal } : {};
  let bound = runId;
  for (;;) {
    const leftMs = Math.max(0, deadline - performance.now());
    try {
      // Bound at the first answer, as the engine does: polls to come must not find another run of the key.
      bound ??= (await connection.ask<RunView>(
        (routes, sending) =>
          routes.runs[":definition"][":key"].$get({ param: paramOf(definition, key) }, sending),
        {},
        request,
      )).runId;
      const query = queryText({
        runId: bound,
        status,
        timeout: Math.ceil(Math.min(leftMs, connection.options.pollMs)),
      });
      return await connection.ask<RunView<Data>>(
        (routes, sending) =>
          routes.runs[":definition"][":key"].await.$get({ param: paramOf(definition, key), query }, sending),
        runShape,
        request,
      );
    } catch (error) {
      const isOver = performance.now() >= deadline;
      const isPoll = error instanceof PawlError && error.code === "AWAIT_TIMEOUT";
      if (isPoll && isOver) throw timedOut(definition, key, status, timeout!);
      if (!isPoll && (isOver || !isPassing(error))) throw error;
      if (isPoll) pauses.reset();
      else {await Promise.race([
          pauses.next(),
          wait(Math.min(2 ** 31 - 1, deadline - performance.now()), signal),
        ]);}
    }
  }
}

function timedOut(
  { name }: Definition,
  key: string,
  status: string | undefined,
  timeout: Duration,
): PawlError {
  const goal = status === undefined ? "its end" : `status "${status}"`;
  return new PawlError(
    "AWAIT_TIMEOUT",
    `The run of "${name}" for key "${key}" did not reach ${goal} within ${timeout}`,
  );
}

async function* batch(
  connection: Connection,
  { filter, ...rest }: BatchInput,
  { signal }: RequestOptions = {},
): AsyncGenerator<BatchLine, void, undefined> {
  const { definition } = filter;
  const json = {
    ...rest,
    filter: { ...filter, definition: typeof definition === "string" ? definition : definition.name },
  };
  const { body } = await connection.response(
    (routes, sending) => routes.batches.$post({ json }, sending),
    signal ? { signal } : {},
  );
  for await (const line of readLines(body!, signal)) {
    const told = revive<
      BatchLine | BatchProblem
    >(line, {});
    if (told.type === "problem") throw new PawlError(told.code as PawlError["code"], told.detail);
    yield told;
    if (told.type === "done") return;
  }
  signal?.throwIfAborted();
  throw new HttpFailedError("The server's answer was cut off; the batch may be done in part");
}
