import assert from "node:assert/strict";
import { memoryStore } from "../../adapters/memory/mod.ts";
import { PawlError, StoreBusyError } from "../../core/errors.ts";
import { GroupReader } from "../../core/store/group_read.ts";
import type { Store } from "../../core/store/store.ts";
import { put, StoreProbe } from "../../core/testing/store_probe.ts";
import { virtualClock } from "../../core/testing/virtual_clock.ts";

/** A reader on a store that holds `a`, and fails as told. */
async function readerOn(failure: () => PawlError | undefined) {
  const store = memoryStore();
  await new StoreProbe(store).commit([put("a", 1)]);
  const tries: number[] = [];
  const clock = virtualClock();
  const failing: Store = {
    limits: store.limits,
    shards: 1,
    read: (requests) => {
      tries.push(clock.monotonic());
      const error = failure();
      return error ? Promise.reject(error) : store.read(requests);
    },
    commit: (calls) => store.commit(calls),
    close: () => store.close(),
  };
  return { reader: new GroupReader(failing, clock), clock, tries };
}

const away = () => new PawlError("STORE_UNREACHABLE", "gone");

Deno.test("read() is tried again while the store is busy or away, ever more seldom, for some seconds", async () => {
  for (const error of [new StoreBusyError("locked"), away()]) {
    let failures = 6;
    const { reader, clock } = await readerOn(() => failures-- > 0 ? error : undefined);
    const reading = reader.get(0, "a");
    await clock.advance("5s");
    assert.equal((await reading)?.value, "1");

    const hopeless = await readerOn(() => error);
    const failed = assert.rejects(hopeless.reader.get(0, "a"), { code: error.code });
    await hopeless.clock.advance("1m");
    await failed;
    assert.ok(hopeless.tries.length <= 10 && hopeless.tries.at(-1)! <= 6_000, String(hopeless.tries));
  }
});

Deno.test("read() fails at once for a reason that does not pass", async () => {
  const { reader, tries } = await readerOn(() => new PawlError("STORE_FAILED", "no"));
  await assert.rejects(reader.get(0, "a"), { code: "STORE_FAILED" });
  assert.equal(tries.length, 1);
});

Deno.test("hurry() ends the waiting of a read, which then fails for the reason it had", async () => {
  const { reader, clock } = await readerOn(away);
  const failed = assert.rejects(reader.get(0, "a"), { code: "STORE_UNREACHABLE" });
  await clock.settle();
  reader.hurry();
  await failed;
  await assert.rejects(reader.get(0, "a"), { code: "STORE_UNREACHABLE" });
});
