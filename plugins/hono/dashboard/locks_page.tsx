/**
 * The locks of a namespace.
 *
 * @module
 */
import { ask, queryOf } from "./api.ts";
import { fieldOf } from "./dialog.tsx";
import { defaultNamespace, heldText, useKeepNamespace } from "./lock_parts.ts";
import { Time } from "./now.tsx";
import { Empty, ErrorNote, SkeletonRows } from "./parts.tsx";
import { go, hrefOf, type Place } from "./place.ts";
import { usePolled } from "./poll.ts";
import { useSettings } from "./settings.ts";
import type { LockView, Page } from "./wire.ts";

type ListedLock = Omit<LockView, "waiters">;

/** The page. */
export function LocksPage({ place }: { readonly place: Place }) {
  const namespace = place.names[1] ?? defaultNamespace;
  const cursor = place.params.get("cursor") ?? "";
  const path = `locks${queryOf({ namespace, cursor, limit: 100 })}`;
  const { data, error, refresh } = usePolled(
    path,
    (signal) => ask<Page<ListedLock>>(path, { signal }),
    2_000,
  );
  useKeepNamespace(namespace, (data?.items.length ?? 0) > 0);
  return (
    <>
      <div class="page-head">
        <h1>Locks</h1>
      </div>
      <Namespaces namespace={namespace} />
      {error && <ErrorNote error={error} retry={refresh} />}
      {!(error && !data) && <LockTable namespace={namespace} locks={data?.items} />}
      {data?.items.length === 0 && <Empty>Nobody has asked for a lock of the namespace “{namespace}”.</Empty>}
      {data?.cursor !== undefined && (
        <nav class="pager" aria-label="Pages">
          <a class="button" href={hrefOf(["locks", namespace], { cursor: data.cursor })}>Next</a>
        </nav>
      )}
    </>
  );
}

function Namespaces({ namespace }: { readonly namespace: string }) {
  const { namespaces } = useSettings();
  return (
    <form
      class="filters"
      role="search"
      aria-label="Locks"
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = fieldOf(new FormData(event.currentTarget as HTMLFormElement), "namespace");
        go(hrefOf(["locks", wanted === "" ? defaultNamespace : wanted]));
      }}
    >
      <label class="inline">
        Namespace{" "}
        <input name="namespace" data-search list="namespaces" key={namespace} defaultValue={namespace} />
      </label>
      <datalist id="namespaces">
        {[defaultNamespace, ...namespaces].map((each) => <option key={each} value={each} />)}
      </datalist>
      <button type="submit">Show</button>
      {namespaces.filter((each) => each !== namespace).slice(0, 5).map((each) => (
        <a key={each} class="chip" href={hrefOf(["locks", each])}>{each}</a>
      ))}
    </form>
  );
}

function LockTable(
  { namespace, locks }: { readonly namespace: string; readonly locks: readonly ListedLock[] | undefined },
) {
  return (
    <div class="table-box">
      <table>
        <caption class="sr-only">Locks of {namespace}</caption>
        <thead>
          <tr>
            <th scope="col">Lock</th>
            <th scope="col" class="wide-only">Kind</th>
            <th scope="col" class="num c-took">Held</th>
            <th scope="col" class="num c-took">Waiting</th>
            <th scope="col" class="wide-only">Held by</th>
            <th scope="col" class="wide-only c-time">Since</th>
          </tr>
        </thead>
        <tbody>
          {!locks && <SkeletonRows columns={6} rows={4} />}
          {locks?.map((lock) => (
            <tr key={lock.name}>
              <td class="c-key">
                <a data-row href={hrefOf(["locks", namespace, lock.name])}>{lock.name}</a>
              </td>
              <td class="wide-only">{lock.kind}</td>
              <td class="num">{heldText(lock)}</td>
              <td class="num">{lock.waiting}</td>
              <td class="wide-only clip muted">
                {lock.holders.map(({ definition, holder }) => definition ?? holder).join(", ")}
              </td>
              <td class="wide-only">
                <Time at={lock.holders[0]?.since} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
