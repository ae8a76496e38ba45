import assert from "node:assert/strict";
import { createEngine, machine } from "../../mod.ts";
import { Room, type RoomOptions } from "../../adapters/indexeddb/room.ts";
import { virtualClock } from "../../core/testing/virtual_clock.ts";
import { open, put, testTabs, until, valueOf } from "./databases.ts";
import { FakeQuota } from "./fake_quota.ts";

/** A browser with so many bytes, of which it tells or not. */
function fakeSite(options: { quotaBytes: number; tells?: boolean }) {
  const site = {
    quotaBytes: options.quotaBytes,
    usedBytes: 0,
    laidBytes: 0,
    fails: false,
    tells: options.tells ?? true,
    looks: 0,
    free: () => site.quotaBytes - site.usedBytes - site.laidBytes,
  };
  const clock = virtualClock();
  const roomOptions: RoomOptions = {
    reserveBytes: 100,
    clock,
    figures() {
      site.looks++;
      if (!site.tells) return Promise.resolve(undefined);
      const usageBytes = site.usedBytes + site.laidBytes;
      const freeBytes = Math.max(0, site.free());
      return Promise.resolve({ usageBytes, quotaBytes: site.quotaBytes, freeBytes });
    },
    isLaid: () => site.fails ? Promise.reject(new Error("away")) : Promise.resolve(site.laidBytes > 0),
    lay(bytes) {
      if (bytes > site.free()) return Promise.resolve(false);
      site.laidBytes = bytes;
      return Promise.resolve(true);
    },
    release: () => Promise.resolve(void (site.laidBytes = 0)),
    onLook() {},
  };
  const room = new Room(roomOptions);
  const look = async () => {
    await clock.advance("10s");
    room.consider();
    await clock.settle();
    return !room.isFull;
  };
  return { site, room, clock, look };
}

testTabs("Room lays its reserve, at most a tenth of the quota", async () => {
  for (const [quotaBytes, laid] of [[5_000, 100], [600, 60]] as const) {
    const { site, look } = fakeSite({ quotaBytes });
    assert.equal(await look(), true);
    assert.equal(site.laidBytes, laid);
  }
});

testTabs(
  "Room is full when the browser tells of less than the reserve, keeps it, and opens when there is more",
  async () => {
    const { site, look } = fakeSite({ quotaBytes: 5_000 });
    assert.equal(await look(), true);
    site.usedBytes = 4_801;
    assert.equal(await look(), false);
    assert.equal(site.laidBytes, 100);
    site.usedBytes = 4_800;
    assert.equal(await look(), true);
  },
);

testTabs("Room that met the quota gives its reserve up, and opens when it fits again", async () => {
  for (const tells of [true, false]) {
    const { site, room, look } = fakeSite({ quotaBytes: 5_000, tells });
    assert.equal(await look(), true);
    site.usedBytes = 4_900;
    assert.deepEqual(await Promise.all([room.spend(), room.spend()]), [true, true]);
    assert.deepEqual([room.isFull, site.laidBytes], [true, 0]);
    // Beside the reserve there would be too little, so that the next look would find it full again.
    site.usedBytes = tells ? 4_801 : 4_901;
    assert.equal(await look(), false);
    assert.equal(site.laidBytes, 0);
    site.usedBytes = 4_800;
    assert.equal(await look(), true);
    assert.equal(site.laidBytes, 100);
    assert.equal(await look(), true);
    assert.deepEqual([await room.spend(), room.isFull, site.laidBytes], [true, true, 0]);
  }
});

testTabs(
  "Room looks at most once in 10 s, sooner while it is full, and not at all without a reserve",
  async () => {
    const { site, room, clock } = fakeSite({ quotaBytes: 5_000 });
    const consider = async (times: number) => {
      const before = site.looks;
      for (let time = 0; time < times; time++) {
        room.consider();
        await clock.advance("100ms");
      }
      return site.looks - before;
    };
    assert.equal(await consider(100), 1);
    site.usedBytes = 4_950;
    await room.spend();
    assert.equal(await consider(10), 1);
    assert.equal(await consider(150), 4);
    const { site: other, room: none, clock: otherClock } = fakeSite({ quotaBytes: 5_000 });
    assert.equal(await new Room({ ...optionsOf(other, otherClock), reserveBytes: 0 }).spend(), false);
    assert.equal(none.isFull, false);
  },
);

function optionsOf(site: { looks: number }, clock: ReturnType<typeof virtualClock>): RoomOptions {
  const never = () => Promise.reject(new Error("never"));
  const figures = () => Promise.resolve(void site.looks++ as undefined);
  return { reserveBytes: 1, clock, figures, isLaid: never, lay: never, release: never, onLook() {} };
}

