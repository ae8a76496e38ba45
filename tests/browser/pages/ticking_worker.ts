/**
 * The service worker of `worker_test.ts`.
 *
 * @module
 */
import { tickOn } from "../../../plugins/browser/mod.ts";
import { openVisits } from "./visits.ts";

tickOn(self, openVisits("worker").engine);
