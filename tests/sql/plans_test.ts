import assert from "node:assert/strict";
import { type SqlFile, testOnFiles } from "./sql_store.ts";

/** A question, and the plan of SQLite for it: of a plain store, and of one with `sqlIndexes`. */
interface Question {
  readonly sql: string;
  readonly plain: readonly string[];
  readonly indexed: readonly string[];
}

const range = (name: string) => ["SCAN s", `SEARCH ${name} USING PRIMARY KEY (shard=? AND key>? AND key<?)`];
const record = "SEARCH k USING PRIMARY KEY (shard=? AND key=?)";
const optional = `${record} LEFT-JOIN`;
const sorted = "USE TEMP B-TREE FOR ORDER BY";
const ofRun = "SEARCH h USING PRIMARY KEY (shard=? AND key>? AND key<?)";
const counted = ["CO-ROUTINE pawl_counts", ...range("k"), "USE TEMP B-TREE FOR GROUP BY", "SCAN pawl_counts"];
const byState = "USING COVERING INDEX pawl_runs_by_state";
const countedByIndex = [
  "CO-ROUTINE g",
  "CO-ROUTINE (subquery-4)",
  `SCAN pawl_run_index ${byState}`, // its first row only
  "SCAN (subquery-4)",
  "RECURSIVE STEP",
  "SCAN g",
  "SEARCH r USING PRIMARY KEY (run_id=?)",
  "CORRELATED SCALAR SUBQUERY 6",
  `SEARCH n ${byState} (state=? AND definition=? AND status>?)`,
  "CORRELATED SCALAR SUBQUERY 7",
  `SEARCH n ${byState} (state=? AND definition>?)`,
  "CORRELATED SCALAR SUBQUERY 8",
  `SEARCH n ${byState} (state>?)`,
  "SCAN g",
  "CORRELATED SCALAR SUBQUERY 9",
  `SEARCH c ${byState} (state=? AND definition=? AND status=?)`,
];

const questions: Readonly<Record<string, Question>> = {
  "counts by status": {
    sql: "select definition, status, state, runs from pawl_counts",
    plain: counted,
    indexed: countedByIndex,
  },
  "counts of one definition": {
    sql: "select status, runs from pawl_counts where definition = 'orders'",
    plain: counted,
    indexed: countedByIndex,
  },
  "stuck runs, longest first": {
    sql: "select key, status, reason, last_error from pawl_stuck order by updated_at limit 20",
    plain: [...range("k"), sorted],
    indexed: ["SCAN r USING INDEX pawl_runs_stuck", optional],
  },
  "runs in a state": {
    sql: "select key, reason from pawl_runs where state = 'paused' and definition = 'orders'",
    plain: range("k"),
    indexed: ["SEARCH r USING INDEX pawl_runs_by_state (state=? AND definition=?)", optional],
  },
  "the oldest that waits": {
    sql: "select key, status, due_at from pawl_work order by due_at limit 20",
    plain: [...range("w"), record, sorted],
    indexed: [...range("w"), record, sorted],
  },
  "what ran lately": {
    sql: "select key, status from pawl_runs where updated_at >= 1 order by updated_at desc",
    plain: [...range("k"), sorted],
    indexed: ["SEARCH r USING INDEX pawl_runs_by_update (updated_at>?)"],
  },
  "a run by its id": {
    sql: "select data from pawl_runs where run_id = 'x'",
    plain: range("k"),
    indexed: ["SEARCH r USING PRIMARY KEY (run_id=?)", optional],
  },
  "runs of a key": {
    sql: "select run_id, data from pawl_runs where definition = 'orders' and key = 'x'",
    plain: range("k"),
    indexed: ["SEARCH r USING COVERING INDEX pawl_runs_by_key (definition=? AND key=?)", optional],
  },
  "the history of a key": {
    sql:
      "select at, kind from pawl_history where definition = 'orders' and key = 'x' order by run_id, position",
    plain: [...range("k"), ofRun, sorted],
    indexed: [
      "SEARCH r USING COVERING INDEX pawl_runs_by_key (definition=? AND key=?)",
      ofRun,
      "USE TEMP B-TREE FOR RIGHT PART OF ORDER BY",
    ],
  },
  "the history of a run": {
    sql: "select at, kind from pawl_history where run_id = 'x' order by position",
    plain: [...range("k"), ofRun, sorted],
    indexed: ["SEARCH r USING PRIMARY KEY (run_id=?)", ofRun, sorted],
  },
  "the engines that live": {
    sql: "select * from pawl_engines",
    plain: range("p").slice(1),
    indexed: range("p").slice(1),
  },
};

/** Newer SQLite calls a right part of one term the last term. */
const planOf = (file: SqlFile, { sql }: Question) =>
  file.plan(sql).filter((step) => step !== "SETUP").map((step) => step.replace("LAST TERM", "RIGHT PART"));

testOnFiles(
  "the views reach their rows by the primary key, and by indexes where there are some",
  async (file) => {
    await file.open({ shards: 4 });
    for (const [name, question] of Object.entries(questions)) {
      assert.deepEqual(planOf(file, question), question.plain, name);
    }
    await file.open({ shards: 4, sqlIndexes: true });
    for (const [name, question] of Object.entries(questions)) {
      assert.deepEqual(planOf(file, question), question.indexed, `${name}, with sqlIndexes`);
    }
  },
);

testOnFiles("pawl_leases reads no more than the rows of owners and engines", async (file) => {
  await file.open();
  const plan = file.plan("select * from pawl_leases");
  assert.deepEqual(plan.slice(0, 3), [
    "SCAN s",
    "SEARCH o USING PRIMARY KEY (shard=? AND key>? AND key<?)",
    "SEARCH p USING PRIMARY KEY (shard=? AND key=?) LEFT-JOIN",
  ]);
  assert.ok(!plan.some((step) => /SCAN (?!s$|u$|CONSTANT)/.test(step)), plan.join("; "));
});
