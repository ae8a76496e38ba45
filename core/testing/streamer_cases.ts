import type { EventStreamer, NewEvent } from "../ports/event_streamer.ts";
import { fails, holds, same } from "./check.ts";
import { event, events, type StreamerCase, tap } from "./streamer_probe.ts";

/** Near one another in some way or other, and all different. */
const nearTopics: readonly string[] = [
  ...[
    "a b",
    "a_b",
    "a-b",
    "A b",
    "a  b",
    " a b",
    "a b ",
    "a.b",
    "a/b",
    "a%20b",
    "a*",
    "a>",
    "a",
    "*",
    "-",
    "%",
  ],
  ...["\u00e4 b", "a\u0308 b", "\u0442\u043e\u043f\u0438\u043a", "\u{1f600}", "\uffff", "a\u0000b", "a\nb"],
  ...["l".repeat(700), `${"l".repeat(699)}L`],
];

/** A topic of its own for every case would hide what one leaves behind; each has a streamer of its own instead. */
export const streamerCases: readonly StreamerCase[] = [
  {
    name: "an event arrives as it was sent, each time in a copy of its own",
    async run({ streamer }) {
      const data = { deep: [{ n: 1 }], text: 'quote " and \u2028', none: null };
      const sent = { id: "1", key: "k 1", type: "t", data, headers: { one: "1", "": "empty" } };
      const [a, b] = [await tap(streamer, "t", "a"), await tap(streamer, "t", "b")];
      const wanted = structuredClone(sent);
      const sending = streamer.send("t", [sent, { id: "2", key: "k", type: "bare" }]);
      data.deep[0]!.n = 2;
      await sending;
      const { event: { topic, at, ...seen } } = await a.next();
      same(seen, wanted, "event");
      same(topic, "t", "topic");
      holds(at instanceof Date && Number.isFinite(at.getTime()), `time: got ${at}`);
      (seen.data as typeof data).deep[0]!.n = 3;
      same((await b.next()).event.data, wanted.data, "data of the other receiver");
      const bare = (await a.next()).event;
      same("data" in bare || "headers" in bare, false, "fields that were not sent");
      await Promise.all([a.end(), b.end()]);
    },
  },
  {
    name: "send() keeps the order within a topic",
    async run({ streamer }) {
      const receiver = await tap(streamer, "t", "a");
      const sends = [events(7), events(1, 7), [], events(92, 8)];
      for (const each of sends) await streamer.send("t", each);
      same(await receiver.ids(100), events(100).map(({ id }) => id), "ids");
      await receiver.end();
    },
  },
  {
    name: "send() calls that do not wait for each other keep their order, too",
    async run({ streamer }) {
      const receiver = await tap(streamer, "t", "a");
      await Promise.all(Array.from({ length: 20 }, (_, n) => streamer.send("t", events(5, n * 5))));
      same(await receiver.ids(100), events(100).map(({ id }) => id), "ids");
      await receiver.end();
    },
  },
  {
    name: "events of one key keep their order while others send, and none is lost",
    async run({ streamer }) {
      const keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
      const receiver = await tap(streamer, "t", "r");
      await Promise.all(keys.map(async (key, index) => {
        for (let n = 0; n < 50; n += index + 1) {
          await streamer.send("t", events(Math.min(index + 1, 50 - n), n, key));
        }
      }));
      const seen = new Map<string, number[]>();
      for (const { event: each } of await receiver.take(keys.length * 50)) {
        const numbers = seen.get(each.key) ?? [];
        seen.set(each.key, numbers);
        numbers.push((each.data as { n: number }).n);
      }
      for (const key of keys) same(seen.get(key), Array.from({ length: 50 }, (_, n) => n), `key ${key}`);
      await receiver.end();
    },
  },
  {
    name: "receive() from latest begins exactly when it resolves",
    async run({ streamer }) {
      for (let round = 0; round < 5; round++) {
        await streamer.send("t", events(3, round * 10, "before"));
        const receiver = await tap(streamer, "t", `r${round}`, { from: "latest" });
        // Sent before anybody has asked for the first.
        await streamer.send("t", events(2, round * 10, "after"));
        same(await receiver.ids(2), events(2, round * 10, "after").map(({ id }) => id), `round ${round}`);
        await receiver.end();
      }
    },
  },
  {
    name: "a receiver that waits is given what is sent later",
    async run({ streamer }) {
      const receiver = await tap(streamer, "t", "a");
      for (let n = 0; n < 5; n++) {
        const waiting = receiver.next();
        await streamer.send("t", [event(n)]);
        same((await waiting).event.id, event(n).id, "event");
      }
      await receiver.end();
    },
  },
  {
    name: "calls of next() that do not wait for each other are answered in order",
    async run({ streamer }) {
      const receiver = await tap(streamer, "t", "a");
      const waiting = [receiver.next(), receiver.next(), receiver.next()];
      await streamer.send("t", events(3));
      same((await Promise.all(waiting)).map((each) => each.event.id), ["k-0", "k-1", "k-2"], "ids");
      await receiver.end();
    },
  },
  {
    name: "two names are each given every event",
    async run({ streamer }) {
      const [a, b] = [await tap(streamer, "t", "a"), await tap(streamer, "t", "b")];
      await streamer.send("t", events(10));
      same(await a.ids(10), await b.ids(10), "ids");
      await Promise.all([a.end(), b.end()]);
    },
  },
  {
    name: "two receivers of one name miss nothing between them",
    async run({ streamer }) {
      const both = [await tap(streamer, "t", "a"), await tap(streamer, "t", "a")];
      const seen = new Set<string>();
      let resolve!: () => void;
      const complete = new Promise<void>((done) => resolve = done);
      const pumps = both.map(async (receiver) => {
        for (;;) {
          const { done, value } = await receiver.result();
          if (done) return;
          seen.add(value.event.id);
          await value.ack();
          if (seen.size === 40) resolve();
        }
      });
      await streamer.send("t", events(40));
      await complete;
      await Promise.all(both.map((receiver) => receiver.end()));
      await Promise.all(pumps);
    },
  },
  {
    name: "topics that are alike are not the same",
    async run({ streamer }) {
      const receivers = await Promise.all(nearTopics.map((topic) => tap(streamer, topic, "r")));
      await Promise.all(
        nearTopics.map((topic, n) => streamer.send(topic, [event(n, "one"), event(n, "two")])),
      );
      for (const [n, receiver] of receivers.entries()) {
        same(await receiver.ids(2), [`one-${n}`, `two-${n}`], `topic ${JSON.stringify(nearTopics[n])}`);
        await receiver.end();
      }
    },
  },
  {
    name: "the signal ends a receiver without an error, also one that waits",
    async run({ streamer }) {
      const end = new AbortController();
      const receiver = await tap(streamer, "t", "a", { signal: end.signal });
      const waiting = [receiver.result(), receiver.result()];
      end.abort(new Error("the reason is not thrown"));
      for (const each of waiting) same((await each).done, true, "done");
      await streamer.send("t", events(1));
      same((await receiver.result()).done, true, "done after the end");
      const late = await tap(streamer, "t", "b", { signal: end.signal });
      same((await late.result()).done, true, "done with a signal that was aborted before");
    },
  },
  {
    name: "return() and break end a receiver, and it may be repeated",
    async run({ streamer }) {
      const receiver = await tap(streamer, "t", "a");
      const waiting = receiver.result();
      await receiver.end();
      await receiver.end();
      same((await waiting).done, true, "done");
      const deliveries = await streamer.receive("t", "b");
      await streamer.send("t", events(3));
      const seen: string[] = [];
      for await (const { event: { id } } of deliveries) {
        seen.push(id);
        if (seen.length === 2) break;
      }
      for await (const { event: { id } } of deliveries) seen.push(id);
      same(seen, ["k-0", "k-1"], "events before the end");
    },
  },
  {
    name: "send() refuses what is wrong before anything is sent",
    async run({ streamer }) {
      const receiver = await tap(streamer, "t", "a");
      const good = event(1);
      for (const [code, bad] of badEvents()) {
        const label = `send ${code}: ${
          Object.entries(bad ?? {}).map(([name, value]) => `${name}=${typeof value}`)
        }`;
        await fails(() => streamer.send("t", [good, bad as NewEvent]), code, label);
      }
      for (const topic of ["", undefined, 7, "t".repeat(801)]) {
        const named = () => streamer.send(topic as string, [good]);
        await fails(named, "INVALID_ARGUMENT", `send to topic ${String(topic).slice(0, 20)}`);
      }
      await fails(() => streamer.send("t", good as never), "INVALID_ARGUMENT", "send of no list");
      await streamer.send("t", [event(2)]);
      same(await receiver.ids(1), ["k-2"], "first event that was sent");
      await receiver.end();
    },
  },
  { name: "receive() refuses what is wrong", run: ({ streamer }) => refusesReceivers(streamer) },
];

