/**
 * Bundles the app into a folder that any server can serve.
 *
 * @module
 */

const app = new URL("app/", import.meta.url);
const config = new URL("../../deno.json", import.meta.url).pathname;

/** What is bundled, and in which form: not every browser loads modules in a service worker. */
const scripts = { page: "esm", service_worker: "iife" } as const;
const files = ["index.html", "style.css", "icon.svg", "manifest.webmanifest"];

/**
 * Builds the app.
 *
 * @param folder Where to; it is made if it is missing.
 */
export async function buildApp(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const builtAt = Math.floor(Date.now() / 1_000);
  for (const [name, format] of Object.entries(scripts)) {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["bundle", "--config", config, "--platform", "browser", "--format", format, "--minify"],
        ...["-o", `${folder}/${name}.js`, new URL(`${name}.ts`, app).pathname],
      ],
      stdout: "null",
      stderr: "piped",
    }).output();
    if (code !== 0) throw new Error(`Cannot bundle ${name}.ts: ${new TextDecoder().decode(stderr)}`);
    const script = await Deno.readTextFile(`${folder}/${name}.js`);
    await Deno.writeTextFile(`${folder}/${name}.js`, `globalThis.builtAt = ${builtAt};\n${script}`);
  }
  for (const file of files) await Deno.copyFile(new URL(file, app), `${folder}/${file}`);
}
