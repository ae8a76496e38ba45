/**
 * The rules of streams, relays, connectors and codecs that the simulator must see broken.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

/** Every such rule that is broken on purpose. */
export const streamMutants: readonly Mutant[] = [
  {
    name: "the relay advances before it has sent",
    near: 2,
    file: "core/engine/relay.ts",
    find: "    await round.send(unsent);\n",
    replace: "    if (unsent.length > 0) await this.#state.moveOn(rows.at(-1)!.version, []);\n" +
      "    await round.send(unsent);\n",
  },
  {
    name: "a send that is never answered counts as sent",
    near: 92,
    file: "core/engine/relay_round.ts",
    find: "new Promise<never>((_, reject) => {",
    replace: "new Promise<never>((reject: (value: never) => void) => {",
  },
  {
    name: "events of a held run overtake the one that cannot be sent",
    near: 15,
    file: "core/engine/relay.ts",
    find: " || this.#state.held.has(change.runId);",
    replace: ";",
  },
  {
    name: "a held run goes on behind the event that cannot be sent",
    near: 15,
    file: "core/engine/relay.ts",
    find: "for (let from = held.version - 1;;) {",
    replace: "for (let from = held.version;;) {",
  },
  {
    name: "the relay forgets held runs on take-over",
    near: 15,
    file: "core/engine/relay_state.ts",
    find: "this.held = new Map(rows.map((row) => [row.runId, row]));",
    replace: "this.held = new Map(rows.slice(0, 0).map((row) => [row.runId, row]));",
  },
  {
    name: "events of one run go to all their topics at once",
    near: 15,
    file: "core/parts/relay_plan.ts",
    find:
      "const wave = before === undefined ? 0 : before.topic === row.topic ? before.wave : before.wave + 1;",
    replace: "const wave = before ? 0 : 0;",
  },
  {
    name: "a resume is not logged",
    near: 3,
    file: "core/parts/run_log.ts",
    find: "if (topic === undefined) return undefined;",
    replace: 'if (topic === undefined || event?.kind === "resume") return undefined;',
  },
  {
    name: "the sweep takes what the relay has not sent",
    near: 2,
    file: "core/engine/sweep_log.ts",
    find: " > keepEventsMs && row.version <= passed && !isHeld;",
    replace: " > keepEventsMs && !isHeld;",
  },
  {
    name: "the sweep takes what the relay holds back",
    near: 264,
    file: "core/engine/sweep_log.ts",
    find: " > keepEventsMs && row.version <= passed && !isHeld;",
    replace: " > keepEventsMs && row.version <= passed;",
  },
  {
    name: "a cursor moves back",
    near: 202,
    file: "core/engine/stream_cursor.ts",
    find: "const next = furthest(this.#positions, this.#wanted);",
    replace: "const next = this.#wanted;",
  },
  {
    name: "an ack covers what was read, not what was given",
    near: 231,
    file: "core/engine/stream_receiver.ts",
    find: "given.set(from, items.length === 0 ? this.#read.get(from)! : after);",
    replace: "given.set(from, this.#read.get(from) ?? after);",
  },
  {
    name: "a receiver is opened again one row too far",
    near: 231,
    file: "core/engine/stream_cursor.ts",
    find: "if (entry) return new StreamCursor(context, name, entry.version, readCursor(entry));",
    replace:
      "if (entry) return new StreamCursor(context, name, entry.version, new Map([...readCursor(entry)].map(\n" +
      "        ([shard, { after }]) => [shard, { after: after + 1, taken: 0 }])));",
  },
  {
    name: "a connector acks before it handles",
    near: 3,
    file: "core/engine/connector_shard.ts",
    find: "      await this.#handle(event, attempt);\n",
    replace: "      await this.#source!.ack(delivery).catch(() => {});\n" +
      "      await this.#handle(event, attempt);\n",
  },
  {
    name: "a shard of a connector passes over its own events",
    near: 3,
    file: "core/engine/connector.ts",
    find: "return hash32(key ?? id) % shards;",
    replace: "return (hash32(key ?? id) | 0) % shards;",
  },
  {
    name: "a connector shares events by their ids",
    near: 13,
    file: "core/engine/connector.ts",
    find: "return hash32(key ?? id) % shards;",
    replace: "return hash32(key === undefined ? id : id) % shards;",
  },
  {
    name: "an event is tried again beside those behind it",
    file: "core/engine/connector_shard.ts",
    find: "      await this.#wait(this.#backoffMs(attempt));\n    }\n",
    replace: "      return void this.#wait(this.#backoffMs(attempt))\n" +
      "        .then(() => this.#take(source, delivery)).catch(() => {});\n    }\n",
  },
  {
    name: "an event that cannot be parked is passed over",
    near: 98,
    file: "core/engine/connector_shard.ts",
    find: "notParked, attempt, event);\n      return false;",
    replace: "notParked, attempt, event);\n      return true;",
  },
  {
    name: "what scrub leaves is not sealed",
    near: 120,
    file: "core/engine/dispose.ts",
    find:
      'return await sealPayload(context, jsonText(left, "what scrub answered", payloadBytesMax), data.version);',
    replace:
      'return { text: jsonText(left, "what scrub answered", payloadBytesMax), sealed: false, version: data.version };',
  },
  {
    name: "data that cannot be sealed is stored as it is",
    near: 208,
    file: "core/engine/context.ts",
    find: "return sealed.then((each) => ({ text: JSON.stringify(each), sealed: true, version }));",
    replace: "return sealed.then((each) => ({ text: JSON.stringify(each), sealed: true, version }),\n" +
      "    () => ({ text, sealed: false, version }));",
  },
];
