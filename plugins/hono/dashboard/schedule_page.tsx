/**
 * One schedule: what comes next, and what became of what was.
 *
 * @module
 */
import { useState } from "preact/hooks";
import { ask, pathOf, queryOf } from "./api.ts";
import { JsonTree } from "./json_tree.tsx";
import { Time } from "./now.tsx";
import { Empty, ErrorNote, Fact, Loading, Panel, StateBadge } from "./parts.tsx";
import { hrefOf, type Place } from "./place.ts";
import { usePolled } from "./poll.ts";
import { recurrenceText } from "./recurrence_text.ts";
import { runHref } from "./runs_table.tsx";
import { ScheduleDialog, type ScheduleVerb } from "./schedule_dialogs.tsx";
import { absoluteText, durationText } from "./time_text.ts";
import type { Occurrence, Page, ScheduleDetails } from "./wire.ts";

/** Outcomes that are asked for; the API gives the oldest first, and keeps no more. */
const outcomesMax = 1_000;
const outcomesShown = 50;

/** The key of the run that an occurrence has started. */
function keyOf({ key }: ScheduleDetails, scheduledFor: string): string {
  return key.replaceAll("{scheduledFor}", scheduledFor);
}

/** The page. */
export function SchedulePage({ place }: { readonly place: Place }) {
  const id = place.names[1] ?? "";
  const path = `schedules/${pathOf(id)}`;
  const [open, setOpen] = useState<ScheduleVerb>();
  const { data: schedule, error, refresh } = usePolled(
    path,
    (signal) => ask<ScheduleDetails>(path, { signal }),
    3_000,
  );
  const outcomesPath = `${path}/outcomes${queryOf({ limit: outcomesMax })}`;
  const outcomes = usePolled(
    outcomesPath,
    (signal) => ask<Page<Occurrence>>(outcomesPath, { signal }),
    10_000,
  );
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href={hrefOf(["schedules"])}>Schedules</a>
      </nav>
      <div class="page-head">
        <h1 class="mono wrap">{id}</h1>
        {schedule && (
          <>
            <span class={schedule.enabled ? "badge state-running" : "badge state-paused"}>
              {schedule.enabled ? "on" : "paused"}
            </span>
            <div class="tools">
              <button type="button" onClick={() => setOpen(schedule.enabled ? "pause" : "unpause")}>
                {schedule.enabled ? "Pause …" : "Unpause …"}
              </button>
              <button type="button" onClick={() => setOpen("trigger")}>Trigger now …</button>
              <button type="button" onClick={() => setOpen("backfill")}>Backfill …</button>
            </div>
          </>
        )}
      </div>
      {error && <ErrorNote error={error} retry={refresh} />}
      {!schedule && !error && <Loading what="the schedule" lines={8} />}
      {schedule && <Details schedule={schedule} outcomes={outcomes.data?.items} error={outcomes.error} />}
      {schedule && open && <ScheduleDialog verb={open} id={id} onClose={() => setOpen(undefined)} />}
    </>
  );
}

function Details(
  { schedule, outcomes, error }: {
    readonly schedule: ScheduleDetails;
    readonly outcomes: readonly Occurrence[] | undefined;
    readonly error: Error | undefined;
  },
) {
  const { definition, recurrence, overlap, catchUpMs, jitterMs, note, key, filter, startsLeft } = schedule;
  return (
    <>
      {note !== undefined && <p class="note">{note}</p>}
      <dl class="facts">
        <Fact name="When">{recurrenceText(recurrence)}</Fact>
        <Fact name="Starts">
          <a href={hrefOf(["runs"], { definition })}>{definition}</a>
        </Fact>
        <Fact name="Key">
          <code class="wrap">{key}</code>
        </Fact>
        <Fact name="Overlap">{overlap}</Fact>
        <Fact name="Catches up">{durationText(catchUpMs)}</Fact>
        {jitterMs > 0 && <Fact name="Jitter">{durationText(jitterMs)}</Fact>}
        {filter !== undefined && <Fact name="Filter">{filter}</Fact>}
        {startsLeft !== undefined && <Fact name="Starts left">{startsLeft}</Fact>}
        <Fact name="Changed">
          <Time at={schedule.updatedAt} />
        </Fact>
      </dl>
      <div class="columns">
        <Upcoming schedule={schedule} />
        <UnderWay schedule={schedule} />
      </div>
      {error && !outcomes
        ? <ErrorNote error={error} />
        : <Outcomes schedule={schedule} outcomes={outcomes} />}
      <Panel title="Data of its runs">
        <JsonTree value={schedule.data} label={`Data of ${schedule.id}`} />
      </Panel>
    </>
  );
}

