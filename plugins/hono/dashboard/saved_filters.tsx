/**
 * Filters that a reader has given a name.
 *
 * @module
 */
import { useState } from "preact/hooks";
import { Dialog, fieldOf, FormDialog } from "./dialog.tsx";
import { Empty, Field } from "./parts.tsx";
import { go, hrefOf } from "./place.ts";
import { filterText, paramsOf, type RunFilter } from "./run_filter.ts";
import { currentSettings, setSettings, useSettings } from "./settings.ts";

const manage = " manage";
const save = " save";

/** The choice of them. */
export function SavedFilters({ filter }: { readonly filter: RunFilter }) {
  const { filters } = useSettings();
  const [open, setOpen] = useState<"save" | "manage">();
  const query = hrefOf(["runs"], paramsOf(filter));
  const current = filters.find((each) => each.query === query);
  function choose(select: HTMLSelectElement) {
    const { value } = select;
    select.value = current?.name ?? "";
    if (value === save) setOpen("save");
    else if (value === manage) setOpen("manage");
    else go(filters.find(({ name }) => name === value)?.query ?? hrefOf(["runs"]));
  }
  return (
    <>
      <select
        aria-label="Saved filters"
        value={current?.name ?? ""}
        onChange={(event) => choose(event.currentTarget)}
      >
        <option value="">{current ? "No filter" : "Saved filters"}</option>
        {filters.map(({ name }) => <option key={name} value={name}>{name}</option>)}
        <option value={save}>Save this filter …</option>
        {filters.length > 0 && <option value={manage}>Remove filters …</option>}
      </select>
      {open === "save" && <SaveDialog filter={filter} query={query} onClose={() => setOpen(undefined)} />}
      {open === "manage" && <ManageDialog onClose={() => setOpen(undefined)} />}
    </>
  );
}

function SaveDialog(
  { filter, query, onClose }: { readonly filter: RunFilter; readonly query: string; onClose(): void },
) {
  return (
    <FormDialog
      title="Save filter"
      verb="Save"
      onClose={onClose}
      submit={(form) => {
        const name = fieldOf(form, "name");
        const others = currentSettings().filters.filter((each) => each.name !== name);
        setSettings({ filters: [...others, { name, query }] });
        return Promise.resolve();
      }}
    >
      <p class="muted">It shows {filterText(filter)}, and is kept in this browser.</p>
      <Field label="Name">
        <input name="name" required maxLength={60} autoFocus />
      </Field>
    </FormDialog>
  );
}

function ManageDialog({ onClose }: { onClose(): void }) {
  const { filters } = useSettings();
  const remove = (name: string) => setSettings({ filters: filters.filter((each) => each.name !== name) });
  return (
    <Dialog title="Saved filters" onClose={onClose}>
      {filters.length === 0 && <Empty>There are none left.</Empty>}
      <ul class="plain">
        {filters.map(({ name }) => (
          <li key={name} class="spread">
            <span>{name}</span>
            <button type="button" class="small" onClick={() => remove(name)} aria-label={`Remove ${name}`}>
              Remove
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
