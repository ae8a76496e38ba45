/**
 * Files of a new project on a disk: all of them, or none.
 *
 * @module
 */
import { lstat, mkdir, readdir, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/**
 * What is in the way of a new project.
 *
 * @param folder Where it is to be.
 * @returns The names of what is there, but for hidden files such as `.git`; empty where there is no folder yet.
 * @throws {Error} When it cannot be looked at, or is no folder.
 */
export async function inTheWay(folder: string, files: Iterable<string>): Promise<readonly string[]> {
  const wanted = new Set([...files].map((path) => path.split("/")[0]));
  const names = await readdir(folder).catch((error) => {
    if (error.code === "ENOENT") return [];
    if (error.code === "ENOTDIR") throw new Error(`"${folder}" is a file, and not a folder`);
    throw error;
  });
  return names.filter((name) => wanted.has(name) || !name.startsWith(".")).sort();
}

/**
 * Writes files that are not there yet. When one cannot be written, those before it are taken away again.
 *
 * @param folder Where to; it is made if it is missing.
 * @param files Text by path.
 * @throws {Error} What the disk said.
 */
export async function writeFiles(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  const undo: (() => Promise<void>)[] = [];
  try {
    for (const [path, text] of files) {
      const target = join(folder, path);
      for (const missing of await missingFolders(dirname(target))) {
        await mkdir(missing);
        undo.push(() => rmdir(missing));
      }
      // A file that has come meanwhile is somebody's.
      await writeFile(target, text, { flag: "wx" }).catch(async (error) => {
        if (error.code !== "EEXIST") await rm(target, { force: true });
        throw error;
      });
      undo.push(() => rm(target));
    }
  } catch (error) {
    // What cannot be undone is not worth hiding the first error.
    for (const step of undo.reverse()) await step().catch(() => {});
    throw error;
  }
}

/** The folders on the way to a path that are not there, the outermost first. */
async function missingFolders(path: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (let folder = resolve(path);; folder = dirname(folder)) {
    const isThere = await lstat(folder).then(() => true, (error) => error.code !== "ENOENT");
    if (isThere) return missing.reverse();
    missing.push(folder);
  }
}
