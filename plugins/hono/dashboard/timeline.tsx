/**
 * A run's visits on one scale of time.
 *
 * @module
 */
import { useState } from "preact/hooks";
import { useNow } from "./now.tsx";
import { Empty } from "./parts.tsx";
import { percentOf, type Span, spanOf, ticksOf } from "./time_scale.ts";
import { clockText, durationText, exactText } from "./time_text.ts";
import { type Bar, isEnded, type Visit } from "./visits.ts";
import type { Run } from "./wire.ts";

/** Visits that are shown; a run that loops has many, and the last tell most. */
const visitsShown = 100;

const kindTexts: Readonly<Record<Bar["kind"], string>> = {
  done: "attempt",
  failed: "failed attempt",
  skipped: "skipped",
  late: "too late",
  paused: "paused",
  lock: "waits for lock",
};

/** The timeline. */
export function Timeline({ visits, run }: { readonly visits: readonly Visit[]; readonly run: Run }) {
  const now = useNow();
  const [zoomed, setZoomed] = useState<number>();
  const [isWhole, setWhole] = useState(false);
  if (visits.length === 0) return <Empty>Nothing is known of its past.</Empty>;
  const end = isEnded(run.runState)
    ? visits.at(-1)!.to ?? Date.parse(run.updatedAt)
    // The clocks of the engine and of this computer differ.
    : Math.max(now, Date.parse(run.updatedAt));
  const focus = zoomed === undefined ? undefined : visits[zoomed];
  const span = focus ? spanOf(focus.from, focus.to ?? end) : spanOf(visits[0]!.from, end);
  const first = isWhole ? 0 : Math.max(0, visits.length - visitsShown);
  return (
    <div class="timeline">
      <div class="timeline-head">
        <span class="muted">
          {focus ? `Only ${focus.status}: ` : ""}
          {durationText(span.to - span.from)} from {clockText(span.from)}
        </span>
        <Legend visits={visits} />
        {focus && <button type="button" class="small" onClick={() => setZoomed(undefined)}>Whole run</button>}
      </div>
      <Axis span={span} />
      {first > 0 && (
        <button type="button" class="small quiet" onClick={() => setWhole(true)}>
          Show {first} earlier visits
        </button>
      )}
      <ol>
        {visits.slice(first).map((visit, n) => (
          <VisitRow
            key={first + n}
            visit={visit}
            span={span}
            end={end}
            zoom={() => setZoomed(zoomed === first + n ? undefined : first + n)}
            isZoomed={zoomed === first + n}
          />
        ))}
      </ol>
    </div>
  );
}

function Legend({ visits }: { readonly visits: readonly Visit[] }) {
  const kinds = new Set(visits.flatMap(({ bars }) => bars.map(({ kind }) => kind)));
  return (
    <ul class="legend">
      <li>
        <span class="swatch visit" />waiting
      </li>
      {[...kinds].map((kind) => (
        <li key={kind}>
          <span class={`swatch bar-${kind}`} />
          {kindTexts[kind]}
        </li>
      ))}
    </ul>
  );
}

function Axis({ span }: { readonly span: Span }) {
  return (
    <div class="axis" aria-hidden="true">
      {ticksOf(span, matchMedia("(max-width: 700px)").matches ? 3 : 6).map(({ percent, text }) => (
        <span key={percent} style={{ left: `${percent}%` }} class={percent > 88 ? "last" : undefined}>
          {text}
        </span>
      ))}
    </div>
  );
}

function placeOf(from: number, to: number, span: Span) {
  const left = percentOf(from, span);
  // What is too short to be seen is still seen, also at the right end.
  return { left: `min(${left}%, 100% - 4px)`, width: `${percentOf(to, span) - left}%` };
}

function VisitRow(
  { visit, span, end, zoom, isZoomed }: {
    readonly visit: Visit;
    readonly span: Span;
    readonly end: number;
    readonly isZoomed: boolean;
    zoom(): void;
  },
) {
  const { status, from, attempts, failures, isLast } = visit;
  const to = visit.to ?? end;
  const length = isLast && to === from ? "end" : durationText(to - from);
  const tries = attempts === 0 ? "" : `, ${attempts} ${attempts === 1 ? "attempt" : "attempts"}`;
  const failed = failures === 0 ? "" : `, ${failures} failed`;
  const isOutside = from > span.to || to < span.from;
  return (
    <li>
      <button
        type="button"
        class="quiet"
        aria-pressed={isZoomed}
        onClick={zoom}
        title={`${status}: ${length}${tries}${failed}. Press to zoom`}
      >
        <span class="clip">{status}</span>
        <span class="muted num">{length}{failures > 0 && <em class="bad">{failures} failed</em>}</span>
      </button>
      <div class="track">
        {!isOutside && (
          <>
            <span
              class={visit.to === undefined ? "visit open" : "visit"}
              style={placeOf(from, to, span)}
              title={`${status} from ${exactText(from)}`}
            />
            {visit.bars.filter((bar) => bar.from <= span.to && (bar.to ?? end) >= span.from).map((bar, n) => (
              <span
                key={n}
                class={`bar bar-${bar.kind}`}
                style={placeOf(bar.from, bar.to ?? end, span)}
                title={`${bar.text}\n${durationText((bar.to ?? end) - bar.from)}, ${clockText(bar.from)}`}
              />
            ))}
          </>
        )}
      </div>
    </li>
  );
}
