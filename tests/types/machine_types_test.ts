import assert from "node:assert/strict";

Deno.test("machine() lets the compiler refuse what the engine would refuse", async () => {
  const file = new URL("./machine_types.ts", import.meta.url).pathname;
  const check = new Deno.Command(Deno.execPath(), { args: ["check", file], env: { NO_COLOR: "1" } });
  const { code, stderr } = await check.output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});
