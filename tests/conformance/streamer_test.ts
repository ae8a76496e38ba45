import assert from "node:assert/strict";
import { libsqlStore } from "pawl/adapters/libsql";
import { memoryStore } from "pawl/adapters/memory";
import { broadcastStreamer } from "pawl/adapters/streams/broadcast_channel";
import { memoryStreamer } from "pawl/adapters/streams/memory";
import { streamerConformance, type StreamerConformanceOptions } from "pawl/testing";
import { createEngine, type Engine, type EventStreamer, type Store } from "../../mod.ts";

function suite(
  name: string,
  open: () => EventStreamer | Promise<EventStreamer>,
  options: StreamerConformanceOptions = {},
  outlives = true,
): void {
  const { reopen, ...rest } = options;
  const cases = streamerConformance(open, { ...rest, ...reopen && outlives && { reopen } });
  for (const each of cases) Deno.test(`${name}: ${each.name}`, each.run);
}

suite("memory streamer", () => memoryStreamer());

/** A suite on `engine.streams`, whose engine is neither started nor carries anything. */
function storeSuite(name: string, open: (folder: string) => Store, outlives: boolean): void {
  interface Life {
    readonly folder: string;
    readonly engine: Engine;
    readonly store: Store;
  }
  const lives = new Map<EventStreamer, Life>();
  const live = (folder: string) => {
    const store = open(folder);
    const engine = createEngine({ store, definitions: [] });
    lives.set(engine.streams, { folder, engine, store });
    return engine.streams;
  };
  const end = async ({ engine, store }: Life) => {
    await engine.stop();
    await store.close();
  };
  suite(name, async () => live(await Deno.makeTempDir()), {
    async reopen(ended) {
      await end(lives.get(ended)!);
      return live(lives.get(ended)!.folder);
    },
    async dispose(streamer) {
      const { folder } = lives.get(streamer)!;
      for (const [each, life] of lives) {
        if (life.folder === folder) await end(life), lives.delete(each);
      }
      await Deno.remove(folder, { recursive: true });
    },
  }, outlives);
}

const small = { entriesPerRangeMax: 3 };
storeSuite("store streamer in memory", () => memoryStore(), false);
storeSuite("store streamer in memory of 4 shards", () => memoryStore({ shards: 4 }), false);
storeSuite("store streamer in short pages", () => memoryStore({ shards: 2, limits: small }), false);
storeSuite(
  "store streamer in a libSQL file",
  (folder) => libsqlStore({ url: `file:${folder}/pawl.db`, durability: "normal" }),
  true,
);

let channels = 0;
const keepsNothing: StreamerConformanceOptions = {
  keepsEvents: false,
  dispose: (streamer) => (streamer as ReturnType<typeof broadcastStreamer>).close(),
};
suite("broadcast streamer", () => broadcastStreamer({ name: `conformance ${++channels}` }), keepsNothing);

Deno.test("the broadcast streamer passes all cases but those about what is kept", () => {
  const names = (options?: StreamerConformanceOptions) =>
    streamerConformance(() => memoryStreamer(), options).map(({ name }) => name);
  const left = names({ reopen: (streamer) => streamer }).filter((name) =>
    !names(keepsNothing).includes(name)
  );
  assert.deepEqual(left, [
    "receive() begins a new name at the oldest event",
    "receive() from latest keeps its place, also when nothing was acked",
    "receive() of a known name goes on where it was, whatever `from` says",
    "what is not acked is given again to the next receiver of the name, and what is acked is not",
    "ack() of an event covers all that the receiver was given before it",
    "ack() never moves the cursor back",
    "ack() by many at once moves the cursor to the furthest",
    "ack() counts after the receiver has ended, too",
    "names are independent: each has a cursor of its own in each topic",
    "events and cursors outlive the streamer",
    "10,000 events are given in order to one who comes late and acks as it goes",
  ]);
});

const event = (n: number) => ({ id: `${n}`, key: "k", type: "t" });

Deno.test("broadcast streamers of one name hear each other, in order; those of another name do not", async () => {
  const [here, there, elsewhere] = ["one", "one", "two"].map((name) => broadcastStreamer({ name }));
  const deliveries = await there!.receive("t", "r");
  const other = (await elsewhere!.receive("t", "r"))[Symbol.asyncIterator]();
  await here!.send("t", [event(1), event(2)]);
  await here!.send("t", [event(3)]);
  const seen: string[] = [];
  for await (const { event: { id } } of deliveries) {
    seen.push(id);
    if (seen.length === 3) break;
  }
  assert.deepEqual(seen, ["1", "2", "3"]);
  await elsewhere!.send("t", [event(4)]);
  assert.equal((await other.next()).value?.event.id, "4");
  for (const each of [here, there, elsewhere]) each!.close();
  assert.equal((await other.next()).done, true);
  await assert.rejects(here!.send("t", [event(5)]), { code: "STORE_CLOSED" });
  await assert.rejects(here!.receive("t", "r"), { code: "STORE_CLOSED" });
});

Deno.test("a broadcast receiver that falls too far behind is told so, after what it still has", async () => {
  const streamer = broadcastStreamer({ name: "overrun", waitingMax: 2 });
  const receiver = (await streamer.receive("t", "r"))[Symbol.asyncIterator]();
  for (let n = 1; n <= 3; n++) await streamer.send("t", [event(n)]);
  assert.equal((await receiver.next()).value?.event.id, "1");
  assert.equal((await receiver.next()).value?.event.id, "2");
  await assert.rejects(receiver.next(), { code: "LIMIT_EXCEEDED" });
  assert.equal((await receiver.next()).done, true);
  streamer.close();
});

Deno.test("the memory streamer keeps no more than it is told to, and receivers go on with what is kept", async () => {
  const streamer = memoryStreamer({ keepMax: 8 });
  const slow = (await streamer.receive("t", "slow"))[Symbol.asyncIterator]();
  for (let n = 0; n < 100; n++) await streamer.send("t", [event(n)]);
  const late = (await streamer.receive("t", "late"))[Symbol.asyncIterator]();
  const first = Number((await late.next()).value?.event.id);
  assert.ok(first >= 92 && first <= 99, `${first}`);
  assert.equal(Number((await slow.next()).value?.event.id), first);
  assert.throws(() => memoryStreamer({ keepMax: 0 }), { code: "INVALID_ARGUMENT" });
});
