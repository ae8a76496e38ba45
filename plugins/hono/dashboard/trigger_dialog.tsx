/**
 * Triggers a run by hand.
 *
 * @module
 */
import { useMemo, useState } from "preact/hooks";
import { ask, newRequestId, pathOf } from "./api.ts";
import { useDefinitions } from "./definitions.ts";
import { fieldOf, FormDialog, jsonOf } from "./dialog.tsx";
import { Field } from "./parts.tsx";
import { go } from "./place.ts";
import { runHref } from "./runs_table.tsx";

/** The dialog. */
export function TriggerDialog(
  { definition: first, onClose }: { readonly definition: string; onClose(): void },
) {
  const definitions = useDefinitions();
  const [chosen, setChosen] = useState(first);
  const definition = definitions.find(({ name }) => name === chosen) ?? definitions[0];
  // A form that is sent twice, as its answer was lost, must not make two runs.
  const idempotencyKey = useMemo(newRequestId, []);

  async function submit(form: FormData) {
    const key = fieldOf(form, "key");
    const name = fieldOf(form, "definition");
    const startAt = fieldOf(form, "startAt");
    const data = jsonOf(form, "data", "Data");
    const answer = await ask<{ runId: string }>(`runs/${pathOf(name, key)}`, {
      method: "POST",
      body: {
        idempotencyKey,
        traceOrigin: "dashboard",
        ...(data !== undefined && { data }),
        ...(startAt !== "" && { startAt }),
      },
    });
    go(runHref({ definition: name, key, runId: answer.runId }));
  }

  return (
    <FormDialog title="Trigger a run" verb="Trigger" onClose={onClose} submit={submit}>
      <Field label="Definition">
        <select
          name="definition"
          value={definition?.name ?? ""}
          onChange={(event) => setChosen(event.currentTarget.value)}
        >
          {definitions.map(({ name }) => <option key={name} value={name}>{name}</option>)}
        </select>
      </Field>
      <Field label="Key">
        <input name="key" required maxLength={256} autoFocus />
      </Field>
      <Field label="Start at">
        <select name="startAt">
          <option value="">
            {definition?.starts[0] ? `The first (${definition.starts[0]})` : "The first"}
          </option>
          {definition?.starts.map((status) => <option key={status} value={status}>{status}</option>)}
        </select>
      </Field>
      <Field label="Data" hint="JSON">
        <textarea name="data" rows={8} spellcheck={false} class="mono" />
      </Field>
    </FormDialog>
  );
}
