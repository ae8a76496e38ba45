/**
 * Whether clients of every kind of store get answers that some order of their operations explains, through crashes and
 * losses too.
 *
 * @module
 */
import assert from "node:assert/strict";
import { testWithSqld } from "../sqld/server.ts";
import { type KindName, kinds } from "./kinds.ts";
import { plants } from "./planted.ts";
import { type Counts, runRounds } from "./rounds.ts";

/** Rounds of each home, all mishaps among them; where clients have processes, a round takes half a second. */
const roundsOf = { here: 24, file: 6, http: 4, ws: 4 };

/** A process that is killed may just rest, so that nothing of it is unknown; then another one is. */
const roundsMax = 24;

for (const [name, { home, outcomes }] of Object.entries(kinds)) {
  const kind = name as KindName;
  const test = home === "http" || home === "ws" ? testWithSqld : Deno.test;
  const canLose = home !== "here" || outcomes;
  const isEnough = ({ histories, unknown }: Counts) =>
    histories >= roundsOf[home] && (!canLose || unknown > 0 || histories >= roundsMax);
  test(`${kind} is linearizable under clients that meet`, async () => {
    const { counts, violation } = await runRounds({ kind, seed: 1, more: (counts) => !isEnough(counts) });
    assert.equal(violation ?? "none", "none");
    // Clients that never meet, or lose nothing, would prove nothing.
    assert.ok(counts.conflicts > counts.histories * 10, JSON.stringify(counts));
    assert.equal(counts.unknown > 0, canLose, JSON.stringify(counts));
    if (outcomes) assert.ok(counts.settled > 0, JSON.stringify(counts));
  });
}

Deno.test("a store that breaks a rule is found out over several processes, too", async () => {
  const plant = "reads from a snapshot that is old";
  assert.ok(plants[plant]);
  const { violation } = await runRounds({
    kind: "file",
    seed: 1,
    plant,
    more: ({ histories }) => histories < roundsMax,
  });
  assert.match(violation ?? "nothing was found", /is not linearizable/);
});
