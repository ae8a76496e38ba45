/**
 * The locks of a namespace, and one of them with those who hold it and wait for it.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import { ask, pathOf, queryOf } from "./api.ts";
import { fieldOf, FormDialog } from "./dialog.tsx";
import { Time } from "./now.tsx";
import { Empty, ErrorNote, Fact, Field, Loading, Panel, SkeletonRows } from "./parts.tsx";
import { go, hrefOf, type Place } from "./place.ts";
import { refreshAll, usePolled } from "./poll.ts";
import { currentSettings, setSettings, useSettings } from "./settings.ts";
import type { LockView, Page } from "./wire.ts";

const defaultNamespace = "default";

/** Namespaces that this browser keeps. */
const namespacesMax = 20;

/** The API lists the locks of a namespace, and no namespaces: those that were looked at are kept. */
function useKeepNamespace(namespace: string, isKnown: boolean): void {
  useEffect(() => {
    const { namespaces } = currentSettings();
    if (!isKnown || namespace === defaultNamespace || namespaces.includes(namespace)) return;
    setSettings({ namespaces: [namespace, ...namespaces].slice(0, namespacesMax) });
  }, [namespace, isKnown]);
}

/** The list. */
export function LocksPage({ place }: { readonly place: Place }) {
  const namespace = place.names[1] ?? defaultNamespace;
  const cursor = place.params.get("cursor") ?? "";
  const { namespaces } = useSettings();
  const path = `locks${queryOf({ namespace, cursor, limit: 100 })}`;
  const { data, error, refresh } = usePolled(
    path,
    (signal) => ask<Page<Omit<LockView, "waiters">>>(path, { signal }),
    2_000,
  );
  useKeepNamespace(namespace, (data?.items.length ?? 0) > 0);
  return (
    <>
      <div class="page-head"><h1>Locks</h1></div>
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
      {error && <ErrorNote error={error} retry={refresh} />}
      {!(error && !data) && (
        <div class="table-box">
          <table>
            <caption class="sr-only">Locks of {namespace}</caption>
            <thead>
              <tr>
                <th scope="col">Lock</th>
                <th scope="col" class="wide-only">Kind</th>
                <th scope="col" class="num">Held</th>
                <th scope="col" class="num">Waiting</th>
                <th scope="col" class="wide-only">Held by</th>
                <th scope="col" class="wide-only c-time">Since</th>
              </tr>
            </thead>
            <tbody>
              {!data && <SkeletonRows columns={6} rows={4} />}
              {data?.items.map((lock) => (
                <tr key={lock.name}>
                  <td class="c-key"><a data-row href={hrefOf(["locks", namespace, lock.name])}>{lock.name}</a></td>
                  <td class="wide-only">{lock.kind}</td>
                  <td class="num">{heldText(lock)}</td>
                  <td class="num">{lock.waiting}</td>
                  <td class="wide-only clip muted">
                    {lock.holders.map(({ definition, holder }) => definition ?? holder).join(", ")}
                  </td>
                  <td class="wide-only"><Time at={lock.holders[0]?.since} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data?.items.length === 0 && <Empty>Nobody has asked for a lock of the namespace “{namespace}”.</Empty>}
      {data?.cursor !== undefined && (
        <nav class="pager" aria-label="Pages">
          <a class="button" href={hrefOf(["locks", namespace], { cursor: data.cursor })}>Next</a>
        </nav>
      )}
    </>
  );
}

function heldText({ holders, permits }: Pick<LockView, "holders" | "permits">): string {
  return `${holders.reduce((sum, each) => sum + each.permits, 0)} of ${permits}`;
}

/** One lock. */
export function LockPage({ place }: { readonly place: Place }) {
  const [, namespace = defaultNamespace, name = ""] = place.names;
  const path = `locks/${pathOf(namespace, name)}`;
  const { data: lock, error, refresh } = usePolled(path, (signal) => ask<LockView>(path, { signal }), 2_000);
  const [taken, setTaken] = useState<LockView["holders"][number]>();
  useKeepNamespace(namespace, lock !== undefined);
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href={hrefOf(["locks"])}>Locks</a>
        <span aria-hidden="true">/</span>
        <a href={hrefOf(["locks", namespace])}>{namespace}</a>
      </nav>
      <div class="page-head"><h1 class="mono wrap">{name}</h1></div>
      {error && <ErrorNote error={error} retry={refresh} />}
      {!lock && !error && <Loading what="the lock" />}
      {lock && (
        <>
          <dl class="facts">
            <Fact name="Kind">{lock.kind}</Fact>
            <Fact name="Held">{heldText(lock)}</Fact>
            <Fact name="Waiting">{lock.waiting}</Fact>
            <Fact name="Last token">{lock.lastToken}</Fact>
          </dl>
          <Holders lock={lock} take={setTaken} />
          <Waiters lock={lock} />
        </>
      )}
      {taken && <ReleaseDialog path={path} name={name} holder={taken} onClose={() => setTaken(undefined)} />}
    </>
  );
}

function Holders({ lock, take }: { readonly lock: LockView; take(holder: LockView["holders"][number]): void }) {
  return (
    <Panel title="Holders">
      {lock.holders.length === 0 ? <Empty>Nobody holds it.</Empty> : (
        <div class="table-box">
          <table>
            <caption class="sr-only">Holders</caption>
            <thead>
              <tr>
                <th scope="col">Holder</th>
                <th scope="col" class="num">Token</th>
                <th scope="col" class="num wide-only">Permits</th>
                <th scope="col" class="c-time">Since</th>
                <th scope="col" class="wide-only c-time">Until</th>
                <th scope="col" class="c-act"><span class="sr-only">Actions</span></th>
              </tr>
            </thead>
            <tbody>
              {lock.holders.map((holder) => (
                <tr key={holder.token}>
                  <td class="clip" title={holder.holder}><Who {...holder} /></td>
                  <td class="num">{holder.token}</td>
                  <td class="num wide-only">{holder.permits}</td>
                  <td><Time at={holder.since} /></td>
                  <td class="wide-only"><Time at={holder.until} /></td>
                  <td><button type="button" class="small dangerous" onClick={() => take(holder)}>Take away …</button></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function Waiters({ lock: { waiters, waiting } }: { readonly lock: LockView }) {
  return (
    <Panel title="Waiting" tools={waiting > waiters.length && <span class="muted">the first {waiters.length}</span>}>
      {waiters.length === 0 ? <Empty>Nobody waits for it.</Empty> : (
        <ol class="plain times">
          {waiters.map((waiter) => (
            <li key={waiter.holder} class="spread">
              <span><span class="muted num">{waiter.position}.</span> <Who {...waiter} /></span>
              <Time at={waiter.since} />
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

/** A run's id finds no run by itself, so it is no link. */
function Who({ holder, definition }: { readonly holder: string; readonly definition?: string }) {
  return <>{definition !== undefined && `${definition} `}<code>{holder}</code></>;
}

function ReleaseDialog(
  { path, name, holder, onClose }: {
    readonly path: string;
    readonly name: string;
    readonly holder: LockView["holders"][number];
    onClose(): void;
  },
) {
  async function submit(form: FormData) {
    const reason = fieldOf(form, "reason");
    await ask(`${path}/force-release`, {
      method: "POST",
      body: { token: holder.token, force: form.has("force"), ...(reason !== "" && { reason }) },
    });
    refreshAll();
  }
  return (
    <FormDialog title={`Take away: ${name}`} verb="Take away" isDangerous onClose={onClose} submit={submit}>
      <p>Token {holder.token} is no longer good. A run that holds it is told first, and what its step comes to lands no more.</p>
      <Field label="Reason" hint="kept in the run's history"><input name="reason" maxLength={500} autoFocus /></Field>
      <label class="check">
        <input type="checkbox" name="force" />
        Do not wait until the run is told: two may take themselves for the holder
      </label>
    </FormDialog>
  );
}
