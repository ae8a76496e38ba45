import type { Batch, CommitCall, Store } from "pawl";

/** A record as large as the engine's. */
const record = JSON.stringify({
  id: "01a1fc91855a0000a5aed5281bf51c",
  definition: "orders",
  key: "wave-0-0",
  createdAt: 1_763_000_000_000,
  state: "running",
  status: "paid",
  version: 2,
  visit: 2,
  attempt: 0,
  crashes: 0,
  updatedAt: 1_763_000_000_000,
  due: 1_763_000_000_000,
  data: "x".repeat(430),
});
const history =
  `{"at":1763000000000,"kind":"move","by":"step","runState":"running","version":2,"attempt":0,"from":"placed","to":"paid","durationMs":0}`;

/**
 * The store alone, with the same batches that the engine writes for 3-step runs: what is left when the engine costs
 * nothing.
 *
 * @returns Steps per second, median of the rounds.
 */
export async function bareRate(store: Store, runs: number, rounds: number): Promise<number> {
  const rates: number[] = [];
  let calls = 0;
  let previous: string | undefined;
  for (let round = 0; round <= rounds; round++) {
    const versions: number[] = [];
    const startedAt = performance.now();
    for (let phase = 0; phase < 4; phase++) {
      for (let from = 0; from < runs; from += 512) {
        const batches = Array.from(
          { length: Math.min(512, runs - from) },
          (_, index) => batchOf(round, phase, from + index, versions[from + index]),
        );
        const callId = String(++calls);
        const committer = { id: "bare", callId, ...(previous !== undefined && { previous }) };
        const call: CommitCall = { shard: 0, committer, batches };
        previous = callId;
        const [result] = await store.commit([call]);
        if (result!.outcome !== "done") throw new Error("The bare store refused a call");
        result!.results.forEach((each, index) => versions[from + index] = each.ok ? each.version : 0);
      }
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    if (round > 0) rates.push(runs * 3 / seconds);
  }
  return rates.sort((a, b) => a - b)[rates.length >> 1]!;
}

/** Phase 0 is the trigger, 1 and 2 are middle steps, 3 is the last: 5, 2, 2 and 5 rows. */
function batchOf(round: number, phase: number, index: number, version: number | undefined): Batch {
  const id = `${round.toString(16).padStart(10, "0")}${index.toString(16).padStart(20, "0")}`;
  const run = `run ${id}`;
  const puts: Batch["puts"][number][] = [
    { key: run, value: record },
    { key: `hist ${id} `, value: history, stamped: true },
  ];
  const deletes: string[] = [];
  if (phase === 0) {
    puts.push({ key: `key orders wave-${round}-${index}`, value: `{"runId":"${id}"}` });
    puts.push({ key: `list orders active ${id}`, value: "1" }, {
      key: `work orders 018c00000000 ${id}`,
      value: "1",
    });
  } else if (phase === 3) {
    puts.push({ key: `list orders completed ${id}`, value: "1" });
    deletes.push(`list orders active ${id}`, `work orders 018c00000000 ${id}`);
  }
  return { checks: [{ key: run, version: phase === 0 ? null : version! }], puts, deletes };
}
