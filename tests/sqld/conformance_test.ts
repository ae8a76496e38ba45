import { createClient } from "@libsql/client";
import { createClient as createWebClient } from "@libsql/client/web";
import { libsqlStore } from "pawl/adapters/libsql";
import { storeConformance } from "pawl/testing";
import type { Store } from "../../core/store/store.ts";
import { wipe } from "./lab.ts";
import { startSqld, testWithSqld } from "./server.ts";

interface Client {
  close(): void;
}

/** The whole suite on one server, which is wiped between the cases. */
function suite(name: string, open: (url: (scheme: "http" | "ws") => string) => [Store, Client?]): void {
  testWithSqld(`libsqlStore() keeps the store contract: ${name}`, async (t) => {
    const server = await startSqld();
    const clients: Client[] = [];
    const opened = () => {
      const [store, client] = open(server.url);
      if (client) clients.push(client);
      return store;
    };
    const cases = storeConformance(opened, {
      keepsOutcomes: true,
      reopen: opened,
      async dispose() {
        for (const client of clients.splice(0)) client.close();
        await wipe(server);
      },
    });
    try {
      for (const each of cases) await t.step(each.name, each.run);
    } finally {
      await server.stop();
    }
  });
}

suite("http", (url) => [libsqlStore({ url: url("http") })]);
suite("ws", (url) => [libsqlStore({ url: url("ws"), shards: 3 })]);
suite("a web client over http", (url) => {
  const client = createWebClient({ url: url("http"), intMode: "bigint" });
  return [libsqlStore({ client, shards: 2 }), client];
});
suite("a web client over ws", (url) => {
  const client = createWebClient({ url: url("ws") });
  return [libsqlStore({ client, shards: 1 }), client];
});
suite("a native client over http", (url) => {
  const client = createClient({ url: url("http") });
  return [libsqlStore({ client, shards: 2 }), client];
});
