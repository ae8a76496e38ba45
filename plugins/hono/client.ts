/**
 * A client of the API, with the engine's own verbs and types. It has nothing of the server, and runs wherever `fetch` does.
 *
 * @module
 */
import type { EngineStreams, ScheduleVerbs, StreamReading } from "pawl";
import { type ClientOptions, Connection } from "./client/connection.ts";
import { type OperatorClient, operatorClient } from "./client/operators.ts";
import { type RunClient, runClient } from "./client/runs.ts";
import { type LockClient, lockClient, scheduleClient } from "./client/schedules.ts";
import { readTopic } from "./client/streams.ts";

export type { ClientOptions, RequestOptions } from "./client/connection.ts";
export { HttpFailedError } from "./client/errors.ts";
export type { OperatorClient } from "./client/operators.ts";
export type { BatchFilter, BatchInput, RunClient } from "./client/runs.ts";
export type { LockClient } from "./client/schedules.ts";
export type { ClientWatchOptions } from "./client/streams.ts";
export type { BatchFailure, BatchLine, DefinitionView, IntegrationView } from "./contract.ts";

/** An engine elsewhere. */
export interface Client extends RunClient, OperatorClient {
  /** As `engine.schedules`. */
  readonly schedules: ScheduleVerbs;
  /** As `engine.locks`, as far as it needs no engine. */
  readonly locks: LockClient;
  /** As `engine.streams.read`; a connection that breaks is opened again. */
  events(topic: string, options?: Parameters<EngineStreams["read"]>[1]): AsyncIterable<StreamReading>;
}

/**
 * Makes a client. Give its verbs the definitions that the engine carries: the types of data, statuses and payloads come
 * from them, and errors are those that the engine throws, with the same codes.
 *
 * @param options Where the API is, and what is sent along.
 * @returns The client. Nothing is sent until a verb is called.
 *
 * @example
 * ```ts
 * import { createEngine, machine } from "pawl";
 * import { memoryStore } from "pawl/adapters/memory";
 * import { httpApi } from "pawl/plugins/hono";
 * import { createClient } from "pawl/plugins/hono/client";
 * import assert from "node:assert/strict";
 * const greet = machine<{ name: string; text?: string }>("greet")
 *   .step("asked", ["greeted"], (run) => {
 *     run.data.text = `Hello ${run.data.name}`;
 *     return "greeted";
 *   })
 *   .build();
 * const engine = createEngine({ store: memoryStore(), definitions: [greet] });
 * await engine.start();
 * const api = httpApi(engine, { authorize: () => true });
 * // In a browser: createClient({ url: "/pawl" }).
 * const client = createClient({ url: "http://api", fetch: api.request });
 * await client.trigger(greet, "ann", { data: { name: "Ann" } });
 * const run = await client.await(greet, "ann", { timeout: "10s" });
 * assert.equal(run.data.text, "Hello Ann");
 * await assert.rejects(client.cancel(greet, "ann"), { code: "RUN_STATE", runState: "completed" });
 * await engine.stop();
 * ```
 */
export function createClient(options: ClientOptions): Client {
  const connection = new Connection(options);
  return {
    ...runClient(connection),
    ...operatorClient(connection),
    schedules: scheduleClient(connection),
    locks: lockClient(connection),
    events: (topic, options) => readTopic(connection, topic, options),
  };
}
