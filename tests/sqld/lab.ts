/**
 * What the tests over a server share.
 *
 * @module
 */
import { createClient } from "@libsql/client/web";
import { createEngine, type Engine, type EngineOptions, silentLogger } from "../../mod.ts";
import type { Store } from "../../core/store/store.ts";
import { type SqldServer, startSqld, testWithSqld } from "./server.ts";

/** The ways over which a server is reached. */
export const schemes = ["http", "ws"] as const;

/** One of them. */
export type Scheme = typeof schemes[number];

/** Registers a test for each scheme, with a server of its own that is gone afterwards. */
export function testOverWires(
  name: string,
  run: (server: SqldServer, scheme: Scheme, t: Deno.TestContext) => Promise<void>,
): void {
  for (const scheme of schemes) {
    testWithSqld(`${name} (${scheme})`, async (t) => {
      const server = await startSqld();
      try {
        await run(server, scheme, t);
      } finally {
        await server.stop();
      }
    });
  }
}

/** Removes every trace of a store, so that the next one begins with nothing. */
export async function wipe(server: SqldServer): Promise<void> {
  const client = createClient({ url: server.url("http") });
  try {
    const { rows } = await client.execute(
      "select type, name from sqlite_schema where name like 'pawl%' and type in ('view', 'table') order by type desc",
    );
    await client.batch(rows.map((row) => `drop ${row[0]} if exists ${row[1]}`), "write");
  } finally {
    client.close();
  }
}

/** Runs with an engine on a store, and ends both. */
export async function withEngine<T>(
  store: Store,
  options: Partial<EngineOptions> & Pick<EngineOptions, "definitions">,
  run: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = createEngine({ store, logger: silentLogger, poll: 50, ...options });
  try {
    return await run(engine);
  } finally {
    await engine.stop({ grace: 0 });
    await store.close();
  }
}

/** Waits, in real time, until something is so; the test runner's patience is the limit. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!await isSo()) await pause(10);
}

/** Real time: the other side is a real process. */
export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