async function refusesReceivers(streamer: EventStreamer): Promise<void> {
  const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["empty topic", () => streamer.receive("", "a")],
    ["empty name", () => streamer.receive("t", "")],
    ["name of a number", () => streamer.receive("t", 7 as never)],
    ["long name", () => streamer.receive("t", "n".repeat(301))],
    ["from of another word", () => streamer.receive("t", "a", { from: "end" as never })],
    ["signal of another kind", () => streamer.receive("t", "a", { signal: {} as never })],
  ];
  for (const [what, call] of calls) await fails(call, "INVALID_ARGUMENT", `receive with ${what}`);
}

function badEvents(): (readonly [code: string, event: unknown])[] {
  const good = event(1);
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  return [
    ["NOT_JSON", { ...good, data: 1n }],
    ["NOT_JSON", { ...good, data: { at: new Date(0) } }],
    ["NOT_JSON", { ...good, data: [NaN] }],
    ["NOT_JSON", { ...good, data: () => 1 }],
    ["NOT_JSON", { ...good, data: cycle }],
    ["PAYLOAD_TOO_LARGE", { ...good, data: "x".repeat(256 * 1024) }],
    ["INVALID_ARGUMENT", { ...good, id: "" }],
    ["INVALID_ARGUMENT", { ...good, id: 7 }],
    ["INVALID_ARGUMENT", { ...good, key: undefined }],
    ["INVALID_ARGUMENT", { ...good, type: "t".repeat(2_001) }],
    ["INVALID_ARGUMENT", { ...good, headers: { n: 1 } }],
    ["INVALID_ARGUMENT", { ...good, headers: [] }],
    ["INVALID_ARGUMENT", null],
    ["INVALID_ARGUMENT", "event"],
  ];
}
