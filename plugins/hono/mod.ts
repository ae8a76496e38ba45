/**
 * The engine over HTTP, as a Hono app: routes for every verb, streams of events, webhooks and a dashboard.
 *
 * @module
 */
export { httpApi } from "./http_api.ts";
export type { Authorize, AuthorizeCall, HttpApiOptions, HttpLimits, RateLimitHook, Verb } from "./options.ts";
export type { Problem } from "./problem.ts";
export type { MetricsPage } from "./metrics_page.ts";
export type { Scope } from "./scope.ts";
