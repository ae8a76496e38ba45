import * as esbuild from "esbuild";
import assert from "node:assert/strict";
import { assetsFile, buildDashboard, moduleOf, weightOf } from "../../plugins/hono/dashboard/build.ts";

/** Bytes that a browser loads, as gzip sends them: about 5% above what it was when this was set. */
const weightMax = 41_500;

Deno.test({
  name: "the dashboard that the API serves is the one that its sources make, and stays small",
  // The bundler's process outlives its builds.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const files = await buildDashboard();
    await esbuild.stop();
    const isCurrent = await Deno.readTextFile(assetsFile) === moduleOf(files);
    assert.ok(isCurrent, "its sources have changed: run `deno task dashboard:build`");
    const weight = await weightOf(files);
    assert.ok(weight <= weightMax, `${weight} B`);
    const [html, script] = files.map(({ text }) => text);
    // What the policy of its answer would refuse.
    assert.doesNotMatch(html!, /<script(?![^>]*src=)|<style|\son\w+=|style=/);
    assert.doesNotMatch(script!, /\beval\(|new Function|https?:\/\/(?!www\.w3\.org\/)/);
  },
});
