import { serve } from "@hono/node-server";
import { stage } from "./stage.ts";

const { app } = await stage({ limits: { streamsMax: 2 } });
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => {
  // deno-lint-ignore no-console -- whoever started this process reads where it listens
  console.log(`listening ${port}`);
});
