/**
 * Bundles scripts for the pages of browser tests.
 *
 * @module
 */

/**
 * Bundles a script of `pages/`.
 *
 * @param name Its file, without `.ts`.
 * @param format `iife` for a service worker.
 * @returns The script.
 */
export async function bundleOf(name: string, format: "esm" | "iife" = "esm"): Promise<string> {
  const folder = await Deno.makeTempDir();
  const entry = new URL(`pages/${name}.ts`, import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--platform", "browser", "--format", format, "-o", `${folder}/out.js`, entry],
    stderr: "piped",
    stdout: "null",
  }).output();
  if (code !== 0) throw new Error(`Cannot bundle ${name}: ${new TextDecoder().decode(stderr)}`);
  const text = await Deno.readTextFile(`${folder}/out.js`);
  await Deno.remove(folder, { recursive: true });
  return text;
}
