/**
 * The tested way: `deno pack`, which needs nothing but Deno.
 *
 * @module
 */
import { run } from "./command.ts";
import { finish } from "./finish.ts";
import { type DenoConfig, type ReleaseOptions } from "./manifest.ts";
import { withStage } from "./stage.ts";

/**
 * Builds the tarball.
 *
 * @param config Of the repository.
 * @param release What only who releases knows.
 * @returns Its path.
 */
export function packWithDeno(config: DenoConfig, release: ReleaseOptions): Promise<string> {
  return withStage(config, async (stage) => {
    const [packed, files] = [`${stage}/packed.tgz`, `${stage}/unpacked`];
    // Source maps would tell where they were made. What lies in no repository counts as changed.
    const args = ["pack", "--allow-dirty", "--no-source-maps", "-o", packed];
    await run(Deno.execPath(), args, { cwd: stage });
    await Deno.mkdir(files);
    await run("tar", ["xzf", packed, "-C", files]);
    return await finish(`${files}/package`, config, release);
  });
}
