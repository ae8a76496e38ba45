import assert from "node:assert/strict";
import { commands } from "../../cli/commands.ts";
import { order, poll } from "../plugins/hono/stage.ts";
import { run, stage } from "./stage.ts";

const root = new URL("../../", import.meta.url);

Deno.test("pawl --version tells the version of the package", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  assert.deepEqual(await run(["--version"]), { code: 0, out: `${version}\n`, error: "" });
});

Deno.test("pawl --help lists every command in lines of 100 characters, and each command tells its usage", async () => {
  const { out } = await run(["--help"]);
  assert.equal((await run([])).code, 2);
  for (const { name } of commands) {
    assert.match(out, new RegExp(`^  ${name} `, "m"));
    const help = await run([name, "--help"]);
    assert.deepEqual([help.code, help.error], [0, ""]);
    assert.match(help.out, new RegExp(`\\n\\nusage: pawl ${name}`));
    assert.deepEqual(await run(["help", name]), help);
    const tooLong = (out + help.out).split("\n").filter((line) => line.length > 120);
    assert.deepEqual(tooLong, []);
  }
});

Deno.test("an unknown command is refused with exit code 2 and those that are near", async () => {
  assert.deepEqual(await run(["lst"]), {
    code: 2,
    out: "",
    error: 'There is no command "lst"; did you mean list? pawl --help lists the commands.\n',
  });
  assert.match(
    (await run(["--db", "file:x.db", "list"])).error,
    /^The first argument must be a command, not "--db"/,
  );
  assert.equal((await run(["help", "nothing"])).code, 2);
});

Deno.test("wrong usage is exit code 2, with what is wrong and how it is called", async () => {
  const wrong: readonly (readonly [args: string[], says: RegExp])[] = [
    [["list"], /^It is not said what to ask: give --db URL or --url URL/],
    [["list", "--db", "file:x", "--url", "http://x"], /^--db and --url are both given/],
    [["list", "--url", "file:x.db"], /^--url is "file:x.db", and must be as https:/],
    [["list", "--url", "http://x", "--definitions", "x.ts"], /^--definitions and --shards are for --db/],
    [["list", "--nothing"], /^Unknown option '--nothing'/],
    [["list", "order"], /^"order" is one argument too many/],
    [["list", "--limit", "0"], /^--limit is "0", and must be a whole number, 1 to 1000/],
    [["list", "--order", "up"], /^--order is "up", and must be one of newest, oldest/],
    [["list", "--state", "gone"], /^--state is "gone", and must be one of initiated, /],
    [["list", "--after", "soon"], /^--after is "soon", and must be a date/],
    [["show"], /^It is not said which run/],
    [["show", "order"], /^"order" is no run id/],
    [["trigger", "order"], /^KEY is missing/],
    [["trigger", "order", "o", "--data", "{"], /^--data is no JSON: /],
    [["await", "order", "o", "--timeout", "soon"], /^--timeout is "soon", and must be as 30s/],
    [["list", "--db", "file:x.db", "--shards", "none"], /^--shards is "none"/],
  ];
  for (const [args, says] of wrong) {
    const { code, out, error } = await run(args);
    assert.deepEqual([code, out], [2, ""], args.join(" "));
    assert.match(error, says);
    assert.match(error, new RegExp(`\\nusage: pawl ${args[0]}`));
  }
  const both = { env: { PAWL_DB: "file:x", PAWL_URL: "http://x" } };
  assert.match((await run(["list"], both)).error, /^PAWL_DB and PAWL_URL are both set/);
  assert.match((await run(["list", "--db", "file:x"], both)).error, /^INVALID_ARGUMENT: Cannot open file:x/);
});

Deno.test("an error is a code, a message and exit code 1, and no stack unless --debug asks for it", async () => {
  await using on = await stage(false);
  const short = await on.onDatabase(["pause", "order", "o"]);
  assert.deepEqual(short, {
    code: 1,
    out: "",
    error: 'RUN_NOT_FOUND: Cannot pause run: "order" has no run for key "o"\n',
  });
  assert.match(
    (await on.onDatabase(["pause", "order", "o", "--debug"])).error,
    /^RUN_NOT_FOUND: .*\n.*\n\s+at /,
  );
  const denied = await on.onApi(["list"], { env: { PAWL_URL: "http://api", PAWL_TOKEN: "wrong" } });
  assert.deepEqual([denied.code, denied.error.split(":")[0]], [1, "FORBIDDEN"]);
  const gone = await run(["list", "--url", "http://api"], {
    fetch: () => Promise.reject(new TypeError("gone")),
  });
  assert.deepEqual([gone.code, gone.error.split(":")[0]], [1, "HTTP_FAILED"]);
});

for (const way of ["onDatabase", "onApi"] as const) {
  Deno.test(`a command that is interrupted ends with exit code 130, and lets go of what it asked: ${way}`, async () => {
    await using on = await stage();
    await on.engine.trigger(poll, "p", { data: { votes: 0 } });
    await on.engine.trigger(order, "o");
    const { reason } = AbortSignal.abort();
    for (const args of [["await", "poll", "p"], ["watch", "order", "o"]]) {
      const interruption = new AbortController();
      const ended = on[way](args, { signal: interruption.signal });
      interruption.abort(reason);
      assert.deepEqual(await ended, { code: 130, out: "", error: "Interrupted.\n" });
    }
  });
}

Deno.test("the program runs in a process of its own, and ends when it is interrupted", async () => {
  await using on = await stage();
  const { runId } = await on.engine.trigger(order, "o");
  const args = ["run", "-A", "--no-check", "--config", new URL("deno.json", root).pathname];
  const process = new Deno.Command(Deno.execPath(), {
    args: [...args, new URL("cli/main.ts", root).pathname, "watch", runId, "--json"],
    cwd: on.folder,
    env: { PAWL_DB: "file:x.db" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  assert.equal(JSON.parse(value!).kind, "trigger");
  process.kill("SIGINT");
  assert.equal((await reader.read()).done, true);
  const { code: exit } = await process.status;
  assert.deepEqual([exit, await new Response(process.stderr).text()], [130, "Interrupted.\n"]);
});
