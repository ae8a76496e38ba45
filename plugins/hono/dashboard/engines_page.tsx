/**
 * Engines, what they own, and what nobody does.
 *
 * @module
 */
import { useState } from "preact/hooks";
import { ask, pathOf } from "./api.ts";
import { Time, useNow } from "./now.tsx";
import { Empty, ErrorNote, Loading, Panel } from "./parts.tsx";
import { refreshAll, usePolled } from "./poll.ts";
import { runHref } from "./runs_table.tsx";
import { type Owned, ownersOf } from "./shard_owners.ts";
import { durationText } from "./time_text.ts";
import type { EngineView, Page, Parked, Relay, Shard, Unserved } from "./wire.ts";

/** The page. */
export function EnginesPage() {
  return (
    <>
      <div class="page-head">
        <h1>Engines</h1>
      </div>
      <Engines />
      <Shards />
      <UnservedWork />
      <ParkedHooks />
      <Relays />
    </>
  );
}

/** A list of the API: what it says while there is none, and how it is shown. */
function useList<Item>(path: string, everyMs: number) {
  return usePolled(path, async (signal) => await ask<Page<Item>>(path, { signal }), everyMs);
}

function Engines() {
  const { data, error, refresh } = useList<EngineView>("engines", 3_000);
  const now = useNow();
  return (
    <Panel title="At work" id="engines">
      {error && <ErrorNote error={error} retry={refresh} />}
      {!data && !error && <Loading what="engines" />}
      {data?.items.length === 0 && <Empty>No engine has given a sign of life.</Empty>}
      {data && data.items.length > 0 && (
        <div class="table-box">
          <table>
            <caption class="sr-only">Engines</caption>
            <thead>
              <tr>
                <th scope="col">Engine</th>
                <th scope="col" class="c-state">State</th>
                <th scope="col" class="c-time">Since</th>
                <th scope="col" class="desk-only c-time">Lease ends</th>
                <th scope="col" class="wide-only num c-took">Code</th>
                <th scope="col" class="wide-only">Carries</th>
              </tr>
            </thead>
            <tbody>
              {data.items.map((engine) => {
                const isAlive = Date.parse(engine.expiresAt) > now;
                return (
                  <tr key={engine.engineId}>
                    <td class="clip mono" title={engine.engineId}>{engine.engineId}</td>
                    <td>
                      <span class={isAlive ? "badge state-completed" : "badge state-failed"}>
                        {isAlive ? "alive" : "silent"}
                      </span>
                    </td>
                    <td>
                      <Time at={engine.since} />
                    </td>
                    <td class="desk-only">
                      <Time at={engine.expiresAt} />
                    </td>
                    <td class="wide-only num">{engine.codeVersion}</td>
                    <td class="wide-only clip muted" title={engine.definitions.join(", ")}>
                      {engine.definitions.join(", ")}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function Shards() {
  const { data, error, refresh } = useList<Shard>("shards", 5_000);
  return (
    <Panel title="Shards">
      {error && <ErrorNote error={error} retry={refresh} />}
      {!data && !error && <Loading what="shards" />}
      {data?.items.length === 0 && <Empty>No shard was ever owned.</Empty>}
      {data && data.items.length > 0 && (
        <div class="table-box">
          <table>
            <caption class="sr-only">Owners of the shards of each definition</caption>
            <thead>
              <tr>
                <th scope="col">Definition</th>
                <th scope="col">Shards by owner</th>
                <th scope="col" class="num c-took wide-only">Hand-overs</th>
              </tr>
            </thead>
            <tbody>
              {ownersOf(data.items).map(({ definition, owners, handOvers }) => (
                <tr key={definition}>
                  <td class="clip" title={definition}>{definition}</td>
                  <td>{owners.map((owner) => <Owner key={owner.engineId ?? ""} owner={owner} />)}</td>
                  <td class="num wide-only">{handOvers}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function Owner({ owner: { engineId, shards } }: { readonly owner: Owned }) {
  return (
    <span class="owner" title={`Shards ${shards.join(", ")}`}>
      <strong class="num">{shards.length}</strong>
      <span class={engineId === undefined ? "bad" : "mono"}>{engineId?.slice(0, 8) ?? "nobody"}</span>
    </span>
  );
}

function UnservedWork() {
  const { data, error, refresh } = useList<Unserved>("unserved", 10_000);
  return (
    <Panel title="Unserved">
      {error && <ErrorNote error={error} retry={refresh} />}
      {data?.items.length === 0 && (
        <Empty>All work that is due has a living engine that carries its code.</Empty>
      )}
      <ul class="plain times">
        {data?.items.map(({ definition, shards, firstDue }) => (
          <li key={definition} class="spread">
            <span>
              <strong>{definition}</strong>{" "}
              <span class="muted">in {shards.length} {shards.length === 1 ? "shard" : "shards"}</span>
            </span>
            <span>
              first due <Time at={firstDue} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function ParkedHooks() {
  const { data, error, refresh } = useList<Parked>("parked", 5_000);
  return (
    <Panel title="Parked hooks">
      {error && <ErrorNote error={error} retry={refresh} />}
      {data?.items.length === 0 && <Empty>No hook has failed too often.</Empty>}
      <ul class="plain times">
        {data?.items.map((hook) => <ParkedHook key={hook.id} hook={hook} />)}
      </ul>
      {data?.cursor !== undefined && <p class="muted">There are more than are shown.</p>}
    </Panel>
  );
}

function ParkedHook({ hook }: { readonly hook: Parked }) {
  const [said, setSaid] = useState("");
  async function retry() {
    setSaid("Working …");
    try {
      await ask(`parked/${pathOf(hook.id)}/retry`, { method: "POST", body: {} });
      setSaid("It is tried again");
    } catch (error) {
      setSaid((error as Error).message);
    }
    refreshAll();
  }
  return (
    <li class="spread">
      <span class="wrap">
        <a href={runHref(hook)}>{hook.key}</a>{" "}
        <span class="muted">{hook.definition}: {hook.kind} {hook.hook}, {hook.attempts} attempts</span>
        {hook.lastError && <span class="error-text">{hook.lastError.name}: {hook.lastError.message}</span>}
      </span>
      <span>
        <span class="muted" role="status">{said}</span>{" "}
        <button
          type="button"
          class="small"
          onClick={retry}
          aria-label={`Try ${hook.hook} of ${hook.key} again`}
        >
          Try again
        </button>
      </span>
    </li>
  );
}

function Relays() {
  const { data, error } = useList<Relay>("relays", 5_000);
  // Without a relay nothing has ever moved, and logs only grow old.
  if (error || !data?.items.some(({ movedAt }) => movedAt !== undefined)) return null;
  const held = data.items.flatMap((relay) =>
    relay.held.map((each) => ({ ...each, definition: relay.definition }))
  );
  const worst = Math.max(...data.items.map(({ lagMs }) => lagMs));
  return (
    <Panel title="Relays" tools={<span class="muted">furthest behind: {durationText(worst)}</span>}>
      {held.length === 0 && <Empty>No run's events are held back.</Empty>}
      <ul class="plain times">
        {held.map(({ runId, definition, since, attempts, error }) => (
          <li key={runId} class="spread">
            <span class="wrap">
              {definition} <code>{runId}</code> <span class="error-text">{error}</span>
            </span>
            <span class="muted">
              {attempts} attempts, since <Time at={since} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
