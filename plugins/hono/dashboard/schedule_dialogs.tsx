/**
 * What is asked before something is done to a schedule.
 *
 * @module
 */
import type { ComponentChildren } from "preact";
import { ask, pathOf } from "./api.ts";
import { fieldOf, FormDialog } from "./dialog.tsx";
import { Field } from "./parts.tsx";
import { refreshAll } from "./poll.ts";
import { inputText } from "./time_text.ts";

/** What can be done to a schedule here. */
export type ScheduleVerb = "pause" | "unpause" | "trigger" | "backfill";

interface VerbForm {
  readonly title: string;
  readonly verb: string;
  readonly text: string;
  readonly fields: () => ComponentChildren;
  body(form: FormData): Readonly<Record<string, unknown>>;
}

const overlaps = ["skip", "bufferOne", "bufferAll", "cancelOther", "terminateOther", "allowAll"];

const note = () => (
  <Field label="Note" hint="shown with the schedule">
    <input name="note" maxLength={500} autoFocus />
  </Field>
);
const noteOf = (form: FormData) => fieldOf(form, "note") === "" ? {} : { note: fieldOf(form, "note") };
const overlapOf = (form: FormData) =>
  fieldOf(form, "overlap") === "" ? {} : { overlap: fieldOf(form, "overlap") };

function Overlap({ first }: { readonly first: string }) {
  return (
    <Field label="While a run is unfinished">
      <select name="overlap">
        <option value="">{first}</option>
        {overlaps.map((overlap) => <option key={overlap}>{overlap}</option>)}
      </select>
    </Field>
  );
}

function Range() {
  const now = Date.now();
  return (
    <>
      <Field label="From">
        <input
          type="datetime-local"
          step="1"
          name="from"
          required
          value={inputText(now - 86_400_000)}
          autoFocus
        />
      </Field>
      <Field label="Until">
        <input type="datetime-local" step="1" name="until" required value={inputText(now)} />
      </Field>
      <Overlap first="One after another (bufferAll)" />
    </>
  );
}

const timeOf = (form: FormData, name: string) => new Date(fieldOf(form, name)).toISOString();

const forms: Readonly<Record<ScheduleVerb, VerbForm>> = {
  pause: {
    title: "Pause schedule",
    verb: "Pause",
    text: "Its recurrence stops. Runs that are under way go on.",
    fields: note,
    body: noteOf,
  },
  unpause: {
    title: "Unpause schedule",
    verb: "Unpause",
    text: "It goes on with its next occurrence.",
    fields: () => (
      <>
        <label class="check">
          <input type="checkbox" name="catchUp" defaultChecked />
          Start what came up meanwhile, as far as its catch-up window reaches
        </label>
        {note()}
      </>
    ),
    body: (form) => ({ catchUp: form.has("catchUp"), ...noteOf(form) }),
  },
  trigger: {
    title: "Trigger now",
    verb: "Trigger",
    text: "An occurrence now, beside those of its recurrence; also while it is paused.",
    fields: () => <Overlap first="As the schedule says" />,
    body: overlapOf,
  },
  backfill: {
    title: "Backfill",
    verb: "Backfill",
    text: "Starts the occurrences of a range of the past, but for those that were started before.",
    fields: () => <Range />,
    body: (form) => ({ from: timeOf(form, "from"), until: timeOf(form, "until"), ...overlapOf(form) }),
  },
};

/** The dialog. */
export function ScheduleDialog(
  { verb, id, onClose }: { readonly verb: ScheduleVerb; readonly id: string; onClose(): void },
) {
  const { title, verb: label, text, fields, body } = forms[verb];
  async function submit(form: FormData) {
    await ask(`schedules/${pathOf(id)}/${verb}`, { method: "POST", body: body(form) });
    refreshAll();
  }
  return (
    <FormDialog title={`${title}: ${id}`} verb={label} onClose={onClose} submit={submit}>
      <p>{text}</p>
      {fields()}
    </FormDialog>
  );
}
