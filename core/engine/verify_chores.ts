import { choreKey, choreTable, decodeChore, runIdOfChore } from "../parts/chore.ts";
import { splitKey, unescapeText } from "../store/key.ts";
import type { Entry } from "../store/store.ts";
import { readAll, readEntry, type RunRow, type ShardCheck } from "./verify_rows.ts";

const choreIdOf = ({ key }: Entry) => unescapeText(splitKey(key).at(-1)!);

/**
 * Each chore stands in the index that its due time says, and has a run behind it.
 *
 * @returns The runs to compare with.
 */
export async function checkChores(check: ShardCheck, entries: readonly Entry[]): Promise<readonly RunRow[]> {
  const chores = entries.flatMap((entry) => {
    const chore = readEntry(check, entry, (each) => decodeChore(choreIdOf(each), each.value));
    return chore ? [{ entry, chore }] : [];
  });
  const wanted = chores.map(({ chore }) => choreTable.rows(chore)[0]!.key);
  const found = await readAll(check, wanted.map((key) => ({ get: key })));
  return chores.map(({ entry, chore }, index) => {
    if (!found[index]![0]) check.report("index", wanted[index]!, `missing for chore ${chore.id}`);
    return {
      runId: runIdOfChore(chore.id),
      compare(run) {
        if (run === undefined) check.report("chore", entry.key, "its run is gone");
      },
    };
  });
}

/** Each row of an index of chores has its chore behind it. */
export async function checkChoreRows(check: ShardCheck, entries: readonly Entry[]): Promise<void> {
  const found = await readAll(check, entries.map((entry) => ({ get: choreKey(choreIdOf(entry)) })));
  for (const [index, { key }] of entries.entries()) {
    const row = found[index]![0];
    const chore = row &&
      readEntry({ report: () => {} }, row, (each) => decodeChore(choreIdOf(each), each.value));
    if (row && !chore) continue;
    if (chore && choreTable.rows(chore).some((each) => each.key === key)) continue;
    check.report("index", key, "no chore stands behind this index row");
  }
}
