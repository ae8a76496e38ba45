import assert from "node:assert/strict";
import { liveThrough } from "./schedule_scene.ts";

Deno.test("processes that are killed around every commit of a schedule start each occurrence once, and lose none", async () => {
  const counts = await liveThrough({
    ms: 4_000,
    workers: 2,
    fates: [
      ["before", "start", 3],
      ["after", "claim", 3],
      ["after", "start", 4],
    ],
  });
  assert.ok(counts.kills >= 2 && counts.started > 40, JSON.stringify(counts));
});
