/**
 * A route as data: what it takes, gives and asks for. All that must happen for every route happens in one place, around
 * the handler, so a route cannot forget it; and the OpenAPI document is made of the same schemas that check requests.
 *
 * @module
 */
import type { z } from "zod";
import type { Api, AuthorizeCall, Verb } from "./options.ts";
import type { Reach } from "./scope.ts";

/** Names of the parameters in a path. */
export type ParamOf<Id extends string> = Id extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParamOf<`/${Rest}`>
  : Id extends `${string}:${infer Name}` ? Name
  : never;

/** A request that was checked and allowed. */
export interface Call<Param extends string = string, Query = unknown, Body = unknown> {
  readonly api: Api;
  /** What the caller may reach. */
  readonly reach: Reach;
  readonly params: Readonly<Record<Param, string>>;
  readonly query: Query;
  readonly body: Body;
  readonly request: Request;
}

/** An answer, for the document. */
export interface Answer {
  readonly description: string;
  /** What its body looks like. */
  readonly schema?: z.ZodType;
  /** Default `application/json`. */
  readonly type?: string;
}

/**
 * How far a route reaches, and so what is checked of a caller's scope before its handler runs. `run`: definition and key
 * of the path. `filter`: the handler limits itself to the caller's reach. `store`: the whole store, so it is refused to
 * everybody with a scope. `anybody`: nothing of the store.
 */
export type RouteReach = "run" | "filter" | "store" | "anybody";

/** What is known of a request before it is allowed. */
export interface Target {
  readonly verb?: Verb;
  readonly names: Omit<AuthorizeCall, "verb" | "access" | "request">;
}

/** What a route is made of. */
export interface RouteSpec<Param extends string, Query, Body> {
  /** What `authorize` is asked; of a webhook nothing, as it has its own. */
  readonly verb: Verb | "webhook";
  /** One line for the document. */
  readonly summary: string;
  readonly reach: RouteReach;
  /** Names that are meant where the request gives none. */
  readonly defaults?: Target["names"];
  /** Its parameters; names among them count as what is asked for, so the handler must keep to them. */
  readonly query?: z.ZodType<Query> & { readonly shape: object };
  /** The body's JSON. */
  readonly body?: z.ZodType<Body>;
  /** The names of what is asked for, where they stand in the body. It sees what nobody has checked. */
  readonly target?: (body: unknown) => Target;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Codes of errors, for the document; those that any route may answer are not told. */
  readonly refusals?: readonly string[];
  handle(call: Call<Param, Query, Body>): Promise<Response> | Response;
}

/** A route, as the table has it. */
export interface Route extends RouteSpec<string, unknown, unknown> {
  readonly method: string;
  readonly path: string;
}

/**
 * @param id Method and path, such as `GET /runs/:definition/:key`.
 * @param spec The rest.
 * @returns The route.
 */
export function route<const Id extends string, Query = undefined, Body = undefined>(
  id: Id,
  spec: RouteSpec<ParamOf<Id>, Query, Body>,
): Route {
  const [method, path] = id.split(" ") as [string, string];
  return { ...spec, method, path } as Route;
}

/** A JSON answer. */
export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}
