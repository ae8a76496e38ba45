import assert from "node:assert/strict";
import { stamp } from "../../core/store/key.ts";
import { checkHistory } from "./check_history.ts";
import { explain } from "./explain.ts";
import type { History, Operation } from "./history.ts";
import { isLinearizable } from "./naive.ts";
import {
  append,
  batch,
  commit,
  entry,
  lost,
  lostTogether,
  put,
  read,
  remove,
  superseded,
} from "./stories.ts";

type Story = readonly Operation[] | History;

const historyOf = (story: Story): History =>
  "operations" in story ? story : { outcomes: false, operations: story };

const all = { start: "a", end: "z", limit: 10 };
const logged = (value: string, version: number) => entry(`log ${stamp(version)}`, value, version);
const a1 = entry("a", "1", 1);
const b1 = entry("b", "2", 1);
const both = commit("w", [0, 1], [batch({ puts: [{ key: "a", value: "1" }, { key: "b", value: "2" }] })], [
  1,
]);
const chain = { committer: "me" };

const good: Readonly<Record<string, Story>> = {
  "nothing at all": [],
  "reads beside a write see it or not": [
    commit("w", [1, 4], [put("a", "1")], [7]),
    read("r1", [0, 3], ["a"]),
    read("r2", [2, 5], ["a", entry("a", "1", 7)]),
  ],
  "a read that began first and ended last sees a state between": [
    both,
    read("r", [2, 9], ["a", entry("a", "3", 2)], ["b", b1]),
    commit("w2", [3, 4], [put("a", "3", 1)], [2]),
    commit("w3", [5, 6], [put("b", "4", 1)], [3]),
  ],
  "one of two that check the same wins": [
    both,
    commit("x", [2, 5], [put("a", "3", 1)], [{ failed: 0 }]),
    commit("y", [3, 4], [put("a", "4", 1)], [2]),
  ],
  "a check fails before the write that it would have met is answered": [
    commit("x", [0, 1], [put("a", "9", 1)], [{ failed: 0 }]),
    commit("y", [0, 2], [put("a", "8", null)], [1]),
  ],
  "a batch sees what the batch before it wrote": [
    commit("w", [0, 1], [put("a", "1", null), put("a", "2", null), put("b", "3", null)], [
      1,
      { failed: 0 },
      3,
    ]),
    read("r", [2, 3], [all, entry("a", "1", 1), entry("b", "3", 3)]),
  ],
  "a guard fails": [
    both,
    commit("x", [2, 3], [put("b", "3")], "guard-failed", { guard: { key: "a", version: 4 } }),
    commit("y", [4, 5], [put("b", "4")], [2], { guard: { key: "a", version: 1 } }),
  ],
  "ranges of a log, down and with a limit": [
    commit("w", [0, 1], [append("log ", "x"), append("log ", "y"), append("log ", "z")], [1, 2, 3]),
    read("r", [2, 3], [
      { start: "log ", end: "log!", limit: 2, reverse: true },
      logged("z", 3),
      logged("y", 2),
    ]),
  ],
  "a lost commit that never happened": [both, lost("x", 2, [put("a", "3")]), read("r", [9, 10], ["a", a1])],
  "a lost commit that happened late, unseen, between two reads": [
    both,
    lost("x", 2, [remove("a")]),
    read("r1", [3, 4], ["a", a1]),
    read("r2", [5, 6], ["a"]),
  ],
  "a lost commit that shows by a failed check only": [
    both,
    lost("x", 2, [put("a", "3", 1)]),
    commit("y", [3, 4], [put("a", "4", 1)], [{ failed: 0 }]),
    commit("z", [5, 6], [put("a", "5")], [9]),
    read("r", [7, 8], ["a", entry("a", "5", 9)]),
  ],
  "a lost commit that must have been early, and shows late": [
    both,
    lost("x", 2, [batch({ checks: [{ key: "a", version: 1 }], deletes: ["b"] })]),
    commit("y", [3, 4], [put("a", "4", 1)], [8]),
    read("r", [5, 6], ["b"]),
  ],
  "a lost commit of which a part was seen": [
    both,
    lost("x", 2, [put("a", "3", 1), append("log ", "x"), append("log ", "y")]),
    read("r", [5, 6], ["a", entry("a", "3", 2)], [{ ...all, start: "log " }, logged("x", 3), logged("y", 4)]),
  ],
  "a lost commit that was bound to happen by its deadline": [
    both,
    lost("x", 2, [remove("a")], { until: 4 }),
    read("r1", [3, 6], ["a", a1]),
    read("r2", [5, 7], ["a"]),
  ],
  "a lost commit of two calls, of which the first had no effect": [
    both,
    lostTogether(lost("x", 2, [put("a", "3", 7)]), lost("y", 2, [put("b", "4")])),
    read("r", [3, 4], [all, a1, entry("b", "4", 2)]),
  ],
  "a refused commit": [both, commit("x", [2, 3], [put("a", "3")], "refused"), read("r", [4, 5], ["a", a1])],
  "a lost call, settled by an empty one": {
    outcomes: true,
    operations: [
      commit("1", [0, 1], [put("a", "1")], [1], chain),
      lost("2", 2, [put("a", "3")], { ...chain, previous: "1" }),
      commit("3", [3, 4], [], [], { ...chain, previous: "1" }),
      read("r", [5, 6], ["a", a1]),
    ],
  },
  "a lost call whose settling tells what became of it": {
    outcomes: true,
    operations: [
      commit("1", [0, 1], [put("a", "1")], [1], chain),
      lost("2", 2, [put("a", "3"), remove("a", 1)], { ...chain, previous: "1" }),
      commit("3", [3, 4], [], superseded("2", [4, { failed: 0 }]), { ...chain, previous: "1" }),
      commit("4", [5, 6], [put("a", "5", 4)], [7], { ...chain, previous: "2" }),
    ],
  },
  "a lost call with a deadline that left nothing but its outcome": {
    outcomes: true,
    operations: [
      lost("1", 2, [put("a", "1")], { ...chain, until: 4 }),
      commit("w", [3, 6], [remove("a")], [5]),
      commit("2", [7, 8], [put("b", "2")], [7], { ...chain, previous: "1" }),
      read("r", [7, 8], ["a"]),
    ],
  },
};

