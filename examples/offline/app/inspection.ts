/**
 * An inspection, from the form to the office: the machine that page and service worker share.
 *
 * ```text
 * filled -> checked -> packed -> ready -> sent
 *    ^          \-- no photo --/   |
 *    \...a person corrects it... refused
 * ```
 *
 * @module
 */
import { machine } from "pawl";

/** What is looked at, and how it is called in the form. */
export const checks = {
  guards: "Guards in place",
  leaks: "No leaks",
  labels: "Labels readable",
  stop: "Emergency stop works",
} as const;

/** One of them. */
export type CheckName = keyof typeof checks;

/** What a run carries. */
export interface Inspection {
  readonly asset: string;
  readonly inspector: string;
  readonly results: Readonly<Partial<Record<CheckName, "ok" | "defect">>>;
  readonly notes: string;
  readonly inspectedAt: string;
  /** Of a photo that lies on the device; a run is too small for it. */
  readonly photo?: string;
  /** Why somebody must look at it. */
  refusal?: string;
  receivedAt?: string;
}

/** What the office says of a request. It throws where the office cannot be reached, or is out of order. */
export type Answer = { readonly receivedAt: string } | { readonly refused: string };

/** What surrounds the machine; a test hands in its own. Each may be asked for the same again. */
export interface Services {
  /** Makes the photo as small as the office wants it. */
  packPhoto(id: string): Promise<void>;
  uploadPhoto(id: string, signal: AbortSignal): Promise<Answer>;
  sendInspection(runId: string, inspection: Inspection, signal: AbortSignal): Promise<Answer>;
  dropPhoto(id: string): Promise<void>;
}

/** The machine that {@linkcode inspectionMachine} makes. */
export type Inspections = ReturnType<typeof inspectionMachine>;

/** Names the fields that are not filled in as they should be, with what to do. */
export function problemsOf({ asset, inspector, results, notes }: Inspection): ReadonlyMap<string, string> {
  const problems = new Map<string, string>();
  if (!/^[A-Z]{2}-\d{3}$/.test(asset)) problems.set("asset", "Enter the number on the plate, such as PU-101");
  if (inspector === "") problems.set("inspector", "Enter your name");
  for (const name of Object.keys(checks) as CheckName[]) {
    if (!results[name]) problems.set(name, "Choose OK or Defect");
  }
  if (Object.values(results).includes("defect") && notes === "") {
    problems.set("notes", "Describe the defect");
  }
  return problems;
}

/**
 * Makes the machine. The steps of the office need the network: without it a run waits, and no attempt is counted. What the
 * office refuses waits for a person; any other failure is tried again by itself.
 *
 * @param services The device and the office.
 * @returns The machine.
 */
export function inspectionMachine(services: Services) {
  const dropPhoto = async ({ data }: { readonly data: Inspection }) => {
    if (data.photo !== undefined) await services.dropPhoto(data.photo);
  };
  return machine<Inspection>("inspections", {
    pauseRetry: "1m",
    keepFinished: "30d",
    steps: { timeout: "1m", retry: { initial: "1s", max: "30s" } },
  })
    .step("filled", ["checked", "refused"], (run) => {
      const [problem] = problemsOf(run.data).values();
      if (problem === undefined) return "checked";
      run.data.refusal = problem;
      return "refused";
    })
    .step("checked", ["packed", "ready"], async (run) => {
      if (run.data.photo === undefined) return "ready";
      await services.packPhoto(run.data.photo);
      return "packed";
    })
    .step("packed", ["ready", "refused"], async (run) => {
      const answer = await services.uploadPhoto(run.data.photo!, run.signal);
      if (!("refused" in answer)) return "ready";
      run.data.refusal = answer.refused;
      return "refused";
    }, { needs: "network" })
    .step("ready", ["sent", "refused"], async (run) => {
      const answer = await services.sendInspection(run.runId, run.data, run.signal);
      if ("refused" in answer) {
        run.data.refusal = answer.refused;
        return "refused";
      }
      run.data.receivedAt = answer.receivedAt;
      return "sent";
    }, { needs: "network" })
    .callback("refused", ["filled"], (run, correction: Partial<Inspection>) => {
      const { refusal: _, ...before } = run.data;
      run.data = { ...before, ...correction };
      return "filled";
    })
    .onComplete(dropPhoto)
    .onCancel(dropPhoto)
    .build();
}
