/**
 * What a page, a worker or a service worker tells an engine of the browser around it.
 *
 * @module
 */
export { browserPlatform, type BrowserPlatformOptions } from "./platform.ts";
