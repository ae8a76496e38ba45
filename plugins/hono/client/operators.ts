/**
 * What operators ask, over HTTP.
 *
 * @module
 */
import type {
  Definition,
  DiagramOptions,
  EngineInfo,
  ParkedPage,
  ParkedQuery,
  ProcessState,
  RelayInfo,
  ShardInfo,
  TickReport,
  UnservedWork,
  VerifyReport,
} from "pawl";
import type { DefinitionView } from "../contract.ts";
import { type Connection, queryText, type RequestOptions, segment } from "./connection.ts";
import type { Shape } from "./revive.ts";

/** What operators ask. */
export interface OperatorClient {
  /** What the engine carries. */
  definitions(options?: RequestOptions): Promise<readonly DefinitionView[]>;
  /** As `engine.diagram`. */
  diagram(definition: Pick<Definition, "name">, options?: DiagramOptions & RequestOptions): Promise<string>;
  /** As `engine.tick`. */
  tick(options?: { readonly budgetMs?: number } & RequestOptions): Promise<TickReport>;
  /** As `engine.states`. */
  states(options?: RequestOptions): Promise<Readonly<Record<string, ProcessState>>>;
  /** As those of `engine.admin`. */
  readonly admin: {
    engines(options?: RequestOptions): Promise<readonly EngineInfo[]>;
    shards(options?: RequestOptions): Promise<readonly ShardInfo[]>;
    unserved(options?: RequestOptions): Promise<readonly UnservedWork[]>;
    relays(options?: RequestOptions): Promise<readonly RelayInfo[]>;
    parked(query?: ParkedQuery & RequestOptions): Promise<ParkedPage>;
    retry(id: string, options?: RequestOptions): Promise<void>;
    verify(options?: RequestOptions): Promise<VerifyReport>;
  };
}

/**
 * @param connection Where the API is.
 * @returns The verbs.
 */
export function operatorClient(connection: Connection): OperatorClient {
  const items =
    (name: "engines" | "shards" | "unserved" | "relays" | "definitions", shape: Shape) =>
    async <Item>(options?: RequestOptions) => {
      const page = await connection.ask<{ readonly items: readonly Item[] }>(
        (routes, sending) => routes[name].$get({}, sending),
        { items: shape },
        options,
      );
      return page.items;
    };
  return {
    definitions: items("definitions", {}),
    diagram: async ({ name }, { signal, ...query } = {}) => {
      const input = { param: { definition: segment(name) }, query: queryText(query) };
      return await connection.text(
        (routes, sending) => routes.definitions[":definition"].diagram.$get(input, sending),
        signal ? { signal } : {},
      );
    },
    tick: ({ signal, ...json } = {}) =>
      connection.ask(
        (routes, sending) => routes.tick.$post({ json }, sending),
        { nextDueAt: true },
        signal ? { signal } : {},
      ),
    states: (options) => connection.ask((routes, sending) => routes.states.$get({}, sending), {}, options),
    admin: {
      engines: items("engines", { since: true, expiresAt: true }),
      shards: items("shards", { since: true }),
      unserved: items("unserved", { firstDue: true }),
      relays: items("relays", { movedAt: true, held: { since: true, dueAt: true } }),
      parked: ({ signal, ...query } = {}) =>
        connection.ask(
          (routes, sending) => routes.parked.$get({ query: queryText(query) }, sending),
          {},
          signal ? { signal } : {},
        ),
      retry: (id, options) =>
        connection.ask(
          (routes, sending) => routes.parked[":id"].retry.$post({ param: { id: segment(id) } }, sending),
          {},
          options,
        ),
      verify: (options) => connection.ask((routes, sending) => routes.verify.$post({}, sending), {}, options),
    },
  };
}
