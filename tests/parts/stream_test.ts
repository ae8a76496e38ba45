import assert from "node:assert/strict";
import fc from "fast-check";
import { logText, readLog } from "../../core/parts/run_log.ts";
import { noTimers, type RunRecord, type RunState } from "../../core/parts/run_record.ts";
import { constantsOf } from "../../core/parts/run_row.ts";
import {
  beginning,
  cursorText,
  cutIntoRows,
  furthest,
  isBefore,
  type Position,
  readCursor,
  readSent,
  sentText,
} from "../../core/parts/stream_rows.ts";
import { definitionOfTopic, topicOfChange } from "../../core/parts/stream_topics.ts";
import { keyspace } from "../../core/store/keyspace.ts";
import { stamp } from "../../core/store/key.ts";
import { deleteTopic, runStateTopic, statusTopic } from "../../mod.ts";

const identity = { id: "0".repeat(30), definition: "orders", key: "k", createdAt: 1, previous: undefined };

function record(state: RunState, also: Partial<RunRecord> = {}): RunRecord {
  return {
    ...identity,
    ...{ ...constantsOf(identity), state, status: "paid", version: 2, visit: 2, attempt: 0, crashes: 0 },
    ...{
      updatedAt: 1,
      due: undefined,
      reason: undefined,
      lastError: undefined,
      sealed: false,
      stepDue: undefined,
      timers: noTimers,
      dataVersion: 1,
    },
    payload: `{"secret":1}`,
    ...also,
  };
}

Deno.test("topicOfChange() sends each new state of a run to the topic that luno/workflow sends it to", () => {
  const topics: Readonly<Record<RunState, string>> = {
    initiated: "orders-paid",
    running: "orders-paid",
    paused: "orders-run-state-change",
    stalled: "orders-run-state-change",
    completed: "orders-run-state-change",
    failed: "orders-run-state-change",
    cancelled: "orders-run-state-change",
    terminated: "orders-run-state-change",
    "deletion-requested": "orders-delete",
    deleted: "orders-run-state-change",
  };
  for (const [state, topic] of Object.entries(topics)) {
    assert.equal(topicOfChange(undefined, record(state as RunState)), topic, state);
    assert.equal(topicOfChange(record("running", { visit: 1 }), record(state as RunState)), topic, state);
  }
});

Deno.test("topicOfChange() tells of what begins, moves or changes its state, and of nothing else", () => {
  const running = record("running");
  assert.equal(topicOfChange(running, record("running", { attempt: 1, version: 3 })), undefined);
  assert.equal(
    topicOfChange(record("initiated"), running),
    undefined,
    "the first landing that moves nothing",
  );
  assert.equal(topicOfChange(record("paused"), record("paused", { attempt: 1 })), undefined);
  assert.equal(topicOfChange(record("paused"), running), "orders-paid", "a resume");
  assert.equal(topicOfChange(running, record("running", { visit: 3 })), "orders-paid", "a repeat");
});

/** Names that are made to be mistaken for one another. */
const name = fc.string({
  unit: fc.constantFrom(
    "a",
    "-",
    "%",
    "%2D",
    "%25",
    "2",
    "D",
    " ",
    "_",
    "A",
    "delete",
    "run-state-change",
    "%64elete",
  ),
  minLength: 1,
  maxLength: 5,
});

Deno.test("topics of two definitions or statuses are never the same, and name their definition", () => {
  fc.assert(
    fc.property(name, name, name, name, (d1, s1, d2, s2) => {
      const topics = (definition: string, status: string) => [
        statusTopic(definition, status),
        runStateTopic(definition),
        deleteTopic(definition),
      ];
      const [one, two] = [topics(d1, s1), topics(d2, s2)];
      assert.equal(new Set(one).size, 3, `${one}`);
      for (const topic of one) assert.equal(definitionOfTopic(topic), d1);
      assert.equal(one[0] === two[0], d1 === d2 && s1 === s2, `${one} ${two}`);
      if (d1 !== d2) { for (const topic of one) assert.ok(!two.includes(topic), topic); }
    }),
    { numRuns: 2_000 },
  );
  assert.notEqual(statusTopic("a b", "c"), statusTopic("a_b", "c"));
  assert.notEqual(statusTopic("a-b", "c"), statusTopic("a", "b-c"));
});

Deno.test("definitionOfTopic() finds none in a topic without a dash", () => {
  assert.equal(definitionOfTopic("parcels"), undefined);
  assert.equal(definitionOfTopic("-parcels"), undefined);
});

Deno.test("logText() keeps where a run is, and nothing of its data, reason or error", () => {
  const after = record("paused", { reason: "secret", lastError: { name: "E", message: "secret" } });
  const text = logText(record("running"), {
    after,
    event: { kind: "pause", by: "operator", reason: "secret" },
  }, 7)!;
  const key = keyspace.log.front("my orders") + stamp(9);
  assert.deepEqual(readLog({ key, value: text, version: 9 }), {
    ...{ topic: "orders-run-state-change", runId: after.id, key: "k", status: "paid", runState: "paused" },
    ...{ recordVersion: 2, at: 7, kind: "pause", definition: "my orders", version: 9 },
  });
  assert.ok(!text.includes("secret"));
  assert.equal(logText(record("running"), { event: { kind: "late", by: "step" } }, 7), undefined);
});

const position = fc.record<Position>({ after: fc.nat(3), taken: fc.nat(2) });
const positions = fc.array(fc.tuple(fc.nat(3), position)).map((each) => new Map(each));

Deno.test("furthest() is in each shard where the further of two is, and the same in any order", () => {
  fc.assert(fc.property(positions, positions, (a, b) => {
    const both = furthest(a, b);
    const plain = (map: ReadonlyMap<number, Position>) =>
      [0, 1, 2, 3].map((shard) => ({ ...map.get(shard) ?? beginning }));
    assert.deepEqual(plain(both), plain(furthest(b, a)));
    for (const [index, each] of plain(both).entries()) {
      assert.ok(!isBefore(each, plain(a)[index]!) && !isBefore(each, plain(b)[index]!));
    }
    assert.equal(furthest(both, a), both, "the same when nothing is further");
    assert.deepEqual(readCursor({ key: "k", value: cursorText(both, 1), version: 1 }).size, both.size);
  }));
});

Deno.test("cutIntoRows() keeps all events in order, in rows that a store takes", () => {
  const texts = fc.array(fc.nat(400_000).map((length) => JSON.stringify("x".repeat(length))), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(texts, fc.nat(600), (large, small) => {
      const all = [...large, ...Array.from({ length: small }, (_, n) => `${n}`)];
      const rows = cutIntoRows(all);
      assert.deepEqual(rows.flat(), all);
      for (const row of rows) {
        assert.ok(row.length >= 1 && row.length <= 256);
        assert.ok(row.length === 1 || row.join("").length <= 512 * 1024);
        assert.deepEqual(readSent({ key: "k", value: sentText(1, row), version: 1 }), { at: 1, texts: row });
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("damaged rows of streams are named, never misread", () => {
  for (
    const value of ["", "7", "null", "{}", `{"places":[[1,2]]}`, `{"at":1}`, `{"events":[]}`, `{"topic":"t"}`]
  ) {
    const entry = { key: `cursor t ${stamp(1)}`, value, version: 1 };
    for (const read of [readCursor, readSent, readLog]) {
      assert.throws(() => read(entry), { code: "STORE_CORRUPT", message: /cursor t/ }, value);
    }
  }
});
