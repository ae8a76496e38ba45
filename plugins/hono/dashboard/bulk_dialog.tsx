/**
 * Does something to many runs: asks first, tells how far it is, and what it could not do.
 *
 * @module
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { failuresMax, runBatch } from "./batch.ts";
import { Dialog, fieldOf } from "./dialog.tsx";
import { Field } from "./parts.tsx";
import { refreshAll } from "./poll.ts";
import { apiFilter, filterText, type RunFilter } from "./run_filter.ts";
import { doToRuns, filterFor, type Progress, verbTexts } from "./run_verbs.ts";
import { runHref } from "./runs_table.tsx";
import type { ListedRun, RunVerb } from "./wire.ts";

/** To which runs. */
export type BulkTarget =
  | { readonly kind: "runs"; readonly runs: readonly ListedRun[] }
  | { readonly kind: "filter"; readonly filter: RunFilter };

type Phase = "asking" | "counting" | "working" | "stopped" | "done";

const nothing: Progress = { matched: 0, done: 0, failed: 0, failures: [] };

/** The work, and how far it is. */
function useBulk(verb: RunVerb, target: BulkTarget) {
  const [phase, setPhase] = useState<Phase>("asking");
  const [progress, setProgress] = useState<Progress>();
  const [error, setError] = useState<string>();
  const abort = useRef(new AbortController());
  useEffect(() => () => abort.current.abort(), []);

  async function work(dryRun: boolean, reason: string) {
    abort.current = new AbortController();
    const { signal } = abort.current;
    setError(undefined);
    setProgress(nothing);
    setPhase(dryRun ? "counting" : "working");
    try {
      if (target.kind === "runs") await doToRuns(verb, target.runs, reason, signal, setProgress);
      else {
        const filter = apiFilter(filterFor(verb, target.filter), Date.now());
        await runBatch(
          { action: verb, filter, dryRun, ...(reason !== "" && { reason }) },
          signal,
          setProgress,
        );
      }
      setPhase(dryRun ? "asking" : signal.aborted ? "stopped" : "done");
    } catch (failure) {
      if (!signal.aborted) setError((failure as Error).message);
      setPhase(dryRun ? "asking" : "stopped");
    }
    if (!dryRun) refreshAll();
  }
  return { phase, progress, error, work, stop: () => abort.current.abort() };
}

/** The dialog. */
export function BulkDialog(
  { verb, target, onClose }: { readonly verb: RunVerb; readonly target: BulkTarget; onClose(): void },
) {
  const text = verbTexts[verb];
  const { phase, progress, error, work, stop } = useBulk(verb, target);
  const isOver = phase === "done" || phase === "stopped";
  const title = target.kind === "runs"
    ? `${text.label} ${target.runs.length} runs`
    : `${text.label} many runs`;
  function submit(event: SubmitEvent) {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    if (phase === "asking") work(false, fieldOf(form, "reason"));
  }
  return (
    <Dialog title={title} onClose={onClose} isWide>
      <form class="stack" onSubmit={submit}>
        <Asked target={target} verb={verb} isOver={isOver} />
        {!isOver && verb !== "resume" && (
          <Field label="Reason" hint="kept with each run">
            <input name="reason" maxLength={500} autoFocus />
          </Field>
        )}
        {progress && <ProgressReport progress={progress} phase={phase} target={target} />}
        {error && <p class="note error" role="alert">{error}</p>}
        <footer>
          {phase === "asking" && target.kind === "filter" && (
            <button
              type="button"
              onClick={() => work(true, "")}
            >
              Count them first
            </button>
          )}
          {(phase === "working" || phase === "counting") && (
            <button type="button" onClick={stop}>
              Stop
            </button>
          )}
          <button type="button" class={isOver ? "primary" : undefined} onClick={onClose}>
            {isOver ? "Close" : "Back"}
          </button>
          {!isOver && (
            <button
              type="submit"
              class={text.isDangerous ? "danger" : "primary"}
              disabled={phase !== "asking"}
            >
              {phase === "working" ? "Working …" : text.label}
            </button>
          )}
        </footer>
      </form>
    </Dialog>
  );
}

function Asked(
  { target, verb, isOver }: { readonly target: BulkTarget; readonly verb: RunVerb; readonly isOver: boolean },
) {
  const text = verbTexts[verb];
  if (isOver) return null;
  const refusing = target.kind === "runs"
    ? target.runs.filter(({ runState }) => !text.states.includes(runState)).length
    : 0;
  return (
    <>
      {target.kind === "filter" && <p>For {filterText(filterFor(verb, target.filter))}.</p>}
      <p class="muted">{text.consequence}</p>
      {refusing > 0 && (
        <p class="note">{refusing} of them are in a state that does not allow it, and will be reported.</p>
      )}
    </>
  );
}

function ProgressReport(
  { progress, phase, target }: {
    readonly progress: Progress;
    readonly phase: Phase;
    readonly target: BulkTarget;
  },
) {
  const { matched, done, failed, failures, isLimited } = progress;
  const definition = (runId: string) =>
    target.kind === "filter"
      ? target.filter.definition
      : target.runs.find((run) => run.runId === runId)?.definition ?? "";
  const isCount = phase === "counting" || (phase === "asking" && done + failed === 0);
  const text = isCount
    ? `${matched} ${phase === "counting" ? "so far" : "match"}`
    : `${done} done, ${failed} failed, of ${matched}${phase === "stopped" ? "; stopped" : ""}`;
  return (
    <div class="report">
      {!isCount && <progress max={Math.max(1, matched)} value={done + failed} aria-label="Progress" />}
      <p role="status">{text}</p>
      {isLimited && (
        <p class="note">There are more: this is as many as one batch may change. Do it again for the rest.</p>
      )}
      {failures.length > 0 && (
        <ul class="failures" tabIndex={0} aria-label="Failures">
          {failures.map(({ runId, key, code, detail }) => (
            <li key={runId}>
              <a href={runHref({ definition: definition(runId), key, runId })}>{key}</a>
              {code && <code>{code}</code>}
              <span class="muted">{detail}</span>
            </li>
          ))}
        </ul>
      )}
      {failed > failures.length && <p class="muted">The first {failuresMax} failures are shown.</p>}
    </div>
  );
}
