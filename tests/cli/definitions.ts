/** What `--definitions` is given in these tests. */
export { failing, order, poll, printing, tea } from "../plugins/hono/stage.ts";
/** Few runs are looked at for a page, so that pages are short, and empty. */
export const engineOptions = { limits: { scanMax: 2 } };
