import assert from "node:assert/strict";

const main = new URL("../../examples/dashboard/main.ts", import.meta.url).pathname;

/** The first line that a program prints. */
async function firstLineOf(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const piece of output.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0]!;
}

Deno.test("the example dashboard serves its page and live data, to this computer only, until it is stopped", async () => {
  const demo = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", main, "--port", "0"],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const url = /http:\/\/localhost:\d+\/pawl\/ui\//.exec(await firstLineOf(demo.stdout))![0];
  const page = await fetch(url);
  assert.match(await page.text(), /<script src="app\.js">/);
  assert.match(page.headers.get("content-security-policy")!, /script-src 'self'/);
  const runs = await (await fetch(new URL("../runs?definition=orders", url))).json();
  assert.ok(runs.items.length > 10);
  const metrics = await (await fetch(new URL("../metrics", url))).text();
  assert.match(metrics, /workflow_process_lag_seconds/);
  const { items } = await (await fetch(new URL("../unserved", url))).json();
  assert.equal(items[0].definition, "legacy-invoices");
  demo.kill("SIGINT");
  assert.equal((await demo.status).code, 0);
});
