import type { ListPage, ListQuery } from "pawl";
import type { RunName } from "./target.ts";

/** How long the id of a run is, in hexadecimal digits. */
const digits = 30;

/** Whether a text is the id of a run. */
export function isRunId(text: string): boolean {
  return text.length === digits && /^[0-9a-f]+$/.test(text);
}

/**
 * Finds the definition and key of a run. A list goes on after its cursor, which is the id of a run that need not be there:
 * so the id before the one that is looked for leads to it, without a look at any other.
 *
 * @param list Lists runs.
 * @param runId The run.
 * @returns Its name, or `undefined`.
 */
export async function runOfId(
  list: (query: ListQuery) => Promise<ListPage>,
  runId: string,
): Promise<Required<RunName> | undefined> {
  if (/^0*$/.test(runId)) return undefined;
  const cursor = (BigInt(`0x${runId}`) - 1n).toString(16).padStart(digits, "0");
  const { items: [found] } = await list({ order: "oldest", limit: 1, cursor });
  if (found?.runId !== runId) return undefined;
  return { definition: found.definition, key: found.key, runId };
}
