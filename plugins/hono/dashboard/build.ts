/**
 * Bundles the dashboard into the module that the API serves it from, `plugins/hono/ui/assets.ts`:
 *
 *     deno task dashboard:build
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It says what the bundle weighs.
import * as esbuild from "esbuild";

const folder = new URL("./", import.meta.url);

/** The module that it makes. */
export const assetsFile: URL = new URL("../ui/assets.ts", import.meta.url);

/** A file of the dashboard. */
interface Built {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

async function bundle(entry: string, name: string): Promise<string> {
  const { outputFiles: [file] } = await esbuild.build({
    entryPoints: [new URL(entry, folder).pathname],
    absWorkingDir: folder.pathname,
    outfile: name,
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: ["chrome123", "firefox124", "safari17.5"],
    jsx: "automatic",
    jsxImportSource: "preact",
    charset: "utf8",
    legalComments: "none",
    logLevel: "error",
  });
  return file!.text.trimEnd();
}

/** Makes the files. */
export async function buildDashboard(): Promise<readonly Built[]> {
  const html = await Deno.readTextFile(new URL("index.html", folder));
  return [
    { name: "index.html", type: "text/html; charset=utf-8", text: html.replace(/>\s+</g, "><").trim() },
    { name: "app.js", type: "text/javascript; charset=utf-8", text: await bundle("main.tsx", "app.js") },
    { name: "style.css", type: "text/css; charset=utf-8", text: await bundle("style.css", "style.css") },
  ];
}

/** The text of the module with these files. */
export function moduleOf(files: readonly Built[]): string {
  const entries = files.map(({ name, type, text }) =>
    `  {\n    name: ${JSON.stringify(name)},\n    type: ${JSON.stringify(type)},\n` +
    `    text:\n      ${JSON.stringify(text)},\n  },\n`
  );
  return `/**
 * The dashboard, as \`deno task dashboard:build\` bundles it from \`plugins/hono/dashboard/\`; not to be edited.
 *
 * @module
 */

/** A file of the dashboard. */
export interface Asset {
  /** Its name under \`/ui/\`; the page itself is \`index.html\`. */
  readonly name: string;
  /** Its content type. */
  readonly type: string;
  /** Its text. */
  readonly text: string;
}

/** The files of the dashboard. */
export const assets: readonly Asset[] = [
${entries.join("")}];
`;
}

/** What a browser loads, in bytes as gzip sends them. */
export async function weightOf(files: readonly Built[]): Promise<number> {
  let sum = 0;
  for (const { text } of files) {
    const zipped = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    sum += (await new Response(zipped).arrayBuffer()).byteLength;
  }
  return sum;
}

if (import.meta.main) {
  const files = await buildDashboard();
  await Deno.mkdir(new URL("./", assetsFile), { recursive: true });
  await Deno.writeTextFile(assetsFile, moduleOf(files));
  for (const { name, text } of files) console.log(`${name}: ${new TextEncoder().encode(text).length} B`);
  console.log(`together ${await weightOf(files)} B after gzip`);
  await esbuild.stop();
}
