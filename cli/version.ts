/** The release, as in `deno.json`; a test compares them. */
export const version = "0.1.0";
