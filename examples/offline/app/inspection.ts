/**
 * An inspection, from the form to the office: the machine that page and service worker share.
 *
 * ```text
 * filled -> checked -> packed -> ready -> sent
 *                  \-- no photo --/
 * ```
 *
 * @module
 */
import { machine } from "pawl";

/** What is looked at, and how it is called in the form. */
export const checks = {
  guards: "Guards and covers in place",
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
    if (!results[name]) problems.set(name, `Choose OK or Defect for “${checks[name]}”`);
  }
  if (Object.values(results).includes("defect") && notes === "") {
    problems.set("notes", "Describe the defect");
  }
  return problems;
}

/**
 * Makes the machine. The steps of the office need the network: without it a run waits, and no attempt is counted. What the
 * office refuses is paused until somebody looks at it; any other failure is tried again by itself.
 *
 * @param services The device and the office.
 * @returns The machine.
 */
export function inspectionMachine(services: Services) {
  return machine<Inspection>("inspections", {
    pauseRetry: false,
    keepFinished: "30d",
    steps: { timeout: "1m", retry: { initial: "1s", max: "30s" } },
  })
    .step("filled", ["checked"], (run) => {
      const [problem] = problemsOf(run.data).values();
      return problem === undefined ? "checked" : run.pause(problem);
    })
    .step("checked", ["packed", "ready"], async (run) => {
      if (run.data.photo === undefined) return "ready";
      await services.packPhoto(run.data.photo);
      return "packed";
    })
    .step("packed", ["ready"], async (run) => {
      const answer = await services.uploadPhoto(run.data.photo!, run.signal);
      return "refused" in answer ? run.pause(answer.refused) : "ready";
    }, { needs: "network" })
    .step("ready", ["sent"], async (run) => {
      const answer = await services.sendInspection(run.runId, run.data, run.signal);
      if ("refused" in answer) return run.pause(answer.refused);
      run.data.receivedAt = answer.receivedAt;
      return "sent";
    }, { needs: "network" })
    .onComplete((run) => dropPhoto(run.data))
    .onCancel((run) => dropPhoto(run.data))
    .build();

  async function dropPhoto({ photo }: Inspection): Promise<void> {
    if (photo !== undefined) await services.dropPhoto(photo);
  }
}
