import assert from "node:assert/strict";
import fc from "fast-check";
import { bucketOf, isFinished, nextRecord, type RunRecord, runStates } from "../../core/parts/run_record.ts";
import { constantsOf, decodeRecord, encodeRecord, runTable } from "../../core/parts/run_row.ts";
import { BatchBuilder } from "../../core/store/batch.ts";

/** Text that tries to pass for the record's own structure. */
const nasty = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    '","data":',
    ',"data":',
    '"},"data":{"x":',
    ",",
    "\\",
    '\\","data":',
    "data",
    "__proto__",
    "constructor",
    "\ud800",
    "\u{1f600}漢\u2028",
  ),
  fc.tuple(fc.string(), fc.string()).map(([a, b]) => `${a}","data":${b}`),
);
const count = fc.nat(1_000_000);
const lastError = fc.record({ name: nasty, message: nasty, code: nasty }, {
  requiredKeys: ["name", "message"],
  noNullPrototype: true,
});

const record: fc.Arbitrary<RunRecord> = fc.record({
  id: fc.stringMatching(/^[0-9a-f]{30}$/),
  definition: nasty,
  key: nasty,
  createdAt: fc.nat(2 ** 41),
  previous: fc.stringMatching(/^[0-9a-f]{30}$/),
  traceOrigin: nasty,
  origin: fc.record({ schedule: nasty, life: nasty, start: count, at: fc.nat(2 ** 41) }, {
    noNullPrototype: true,
  }),
  state: fc.constantFrom(...runStates),
  status: nasty,
  version: count,
  visit: count,
  attempt: count,
  crashes: count,
  updatedAt: fc.nat(2 ** 41),
  due: fc.nat(2 ** 41),
  stepDue: fc.nat(2 ** 41),
  timers: fc.array(fc.record({ name: nasty, at: fc.nat(2 ** 41), attempt: count, round: count }, {
    noNullPrototype: true,
  })),
  lock: fc.record({
    namespace: nasty,
    request: nasty,
    wants: fc.array(
      fc.record({
        name: nasty,
        weight: count,
        kind: fc.constantFrom("mutex" as const, "semaphore" as const, "readWrite" as const),
        capacity: count,
      }, { noNullPrototype: true }),
    ),
    tokens: fc.array(count),
  }, { requiredKeys: ["namespace", "request", "wants"], noNullPrototype: true }),
  policies: fc.array(
    fc.record({
      at: nasty,
      timeoutMs: count,
      pauseAfterErrors: count,
      retryInitialMs: count,
      retryMaxMs: count,
      retryFactor: count,
      retryJitter: fc.boolean(),
    }, { requiredKeys: [], noNullPrototype: true }),
    { minLength: 1 },
  ),
  reason: nasty,
  lastError,
  dataVersion: fc.integer({ min: 1, max: 4 }),
  sealed: fc.constant(true),
  payload: fc.oneof(fc.json(), nasty.map((text) => JSON.stringify({ [text]: text }))),
}, {
  requiredKeys: [
    "id",
    "definition",
    "key",
    "createdAt",
    "state",
    "status",
    "version",
    "visit",
    "attempt",
    "crashes",
    "updatedAt",
    "timers",
    "dataVersion",
    "payload",
  ],
  noNullPrototype: true,
}).map((run) => {
  const { previous, traceOrigin, origin, policies, due, stepDue, lock, reason, lastError, sealed = false } =
    run;
  const whole = {
    ...run,
    previous,
    traceOrigin,
    origin,
    policies,
    due,
    stepDue,
    lock,
    reason,
    lastError,
    sealed,
  };
  return { ...whole, ...constantsOf(whole) };
});

Deno.test("decodeRecord() gives back what encodeRecord() was given, whatever the texts contain", () => {
  fc.assert(
    fc.property(record, (run) => assert.deepEqual(decodeRecord(encodeRecord(run)), run)),
    { numRuns: 2_000 },
  );
});

Deno.test("encodeRecord() writes JSON with flat fields and the payload as `data`", () => {
  fc.assert(fc.property(record, (run) => {
    const { head: _head, rowKey: _rowKey, payload, ...fields } = run;
    const { stepDue, timers, ...flat } = fields;
    // Data of version 1 is not marked: so was all data before there were versions.
    const isLeftOut = ([name, value]: [string, unknown]) =>
      value === undefined || value === false || (name === "dataVersion" && value === 1);
    const there = Object.entries(flat).filter((field) => !isLeftOut(field));
    const implied = bucketOf(run.state) === "active" ? run.due : undefined;
    assert.deepEqual(JSON.parse(encodeRecord(run)), {
      ...Object.fromEntries(there),
      ...(stepDue !== implied && { stepDue: stepDue ?? null }),
      ...(timers.length > 0 && { timers }),
      data: JSON.parse(payload),
    });
  }));
});

Deno.test("decodeRecord() says STORE_CORRUPT of a text that is no record", () => {
  for (const text of ["", "{", "null", '{"id":"x"}', '{"id":"x","data":1']) {
    assert.throws(() => decodeRecord(text), (error: { code?: string }) => {
      assert.match(error.code!, /STORE_CORRUPT|INTERNAL/);
      return true;
    }, text);
  }
});

Deno.test("nextRecord() counts one version on, sets what is given and clears what is undefined", () => {
  fc.assert(fc.property(record, (run) => {
    const next = nextRecord(run, { reason: undefined, attempt: 7 });
    assert.equal(next.version, run.version + 1);
    assert.equal(next.attempt, 7);
    assert.equal(next.reason, undefined);
    assert.equal(decodeRecord(encodeRecord(next)).reason, undefined);
    assert.equal(next.head, run.head);
  }));
});

Deno.test("runTable writes from any record to any other exactly the rows that stand for the other", () => {
  fc.assert(fc.property(record, record, (before, other) => {
    const { id, definition, key, createdAt, head } = before;
    const after = { ...other, id, definition, key, createdAt, head };
    const rows = new Map(runTable.rows(before).map((row) => [row.key, row.value]));
    const batch = new BatchBuilder();
    runTable.write(batch, before, after);
    for (const gone of batch.deletes) assert.ok(rows.delete(gone), "deletes only what is there");
    for (const put of batch.puts.slice(1)) rows.set(put.key, put.value);
    assert.deepEqual([...rows].sort(), runTable.rows(after).map((row) => [row.key, row.value]).sort());
    const written = [...batch.puts.map((put) => put.key), ...batch.deletes];
    assert.equal(new Set(written).size, written.length, "one write per key");
  }));
});

Deno.test("bucketOf() joins only initiated and running, which start and go on alike", () => {
  const buckets = new Map(runStates.map((state) => [state, bucketOf(state)]));
  assert.equal(buckets.get("initiated"), "active");
  assert.equal(buckets.get("running"), "active");
  assert.equal(new Set(buckets.values()).size, runStates.length - 1);
});

Deno.test("isFinished() is true of exactly the states that nothing but deletion follows", () => {
  assert.deepEqual(runStates.filter(isFinished), [
    "completed",
    "failed",
    "cancelled",
    "terminated",
    "deletion-requested",
    "deleted",
  ]);
});
