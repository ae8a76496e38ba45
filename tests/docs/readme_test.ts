import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);
const readme = await Deno.readTextFile(new URL("README.md", root));

Deno.test("the first example of the README runs as it stands, and says what its comment says", async () => {
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  assert.ok(code !== undefined);
  const said = /console\.log\(.*\); \/\/ (.*)/.exec(code)?.[1];
  assert.ok(said !== undefined);
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, code);
    const { code: ended, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--config", new URL("deno.json", root).pathname, path],
      env: { NO_COLOR: "1" },
    }).output();
    assert.equal(ended, 0, new TextDecoder().decode(stderr));
    assert.equal(new TextDecoder().decode(stdout), `${said}\n`);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("the README names the two commands that a newcomer runs, and is no longer than some screens", () => {
  assert.match(readme, /^npx -y deno@2\.9\.6 task demo\b/m);
  assert.match(readme, /^npx -y deno@2\.9\.6 task test\b/m);
  assert.ok(readme.split("\n").length <= 125, "keep it short: what is long has a page in docs/");
});
