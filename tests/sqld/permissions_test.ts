import assert from "node:assert/strict";
import { startSqld, testWithSqld } from "./server.ts";

testWithSqld("libsqlStore() over http needs no permission but the server's address", async () => {
  const server = await startSqld();
  const folder = await Deno.makeTempDir();
  const at = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
  const program = `
    import { createEngine, machine } from ${at("mod.ts")};
    import { libsqlStore } from ${at("adapters/libsql/mod.ts")};
    const job = machine("job").step("new", ["done"], ({ data }) => { data.n++; return "done"; }).build();
    const store = libsqlStore({ url: ${JSON.stringify(server.url("http"))} });
    const engine = createEngine({ store, definitions: [job] });
    await engine.start();
    await engine.trigger(job, "k", { data: { n: 41 } });
    const run = await engine.await(job, "k");
    await engine.stop();
    await store.close();
    console.log(run.status, run.data.n);
  `;
  try {
    await Deno.writeTextFile(`${folder}/main.js`, program);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--frozen",
        `--config=${config}`,
        `--allow-net=127.0.0.1:${server.port}`,
        `${folder}/main.js`,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.equal(new TextDecoder().decode(stdout), "done 42\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
    await server.stop();
  }
});