testTabs("Room that cannot look stays as it is", async () => {
  const { site, room, look } = fakeSite({ quotaBytes: 5_000 });
  assert.equal(await look(), true);
  site.fails = true;
  site.usedBytes = 4_950;
  assert.equal(await look(), true);
  await room.spend();
  assert.equal(await look(), false);
});

const kilo = 1_024;

testTabs(
  "a commit over the quota lives on the reserve; what does not fit is STORE_FULL and leaves nothing behind",
  async () => {
    using quota = new FakeQuota(40 * kilo);
    const { store } = open({ reserveBytes: 4 * kilo });
    await store.commit([put("a")]);
    await until(() => store.health().usageBytes !== undefined);
    const reserved = quota.usageBytes;
    assert.ok(reserved > 4 * kilo, `${reserved} bytes in use`);
    assert.equal(store.admits!(), true);
    quota.take(40 * kilo - reserved - 10);
    await store.commit([put("b", "2".repeat(kilo))]);
    assert.deepEqual([store.health().state, store.admits!()], ["full", false]);
    assert.match(store.health().problem!, /new runs are refused until there is room/);
    const tooMuch = [put("c"), put("d", "2".repeat(30 * kilo))];
    await assert.rejects(store.commit(tooMuch), { code: "STORE_FULL" });
    assert.deepEqual([await valueOf(store, "c"), store.health().state], [undefined, "full"]);
    quota.take(0);
    await until(() => store.admits!());
    assert.equal(store.health().state, "ok");
    assert.equal(await valueOf(store, "b"), "2".repeat(kilo));
    await store.close();
  },
);

testTabs("a store without a reserve is full when a commit is, and no longer than that", async () => {
  using quota = new FakeQuota(kilo);
  const { store } = open({ reserveBytes: 0 });
  await store.commit([put("a")]);
  await assert.rejects(store.commit([put("b", "2".repeat(kilo))]), { code: "STORE_FULL" });
  assert.deepEqual([store.health().state, store.admits!()], ["full", true]);
  await store.commit([put("b")]);
  assert.equal(store.health().state, "ok");
  assert.ok(quota.usageBytes < kilo);
  await store.close();
});

testTabs("rows can be deleted when the quota is used up, to the last byte", async () => {
  using quota = new FakeQuota(40 * kilo);
  const { store } = open({ reserveBytes: 4 * kilo });
  await store.commit([put("a", "2".repeat(kilo))]);
  await until(() => store.health().usageBytes !== undefined);
  quota.take(40 * kilo - quota.usageBytes);
  const { batches, ...call } = put("b");
  await store.commit([{ ...call, batches: [{ ...batches[0]!, puts: [], deletes: ["a"] }] }]);
  assert.equal(await valueOf(store, "a"), undefined);
  await store.close();
});

testTabs(
  "at the quota new runs are refused and those that are there finish; with room they are taken again",
  async () => {
    using quota = new FakeQuota(200 * kilo);
    const { store } = open({ reserveBytes: 16 * kilo });
    const open1 = Promise.withResolvers<void>();
    const forms = machine<{ notes: string }>("forms")
      .step("filled", ["checked"], async () => {
        await open1.promise;
        return "checked";
      })
      .step("checked", ["filed"], () => "filed")
      .build();
    const engine = createEngine({ store, definitions: [forms] });
    await engine.start();
    const data = { notes: "n".repeat(kilo) };
    const { runId } = await engine.trigger(forms, "one", { data, idempotencyKey: "i" });
    await until(() => store.health().usageBytes !== undefined);
    quota.take(200 * kilo - quota.usageBytes);
    quota.toldBytes = 10 ** 10;
    // The browser does not tell, so the first to meet the quota is taken on the reserve.
    await engine.trigger(forms, "two", { data });
    const refused = { code: "STORE_FULL", message: /new runs are refused until there is room/ };
    await assert.rejects(engine.trigger(forms, "three", { data }), refused);
    // Who asks again is told of what is there.
    assert.deepEqual(await engine.trigger(forms, "one", { data, idempotencyKey: "i" }), {
      runId,
      created: false,
    });
    await assert.rejects(engine.trigger(forms, "one", { data }), { code: "RUN_IN_PROGRESS" });
    open1.resolve();
    for (const key of ["one", "two"]) assert.equal((await engine.await(forms, key)).status, "filed");
    assert.equal(store.health().state, "full");
    quota.take(0);
    await until(() => engine.trigger(forms, "three", { data }).then(() => true, () => false));
    assert.equal((await engine.await(forms, "three")).status, "filed");
    assert.equal(store.health().state, "ok");
    assert.deepEqual((await engine.admin.verify()).findings, []);
    await engine.stop();
    await store.close();
  },
);
