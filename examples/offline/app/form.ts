/**
 * The form: what is typed is a draft that outlives a reload, and what is saved is a run.
 *
 * @module
 */
import type { RunView } from "pawl";
import { find, make, say } from "./dom.ts";
import type { App } from "./engine.ts";
import { type CheckName, checks, type Inspection, problemsOf } from "./inspection.ts";
import { keepPhoto } from "./photos.ts";
import { askToStay } from "./surroundings.ts";

/** A refused run. */
export type Refused = Pick<RunView<Inspection>, "runId" | "key" | "data">;

/** What other parts of the page may ask the form for. */
export interface Form {
  /** Fills in an inspection that is to be corrected. */
  correct(run: Refused): void;
}

/** What is being filled in. */
interface Draft {
  readonly inspection: Partial<Inspection>;
  /** Made once for each inspection, so that one which is submitted twice is one run. */
  readonly key: string;
  /** Of the run that is corrected. */
  readonly runId?: string;
  /** When it was first submitted as it is. */
  inspectedAt?: string | undefined;
}

const textNames = ["asset", "inspector", "notes"] as const;
const checkNames = Object.keys(checks) as CheckName[];

/** Where the draft of this tab, and the name of whoever uses this device, are kept. */
const draftKey = "draft";
const inspectorKey = "inspector";

/** Starts it; `onSaved` is called once an inspection is safe on the device. */
export function startForm(app: App, onSaved: () => Promise<void>): Form {
  const form = find<HTMLFormElement>("form");
  for (const name of checkNames) find("checks").append(checkField(name));
  let draft: Draft;

  function fill(next: Draft): void {
    draft = next;
    form.reset();
    for (const name of textNames) field(form, name).value = draft.inspection[name] ?? "";
    for (const name of checkNames) field(form, name).value = draft.inspection.results?.[name] ?? "";
    field(form, "inspector").value ||= localStorage.getItem(inspectorKey) ?? "";
    const isCorrection = draft.runId !== undefined;
    find("form-title").textContent = isCorrection ? "Correct an inspection" : "New inspection";
    form.querySelector(".main")!.textContent = isCorrection ? "Save correction" : "Save inspection";
    find("leave").hidden = !isCorrection;
    find("photo-hint").textContent = draft.inspection.photo === undefined
      ? "(optional)"
      : "(kept, unless you choose another)";
    showProblems(form, new Map());
  }

  function begin(): void {
    sessionStorage.removeItem(draftKey);
    fill({ inspection: {}, key: crypto.randomUUID() });
  }

  function keepDraft(): void {
    draft.inspectedAt = undefined;
    sessionStorage.setItem(draftKey, JSON.stringify({ ...draft, inspection: read(form) }));
  }

  async function save(): Promise<void> {
    const inspectedAt = draft.inspectedAt ??= new Date().toISOString();
    const inspection = { ...read(form), inspectedAt };
    const problems = problemsOf(inspection);
    showProblems(form, problems);
    if (problems.size > 0) return;
    const { key, runId } = draft;
    const photo = find<HTMLInputElement>("photo").files?.[0];
    if (photo) await keepPhoto(key, photo);
    const data = photo ? { ...inspection, photo: key } : inspection;
    if (runId === undefined) {
      await app.engine.trigger(app.inspections, key, { data, idempotencyKey: key });
    } else {
      const { applied } = await app.engine.callback(app.inspections, key, "refused", data, { runId });
      if (!applied) throw new Error("Another tab has corrected it already");
    }
    localStorage.setItem(inspectorKey, inspection.inspector);
    begin();
    say(`The inspection of ${inspection.asset} is saved on this device.`);
    void onSaved();
    void askToStay(app.store);
  }

  form.addEventListener("input", keepDraft);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.inert = true;
    const failure = await save().then(() => undefined, (error) => error as Error);
    form.inert = false;
    if (failure) refuse(`It could not be saved, and is still here: ${failure.message}`);
    const invalid = form.querySelector<HTMLElement>('[aria-invalid="true"]');
    (failure ? find("refusal") : invalid ?? field(form, "asset")).focus();
  });
  find("leave").addEventListener("click", begin);

  const kept = sessionStorage.getItem(draftKey);
  if (kept === null) begin();
  else fill(JSON.parse(kept));
  return {
    correct({ key, runId, data }) {
      fill({ inspection: data, key, runId });
      keepDraft();
      form.scrollIntoView({ block: "start" });
      field(form, "asset").focus();
    },
  };
}

function checkField(name: CheckName): HTMLElement {
  const describedBy = { "aria-describedby": `${name}-problem` };
  const choice = (value: "ok" | "defect", text: string) => {
    const input = make("input", { type: "radio", id: `${name}-${value}`, name, value, ...describedBy });
    return make("label", { class: value }, input, make("span", {}, text));
  };
  return make(
    "fieldset",
    {},
    make("legend", {}, checks[name]),
    make("div", { class: "choices" }, choice("ok", "OK"), choice("defect", "Defect")),
    make("p", { id: `${name}-problem`, class: "problem" }),
  );
}

/** A field, or the radio buttons of a name, which have one value together. */
function field(form: HTMLFormElement, name: string): HTMLInputElement {
  return form.elements.namedItem(name) as HTMLInputElement;
}

function read(form: HTMLFormElement): Omit<Inspection, "inspectedAt"> {
  const values = new FormData(form);
  const text = (name: string) => String(values.get(name) ?? "").trim();
  const results = checkNames.flatMap((name) => values.has(name) ? [[name, values.get(name)]] : []);
  return {
    asset: text("asset").toUpperCase(),
    inspector: text("inspector"),
    notes: text("notes"),
    results: Object.fromEntries(results),
  };
}

/** Says at each field what is wrong with it. */
function showProblems(form: HTMLFormElement, problems: ReadonlyMap<string, string>): void {
  for (const name of [...textNames, ...checkNames]) {
    const problem = problems.get(name) ?? "";
    find(`${name}-problem`).textContent = problem;
    for (const input of form.querySelectorAll(`[name="${name}"]`)) {
      if (problem === "") input.removeAttribute("aria-invalid");
      else input.setAttribute("aria-invalid", "true");
    }
  }
  const { size } = problems;
  refuse(
    size === 0 ? "" : `Not saved yet: ${size} ${size === 1 ? "field needs" : "fields need"} your attention.`,
  );
}

function refuse(text: string): void {
  const refusal = find("refusal");
  refusal.textContent = text;
  refusal.hidden = text === "";
}
