import assert from "node:assert/strict";
import { libsqlStore } from "pawl/adapters/libsql";
import { defaultLimits, type Limits } from "../../core/limits.ts";
import { systemClock } from "../../core/ports/clock.ts";
import { systemRandom } from "../../core/ports/random.ts";
import { type CommitResult, GroupCommitter } from "../../core/store/group_commit.ts";
import type { Store } from "../../core/store/store.ts";
import { batch, StoreProbe } from "../../core/testing/store_probe.ts";
import { pause, testOverWires } from "./lab.ts";
import { type Fate, type SqldProxy, startProxy } from "./proxy.ts";

const requestTimeoutMs = 400;

function committerOn(store: Store, limits: Partial<Limits> = {}): GroupCommitter {
  const ports = { clock: systemClock(), random: systemRandom() };
  return new GroupCommitter({ store, ...ports, limits: { ...defaultLimits, ...limits } });
}

/** A batch that leaves a row of its own each time that it is applied. */
const logged = (value: string) =>
  batch({ puts: [{ key: "log ", value: JSON.stringify(value), stamped: true }, { key: value, value: "1" }] });

/** What was applied, in order, with its version. */
async function applied(store: Store): Promise<{ readonly value: unknown; readonly version: number }[]> {
  const [found] = await new StoreProbe(store).read([{ start: "log ", end: "log!", limit: 1_000 }]);
  return found!.map((entry) => ({ value: JSON.parse(entry.value), version: entry.version }));
}

const versionIn = (result: CommitResult) => result.ok ? result.version : undefined;

/** Gives the first request that writes this row a fate. */
function fateOf(proxy: SqldProxy, value: string, fate: Fate): () => boolean {
  let met = false;
  proxy.decide = ({ kind, text }) => {
    if (met || kind !== "write" || !text.includes(`\\"${value}\\"`)) return "pass";
    met = true;
    return fate;
  };
  return () => met;
}

for (const fate of ["lose reply", "lose request", "late", "hang"] as const) {
  const what = { late: "that comes late", hang: "that nobody answers", "lose reply": "whose reply is lost" };
  const named = fate === "lose request" ? "that is lost" : what[fate];
  testOverWires(`commit() settles a request ${named}, and applies it once`, async (server, scheme) => {
    const proxy = startProxy(server.port);
    const store = libsqlStore({ url: proxy.url(scheme), requestTimeoutMs });
    const committer = committerOn(store);
    const before = await committer.commit(0, logged("before"));
    const wasMet = fateOf(proxy, "lost", fate);
    const results = await Promise.all([
      committer.commit(0, logged("lost")),
      committer.commit(0, batch({ checks: [{ key: "before", version: null }] })),
      committer.commit(1, logged("elsewhere")),
    ]);
    assert.ok(wasMet());
    assert.deepEqual(results[1], { ok: false, reason: "check", failed: 0 });
    const wanted = [
      { value: "before", version: versionIn(before) },
      { value: "lost", version: versionIn(results[0]!) },
    ];
    assert.deepEqual(await applied(store), wanted);
    // What was held back is refused when it comes: it no longer follows the committer's last call.
    const replies = await proxy.deliver();
    assert.equal(replies.length > 0, fate === "late");
    assert.ok(replies.every((reply) => reply !== ""));
    assert.deepEqual(await applied(store), wanted);
    const after = await committer.commit(0, logged("after"));
    assert.deepEqual(await applied(store), [...wanted, { value: "after", version: versionIn(after) }]);
    await store.close();
    await proxy.close();
  });
}

testOverWires(
  "commit() says OUTCOME_UNKNOWN when settling fails too, and what came of it holds",
  async (server, scheme) => {
    const proxy = startProxy(server.port);
    const store = libsqlStore({ url: proxy.url(scheme), requestTimeoutMs });
    const committer = committerOn(store, { settlesMax: 3 });
    await committer.commit(0, logged("before"));
    proxy.decide = ({ kind }) => kind === "write" ? "lose reply" : "pass";
    await assert.rejects(committer.commit(0, logged("lost")), { code: "OUTCOME_UNKNOWN" });
    proxy.decide = () => "pass";
    await committer.commit(0, logged("after"));
    assert.deepEqual((await applied(store)).map((each) => each.value), ["before", "lost", "after"]);
    await store.close();
    await proxy.close();
  },
);

testOverWires(
  "commit() loses nothing and repeats nothing when the server is killed in the middle",
  async (server, scheme) => {
    const store = libsqlStore({ url: server.url(scheme), requestTimeoutMs });
    const committer = committerOn(store);
    const acknowledged = new Map<string, number>();
    acknowledged.set("first", versionIn(await committer.commit(0, logged("first")))!);
    let writing = true;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; writing; n++) {
        const value = `w${writer}.${n}`;
        const result = await committer.commit(0, logged(value));
        acknowledged.set(value, versionIn(result)!);
      }
    });
    for (const ms of [40, 90, 15]) {
      await pause(ms);
      await server.kill();
      await pause(ms);
      await server.restart();
    }
    await pause(50);
    writing = false;
    await Promise.all(writers);
    const found = new Map<string, number>();
    for (let start = "log ";;) {
      const [page] = await new StoreProbe(store).read([{ start, end: "log!", limit: 1_000 }]);
      for (const entry of page!) {
        assert.ok(!found.has(entry.value), `${entry.value} was applied twice`);
        found.set(entry.value, entry.version);
        start = `${entry.key} `;
      }
      if (page!.length < 1_000) break;
    }
    assert.ok(acknowledged.size > 0);
    assert.deepEqual(
      [...found].sort(),
      [...acknowledged].map(([value, v]) => [JSON.stringify(value), v]).sort(),
    );
    await store.close();
  },
);
