// deno-lint-ignore-file no-console -- It says what the office knows.
/**
 * Inspections that are made without a network: builds the app, and serves it with its office.
 *
 * ```sh
 * deno task example:offline
 * ```
 *
 * Open it, stop this program, reload the page, and save an inspection; then start this program again.
 *
 * @module
 */
import { buildApp } from "./build.ts";
import { openOffice } from "./server.ts";

const folder = new URL("dist/", import.meta.url).pathname;
const port = Number(Deno.args[0] ?? 8_080);
const assets = ["PU-101", "PU-102", "BO-201", "CR-301"];

await buildApp(`${folder}app`);
const { answer } = await openOffice({
  folder: `${folder}app`,
  archive: `${folder}office`,
  assets: new Set(assets),
});
Deno.serve({ port, hostname: "localhost" }, answer);
console.log(`The office knows ${assets.join(", ")}, and refuses others`);
