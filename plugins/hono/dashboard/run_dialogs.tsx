/**
 * What is asked before something is done to a run.
 *
 * @module
 */
import { useMemo } from "preact/hooks";
import { ask, newRequestId, pathOf } from "./api.ts";
import { fieldOf, FormDialog, jsonOf } from "./dialog.tsx";
import { Field } from "./parts.tsx";
import { refreshAll } from "./poll.ts";
import { doToRun, verbTexts } from "./run_verbs.ts";
import type { Run, RunVerb } from "./wire.ts";

/** Pause, resume, cancel, delete. */
export function VerbDialog(
  { verb, run, onClose }: { readonly verb: RunVerb; readonly run: Run; onClose(): void },
) {
  const { label, consequence, isDangerous } = verbTexts[verb];
  async function submit(form: FormData) {
    await doToRun(verb, run, fieldOf(form, "reason"));
    refreshAll();
  }
  return (
    <FormDialog
      title={`${label}: ${run.key}`}
      verb={label}
      isDangerous={isDangerous}
      onClose={onClose}
      submit={submit}
    >
      <p>{consequence}</p>
      {verb !== "resume" && (
        <Field label="Reason" hint="kept with the run">
          <input name="reason" maxLength={500} autoFocus />
        </Field>
      )}
    </FormDialog>
  );
}

/** Hands a payload to a run that waits for one. */
export function CallbackDialog({ run, onClose }: { readonly run: Run; onClose(): void }) {
  const idempotencyKey = useMemo(newRequestId, []);
  const { definition, key, status, runId } = run;
  async function submit(form: FormData) {
    const payload = jsonOf(form, "payload", "The payload");
    const answer = await ask<{ applied: boolean; reason?: string }>(
      `runs/${pathOf(definition, key)}/callback/${pathOf(status)}`,
      {
        method: "POST",
        body: { runId, idempotencyKey, ...(payload !== undefined && { payload }) },
      },
    );
    refreshAll();
    return answer.applied ? undefined : `It was not applied: ${answer.reason ?? "the run has moved on"}`;
  }
  return (
    <FormDialog title={`Callback at ${status}`} verb="Send" onClose={onClose} submit={submit}>
      <p class="muted">
        The callbacks of <strong>{status}</strong> get this payload, here and now.
      </p>
      <Field label="Payload" hint="JSON">
        <textarea name="payload" rows={8} spellcheck={false} class="mono" autoFocus />
      </Field>
    </FormDialog>
  );
}