const broken: Readonly<Record<string, Story>> = {
  "lost update: two writes check the same version": [
    both,
    commit("x", [2, 5], [put("a", "3", 1)], [2]),
    commit("y", [3, 4], [put("a", "4", 1)], [3]),
  ],
  "stale read: a read misses a write that was answered before it began": [
    both,
    commit("x", [2, 3], [put("a", "3")], [2]),
    read("r", [4, 5], ["a", a1]),
  ],
  "stale read: of two reads, the later one sees the older state": [
    both,
    commit("x", [2, 9], [put("a", "3")], [2]),
    read("r1", [3, 4], ["a", entry("a", "3", 2)]),
    read("r2", [5, 6], ["a", a1]),
  ],
  "torn batch: a part of a batch is seen without the rest": [both, read("r", [0, 2], ["a", a1], ["b"])],
  "torn read: two keys as they never were together": [
    both,
    commit("x", [2, 3], [put("a", "3")], [2]),
    commit("y", [4, 5], [put("b", "4")], [3]),
    read("r", [2, 6], ["a", a1], ["b", entry("b", "4", 3)]),
  ],
  "torn call: another call between the batches of one": [
    commit("x", [0, 9], [put("a", "1"), put("a", "2")], [1, 3]),
    commit("y", [0, 9], [put("a", "3")], [2]),
  ],
  "reused version: by two commits": [
    commit("x", [0, 1], [put("a", "1")], [1]),
    commit("y", [2, 3], [put("b", "2")], [1]),
  ],
  "reused version: a key is created again and fools a check": [
    commit("x", [0, 1], [put("a", "1")], [1]),
    commit("y", [2, 3], [remove("a")], [2]),
    commit("z", [4, 5], [put("a", "2", null)], [3]),
    commit("stale", [6, 7], [put("a", "3", 1)], [4]),
  ],
  "reused version: lower than those before the history": {
    outcomes: false,
    floor: [5],
    operations: [commit("x", [0, 1], [put("a", "1")], [5])],
  },
  "a write applied twice: it is there again after it was overwritten": [
    commit("x", [0, 1], [put("a", "1")], [1]),
    commit("y", [2, 3], [put("a", "2")], [2]),
    read("r", [4, 5], ["a", entry("a", "1", 3)]),
  ],
  "a lost write applied twice: it is in a log twice": [
    lost("x", 0, [append("log ", "1")]),
    read("r", [4, 5], [all, logged("1", 1), logged("1", 2)]),
  ],
  "order of real time reversed: versions say otherwise": [
    commit("x", [0, 1], [put("a", "1")], [2]),
    commit("y", [2, 3], [put("b", "2")], [1]),
  ],
  "order of real time reversed: a read sees what was not yet asked for": [
    read("r", [0, 1], ["a", a1]),
    commit("x", [2, 3], [put("a", "1")], [1]),
  ],
  "an unknown that took effect and vanished": [
    both,
    lost("x", 2, [put("a", "3")]),
    read("r1", [3, 4], ["a", entry("a", "3", 2)]),
    read("r2", [5, 6], ["a", a1]),
  ],
  "an unknown that happened after its deadline": [
    both,
    lost("x", 2, [remove("a")], { until: 4 }),
    read("r1", [5, 6], ["a", a1]),
    read("r2", [7, 8], ["a"]),
  ],
  "an unknown with no version left for it": [
    both,
    lost("x", 2, [remove("b")]),
    commit("y", [3, 4], [put("c", "3")], [2]),
    read("r", [3, 4], [all, a1, b1, entry("c", "3", 2)]),
    commit("z", [5, 6], [put("b", "4", null)], [3]),
  ],
  "a lost commit whose second call happened before its first": [
    both,
    lostTogether(lost("x", 2, [remove("a")]), lost("y", 2, [put("b", "4")])),
    read("r1", [3, 4], [all, a1, entry("b", "4", 2)]),
    read("r2", [5, 6], ["a"]),
  ],
  "a value that was not written under its version": [both, read("r", [2, 3], ["a", entry("a", "2", 1)])],
  "a read that is answered with another key": [both, read("r", [2, 3], ["a", entry("b", "1", 1)])],
  "phantom: a range tells of a key that is gone": [
    both,
    commit("x", [2, 3], [remove("b")], [2]),
    read("r", [4, 5], [all, a1, b1]),
  ],
  "phantom: a range tells of a value that nobody wrote": [
    both,
    read("r", [2, 3], [all, a1, b1, entry("c", "9", 1)]),
  ],
  "hole: a range leaves out a key": [both, read("r", [2, 3], [all, b1])],
  "range in the wrong direction": [both, read("r", [2, 3], [{ ...all, reverse: true }, a1, b1])],
  "range past its limit": [both, read("r", [2, 3], [{ ...all, limit: 1 }, a1, b1])],
  "a refused batch left something behind": [
    both,
    commit("x", [2, 3], [put("a", "3", 7)], [{ failed: 0 }]),
    read("r", [4, 5], ["a", entry("a", "3", 2)]),
  ],
  "a check that holds is refused": [both, commit("x", [2, 3], [put("a", "3", 1)], [{ failed: 0 }])],
  "a check that does not hold is passed": [both, commit("x", [2, 3], [put("a", "3", null)], [2])],
  "a guard that does not hold is passed": [
    both,
    commit("x", [2, 3], [put("b", "3")], [2], { guard: { key: "a", version: 4 } }),
  ],
  "an answered write is gone": [
    both,
    commit("x", [2, 3], [put("a", "3")], [2]),
    read("r1", [2, 4], ["a", entry("a", "3", 2)]),
    read("r2", [5, 6], ["a", a1]),
  ],
  "what was refused because the store was busy has happened": [
    both,
    commit("x", [2, 3], [put("a", "3")], "refused"),
    read("r", [4, 5], ["a", entry("a", "3", 2)]),
  ],
  "a settled call lands late": {
    outcomes: true,
    operations: [
      commit("1", [0, 1], [put("a", "1")], [1], chain),
      lost("2", 2, [put("a", "3")], { ...chain, previous: "1" }),
      commit("3", [3, 4], [], [], { ...chain, previous: "1" }),
      read("r", [5, 6], ["a", entry("a", "3", 5)]),
    ],
  },
  "a settling call is told what is not so": {
    outcomes: true,
    operations: [
      commit("1", [0, 1], [put("a", "1")], [1], chain),
      lost("2", 2, [put("a", "3")], { ...chain, previous: "1" }),
      commit("3", [3, 4], [], superseded("2", [4]), { ...chain, previous: "1" }),
      read("r", [5, 6], ["a", a1]),
    ],
  },
  "two settling calls are told different things": {
    outcomes: true,
    operations: [
      commit("1", [0, 1], [put("a", "1")], [1], chain),
      lost("2", 2, [put("a", "3")], { ...chain, previous: "1" }),
      commit("3", [3, 4], [], superseded("2", [4]), { ...chain, previous: "1" }),
      commit("4", [5, 6], [], superseded("2", [5]), { ...chain, previous: "1" }),
    ],
  },
  "a call that follows is superseded by nothing": {
    outcomes: true,
    operations: [
      commit("1", [0, 1], [put("a", "1")], [1], chain),
      commit("2", [2, 3], [], { outcome: "superseded" }, { ...chain, previous: "1" }),
    ],
  },
};

for (const [name, story] of Object.entries(good)) {
  Deno.test(`checkHistory() takes ${name}`, () => {
    const history = historyOf(story);
    const verdict = checkHistory(history);
    assert.equal(verdict.verdict, "linearizable", explain(history, verdict));
    assert.ok(isLinearizable(history));
  });
}

for (const [name, story] of Object.entries(broken)) {
  Deno.test(`checkHistory() refuses ${name}`, () => {
    const history = historyOf(story);
    const verdict = checkHistory(history);
    assert.equal(verdict.verdict, "violated");
    assert.ok(!isLinearizable(history));
    assert.match(explain(history, verdict), /None of these can come next/);
  });
}
