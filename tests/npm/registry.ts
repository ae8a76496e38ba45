/**
 * The npm registry as it will be once the package is published: it has the tarball under the package's name, and sends
 * for all else to the registry there is. So what is started by `npx`, installed and imported needs no path.
 *
 * @module
 */
import { run } from "../../npm/command.ts";

const upstream = "https://registry.npmjs.org";

/** A registry at work. */
export interface Registry extends AsyncDisposable {
  /** What `npm_config_registry` and `NPM_CONFIG_REGISTRY` are to say. */
  readonly url: string;
}

/**
 * Starts one.
 *
 * @param tarball The path of what it has.
 */
export async function startRegistry(tarball: string): Promise<Registry> {
  const bytes = await Deno.readFile(tarball);
  const manifest = JSON.parse(await run("tar", ["xzOf", tarball, "package/package.json"]));
  const { name, version } = manifest;
  const digest = async (kind: string) => new Uint8Array(await crypto.subtle.digest(kind, bytes));
  const [shasum, sha512] = [(await digest("SHA-1")).toHex(), (await digest("SHA-512")).toBase64()];
  const answer = (request: Request): Response => {
    const { pathname, origin } = new URL(request.url);
    const file = `/${name}/-/${name}-${version}.tgz`;
    if (pathname === file) return new Response(bytes);
    if (pathname !== `/${name}`) return Response.redirect(upstream + pathname, 307);
    const dist = { shasum, integrity: `sha512-${sha512}`, tarball: origin + file };
    const versions = { [version]: { ...manifest, _id: `${name}@${version}`, dist } };
    const time = { [version]: "2020-01-01T00:00:00.000Z" };
    return Response.json({ _id: name, name, "dist-tags": { latest: version }, versions, time });
  };
  const server = Deno.serve({ port: 0, hostname: "localhost", onListen() {} }, answer);
  return {
    url: `http://localhost:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
