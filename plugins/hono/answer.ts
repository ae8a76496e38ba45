/**
 * What happens to every request, whatever its route: who sends it, is it too much, may it, what is in it; then its
 * handler; and whatever is thrown becomes a problem.
 *
 * @module
 */
import { PawlError } from "pawl";
import { z } from "zod";
import { readJson } from "./body.ts";
import { checkSender } from "./sender.ts";
import type { Api, AuthorizeCall, Verb } from "./options.ts";
import { InvalidRequestError, problemOf, problemResponse, RateLimitedError } from "./problem.ts";
import type { Route, Target } from "./route.ts";
import { outOfReach, Reach, reachOf } from "./scope.ts";

/** A request, as the router hands it over. */
export interface Incoming {
  readonly request: Request;
  /** Decoded. */
  readonly params: Readonly<Record<string, string>>;
}

/**
 * @param api What all routes share.
 * @param route The one that the request is for.
 * @param incoming The request.
 * @returns Its answer; nothing is ever thrown.
 */
export async function answer(api: Api, route: Route, incoming: Incoming): Promise<Response> {
  try {
    const response = guarded(await allowed(api, route, incoming));
    if (incoming.request.method !== "HEAD") return response;
    // Nobody will read it, so a stream would stay open for ever.
    await response.body?.cancel();
    return new Response(null, response);
  } catch (error) {
    if (incoming.request.signal.aborted) return guarded(problemResponse(error));
    tell(api, route, incoming.request, error);
    return guarded(problemResponse(error));
  }
}

async function allowed(api: Api, route: Route, { request, params }: Incoming): Promise<Response> {
  const isWebhook = route.verb === "webhook";
  await checkRate(api, route.verb, request);
  if (isWebhook) {
    return await route.handle({
      api,
      reach: new Reach(),
      params,
      query: undefined,
      body: undefined,
      request,
    });
  }
  checkSender(request, api.options.origins ?? []);
  const raw = queryOf(request);
  // A body that names what is asked for must be read first; all others wait until it is known who asks.
  const early = route.target && await readJson(request, api.limits.bodyBytesMax).then(
    (body) => ({ body, target: route.target!(body) }),
    (error: unknown) => ({ error, target: { names: {} } as Target }),
  );
  const names = {
    ...route.defaults,
    ...namesIn(knownOf(route, raw)),
    ...namesIn(params),
    ...early?.target.names,
  };
  const given = await authorize(api, route, request, early?.target.verb ?? route.verb as Verb, names);
  if (given instanceof Response) return given;
  checkReach(route, given, names);
  if (early && "error" in early) throw early.error;
  const query = await checked("query", route.query ?? noQuery, raw);
  const body = early && "body" in early
    ? await checked("body", route.body!, early.body)
    : route.body && await checked("body", route.body, await readJson(request, api.limits.bodyBytesMax));
  return await route.handle({ api, reach: given, params, query, body, request });
}

async function checkRate(api: Api, verb: Verb | "webhook", request: Request): Promise<void> {
  const isTooMuch = await api.options.isTooMuch?.({ verb, request });
  if (!isTooMuch) return;
  const retryAfterMs = isTooMuch === true ? 1_000 : isTooMuch.retryAfterMs;
  throw new RateLimitedError(
    `Cannot answer: too many requests; come again in ${retryAfterMs} ms`,
    retryAfterMs,
  );
}

async function authorize(
  { options }: Api,
  route: Route,
  request: Request,
  verb: Verb,
  names: Target["names"],
): Promise<Reach | Response> {
  if (!options.authorize) {
    throw new PawlError(
      "FORBIDDEN",
      "Cannot answer: this API allows nothing, as it was not told who may do what; " +
        "give it a function: httpApi(engine, { authorize })",
    );
  }
  const access = route.method === "GET" ? "read" : "write";
  const call: AuthorizeCall = { verb, access, ...names, request };
  const given = await options.authorize(call);
  if (given instanceof Response) return given;
  if (given === false) throw new PawlError("FORBIDDEN", `Cannot ${verb}: authorize() does not allow it`);
  return reachOf(given);
}

const noQuery = z.strictObject({});

/** A parameter that the route does not know must not make `authorize` believe that it limits anything. */
function knownOf(
  { query }: Route,
  raw: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(raw).filter(([name]) => query && Object.hasOwn(query.shape, name)),
  );
}

/** What a path or query names. */
const nameList = ["definition", "key", "namespace", "lock", "schedule", "topic"] as const;

function namesIn(source: Readonly<Record<string, unknown>>): Target["names"] {
  const found = nameList.flatMap((name) => typeof source[name] === "string" ? [[name, source[name]]] : []);
  return Object.fromEntries(found);
}

/** Refuses by name alone, so that nobody learns whether something is there. */
function checkReach(route: Route, reach: Reach, names: Target["names"]): void {
  // Whose topic it is says the handler, as it knows the definitions.
  const { definition, key, namespace, schedule } = names;
  const outside = [
    route.reach === "store" && !reach.isAll && "the store as a whole",
    definition !== undefined && !reach.hasDefinition(definition) && "that definition",
    key !== undefined && !reach.hasName(key) && "that key",
    namespace !== undefined && !reach.hasLocks(namespace) && "that namespace",
    schedule !== undefined && !reach.hasName(schedule) && "that schedule",
  ].find((each) => each !== false);
  if (outside !== undefined) throw outOfReach(outside);
}

/** Each parameter once, or as a list. */
function queryOf(request: Request): Record<string, string | string[]> {
  const { searchParams } = new URL(request.url);
  const query: Record<string, string | string[]> = Object.create(null);
  for (const name of new Set(searchParams.keys())) {
    const values = searchParams.getAll(name);
    query[name] = values.length === 1 ? values[0]! : values;
  }
  return { ...query };
}

async function checked(what: string, schema: z.ZodType, value: unknown): Promise<unknown> {
  const result = await schema.safeParseAsync(value);
  if (result.success) return result.data;
  throw new InvalidRequestError(what, result.error.issues);
}

/** What failed through no fault of the caller is told to whoever runs the server; its message may hold data. */
function tell({ logger, options }: Api, route: Route, request: Request, error: unknown): void {
  const { status, code } = problemOf(error);
  if (status < 500 || code === "UNSUPPORTED") return;
  const at = `${route.method} ${route.path}`;
  const name = error instanceof Error ? error.name : typeof error;
  logger.log("error", "A request failed", { route: at, code, error: name });
  options.onError?.(error, { route: at, request });
}

/** Answers are of the moment, and for who asked. */
function guarded(response: Response): Response {
  const { headers } = response;
  try {
    if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
    headers.set("x-content-type-options", "nosniff");
    return response;
  } catch {
    // A response of `authorize` may be one whose headers cannot be changed.
    return guarded(new Response(response.body, response));
  }
}
