import assert from "node:assert/strict";
import type { LibsqlClient } from "../../adapters/libsql/link.ts";
import { ServerLink } from "../../adapters/libsql/server_link.ts";
import { seededRandom } from "../../core/ports/random.ts";
import { virtualClock } from "../../core/testing/virtual_clock.ts";

/** A link to a server that answers as told, in virtual time. */
function linkTo(answer: (sql: string) => Promise<unknown>) {
  const clock = virtualClock();
  const asked: { readonly sql: string; readonly at: number }[] = [];
  let lines = 0;
  let open = 0;
  const client = (signal: AbortSignal): Promise<LibsqlClient> => {
    lines++;
    open++;
    signal.addEventListener("abort", () => open--);
    return Promise.resolve({
      protocol: "http",
      batch: async (statements) => {
        asked.push({ sql: statements[0]!.sql, at: clock.monotonic() });
        await answer(statements[0]!.sql);
        return [{ rows: [] }];
      },
      close: () => {},
    });
  };
  const random = seededRandom(1);
  const link = new ServerLink({
    client,
    peer: { authToken: undefined },
    requestTimeoutMs: 1_000,
    clock,
    random,
  });
  const ask = (sql: string, mode: "read" | "write" = "write") =>
    link.ask({ statements: [{ sql, args: [] }], mode, doing: `do ${sql}` }).then(
      () => "ok",
      (error: { code: string }) => error.code,
    );
  return { link, clock, asked, ask, lines: () => lines, open: () => open };
}

const gone = () => Promise.reject(new TypeError("fetch failed"));

Deno.test("ask() loses what was under way, and from then on sends nothing before a knock was answered", async () => {
  let away = true;
  const { link, clock, asked, ask, open } = linkTo(() => away ? gone() : Promise.resolve());
  assert.equal(await ask("first"), "OUTCOME_UNKNOWN");
  assert.deepEqual([await ask("second"), await ask("third")], ["STORE_UNREACHABLE", "STORE_UNREACHABLE"]);
  assert.deepEqual(asked.map((each) => each.sql), ["first", "select 1"]);
  away = false;
  await clock.advance(1_000);
  const all = await Promise.all([ask("fourth"), ask("fifth"), ask("sixth", "read")]);
  assert.deepEqual(all, ["ok", "ok", "ok"]);
  // One knock for all; then reads need not wait for writes, which take turns.
  const [knock, ...rest] = asked.slice(2).map((each) => each.sql);
  assert.equal(knock, "select 1");
  assert.deepEqual(rest.toSorted(), ["fifth", "fourth", "sixth"]);
  assert.equal(open(), 1);
  await link.close();
  assert.equal(open(), 0);
});

Deno.test("ask() sends one write at a time, and goes on after one that failed", async () => {
  let under = 0;
  let most = 0;
  const refusal = Object.assign(new Error("no such table"), { code: "SQLITE_UNKNOWN" });
  const { link, ask } = linkTo(async (sql) => {
    most = Math.max(most, ++under);
    await new Promise((resolve) => setTimeout(resolve, 1));
    under--;
    if (sql === "bad") throw refusal;
  });
  const results = await Promise.all(["a", "bad", "b", "c"].map((sql) => ask(sql)));
  assert.deepEqual(results, ["ok", "STORE_FAILED", "ok", "ok"]);
  assert.equal(most, 1);
  await link.close();
});

Deno.test("ask() knocks ever more seldom while nobody answers, and at least every second", async () => {
  const { link, clock, asked, ask } = linkTo(gone);
  await ask("first");
  for (let ms = 0; ms < 20_000; ms += 5) {
    assert.equal(await ask("again"), "STORE_UNREACHABLE");
    await clock.advance(5);
  }
  const pauses = asked.slice(1).map((each, index) => each.at - asked[index]!.at);
  assert.equal(pauses[0], 0, "often only a connection has gone");
  assert.ok(pauses.slice(1).every((pause) => pause >= 25 && pause <= 1_005), String(pauses));
  assert.ok(pauses.slice(8).every((pause) => pause >= 500), String(pauses));
  await link.close();
});

Deno.test("ask() gives up on a server that says nothing, and leaves the connection", async () => {
  let silent = true;
  const { link, clock, ask, lines } = linkTo(() => silent ? new Promise(() => {}) : Promise.resolve());
  const asking = [ask("write"), ask("read", "read")];
  await clock.advance(1_000);
  assert.deepEqual(await Promise.all(asking), ["OUTCOME_UNKNOWN", "STORE_UNREACHABLE"]);
  const knocking = [ask("write"), ask("write")];
  await clock.advance(1_000);
  assert.deepEqual(await Promise.all(knocking), ["STORE_UNREACHABLE", "STORE_UNREACHABLE"]);
  silent = false;
  await clock.advance(1_000);
  assert.equal(await ask("write"), "ok");
  assert.equal(lines(), 3);
  await link.close();
});

Deno.test("ask() takes a refusal for an answer: the server is there", async () => {
  const refusal = Object.assign(new Error("no such table"), { code: "SQLITE_UNKNOWN" });
  let fate: () => Promise<unknown> = gone;
  const { link, asked, ask } = linkTo(() => fate());
  assert.equal(await ask("first"), "OUTCOME_UNKNOWN");
  fate = () => Promise.reject(refusal);
  assert.equal(await ask("second"), "STORE_FAILED");
  assert.equal(await ask("third"), "STORE_FAILED");
  assert.deepEqual(asked.map((each) => each.sql), ["first", "select 1", "second", "third"]);
  await link.close();
});
