/**
 * The form: what is typed is a draft that outlives a reload, and what is saved is a run.
 *
 * @module
 */
import { find, make, say } from "./dom.ts";
import type { App } from "./engine.ts";
import { type CheckName, checks, type Inspection, problemsOf } from "./inspection.ts";
import { keepPhoto } from "./photos.ts";
import { askToStay } from "./surroundings.ts";

/** What other parts of the page may ask the form for. */
export interface Form {
  /** Fills in an inspection that is to be corrected. */
  edit(inspection: Inspection): void;
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
  // One key for each inspection, however often it is submitted.
  let key = crypto.randomUUID();

  const fill = (inspection: Partial<Inspection>) => {
    form.reset();
    for (const name of textNames) field(form, name).value = inspection[name] ?? "";
    for (const name of checkNames) field(form, name).value = inspection.results?.[name] ?? "";
    field(form, "inspector").value ||= localStorage.getItem(inspectorKey) ?? "";
    showProblems(form, new Map());
  };

  const save = async () => {
    const inspection = read(form);
    const problems = problemsOf(inspection);
    showProblems(form, problems);
    if (problems.size > 0) return;
    const photo = find<HTMLInputElement>("photo").files?.[0];
    if (photo) await keepPhoto(key, photo);
    const data = photo ? { ...inspection, photo: key } : inspection;
    await app.engine.trigger(app.inspections, key, { data });
    key = crypto.randomUUID();
    sessionStorage.removeItem(draftKey);
    localStorage.setItem(inspectorKey, inspection.inspector);
    fill({});
    say(`The inspection of ${inspection.asset} is saved on this device.`);
    field(form, "asset").focus();
    await Promise.all([onSaved(), askToStay()]);
  };

  form.addEventListener("input", () => sessionStorage.setItem(draftKey, JSON.stringify(read(form))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save().catch((error) => refuse(`It could not be saved, and is still in the form: ${error.message}`));
  });
  fill(JSON.parse(sessionStorage.getItem(draftKey) ?? "{}"));
  return {
    edit(inspection) {
      fill(inspection);
      form.scrollIntoView({ block: "start" });
      field(form, "asset").focus();
    },
  };
}

function checkField(name: CheckName): HTMLElement {
  const choice = (value: "ok" | "defect", text: string) =>
    make(
      "label",
      { class: value },
      make("input", {
        type: "radio",
        name,
        value,
        id: `${name}-${value}`,
        "aria-describedby": `${name}-problem`,
      }),
      make("span", {}, text),
    );
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

function read(form: HTMLFormElement): Inspection {
  const values = new FormData(form);
  const text = (name: string) => String(values.get(name) ?? "").trim();
  const results = checkNames.flatMap((name) => values.has(name) ? [[name, values.get(name)]] : []);
  return {
    asset: text("asset").toUpperCase(),
    inspector: text("inspector"),
    notes: text("notes"),
    results: Object.fromEntries(results),
    inspectedAt: new Date().toISOString(),
  };
}

/** Says at each field what is wrong with it, and leads to the first. */
function showProblems(form: HTMLFormElement, problems: ReadonlyMap<string, string>): void {
  for (const name of [...textNames, ...checkNames]) {
    const problem = problems.get(name);
    find(`${name}-problem`).textContent = problem ?? "";
    for (const input of form.querySelectorAll(`[name="${name}"]`)) {
      input.toggleAttribute("aria-invalid", false);
      if (problem !== undefined) input.setAttribute("aria-invalid", "true");
    }
  }
  refuse(problems.size === 0 ? "" : [...problems.values()].join(". ") + ".");
  form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
}

function refuse(text: string): void {
  const refusal = find("refusal");
  refusal.textContent = text;
  refusal.hidden = text === "";
}
