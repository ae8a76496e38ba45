import { same } from "./check.ts";
import { event, events, givenNext, type StreamerCase, tap } from "./streamer_probe.ts";

/** Names, places and acks: what only a streamer that keeps can do. */
export const cursorCases: readonly StreamerCase[] = [
  {
    name: "receive() begins a new name at the oldest event",
    needs: "keeps",
    async run({ streamer }) {
      await streamer.send("t", events(3));
      await givenNext(streamer, "t", "a", ["k-0", "k-1", "k-2"]);
      await givenNext(streamer, "u", "a", []);
      const explicit = await tap(streamer, "t", "b", { from: "start" });
      same(await explicit.ids(3), ["k-0", "k-1", "k-2"], "from start");
      await explicit.end();
    },
  },
  {
    name: "receive() from latest keeps its place, also when nothing was acked",
    needs: "keeps",
    async run({ streamer }) {
      await streamer.send("t", events(2));
      const first = await tap(streamer, "t", "a", { from: "latest" });
      await first.end();
      await streamer.send("t", events(2, 2));
      const again = await tap(streamer, "t", "a", { from: "latest" });
      same(await again.ids(2), ["k-2", "k-3"], "events after the place");
      await again.end();
    },
  },
  {
    name: "receive() of a known name goes on where it was, whatever `from` says",
    needs: "keeps",
    async run({ streamer }) {
      await streamer.send("t", events(3));
      const first = await tap(streamer, "t", "a");
      await (await first.next()).ack();
      await first.end();
      const again = await tap(streamer, "t", "a", { from: "latest" });
      same(await again.ids(2), ["k-1", "k-2"], "events after the ack");
      await again.end();
    },
  },
  {
    name: "what is not acked is given again to the next receiver of the name, and what is acked is not",
    needs: "keeps",
    async run({ streamer }) {
      await streamer.send("t", events(5));
      const first = await tap(streamer, "t", "a");
      const given = await first.take(4);
      await given[0]!.ack();
      await given[1]!.ack();
      await first.end();
      await givenNext(streamer, "t", "a", ["k-2", "k-3", "k-4"]);
    },
  },
  {
    name: "ack() of an event covers all that the receiver was given before it",
    needs: "keeps",
    async run({ streamer }) {
      await streamer.send("t", events(5));
      const first = await tap(streamer, "t", "a");
      await (await first.take(3))[2]!.ack();
      await first.end();
      await givenNext(streamer, "t", "a", ["k-3", "k-4"]);
    },
  },
  {
    name: "ack() never moves the cursor back",
    needs: "keeps",
    async run({ streamer }) {
      await streamer.send("t", events(5));
      const first = await tap(streamer, "t", "a");
      const given = await first.take(4);
      await given[3]!.ack();
      await given[3]!.ack();
      await given[0]!.ack();
      await first.end();
      await givenNext(streamer, "t", "a", ["k-4"]);
    },
  },
  {
    name: "ack() by many at once moves the cursor to the furthest",
    needs: "keeps",
    async run({ streamer }) {
      await streamer.send("t", events(30));
      const first = await tap(streamer, "t", "a");
      const given = await first.take(29);
      await Promise.all(given.map((_, index) => given[(index * 7) % given.length]!.ack()));
      await first.end();
      await givenNext(streamer, "t", "a", ["k-29"]);
    },
  },
  {
    name: "ack() counts after the receiver has ended, too",
    needs: "keeps",
    async run({ streamer }) {
      await streamer.send("t", events(2));
      const first = await tap(streamer, "t", "a");
      const delivery = await first.next();
      await first.end();
      await delivery.ack();
      await givenNext(streamer, "t", "a", ["k-1"]);
    },
  },
  {
    name: "names are independent: each has a cursor of its own in each topic",
    needs: "keeps",
    async run({ streamer }) {
      await streamer.send("t", events(3));
      await streamer.send("u", events(3));
      const a = await tap(streamer, "t", "a");
      await (await a.take(3))[2]!.ack();
      await a.end();
      await givenNext(streamer, "t", "b", ["k-0", "k-1", "k-2"]);
      await givenNext(streamer, "u", "a", ["k-0", "k-1", "k-2"]);
      await givenNext(streamer, "t", "A", ["k-0", "k-1", "k-2", "last of b k-0 k-1 k-2-0"]);
    },
  },
  {
    name: "events and cursors outlive the streamer",
    needs: "reopen",
    async run({ streamer, reopen }) {
      await streamer.send("t", events(5));
      const first = await tap(streamer, "t", "a");
      await (await first.take(2))[1]!.ack();
      await first.end();
      const again = await reopen!();
      await givenNext(again, "t", "a", ["k-2", "k-3", "k-4"]);
    },
  },
  {
    name: "10,000 events are given in order to one who comes late and acks as it goes",
    needs: "keeps",
    async run({ streamer }) {
      const count = 10_000;
      for (let sent = 0; sent < count; sent += 500) await streamer.send("t", events(500, sent));
      const receiver = await tap(streamer, "t", "a");
      for (let n = 0; n < count; n++) {
        const { event: { id }, ack } = await receiver.next();
        if (id !== event(n).id) same(id, event(n).id, "next event");
        if (n % 100 === 99) await ack();
      }
      await receiver.end();
      await givenNext(streamer, "t", "a", []);
    },
  },
];
