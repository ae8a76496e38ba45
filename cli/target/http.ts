/**
 * An engine behind its HTTP API.
 *
 * @module
 */
import { type Definition, PawlError } from "pawl";
import type { Client } from "pawl/plugins/hono/client";
import { type Terminal, UsageError } from "../command.ts";
import { importing } from "./packages.ts";
import { runOfId } from "./run_of_id.ts";
import type { Target } from "./target.ts";

/** The client reads no more of a definition than its name. */
const named = (name: string) => ({ name }) as Definition;

/**
 * Makes a target of an API.
 *
 * @param url Where it is mounted.
 * @param terminal Has the token, and what sends requests.
 * @returns The target. Nothing is sent until it is asked.
 * @throws {UsageError} For a URL that is none.
 */
export async function httpTarget(url: string, terminal: Terminal): Promise<Target> {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new UsageError(
      `--url is "${url}", and must be as https://example.org/pawl; a database is given by --db`,
    );
  }
  const { createClient } = await importing(
    () => import("pawl/plugins/hono/client"),
    "hono",
    `the API at ${url}`,
  );
  const token = terminal.env("PAWL_TOKEN") || undefined;
  const client = createClient({
    url,
    ...(terminal.fetch && { fetch: terminal.fetch }),
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
  });
  return targetOf(client, url, terminal.signal);
}

function targetOf(client: Client, url: string, signal: AbortSignal): Target {
  const refuse = (what: string) => {
    const message = `Cannot ${what} over HTTP: the API has no such route; give the database with --db`;
    return new PawlError("UNSUPPORTED", message);
  };
  return {
    name: url,
    list: (query) => client.list(query, { signal }),
    get: ({ definition, key, runId }) =>
      client.get(named(definition), key, { signal, ...(runId !== undefined && { runId }) }),
    find: (runId) => runOfId((query) => client.list(query, { signal }), runId),
    history: ({ definition, key, runId }, query) =>
      client.history(named(definition), key, { ...query, runId, signal }),
    watch: ({ definition, key, runId }, options) =>
      client.watch(named(definition), key, { ...options, runId, signal }),
    await: ({ definition, key, runId }, options) =>
      client.await(named(definition), key, { ...options, signal, ...(runId !== undefined && { runId }) }),
    trigger: ({ definition, key }, options) => client.trigger(named(definition), key, { ...options, signal }),
    callback: ({ definition, key, runId, status }, payload, options) => {
      const target: Definition<unknown, string, string, Record<string, unknown>> = named(definition) as never;
      const which = { ...options, signal, ...(runId !== undefined && { runId }) };
      return client.callback(target, key, status, payload, which);
    },
    operate: (action, { definition, key, runId }, { reason }) => {
      const which = { signal, ...(runId !== undefined && { runId }) };
      const why = { ...which, ...(reason !== undefined && { reason }) };
      if (action === "pause") return client.pause(named(definition), key, why);
      if (action === "resume") return client.resume(named(definition), key, which);
      if (action === "cancel") return client.cancel(named(definition), key, why);
      return client.deleteData(named(definition), key, why);
    },
    batch: (input) => client.batch(input, { signal }),
    definitions: () => client.definitions({ signal }),
    diagram: (definition, options) => client.diagram({ name: definition }, { ...options, signal }),
    schedules: () => Promise.resolve(client.schedules),
    locks: client.locks,
    admin: client.admin,
    // deno-lint-ignore require-yield -- It has none.
    export: async function* () {
      throw refuse("export");
    },
    import: () => Promise.reject(refuse("import")),
    close: () => Promise.resolve(),
  };
}
