import type { ListQuery } from "pawl";
import { outOfReach, type Reach } from "../scope.ts";

/**
 * A query for no more than the caller may see.
 *
 * @param reach What that is; a definition and key that the query names are checked already.
 * @param query What was asked.
 * @returns Fields to put in the place of those asked.
 * @throws {PawlError} `FORBIDDEN` when nothing of what was asked can be within reach.
 */
export function within(
  reach: Reach,
  query: { readonly definition?: string | undefined; readonly keyPrefix?: string | undefined },
): Pick<ListQuery, "definition" | "keyPrefix"> {
  const { definition = reach.definitions, keyPrefix = "" } = query;
  const front = reach.front ?? "";
  if (!keyPrefix.startsWith(front) && !front.startsWith(keyPrefix)) throw outOfReach("keys of that prefix");
  const wanted = front.length > keyPrefix.length ? front : keyPrefix;
  return { ...(definition !== undefined && { definition }), ...(wanted !== "" && { keyPrefix: wanted }) };
}