function Upcoming({ schedule: { upcoming = [], enabled } }: { readonly schedule: ScheduleDetails }) {
  return (
    <Panel title="Next">
      {upcoming.length === 0 ? <Empty>There is no further occurrence.</Empty> : (
        <ol class="plain times">
          {upcoming.slice(0, 10).map((at) => (
            <li key={at} class="spread">
              <span class="num">{absoluteText(Date.parse(at))}</span>
              {enabled ? <Time at={at} /> : <span class="muted">paused</span>}
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function UnderWay({ schedule }: { readonly schedule: ScheduleDetails }) {
  const { running = [], waiting = [], backfills = [], results = [] } = schedule;
  const { definition } = schedule;
  const isQuiet = running.length + waiting.length + backfills.length + results.length === 0;
  return (
    <Panel title="Under way, and last results">
      {isQuiet && <Empty>Nothing has been started yet.</Empty>}
      <ul class="plain times">
        {running.map(({ scheduledFor, runId }) => (
          <li key={runId} class="spread">
            <a href={runHref({ definition, key: keyOf(schedule, scheduledFor), runId })}>
              {absoluteText(Date.parse(scheduledFor))}
            </a>
            <span class="badge state-running">running</span>
          </li>
        ))}
        {waiting.map(({ scheduledFor, by }) => (
          <li key={`w${scheduledFor}`} class="spread">
            <span class="num">{absoluteText(Date.parse(scheduledFor))}</span>
            <span class="badge state-initiated">waits ({by})</span>
          </li>
        ))}
        {backfills.map((each) => (
          <li key={`b${each.from}`} class="spread">
            <span>Backfill to {absoluteText(Date.parse(each.until))}</span>
            <span class="muted num">{each.taken} started, {each.leftOut} left out</span>
          </li>
        ))}
        {results.toReversed().map(({ scheduledFor, runId, runState, endedAt }) => (
          <li key={`r${runId}`} class="spread">
            <a href={runHref({ definition, key: keyOf(schedule, scheduledFor), runId })}>
              {absoluteText(Date.parse(scheduledFor))}
            </a>
            <span>
              <StateBadge state={runState} /> <Time at={endedAt} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

const outcomeStates: Readonly<Record<Occurrence["outcome"], string>> = {
  started: "completed",
  skipped: "cancelled",
  missed: "paused",
  failed: "failed",
};

function Outcomes(
  { schedule, outcomes }: {
    readonly schedule: ScheduleDetails;
    readonly outcomes: readonly Occurrence[] | undefined;
  },
) {
  if (!outcomes) return <Loading what="outcomes" />;
  const newest = outcomes.toReversed().slice(0, outcomesShown);
  const textOf = ({ reason, several }: Occurrence) => {
    const count = several && `${several.isMore ? "more than " : ""}${several.count} occurrences`;
    return [count, reason].filter(Boolean).join("; ");
  };
  return (
    <Panel title="Outcomes" tools={<span class="muted">{outcomes.length} kept</span>}>
      {newest.length === 0 ? <Empty>There are none yet.</Empty> : (
        <div class="table-box">
          <table>
            <caption class="sr-only">Outcomes, newest first</caption>
            <thead>
              <tr>
                <th scope="col">Occurrence</th>
                <th scope="col" class="c-state">Outcome</th>
                <th scope="col" class="wide-only">By</th>
                <th scope="col" class="wide-only">Why</th>
                <th scope="col" class="c-time">Decided</th>
              </tr>
            </thead>
            <tbody>
              {newest.map((each) => (
                <tr key={`${each.scheduledFor}${each.by}${each.decidedAt}`}>
                  <td class="when">
                    {each.runId === undefined ? absoluteText(Date.parse(each.scheduledFor)) : (
                      <a
                        href={runHref({
                          definition: schedule.definition,
                          key: keyOf(schedule, each.scheduledFor),
                          runId: each.runId,
                        })}
                      >
                        {absoluteText(Date.parse(each.scheduledFor))}
                      </a>
                    )}
                  </td>
                  <td>
                    <span class={`badge state-${outcomeStates[each.outcome]}`}>{each.outcome}</span>
                  </td>
                  <td class="wide-only muted">{each.by}</td>
                  <td class="wide-only clip muted" title={textOf(each)}>{textOf(each)}</td>
                  <td>
                    <Time at={each.decidedAt} />
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
