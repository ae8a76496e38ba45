/**
 * One run: where it is, how it came there, what it carries.
 *
 * @module
 */
import { useMemo, useState } from "preact/hooks";
import { useDefinitions } from "./definitions.ts";
import { Diagram } from "./diagram.tsx";
import { HistoryTable } from "./history_table.tsx";
import { JsonTree } from "./json_tree.tsx";
import { Time } from "./now.tsx";
import { Copy, ErrorNote, Fact, Loading, Panel, StateBadge } from "./parts.tsx";
import { hrefOf, type Place } from "./place.ts";
import { CallbackDialog, VerbDialog } from "./run_dialogs.tsx";
import { historyMax, useRun } from "./run_feed.ts";
import { runVerbs, takesCallback, verbTexts } from "./run_verbs.ts";
import { Timeline } from "./timeline.tsx";
import type { Run, RunVerb } from "./wire.ts";
import { visitsOf } from "./visits.ts";
import type { LinkState } from "./watch.ts";

/** The page. */
export function RunPage({ place }: { readonly place: Place }) {
  const [, definition = "", key = ""] = place.names;
  const feed = useRun(definition, key, place.params.get("runId") ?? undefined);
  const { run, rows, error } = feed;
  const visits = useMemo(() => visitsOf(rows), [rows]);
  const visited = useMemo(() => new Set(visits.map(({ status }) => status)), [visits]);
  return (
    <>
      <RunHead definition={definition} title={key} run={run} link={feed.link} />
      {error && <ErrorNote error={error} retry={feed.refresh} />}
      {!run && !error && <Loading what="the run" lines={10} />}
      {run && (
        <>
          {run.lastError && (
            <div class="note error">
              <strong>{run.lastError.name}{run.lastError.code ? ` (${run.lastError.code})` : ""}</strong>
              <span class="wrap">{run.lastError.message}</span>
              <span class="muted">
                {run.attempt === 1 ? "The last attempt failed" : `${run.attempt} attempts have failed`} at
                {" "}
                {run.status}
              </span>
            </div>
          )}
          <Facts run={run} />
          <Panel title="Timeline" tools={feed.isCut && <span class="muted">first {historyMax} events</span>}>
            <Timeline visits={visits} run={run} />
          </Panel>
          <div class="columns">
            <Panel title="Diagram">
              <Diagram definition={definition} status={run.status} visited={visited} />
            </Panel>
            <Panel
              title="Data"
              tools={<Copy text={JSON.stringify(run.data, undefined, 2) ?? ""} what="data" />}
            >
              <JsonTree value={run.data} label={`Data of ${key}`} />
            </Panel>
          </div>
          <HistoryTable rows={rows} isCut={feed.isCut} />
        </>
      )}
    </>
  );
}

function RunHead(
  { definition, title, run, link }: {
    readonly definition: string;
    readonly title: string;
    readonly run: Run | undefined;
    readonly link: LinkState;
  },
) {
  const definitions = useDefinitions();
  const [open, setOpen] = useState<RunVerb | "callback">();
  const info = definitions.find(({ name }) => name === definition);
  const close = () => setOpen(undefined);
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href={hrefOf(["runs"])}>Runs</a>
        <span aria-hidden="true">/</span>
        <a href={hrefOf(["runs"], { definition })}>{definition}</a>
      </nav>
      <div class="page-head">
        <h1 class="mono wrap">{title}</h1>
        {run && <StateBadge state={run.runState} />}
        {run && <span class="status-now">{run.status}</span>}
        <span class={`link link-${link}`} title={`Events: ${link}`}>
          {{
            ...{ open: "Following", ended: "Ended", off: "Not following" },
            ...{ connecting: "Connecting …", lost: "Asking now and then" },
          }[link]}
        </span>
        <div class="tools">
          {run && takesCallback(run, info) && (
            <button
              type="button"
              class="primary"
              onClick={() => setOpen("callback")}
            >
              Callback …
            </button>
          )}
          {run &&
            runVerbs.filter((verb) => verbTexts[verb].states.includes(run.runState)).map((verb) => (
              <button
                key={verb}
                type="button"
                class={verbTexts[verb].isDangerous ? "dangerous" : undefined}
                onClick={() => setOpen(verb)}
              >
                {verbTexts[verb].label} …
              </button>
            ))}
        </div>
      </div>
      {run && open === "callback" && <CallbackDialog run={run} onClose={close} />}
      {run && open && open !== "callback" && <VerbDialog verb={open} run={run} onClose={close} />}
    </>
  );
}

function Facts({ run }: { readonly run: Run }) {
  return (
    <dl class="facts">
      <Fact name="Created">
        <Time at={run.createdAt} />
      </Fact>
      <Fact name="Changed">
        <Time at={run.updatedAt} />
      </Fact>
      <Fact name="Version">{run.version}</Fact>
      <Fact name="Failed attempts">{run.attempt}</Fact>
      {run.reason !== undefined && (
        <Fact name="Reason">
          <span class="wrap">{run.reason}</span>
        </Fact>
      )}
      {run.timers?.map(({ name, at }) => (
        <Fact key={name} name={`Timer ${name}`}>
          <Time at={at} />
        </Fact>
      ))}
      {run.lock && (
        <Fact name={run.lock.tokens ? "Holds lock" : "Waits for lock"}>
          <a href={hrefOf(["locks", run.lock.namespace, run.lock.names[0]!])}>{run.lock.names.join(", ")}</a>
        </Fact>
      )}
      {run.origin && (
        <Fact name="Schedule">
          <a href={hrefOf(["schedules", run.origin.schedule])}>{run.origin.schedule}</a>
        </Fact>
      )}
      {run.traceOrigin !== undefined && (
        <Fact name="Comes from">
          <span class="wrap">{run.traceOrigin}</span>
        </Fact>
      )}
      <Fact name="Run id">
        <code class="wrap">{run.runId}</code>
      </Fact>
    </dl>
  );
}
