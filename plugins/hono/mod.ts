/**
 * The engine over HTTP, as a Hono app: routes for every verb, streams of events, webhooks and a dashboard.
 *
 * @module
 */
export { bearerTokens, type TokenHolder } from "./bearer_tokens.ts";
export type {
  AnyFields,
  BodyOf,
  DefinitionView,
  Endpoint,
  ItemList,
  LockPath,
  Operated,
  Paging,
  PathOf,
  PawlApi,
  PawlSchema,
  QueryOf,
  RunFilter,
  RunPath,
  RunSchema,
  SchedulePath,
  ScheduleSchema,
  ServiceSchema,
  TextEndpoint,
  Wire,
  WireRecurrence,
} from "./contract.ts";
export { httpApi } from "./http_api.ts";
export type { MetricsPage } from "./metrics_page.ts";
export type { Authorize, AuthorizeCall, HttpApiOptions, HttpLimits, RateLimitHook, Verb } from "./options.ts";
export type { Problem } from "./problem.ts";
export type { Scope } from "./scope.ts";
export {
  createWebhooks,
  type Webhooks,
  type WebhooksOptions,
  type WebhookTarget,
  type WebhookUrlOptions,
} from "./webhooks.ts";
