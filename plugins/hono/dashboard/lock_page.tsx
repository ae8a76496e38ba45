/**
 * One lock, with those who hold it and wait for it.
 *
 * @module
 */
import { useState } from "preact/hooks";
import { ask, pathOf } from "./api.ts";
import { fieldOf, FormDialog } from "./dialog.tsx";
import { defaultNamespace, heldText, useKeepNamespace } from "./lock_parts.ts";
import { Time } from "./now.tsx";
import { Empty, ErrorNote, Fact, Field, Loading, Panel } from "./parts.tsx";
import { hrefOf, type Place } from "./place.ts";
import { refreshAll, usePolled } from "./poll.ts";
import type { LockView } from "./wire.ts";

/** The page. */
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
      <div class="page-head">
        <h1 class="mono wrap">{name}</h1>
      </div>
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

function Holders(
  { lock, take }: { readonly lock: LockView; take(holder: LockView["holders"][number]): void },
) {
  return (
    <Panel title="Holders">
      {lock.holders.length === 0 ? <Empty>Nobody holds it.</Empty> : (
        <div class="table-box">
          <table>
            <caption class="sr-only">Holders</caption>
            <thead>
              <tr>
                <th scope="col">Holder</th>
                <th scope="col" class="num c-took">Token</th>
                <th scope="col" class="num wide-only c-took">Permits</th>
                <th scope="col" class="c-time">Since</th>
                <th scope="col" class="wide-only c-time">Until</th>
                <th scope="col" class="c-act">
                  <span class="sr-only">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {lock.holders.map((holder) => (
                <tr key={holder.token}>
                  <td class="clip" title={holder.holder}>
                    <Who {...holder} />
                  </td>
                  <td class="num">{holder.token}</td>
                  <td class="num wide-only">{holder.permits}</td>
                  <td>
                    <Time at={holder.since} />
                  </td>
                  <td class="wide-only">
                    <Time at={holder.until} />
                  </td>
                  <td>
                    <button type="button" class="small dangerous" onClick={() => take(holder)}>
                      Take away …
                    </button>
                  </td>
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
    <Panel
      title="Waiting"
      tools={waiting > waiters.length && <span class="muted">the first {waiters.length}</span>}
    >
      {waiters.length === 0 ? <Empty>Nobody waits for it.</Empty> : (
        <ol class="plain times">
          {waiters.map((waiter) => (
            <li key={waiter.holder} class="spread">
              <span>
                <span class="muted num">{waiter.position}.</span> <Who {...waiter} />
              </span>
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
  return (
    <>
      {definition !== undefined && `${definition} `}
      <code>{holder}</code>
    </>
  );
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
      <p>
        Token {holder.token}{" "}
        is no longer good. A run that holds it is told first, and what its step comes to lands no more.
      </p>
      <Field label="Reason" hint="kept in the run's history">
        <input name="reason" maxLength={500} autoFocus />
      </Field>
      <label class="check">
        <input type="checkbox" name="force" />
        Do not wait until the run is told: two may take themselves for the holder
      </label>
    </FormDialog>
  );
}
