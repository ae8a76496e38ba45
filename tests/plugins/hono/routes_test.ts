/**
 * Every route, over real HTTP, in Deno and in Node.
 *
 * @module
 */
import { stage } from "./stage.ts";
import { leave, walk } from "./walk.ts";
import { buildForNode, startNode } from "./node.ts";

Deno.test("httpApi() answers every route as its document says, in Deno", async () => {
  const { app, engine } = await stage({ limits: { streamsMax: 2 } });
  const server = Deno.serve({ port: 0, onListen() {} }, app.fetch);
  await walk(`http://127.0.0.1:${server.addr.port}`);
  await leave(`http://127.0.0.1:${server.addr.port}`);
  await engine.stop({ grace: 0 });
  await server.shutdown();
});

Deno.test({
  name: "httpApi() answers every route as its document says, in Node",
  // The bundler's process outlives its test.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const node = await startNode(await buildForNode("serve_in_node.ts"));
    try {
      await walk(node.origin);
      await leave(node.origin);
    } finally {
      await node.stop();
    }
  },
});
