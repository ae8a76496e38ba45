/**
 * What a page, a worker or a service worker tells an engine of the browser around it, and how a service worker works off
 * what is due.
 *
 * @module
 */
export {
  type AskedTick,
  askToTick,
  type AskToTickOptions,
  type TickMessage,
  tickMessage,
  type TickRegistration,
} from "./ask_to_tick.ts";
export { browserPlatform, type BrowserPlatformOptions } from "./platform.ts";
export { tickOn, type TickOnOptions, type TickReply } from "./service_worker.ts";
