/** What `--definitions` is given in these tests. */
export { failing, order, poll, printing, tea } from "../plugins/hono/stage.ts";
export const engineOptions = { traceOrigin: true };
